//! Takes memory: all that there is, thinly, or again and again.

use std::hint::black_box;

use crate::{Answer, setting, tell};

/// The size of a page of linear memory.
const PAGE: usize = 64 << 10;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    match name {
        "grow to the limit" => grow(),
        "sparse touches" => Some(sparse()),
        "grow and trap" => trap(),
        _ => None,
    }
}

fn grow() -> ! {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(black_box(vec![1; 1 << 20]));
    }
}

/// One byte in each page, and no more than the setting `bytes` of them.
fn sparse() -> Answer {
    let bytes = setting("bytes").parse().unwrap_or(0);
    let mut memory: Vec<u8> = Vec::with_capacity(bytes);
    for page in memory.spare_capacity_mut().chunks_mut(PAGE) {
        if let Some(first) = page.first_mut() {
            black_box(first.write(1));
        }
    }
    tell(format!("touched {} pages", bytes / PAGE))
}

#[expect(clippy::panic, reason = "what it is for")]
fn trap() -> ! {
    let taken = black_box(vec![1_u8; 64 << 20]);
    panic!("took {} bytes", taken.len())
}
