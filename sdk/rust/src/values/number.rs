//! Numbers in text: the smallest integer type that holds it, else a float, else a decimal.
//!
//! Follows `Values.parseAsNumber`. Java also reads digits of other scripts; this does not.

use super::Typed;
use super::data::{Shape, Value};

/// Digits and where their point is, as `new BigDecimal(String)` reads them.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    scale: i64,
}

/// Most digits of an exponent in Java.
const EXPONENT_DIGITS_MAX: usize = 10;

/// The number that a token is; none when it is none.
pub(super) fn parse(token: &str) -> Option<Typed> {
    let decimal = read(token)?;
    if let Some(integer) = integer(&decimal) {
        let shape = if i8::try_from(integer).is_ok() {
            Shape::Int8
        } else if i16::try_from(integer).is_ok() {
            Shape::Int16
        } else if i32::try_from(integer).is_ok() {
            Shape::Int32
        } else {
            Shape::Int64
        };
        return Some(Typed::new(Value::Int(integer), shape));
    }
    let scale = i32::try_from(decimal.scale).ok()?;
    if scale != 0 {
        let float: f32 = token.parse().ok()?;
        if float.is_finite() {
            return Some(Typed::new(Value::Float32(float), Shape::Float32));
        }
        let float: f64 = token.parse().ok()?;
        if float.is_finite() {
            return Some(Typed::new(Value::Float64(float), Shape::Float64));
        }
    }
    Some(Typed::new(Value::Decimal(token.to_owned()), Shape::Decimal(scale)))
}

fn read(token: &str) -> Option<Decimal<'_>> {
    let negative = token.starts_with('-');
    let unsigned = token.strip_prefix(['-', '+']).unwrap_or(token);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            let plain = !digits.is_empty()
                && digits.trim_start_matches('0').len() <= EXPONENT_DIGITS_MAX
                && all_digits(digits);
            (mantissa, if plain { exponent.parse().ok()? } else { return None })
        }
        None => (unsigned, 0_i64),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let scale = i64::try_from(fraction.len()).ok()? - exponent;
    i32::try_from(scale).ok()?;
    Some(Decimal { negative, whole, fraction, scale })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value when it is a whole number of 64 bits.
fn integer(of: &Decimal<'_>) -> Option<i64> {
    let all = || of.whole.bytes().chain(of.fraction.bytes());
    let significant = all().skip_while(|&digit| digit == b'0').count();
    if significant == 0 {
        return Some(0);
    }
    // Digits before the point; more than 19 are beyond 64 bits, and 0 or less is a fraction.
    let before = i64::try_from(significant).ok()? - of.scale;
    let before = usize::try_from(before).ok().filter(|before| (1..=19).contains(before))?;
    let digits = all().skip_while(|&digit| digit == b'0');
    let mut value = 0_i128;
    for (place, digit) in
        digits.chain(std::iter::repeat(b'0')).take(significant.max(before)).enumerate()
    {
        if place >= before {
            if digit != b'0' {
                return None;
            }
        } else {
            value = 10 * value + i128::from(digit - b'0');
        }
    }
    i64::try_from(if of.negative { -value } else { value }).ok()
}
