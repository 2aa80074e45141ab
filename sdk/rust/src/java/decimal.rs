//! `BigDecimal.toString` and `toPlainString`, and reading a decimal from text. Not here: its CBOR (`cbor`).

use crate::cbor::{Decimal, Unscaled};

/// As `BigDecimal.toString`.
pub fn decimal_to_string(value: &Decimal<'_>) -> String {
    let digits = digits(&value.unscaled);
    let scale = i64::from(value.scale);
    let exponent = digits.len() as i64 - 1 - scale;
    let text = if scale >= 0 && exponent >= -6 {
        pointed(&digits, scale)
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        match exponent {
            0 => format!("{first}{point}{rest}"),
            _ => format!("{first}{point}{rest}E{exponent:+}"),
        }
    };
    signed(text, &value.unscaled)
}

/// As `BigDecimal.toPlainString`.
pub fn decimal_to_plain_string(value: &Decimal<'_>) -> String {
    let digits = digits(&value.unscaled);
    let scale = i64::from(value.scale);
    let text = if scale >= 0 {
        pointed(&digits, scale)
    } else if digits == "0" {
        digits
    } else {
        let zeros = usize::try_from(-scale).unwrap_or(0);
        digits + &"0".repeat(zeros)
    };
    signed(text, &value.unscaled)
}

fn signed(text: String, unscaled: &Unscaled<'_>) -> String {
    if unscaled.is_negative() { format!("-{text}") } else { text }
}

/// The digits with a point `scale` places from the end.
fn pointed(digits: &str, scale: i64) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    if scale == 0 {
        return digits.to_owned();
    }
    match digits.len().checked_sub(scale) {
        Some(whole @ 1..) => {
            let (whole, fraction) = digits.split_at(whole);
            format!("{whole}.{fraction}")
        }
        _ => format!("0.{digits:0>scale$}"),
    }
}

/// The absolute value in decimal digits.
fn digits(unscaled: &Unscaled<'_>) -> String {
    if let Unscaled::Int(value) = unscaled {
        return value.unsigned_abs().to_string();
    }
    const BASE: u64 = 1_000_000_000;
    let mut limbs: Vec<u32> = Vec::new();
    let magnitude = unscaled.magnitude();
    for chunk in magnitude.rchunks(4) {
        limbs.push(chunk.iter().fold(0, |limb, &byte| limb << 8 | u32::from(byte)));
    }
    let mut groups = Vec::new();
    while !limbs.is_empty() {
        let mut rest = 0_u64;
        for limb in limbs.iter_mut().rev() {
            let value = rest << 32 | u64::from(*limb);
            *limb = (value / BASE) as u32;
            rest = value % BASE;
        }
        groups.push(rest);
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
    }
    let mut groups = groups.into_iter().rev().skip_while(|&group| group == 0);
    let mut text = groups.next().unwrap_or(0).to_string();
    for group in groups {
        text.push_str(&format!("{group:09}"));
    }
    text
}

/// Reads a decimal as `new BigDecimal(String)` does: its unscaled value as Java's `toByteArray` gives it, and its scale. None when it is none.
pub fn parse_decimal(text: &str) -> Option<(Vec<u8>, i32)> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let scale = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let mut limbs: Vec<u32> = vec![0];
    for digit in whole.bytes().chain(fraction.bytes()) {
        let mut carry = u64::from(char::from(digit).to_digit(10)?);
        for limb in &mut limbs {
            let value = u64::from(*limb) * 10 + carry;
            *limb = value as u32;
            carry = value >> 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    Some((twos_complement(&limbs, negative), i32::try_from(scale).ok()?))
}

/// From an exponent of 64 on, the low 64 bits of a power of ten are 0.
const EXPONENT_MAX: i64 = 64;

/// The low 64 bits of a decimal without its fraction, as `new BigDecimal(String).longValue()` gives them. The text must be one that [`parse_decimal`] reads.
pub fn decimal_to_i64(text: &str) -> i64 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // An exponent beyond 64 bits leaves nothing either way.
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MIN);
    let digits = whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
    let count = i64::try_from(digits.clone().count()).unwrap_or(i64::MAX);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let kept = (count - places).saturating_add(exponent);
    if kept <= 0 || kept - count > EXPONENT_MAX {
        return 0;
    }
    let kept = usize::try_from(kept).unwrap_or(0);
    let append = |value: u64, digit: u8| {
        value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    };
    let value = digits.chain(std::iter::repeat(b'0')).take(kept).fold(0, append).cast_signed();
    if whole.starts_with('-') { value.wrapping_neg() } else { value }
}

fn twos_complement(limbs: &[u32], negative: bool) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()));
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let redundant = |pair: &[u8]| match pair {
        [0, next] => *next < 0x80,
        [0xff, next] => *next >= 0x80,
        _ => false,
    };
    let start = bytes.windows(2).position(|pair| !redundant(pair)).unwrap_or(bytes.len() - 1);
    bytes.split_off(start)
}
