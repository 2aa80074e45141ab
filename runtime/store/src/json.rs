//! JSON as Kafka Connect writes it, byte for byte: Jackson's escapes, Java's numbers.
//!
//! Not here: what is written (the record modules), and reading, for which any JSON parser does.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use crate::error::{Error, Result};

/// Writes a value without spaces, as `JsonConverter` with `schemas.enable=false` does.
///
/// Errors: `Format` where the value has no JSON, as a map with keys that are no text.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(128);
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, Jackson))
        .map_err(|error| Error::Format(format!("not writable as JSON: {error}")))?;
    Ok(bytes)
}

/// The format of Jackson's generator in its default settings.
struct Jackson;

impl Formatter for Jackson {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(java_double(value).as_bytes())
    }

    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        writer.write_all(java_float(value).as_bytes())
    }

    /// Jackson writes characters beyond the first 65,536 as two escapes.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|(_, char)| char.len_utf8() == 4) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04X}")?;
            }
            rest = from.strip_prefix(char).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let short: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04X}"),
        };
        writer.write_all(short)
    }
}

/// A finite double as `Double.toString` of Java 19 and later prints it: the shortest text that reads back as the same value.
pub fn java_double(value: f64) -> String {
    let shortest = format!("{value:e}");
    // One digit is not enough for Java: of two, it takes the nearest. They differ from "d.0" in the smallest doubles alone.
    let two = format!("{value:.1e}");
    let is_one_digit = !shortest.contains('.');
    let digits = if is_one_digit && two.parse() == Ok(value) { two } else { shortest };
    java_number(&digits)
}

/// A finite float as `Float.toString` of Java 19 and later prints it.
pub fn java_float(value: f32) -> String {
    let shortest = format!("{value:e}");
    let two = format!("{value:.1e}");
    let is_one_digit = !shortest.contains('.');
    let digits = if is_one_digit && two.parse() == Ok(value) { two } else { shortest };
    java_number(&digits)
}

/// Turns `d.ddde-n` into Java's form: plain from 10^-3 to below 10^7, else with an exponent, always with a digit after the point.
fn java_number(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
    if digits.bytes().all(|digit| digit == b'0') {
        return format!("{sign}0.0");
    }
    let after_point = |rest: &str| if rest.is_empty() { "0".to_owned() } else { rest.to_owned() };
    match exponent {
        -3..=-1 => {
            let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
        0..=6 => {
            let point = usize::try_from(exponent).unwrap_or(0) + 1;
            let padded = format!("{digits:0<point$}");
            let (before, after) = padded.split_at(point);
            format!("{sign}{before}.{}", after_point(after))
        }
        _ => {
            let (before, after) = digits.split_at(1);
            format!("{sign}{before}.{}E{exponent}", after_point(after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_java() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.00099, "9.9E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1_234_567.25, "1234567.25"),
            (1e10, "1.0E10"),
            (2e23, "2.0E23"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::from_bits(1), "4.9E-324"),
            (f64::from_bits(2), "9.9E-324"),
            (f64::from_bits(3), "1.5E-323"),
        ] {
            assert_eq!(java_double(value), expected);
        }
        assert_eq!(java_float(1.1), "1.1");
        assert_eq!(java_float(f32::from_bits(1)), "1.4E-45");
    }

    #[test]
    fn text_is_escaped_as_jackson_does() {
        let json = to_vec(&"a\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}é😀").unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u001F\u{7f}é\\uD83D\\uDE00\""
        );
    }
}
