//! The text that says a value: strings plain at the top and quoted inside, bytes as base64, times in three formats.
//!
//! Follows `Values.convertToString`. Not here: Java's `toString`, which other converters print.

use crate::base64;
use crate::cbor::{Cursor, DEPTH_MAX, Error, Token, Why};
use crate::java::calendar::date_of;
use crate::java::{DAY, write_plain};
use crate::schema::{self, Schema, SchemaNumber, SchemaType};

/// Appends the text of a value.
///
/// Errors: bytes outside the profile of `wit/cbor.md`.
pub fn write(out: &mut Vec<u8>, value: &[u8], schema: SchemaNumber) -> Result<(), Error> {
    item(out, &mut Cursor::new(value), schema, 0)
}

fn item(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    schema: SchemaNumber,
    depth: usize,
) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::new(Why::Refused("a value nested too deep"), cursor.position()));
    }
    let embedded = depth > 0;
    match cursor.token()? {
        Token::Text(value) if embedded => quoted(out, value),
        Token::Text(value) => out.extend_from_slice(value.as_bytes()),
        Token::Bytes(value) if embedded => {
            out.push(b'"');
            base64::write(out, value);
            out.push(b'"');
        }
        Token::Bytes(value) => base64::write(out, value),
        Token::Date(days) => write_time(out, days.saturating_mul(DAY)),
        Token::Time(millis) | Token::Timestamp(millis) => write_time(out, millis),
        Token::Array(count) => {
            let element = schema::get(schema).and_then(|schema| schema.value).unwrap_or(0);
            out.push(b'[');
            for place in 0..count {
                if place > 0 {
                    out.push(b',');
                }
                item(out, cursor, element, depth + 1)?;
            }
            out.push(b']');
        }
        Token::Map(count) => {
            let schema = schema::get(schema);
            out.push(b'{');
            for place in 0..count {
                if place > 0 {
                    out.push(b',');
                }
                entry(out, cursor, schema.as_deref(), (place, depth + 1))?;
            }
            out.push(b'}');
        }
        plain => write_plain(out, &plain),
    }
    Ok(())
}

/// A field or an entry. A field that is null prints its default, if it has one.
fn entry(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    schema: Option<&Schema>,
    (place, depth): (usize, usize),
) -> Result<(), Error> {
    let Some(schema) = schema.filter(|schema| schema.type_ == SchemaType::Struct) else {
        let key = schema.and_then(|schema| schema.key).unwrap_or(0);
        let value = schema.and_then(|schema| schema.value).unwrap_or(0);
        item(out, cursor, key, depth)?;
        out.push(b':');
        return item(out, cursor, value, depth);
    };
    let number = schema.fields.get(place).map_or(0, |field| field.schema);
    item(out, cursor, 0, depth)?;
    out.push(b':');
    let default = match cursor.peek()? {
        Token::Null => schema::get(number).and_then(|schema| schema.default.clone()),
        _ => None,
    };
    match default {
        Some(default) => {
            cursor.skip()?;
            item(out, &mut Cursor::new(&default), number, depth)
        }
        None => item(out, cursor, number, depth),
    }
}

fn quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends a time of day for the first day of all and what is before it, a date at midnight, else both.
///
/// Follows `Values.dateFormatFor`.
pub fn write_time(out: &mut Vec<u8>, millis: i64) {
    let (days, within) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (year, month, day) = date_of(days);
    let date = format!("{year:04}-{month:02}-{day:02}");
    let (hours, minutes) = (within / 3_600_000, within / 60_000 % 60);
    let (seconds, millis_of_second) = (within / 1000 % 60, within % 1000);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}.{millis_of_second:03}Z");
    let text = match (millis < DAY, within) {
        (true, _) => clock,
        (false, 0) => date,
        (false, _) => format!("{date}T{clock}"),
    };
    out.extend_from_slice(text.as_bytes());
}
