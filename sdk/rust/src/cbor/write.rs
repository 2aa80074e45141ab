//! Writes CBOR to the end of a buffer, in the profile of `wit/cbor.md`. Not here: serde (`ser`).

use super::{TAG_BIGNUM, TAG_DATE, TAG_DECIMAL, TAG_NEGATIVE_BIGNUM, TAG_TIME, TAG_TIMESTAMP};
use crate::short::append;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const NULL: u8 = 0xf6;

/// A head in its shortest form.
#[inline(always)]
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    match u8::try_from(argument) {
        Ok(argument @ 0..24) => out.push(major << 5 | argument),
        _ => long_head(out, major, argument),
    }
}

/// A head of more than one byte.
#[expect(clippy::cast_possible_truncation, reason = "each arm's range fits its type")]
fn long_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..0x100 => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..0x1_0000 => {
            let [high, low] = (argument as u16).to_be_bytes();
            out.extend_from_slice(&[major | 25, high, low]);
        }
        0x1_0000..0x1_0000_0000 => {
            let [a, b, c, d] = (argument as u32).to_be_bytes();
            out.extend_from_slice(&[major | 26, a, b, c, d]);
        }
        _ => {
            let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
            out.extend_from_slice(&[major | 27, a, b, c, d, e, f, g, h]);
        }
    }
}

/// Null.
#[inline]
pub fn null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// True or false.
#[inline]
pub fn boolean(out: &mut Vec<u8>, value: bool) {
    out.push(if value { 0xf5 } else { 0xf4 });
}

/// Any integer type.
#[inline]
pub fn int(out: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => head(out, UNSIGNED, value),
        Err(_) => head(out, NEGATIVE, !value.cast_unsigned()),
    }
}

/// FLOAT32.
#[inline]
pub fn f32(out: &mut Vec<u8>, value: f32) {
    let [a, b, c, d] = value.to_bits().to_be_bytes();
    out.extend_from_slice(&[0xfa, a, b, c, d]);
}

/// FLOAT64, never shortened.
#[inline]
pub fn f64(out: &mut Vec<u8>, value: f64) {
    let [a, b, c, d, e, f, g, h] = value.to_bits().to_be_bytes();
    out.extend_from_slice(&[0xfb, a, b, c, d, e, f, g, h]);
}

/// Text.
#[inline]
pub fn text(out: &mut Vec<u8>, value: &str) {
    head(out, TEXT, value.len() as u64);
    append(out, value.as_bytes());
}

/// Bytes.
#[inline]
pub fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    head(out, BYTES, value.len() as u64);
    append(out, value);
}

/// The head of a text of this many bytes, which the caller appends. They must be UTF-8.
#[inline]
pub fn text_head(out: &mut Vec<u8>, len: usize) {
    head(out, TEXT, len as u64);
}

/// The head of an array; this many items must follow.
#[inline]
pub fn array(out: &mut Vec<u8>, items: usize) {
    head(out, ARRAY, items as u64);
}

/// The head of a map; this many pairs must follow, with no key twice.
#[inline]
pub fn map(out: &mut Vec<u8>, pairs: usize) {
    head(out, MAP, pairs as u64);
}

/// A collection whose length is known only at its end.
#[derive(Clone, Copy, Debug)]
#[must_use = "end it with `end_array` or `end_map`"]
pub struct Open(usize);

/// Begins an array or a map; its items follow, then [`end_array`] or [`end_map`].
#[inline]
pub fn begin(out: &mut Vec<u8>) -> Open {
    out.push(0);
    Open(out.len() - 1)
}

/// Ends an array of this many items.
///
/// Cost: constant up to 23 items; above that its bytes are moved once.
#[inline]
pub fn end_array(out: &mut Vec<u8>, open: Open, items: usize) {
    end(out, open, ARRAY, items);
}

/// Ends a map of this many pairs. Cost: as [`end_array`].
#[inline]
pub fn end_map(out: &mut Vec<u8>, open: Open, pairs: usize) {
    end(out, open, MAP, pairs);
}

#[inline(always)]
fn end(out: &mut Vec<u8>, Open(start): Open, major: u8, count: usize) {
    match (u8::try_from(count), out.get_mut(start)) {
        (Ok(count @ 0..24), Some(first)) => *first = major << 5 | count,
        _ => end_long(out, start, major, count),
    }
}

#[cold]
fn end_long(out: &mut Vec<u8>, start: usize, major: u8, count: usize) {
    let mut long = Vec::with_capacity(9);
    long_head(&mut long, major, count as u64);
    drop(out.splice(start..=start, long));
}

/// Days since the epoch.
pub fn date(out: &mut Vec<u8>, days: i64) {
    head(out, TAG, TAG_DATE);
    int(out, days);
}

/// Milliseconds since the epoch.
pub fn timestamp(out: &mut Vec<u8>, millis: i64) {
    time_map(out, TAG_TIMESTAMP, millis);
}

/// Milliseconds since midnight.
pub fn time(out: &mut Vec<u8>, millis: i64) {
    time_map(out, TAG_TIME, millis);
}

fn time_map(out: &mut Vec<u8>, tag: u64, millis: i64) {
    head(out, TAG, tag);
    map(out, 2);
    int(out, 1);
    int(out, millis.div_euclid(1000));
    int(out, -3);
    int(out, millis.rem_euclid(1000));
}

/// A decimal: `unscaled` times ten to the power of `-scale`.
pub fn decimal(out: &mut Vec<u8>, unscaled: i64, scale: i32) {
    decimal_head(out, scale);
    int(out, unscaled);
}

/// A decimal whose unscaled value is given as Java's `BigInteger.toByteArray` does: big-endian, in two's complement. No bytes mean 0.
pub fn decimal_bytes(out: &mut Vec<u8>, unscaled: &[u8], scale: i32) {
    decimal_head(out, scale);
    let negative = unscaled.first().is_some_and(|&byte| byte >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let start = unscaled.iter().position(|&byte| byte != sign).unwrap_or(unscaled.len());
    let digits = unscaled.get(start..).unwrap_or_default();
    let small = digits.len() < 8
        || (digits.len() == 8 && digits.first().is_some_and(|&top| (top >= 0x80) == negative));
    if small {
        let value = digits
            .iter()
            .fold(if negative { -1 } else { 0 }, |value: i64, &byte| value << 8 | i64::from(byte));
        return int(out, value);
    }
    head(out, TAG, if negative { TAG_NEGATIVE_BIGNUM } else { TAG_BIGNUM });
    head(out, BYTES, digits.len() as u64);
    out.extend(digits.iter().map(|&byte| byte ^ sign));
}

fn decimal_head(out: &mut Vec<u8>, scale: i32) {
    head(out, TAG, TAG_DECIMAL);
    array(out, 2);
    int(out, -i64::from(scale));
}

/// A value by serde: any type but those whose maps have a key twice.
///
/// Errors: what the type's own `Serialize` reports; integers beyond 64 bits.
pub fn serde<T: serde::Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), super::Error> {
    value.serialize(super::Serializer::new(out))
}
