//! Writes integers as decimal text to the end of a buffer, without an allocation. Not here: floats (`java`).

use crate::short::append;

/// Digits of the largest number.
const DIGITS_MAX: usize = 20;

/// Appends a number.
#[inline]
pub fn write(out: &mut Vec<u8>, value: u64) {
    write_padded(out, value, 1);
}

/// Appends a number with zeros before it, if it has less than this many digits; of more than 20 there are 20.
#[inline]
pub fn write_padded(out: &mut Vec<u8>, value: u64, least: usize) {
    let mut digits = [b'0'; DIGITS_MAX];
    let count = fill(&mut digits, value).max(least);
    append(out, digits.get(DIGITS_MAX.saturating_sub(count)..).unwrap_or_default());
}

/// Writes the digits to the end, and gives their number, at least 1.
#[inline]
fn fill(digits: &mut [u8; DIGITS_MAX], mut value: u64) -> usize {
    let mut count = 0;
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        // Narrow divisions are cheaper, and most numbers are small.
        let (rest, last) = match u32::try_from(value) {
            Ok(small) => (u64::from(small / 100), (small % 100) as u8),
            Err(_) => (value / 100, (value % 100) as u8),
        };
        *pair = [b'0' + last / 10, b'0' + last % 10];
        if rest == 0 {
            return count + if last < 10 { 1 } else { 2 };
        }
        value = rest;
        count += 2;
    }
    count
}

/// Appends a number that may be negative.
pub fn write_signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write(out, value.unsigned_abs());
}
