//! PostgreSQL's binary `numeric`: digits to the base of 10,000. Not here: other types.

use tombolo_sdk::cbor::{Decimal, Unscaled};
use tombolo_sdk::java;

/// Most digits after the point that the type has.
const SCALE_MAX: i32 = 16_383;
/// Most digits before the point.
const WHOLE_MAX: usize = 131_072;

/// A number that the type does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// Appends a decimal.
pub(crate) fn write_decimal(out: &mut Vec<u8>, value: &Decimal<'_>) -> Result<(), OutOfRange> {
    if value.scale > SCALE_MAX || value.scale < -SCALE_MAX {
        return Err(OutOfRange);
    }
    match value.unscaled {
        Unscaled::Int(unscaled) if (0..=18).contains(&value.scale) => {
            write_small(out, unscaled, value.scale);
            Ok(())
        }
        _ => write_plain(out, &java::decimal_to_plain_string(value)),
    }
}

/// Appends a float: as many digits as tell it from its neighbours.
pub(crate) fn write_float(out: &mut Vec<u8>, value: f64) -> Result<(), OutOfRange> {
    if value.is_nan() {
        write(out, &[], (0, 0xc000, 0));
        return Ok(());
    }
    if value.is_infinite() {
        let sign = if value > 0.0 { 0xd000 } else { 0xf000 };
        write(out, &[], (0, sign, 0));
        return Ok(());
    }
    write_plain(out, &value.to_string())
}

/// Appends an integer.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    write_small(out, value, 0);
}

/// A number of 64 bits with at most 18 digits after the point.
fn write_small(out: &mut Vec<u8>, unscaled: i64, scale: i32) {
    let (behind, padding) = (scale.unsigned_abs().div_ceil(4), (4 - scale.unsigned_abs() % 4) % 4);
    let mut rest = u128::from(unscaled.unsigned_abs()) * 10_u128.pow(padding);
    // 64 bits have at most five groups, and three more digits a sixth.
    let (mut groups, mut count) = ([0_u16; 8], 0_usize);
    while rest > 0 {
        if let Some(group) = groups.iter_mut().rev().nth(count) {
            *group = (rest % 10_000) as u16;
        }
        rest /= 10_000;
        count += 1;
    }
    let groups = groups.get(groups.len() - count..).unwrap_or_default();
    let weight = count as i32 - behind as i32 - 1;
    let sign = if unscaled < 0 { 0x4000 } else { 0 };
    write(out, groups, (weight, sign, scale));
}

/// Digits with a sign and a point, as `-12.50`.
fn write_plain(out: &mut Vec<u8>, text: &str) -> Result<(), OutOfRange> {
    let (sign, text) = text.strip_prefix('-').map_or((0, text), |rest| (0x4000, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
    if scale > SCALE_MAX || whole.len() > WHOLE_MAX {
        return Err(OutOfRange);
    }
    let before = "0".repeat((4 - whole.len() % 4) % 4);
    let after = "0".repeat((4 - fraction.len() % 4) % 4);
    let digits = [before.as_str(), whole, fraction, after.as_str()].concat();
    let (groups, _) = digits.as_bytes().as_chunks::<4>();
    let group = |group: &[u8; 4]| {
        group.iter().fold(0, |value, digit| value * 10 + u16::from(digit.wrapping_sub(b'0')))
    };
    let groups: Vec<u16> = groups.iter().map(group).collect();
    let weight = i32::try_from(whole.len().div_ceil(4)).unwrap_or(i32::MAX) - 1;
    write(out, &groups, (weight, sign, scale));
    Ok(())
}

/// Groups without those that say nothing, after weight, sign and scale.
fn write(out: &mut Vec<u8>, groups: &[u16], (weight, sign, scale): (i32, u16, i32)) {
    let zeros = groups.iter().take_while(|&&group| group == 0).count();
    let groups = groups.get(zeros..).unwrap_or_default();
    let used = groups.len() - groups.iter().rev().take_while(|&&group| group == 0).count();
    let groups = groups.get(..used).unwrap_or_default();
    let weight = if groups.is_empty() { 0 } else { weight - zeros as i32 };
    // Both limits are far below 16 bits' worth of groups.
    for head in [groups.len() as u16, weight as u16, sign, scale as u16] {
        out.extend_from_slice(&head.to_be_bytes());
    }
    groups.iter().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(bytes: &[u8]) -> Vec<u16> {
        bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn small_numbers_are_written_as_postgresql_sends_them() {
        for (unscaled, scale, expected) in [
            (0, 0, vec![0, 0, 0, 0]),
            (0, 2, vec![0, 0, 0, 2]),
            (1, 0, vec![1, 0, 0, 0, 1]),
            (-12_345, 2, vec![2, 0, 0x4000, 2, 123, 4500]),
            (10_000, 0, vec![1, 1, 0, 0, 1]),
            (5, 5, vec![1, u16::MAX - 1, 0, 5, 5000]),
            (i64::MIN, 0, vec![5, 4, 0x4000, 0, 922, 3372, 368, 5477, 5808]),
        ] {
            let mut out = Vec::new();
            write_small(&mut out, unscaled, scale);
            assert_eq!(heads(&out), expected, "{unscaled} scale {scale}");
        }
    }

    #[test]
    fn both_ways_to_write_a_number_agree() {
        for unscaled in [0, 1, -1, 99, 10_000, 123_456_789, -1_000_000_007, i64::MAX, i64::MIN] {
            for scale in 0..=18 {
                let decimal = Decimal { scale, unscaled: Unscaled::Int(unscaled) };
                let (mut small, mut plain) = (Vec::new(), Vec::new());
                write_decimal(&mut small, &decimal).unwrap();
                write_plain(&mut plain, &java::decimal_to_plain_string(&decimal)).unwrap();
                assert_eq!(heads(&small), heads(&plain), "{unscaled} scale {scale}");
            }
        }
    }

    #[test]
    fn floats_and_numbers_out_of_range() {
        let written = |value| {
            let mut out = Vec::new();
            write_float(&mut out, value).unwrap();
            heads(&out)
        };
        assert_eq!(written(1.5), [2, 0, 0, 1, 1, 5000]);
        assert_eq!(written(-1e8), [1, 2, 0x4000, 0, 1]);
        assert_eq!(written(f64::NAN), [0, 0, 0xc000, 0]);
        assert_eq!(written(f64::NEG_INFINITY), [0, 0, 0xf000, 0]);
        let vast = Decimal { scale: i32::MIN, unscaled: Unscaled::Int(1) };
        assert_eq!(write_decimal(&mut Vec::new(), &vast), Err(OutOfRange));
    }
}
