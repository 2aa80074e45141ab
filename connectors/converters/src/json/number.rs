//! JSON numbers narrowed to a schema's type, as Java's casts narrow them. Not here: numbers without a schema.

use tombolo_sdk::java::decimal_to_i64;
use tombolo_sdk::json::Number;

/// The low 64 bits of the number without its fraction: `longValue` of Jackson's nodes.
#[inline]
pub(super) fn integer(of: Number<'_>) -> i64 {
    if of.integral { of.to_i64() } else { decimal_to_i64(of.text()) }
}

/// The nearest float: `floatValue` of Jackson's nodes. Zero has no sign.
#[inline]
pub(super) fn float(of: Number<'_>) -> f32 {
    let value: f32 = of.text().parse().unwrap_or(f32::NAN);
    let is_zero = || {
        let mantissa = of.text().split(['e', 'E']).next().unwrap_or_default();
        mantissa.bytes().all(|digit| matches!(digit, b'-' | b'.' | b'0'))
    };
    if value == 0.0 && is_zero() { 0.0 } else { value }
}

/// As a 32-bit integer, when it is one by its text: `isInt` of Jackson's nodes.
pub(super) fn exact_i32(of: Number<'_>) -> Option<i32> {
    if of.integral { of.text().parse().ok() } else { None }
}
