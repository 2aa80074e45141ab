//! JSON numbers narrowed to a schema's type, as Java's casts narrow them. Not here: numbers without a schema.

use tombolo_sdk::json::Number;

/// The low 64 bits of the number without its fraction: `longValue` of Jackson's nodes.
#[inline]
pub(super) fn integer(of: Number<'_>) -> i64 {
    if of.integral { of.to_i64() } else { truncated(of.text) }
}

/// From an exponent of 64 on, the low 64 bits of `10^n` are 0.
const EXPONENT_MAX: i64 = 64;

#[cold]
fn truncated(text: &str) -> i64 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // An exponent beyond 64 bits leaves nothing either way.
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MIN);
    let digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
    let count = digits.clone().count();
    let negative = whole.starts_with('-');
    let before = i64::try_from(count - fraction.len()).unwrap_or(i64::MAX);
    let kept = before.saturating_add(exponent);
    let zeros = kept - i64::try_from(count).unwrap_or(i64::MAX);
    if kept <= 0 || zeros > EXPONENT_MAX {
        return 0;
    }
    let kept = usize::try_from(kept).unwrap_or(0);
    let append = |value: u64, digit: u8| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    };
    let value = digits.chain(std::iter::repeat(b'0')).take(kept).fold(0, append).cast_signed();
    if negative { value.wrapping_neg() } else { value }
}

/// The nearest float: `floatValue` of Jackson's nodes. Zero has no sign.
#[inline]
pub(super) fn float(of: Number<'_>) -> f32 {
    let value: f32 = of.text.parse().unwrap_or(f32::NAN);
    let is_zero = || {
        let mantissa = of.text.split(['e', 'E']).next().unwrap_or_default();
        mantissa.bytes().all(|digit| matches!(digit, b'-' | b'.' | b'0'))
    };
    if value == 0.0 && is_zero() { 0.0 } else { value }
}

/// As a 32-bit integer, when it is one by its text: `isInt` of Jackson's nodes.
pub(super) fn exact_i32(of: Number<'_>) -> Option<i32> {
    if of.integral { of.text.parse().ok() } else { None }
}
