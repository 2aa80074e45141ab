//! Takes all the processor time that it gets, in ways that interrupt differently.

use std::hint::black_box;

use crate::{Answer, tell};

/// Bytes that are filled and moved in one instruction: most of what a guest may have.
const BULK: usize = 48 << 20;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    match name {
        "tight loop" => spin(),
        "nested loops" => nested(),
        "memory.fill" => fill(),
        "memory.copy" => copy(),
        "recursion" => Some(tell(recurse(1).to_string())),
        "branch maze" => maze(),
        "denormals" => denormals(),
        _ => None,
    }
}

/// Never returns.
pub(crate) fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn nested() -> ! {
    loop {
        for outer in 0..u32::MAX {
            for inner in 0..u32::MAX {
                black_box(outer ^ inner);
            }
        }
    }
}

fn fill() -> ! {
    let mut memory = vec![0_u8; BULK];
    loop {
        black_box(&mut memory).fill(black_box(7));
    }
}

fn copy() -> ! {
    let mut memory = vec![1_u8; BULK];
    loop {
        black_box(&mut memory).copy_within(0..BULK - 1, 1);
    }
}

#[expect(unconditional_recursion, reason = "what it is for")]
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth + 1))) + depth
}

/// A state machine whose every state is a branch of one table.
fn maze() -> ! {
    let mut state = 1_u32;
    loop {
        state = match black_box(state % 16) {
            0 => state.wrapping_mul(3),
            1 => state ^ 0x55,
            2 => state.rotate_left(5),
            3 => state.wrapping_add(0x9e37),
            4 => !state,
            5 => state >> 1 | 1,
            6 => state.wrapping_mul(state),
            7 => state.swap_bytes(),
            8 => state.wrapping_sub(11),
            9 => state.rotate_right(7),
            10 => state ^ state << 3,
            11 => state.reverse_bits(),
            12 => state.wrapping_mul(5),
            13 => state ^ state >> 2,
            14 => state.wrapping_add(1),
            _ => state / 3,
        };
    }
}

/// Arithmetic that some processors do a hundred times slower.
fn denormals() -> ! {
    let mut values = [f64::MIN_POSITIVE / 3.0; 64];
    loop {
        for value in &mut values {
            *value = black_box(*value) * 0.999_999 + f64::MIN_POSITIVE / 7.0;
        }
    }
}
