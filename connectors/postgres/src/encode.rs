//! A value into a field of a binary `COPY`: its length, then its bytes. Not here: which column it goes to (`shape`).

use tombolo_sdk::cbor::{self, Cursor, Decimal, Token, Unscaled};
use tombolo_sdk::json::{self, Decimals};
use tombolo_sdk::{itoa, java};

use crate::kind::{Form, Kind};
use crate::{numeric, text};

/// Milliseconds from Connect's epoch to PostgreSQL's, 1 January 2000.
const EPOCH_MILLIS: i64 = 946_684_800_000;
/// The same in days.
const EPOCH_DAYS: i64 = 10_957;

/// Why a value was not written. Nothing of it is in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// It needs another form than was asked for.
    Form(Form),
    /// It does not go into the column.
    Type(&'static str),
    /// It goes into the column by its type, and is too large for it.
    Range,
    /// It is malformed.
    Malformed(cbor::Error),
}

impl From<cbor::Error> for Unwritten {
    fn from(error: cbor::Error) -> Self {
        Self::Malformed(error)
    }
}

impl From<numeric::OutOfRange> for Unwritten {
    fn from(_: numeric::OutOfRange) -> Self {
        Self::Range
    }
}

type Written = Result<(), Unwritten>;

/// A cursor behind the head of an item, and one before it.
type At<'c, 'a> = (&'c mut Cursor<'a>, &'c Cursor<'a>);

/// Appends the item at the cursor, and passes it. Null is null in any form.
pub(crate) fn write(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, kind: Kind, form: Form) -> Written {
    let before = cursor.clone();
    let token = cursor.token()?;
    if token == Token::Null {
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        return Ok(());
    }
    let wanted = form_of(kind, &token);
    if wanted != form {
        return Err(Unwritten::Form(wanted));
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    let written = match (form, token) {
        (Form::Text, token) => as_text(out, &token, (cursor, &before)),
        (Form::Native, Token::Array(_) | Token::Map(_)) => nested(out, kind, (cursor, &before)),
        (Form::Native, token) => native(out, &token, kind),
    };
    if let Err(error) = written {
        out.truncate(start);
        return Err(error);
    }
    let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&len);
    }
    Ok(())
}

/// Text is what PostgreSQL reads into any type; the other values have a type of their own.
fn form_of(kind: Kind, token: &Token<'_>) -> Form {
    match (kind, token) {
        (Kind::Other, _) => Form::Text,
        (Kind::Text | Kind::Json | Kind::Jsonb | Kind::Uuid, _) => Form::Native,
        (_, Token::Text(_)) => Form::Text,
        _ => Form::Native,
    }
}

fn native(out: &mut Vec<u8>, token: &Token<'_>, kind: Kind) -> Written {
    match kind {
        Kind::Text => return scalar_text(out, token),
        Kind::Json => return json(out, token),
        Kind::Jsonb => {
            out.push(1);
            return json(out, token);
        }
        Kind::Numeric => return decimal(out, token),
        _ => {}
    }
    match (kind, token) {
        (Kind::Boolean, &Token::Boolean(value)) => out.push(value.into()),
        (Kind::Int2, _) => out.extend_from_slice(&narrowed::<i16>(token)?.to_be_bytes()),
        (Kind::Int4, _) => out.extend_from_slice(&narrowed::<i32>(token)?.to_be_bytes()),
        (Kind::Int8, _) => out.extend_from_slice(&integer(token)?.to_be_bytes()),
        (Kind::Float4, _) => out.extend_from_slice(&single(token)?.to_be_bytes()),
        (Kind::Float8, _) => out.extend_from_slice(&double(token)?.to_be_bytes()),
        (Kind::Bytes, Token::Bytes(bytes)) => out.extend_from_slice(bytes),
        (Kind::Uuid, Token::Text(text)) => out.extend_from_slice(&uuid(text)?),
        (Kind::Uuid, Token::Bytes(bytes)) if bytes.len() == 16 => out.extend_from_slice(bytes),
        (Kind::Date, &Token::Date(days)) => date(out, days)?,
        (Kind::Date, &Token::Timestamp(millis)) => date(out, millis.div_euclid(java::DAY))?,
        (Kind::Time, &Token::Time(millis)) => micros(out, Some(millis))?,
        (Kind::Timestamp | Kind::TimestampTz, &Token::Timestamp(millis)) => {
            micros(out, millis.checked_sub(EPOCH_MILLIS))?;
        }
        (Kind::Timestamp | Kind::TimestampTz, &Token::Date(days)) => {
            micros(out, days.checked_sub(EPOCH_DAYS).and_then(|days| days.checked_mul(java::DAY)))?;
        }
        _ => return Err(Unwritten::Type(token.name())),
    }
    Ok(())
}

fn integer(token: &Token<'_>) -> Result<i64, Unwritten> {
    match *token {
        Token::Int(value) => Ok(value),
        Token::Float64(value) if value.fract() == 0.0 && value.abs() < 9e18 => Ok(value as i64),
        Token::Float32(value) if value.fract() == 0.0 && value.abs() < 9e18 => Ok(value as i64),
        Token::Decimal(Decimal { scale: 0, unscaled: Unscaled::Int(value) }) => Ok(value),
        Token::Decimal(Decimal { scale: 0, .. }) => Err(Unwritten::Range),
        _ => Err(Unwritten::Type(token.name())),
    }
}

fn narrowed<T: TryFrom<i64>>(token: &Token<'_>) -> Result<T, Unwritten> {
    T::try_from(integer(token)?).map_err(|_| Unwritten::Range)
}

fn double(token: &Token<'_>) -> Result<f64, Unwritten> {
    match token {
        Token::Float64(value) => Ok(*value),
        Token::Float32(value) => Ok((*value).into()),
        Token::Int(value) => Ok(*value as f64),
        Token::Decimal(value) => {
            java::decimal_to_string(value).parse().map_err(|_| Unwritten::Range)
        }
        _ => Err(Unwritten::Type(token.name())),
    }
}

fn single(token: &Token<'_>) -> Result<f32, Unwritten> {
    let value = double(token)?;
    let narrow = value as f32;
    if narrow.is_infinite() && value.is_finite() { Err(Unwritten::Range) } else { Ok(narrow) }
}

fn decimal(out: &mut Vec<u8>, token: &Token<'_>) -> Written {
    match *token {
        Token::Int(value) => numeric::write_int(out, value),
        Token::Float64(value) => numeric::write_float(out, value)?,
        Token::Float32(value) => {
            numeric::write_float(out, value.to_string().parse().unwrap_or(f64::NAN))?
        }
        Token::Decimal(ref value) => numeric::write_decimal(out, value)?,
        _ => return Err(Unwritten::Type(token.name())),
    }
    Ok(())
}

fn date(out: &mut Vec<u8>, days: i64) -> Written {
    let days = days.checked_sub(EPOCH_DAYS).and_then(|days| i32::try_from(days).ok());
    out.extend_from_slice(&days.ok_or(Unwritten::Range)?.to_be_bytes());
    Ok(())
}

fn micros(out: &mut Vec<u8>, millis: Option<i64>) -> Written {
    let micros = millis.and_then(|millis| millis.checked_mul(1000));
    out.extend_from_slice(&micros.ok_or(Unwritten::Range)?.to_be_bytes());
    Ok(())
}

/// 32 hexadecimal digits, with or without dashes.
fn uuid(text: &str) -> Result<[u8; 16], Unwritten> {
    let text = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let digits = text.bytes().filter(|&digit| digit != b'-');
    let (mut value, mut count) = (0_u128, 0);
    for digit in digits {
        let digit =
            char::from(digit).to_digit(16).ok_or(Unwritten::Type("text that is no UUID"))?;
        value = value << 4 | u128::from(digit);
        count += 1;
    }
    if count == 32 { Ok(value.to_be_bytes()) } else { Err(Unwritten::Type("text that is no UUID")) }
}

/// A scalar as PostgreSQL prints it.
fn scalar_text(out: &mut Vec<u8>, token: &Token<'_>) -> Written {
    match *token {
        Token::Text(value) => out.extend_from_slice(value.as_bytes()),
        Token::Boolean(value) => {
            out.extend_from_slice(if value { b"true" } else { b"false" });
        }
        Token::Int(value) => itoa::write_signed(out, value),
        Token::Float64(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Token::Float32(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Token::Decimal(ref value) => {
            out.extend_from_slice(java::decimal_to_plain_string(value).as_bytes());
        }
        Token::Date(days) => text::date(out, days),
        Token::Timestamp(millis) => text::timestamp(out, millis),
        Token::Time(millis) => text::time(out, millis),
        _ => return Err(Unwritten::Type(token.name())),
    }
    Ok(())
}

/// A text is taken for a JSON document, as sources hand documents on; anything else becomes one.
fn json(out: &mut Vec<u8>, token: &Token<'_>) -> Written {
    match *token {
        Token::Bytes(_) => Err(Unwritten::Type(token.name())),
        Token::Date(_) | Token::Timestamp(_) | Token::Time(_) => {
            out.push(b'"');
            scalar_text(out, token)?;
            out.push(b'"');
            Ok(())
        }
        _ => scalar_text(out, token),
    }
}

/// An array or a map where only a document fits.
fn nested(out: &mut Vec<u8>, kind: Kind, at: At<'_, '_>) -> Written {
    match kind {
        Kind::Jsonb => out.push(1),
        Kind::Json | Kind::Text => {}
        _ => return Err(Unwritten::Type(at.1.peek()?.name())),
    }
    document(out, at)
}

/// The item that `before` stands at as JSON; passes it.
fn document(out: &mut Vec<u8>, (cursor, before): At<'_, '_>) -> Written {
    *cursor = before.clone();
    json::from_cbor_cursor(cursor, Decimals::Numeric, out)?;
    Ok(())
}

/// What PostgreSQL casts to a type that is not known here: an array in its own words, any other value as it prints.
fn as_text(out: &mut Vec<u8>, token: &Token<'_>, at: At<'_, '_>) -> Written {
    match *token {
        Token::Array(items) => array(out, at.0, items, 0),
        Token::Map(_) => document(out, at),
        Token::Bytes(bytes) => {
            out.extend_from_slice(b"\\x");
            bytes.iter().for_each(|byte| out.extend_from_slice(format!("{byte:02x}").as_bytes()));
            Ok(())
        }
        _ => scalar_text(out, token),
    }
}

/// `{1,"a",{…}}`.
fn array(out: &mut Vec<u8>, cursor: &mut Cursor<'_>, items: usize, depth: usize) -> Written {
    if depth >= cbor::DEPTH_MAX {
        return Err(Unwritten::Type("an array nested too deep"));
    }
    out.push(b'{');
    for place in 0..items {
        if place > 0 {
            out.push(b',');
        }
        let before = cursor.clone();
        match cursor.token()? {
            Token::Null => out.extend_from_slice(b"NULL"),
            Token::Array(items) => array(out, cursor, items, depth + 1)?,
            token => {
                let mut element = Vec::new();
                as_text(&mut element, &token, (&mut *cursor, &before))?;
                out.push(b'"');
                for byte in element {
                    if matches!(byte, b'"' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(byte);
                }
                out.push(b'"');
            }
        }
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests;
