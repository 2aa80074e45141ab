//! `toString` of a connect value: what `FileStreamSinkTask` and `StringConverter` print.
//!
//! A map prints in its own order, where Java's hash order would be arbitrary; bytes print as base64, where Java prints an address. Not here: JSON.

use super::{DAY, decimal_to_string, write_date, write_double, write_float};
use crate::base64;
use crate::cbor::{Cursor, DEPTH_MAX, Error, Token};
use crate::itoa;
use crate::schema::{self, Schema, SchemaNumber, SchemaType};
use crate::short::{append, append_first};
use crate::text;

/// A value as Java's `toString` gives it; `null` for none.
pub fn to_string(value: Option<&[u8]>, schema: SchemaNumber) -> Result<String, Error> {
    let mut out = Vec::new();
    write_value(&mut out, value, schema)?;
    String::from_utf8(out).map_err(|_| Error::refused("text that is not UTF-8", 0))
}

/// Appends what [`to_string`] gives.
///
/// Errors: bytes outside the profile of `wit/cbor.md`.
pub fn write_value(
    out: &mut Vec<u8>,
    value: Option<&[u8]>,
    schema: SchemaNumber,
) -> Result<(), Error> {
    let Some(value) = value else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let start = out.len();
    item(out, &mut Cursor::new(value), schema, 0)?;
    // All text at once costs a fraction of each text by itself.
    let written = out.get(start..).unwrap_or_default();
    if !text::is_ascii(written) && std::str::from_utf8(written).is_err() {
        return Err(Error::refused("text that is not UTF-8", 0));
    }
    Ok(())
}

/// Appends an item: text at once, which names are and most values.
#[inline(always)]
fn item(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    schema: SchemaNumber,
    depth: usize,
) -> Result<(), Error> {
    match cursor.text_bytes()? {
        Some(text) => {
            // With what is behind it, for a quicker copy.
            let behind = cursor.rest();
            let room =
                cursor.slice(cursor.position() - text.len(), cursor.position() + behind.len());
            append_first(out, room, text.len());
        }
        None => no_text(out, cursor, schema, depth)?,
    }
    Ok(())
}

fn no_text(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    schema: SchemaNumber,
    depth: usize,
) -> Result<(), Error> {
    let start = cursor.position();
    if depth > DEPTH_MAX {
        return Err(Error::refused("a value nested too deep", start));
    }
    match cursor.token()? {
        Token::Text(value) => out.extend_from_slice(value.as_bytes()),
        Token::Bytes(value) => base64::write(out, value),
        Token::Date(days) => write_date(out, days.saturating_mul(DAY)),
        Token::Timestamp(millis) | Token::Time(millis) => write_date(out, millis),
        Token::Array(items) => {
            let element = schema::get(schema).and_then(|schema| schema.value).unwrap_or(0);
            out.push(b'[');
            for place in 0..items {
                if place > 0 {
                    out.extend_from_slice(b", ");
                }
                item(out, cursor, element, depth + 1)?;
            }
            out.push(b']');
        }
        Token::Map(pairs) => {
            let schema = schema::get(schema);
            match schema.as_deref() {
                Some(schema) if schema.type_ == SchemaType::Struct => {
                    fields(out, cursor, pairs, (schema, depth))?;
                }
                schema => map(out, cursor, pairs, (schema, depth))?,
            }
        }
        plain => write_plain(out, &plain),
    }
    Ok(())
}

/// Appends null, a boolean or a number, which Java prints alike everywhere; of anything else nothing.
#[inline]
pub(crate) fn write_plain(out: &mut Vec<u8>, value: &Token<'_>) {
    match value {
        Token::Null => out.extend_from_slice(b"null"),
        Token::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Token::Int(value) => itoa::write_signed(out, *value),
        Token::Float32(value) => write_float(out, *value),
        Token::Float64(value) => write_double(out, *value),
        Token::Decimal(value) => out.extend_from_slice(decimal_to_string(value).as_bytes()),
        _ => {}
    }
}

/// `{a=1, b=2}`.
fn map(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    pairs: usize,
    (schema, depth): (Option<&Schema>, usize),
) -> Result<(), Error> {
    let part = |part: fn(&Schema) -> Option<SchemaNumber>| schema.and_then(part).unwrap_or(0);
    let (key, value) = (part(|schema| schema.key), part(|schema| schema.value));
    out.push(b'{');
    for place in 0..pairs {
        if place > 0 {
            out.extend_from_slice(b", ");
        }
        item(out, cursor, key, depth + 1)?;
        out.push(b'=');
        item(out, cursor, value, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

/// `Struct{a=1,b=x}`, without fields that are null.
fn fields(
    out: &mut Vec<u8>,
    cursor: &mut Cursor<'_>,
    pairs: usize,
    (schema, depth): (&Schema, usize),
) -> Result<(), Error> {
    out.extend_from_slice(b"Struct{");
    let mut first = true;
    for place in 0..pairs {
        let name = cursor.text_bytes()?.unwrap_or_default();
        if cursor.peek()? == Token::Null {
            cursor.skip()?;
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        append(out, name);
        out.push(b'=');
        item(out, cursor, schema.field_at(place, name), depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}
