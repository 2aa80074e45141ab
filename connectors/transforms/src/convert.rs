//! A value in another type, as `Cast` makes it: Java's casts between numbers, and its readings and prints of text. Not here: which values are cast.

use tombolo_sdk::base64;
use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::fault::Problem;
use tombolo_sdk::java::{self, DAY, decimal_to_i64, decimal_to_string};
use tombolo_sdk::schema::{DATE, DECIMAL, Schema, SchemaType, TIME, TIMESTAMP};
use tombolo_sdk::values;

use crate::cast::{java_trim, unsupported};

/// Appends a value, which is not null, in another type. `schema` is the value's own.
///
/// Errors: a type that cannot be cast; text that is no such number.
///
/// Follows `Cast.castValueToType`.
pub(crate) fn convert(
    value: &[u8],
    schema: Option<&Schema>,
    to: SchemaType,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    let token = Cursor::new(value).token()?;
    match (schema.map(|schema| schema.type_), &token) {
        (Some(from @ (SchemaType::Array | SchemaType::Map | SchemaType::Struct)), _) => {
            return Err(unsupported(from));
        }
        (None, Token::Array(_)) => return Err(unsupported(SchemaType::Array)),
        (None, Token::Map(_)) => return Err(unsupported(SchemaType::Map)),
        (None, Token::Decimal(_) | Token::Date(_) | Token::Timestamp(_) | Token::Time(_)) => {
            let found = java::class_name(&token, None);
            return Err(Problem::data(format!(
                "Cast transformation was passed a value of type class {found} which is not \
                 supported by Connect's data API"
            )));
        }
        _ => {}
    }
    match to {
        SchemaType::Text => text(&token, value, out)?,
        SchemaType::Boolean => write::boolean(out, boolean(&token)?),
        SchemaType::Float32 => write::f32(out, float32(&token)?),
        SchemaType::Float64 => write::f64(out, float64(&token)?),
        _ => write::int(out, integer(&token, to)?),
    }
    Ok(())
}

/// The default of a schema in the type of another, which takes its place.
///
/// Errors: as [`convert`]; a new schema that has the name of a logical type, whose values it cannot have.
pub(crate) fn default_in(of: &Schema, new: &Schema) -> Result<Option<Vec<u8>>, Problem> {
    let Some(default) = &of.default else { return Ok(None) };
    let mut item = Vec::new();
    convert(default, Some(of), new.type_, &mut item)?;
    if [DECIMAL, DATE, TIME, TIMESTAMP].iter().any(|name| new.is_named(name)) {
        let class = "org.apache.kafka.connect.errors.SchemaBuilderException";
        return Err(Problem::of(class, "Invalid default value"));
    }
    Ok(Some(item))
}

/// An integer of a type, or what becomes of another value there.
#[expect(clippy::cast_possible_truncation, reason = "Java's casts drop the high bits as well")]
fn integer(value: &Token<'_>, to: SchemaType) -> Result<i64, Problem> {
    let of_float = |wide: i64, narrow: i32| {
        if to == SchemaType::Int64 { wide } else { i64::from(narrow) }
    };
    let integer = match value {
        Token::Int(value) | Token::Date(value) | Token::Time(value) | Token::Timestamp(value) => {
            *value
        }
        Token::Boolean(value) => i64::from(*value),
        Token::Float32(value) => of_float(*value as i64, *value as i32),
        Token::Float64(value) => of_float(*value as i64, *value as i32),
        Token::Decimal(value) => decimal_to_i64(&decimal_to_string(value)),
        Token::Text(text) => return parse(text, to).ok_or_else(|| out_of_range(text)),
        _ => return Err(unexpected(value)),
    };
    Ok(match to {
        SchemaType::Int8 => i64::from(integer as i8),
        SchemaType::Int16 => i64::from(integer as i16),
        SchemaType::Int32 => i64::from(integer as i32),
        _ => integer,
    })
}

fn parse(text: &str, to: SchemaType) -> Option<i64> {
    match to {
        SchemaType::Int8 => text.parse::<i8>().ok().map(i64::from),
        SchemaType::Int16 => text.parse::<i16>().ok().map(i64::from),
        SchemaType::Int32 => text.parse::<i32>().ok().map(i64::from),
        _ => text.parse().ok(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "as Java rounds")]
fn float32(value: &Token<'_>) -> Result<f32, Problem> {
    Ok(match value {
        Token::Int(value) | Token::Date(value) | Token::Time(value) | Token::Timestamp(value) => {
            *value as f32
        }
        Token::Boolean(value) => f32::from(u8::from(*value)),
        Token::Float32(value) => *value,
        Token::Float64(value) => *value as f32,
        Token::Decimal(value) => decimal_to_string(value).parse().unwrap_or(f32::NAN),
        Token::Text(text) => {
            let number = float_text(text).and_then(|number| number.parse::<f32>().ok());
            let number = number.ok_or_else(|| out_of_range(text))?;
            // Java's NaN has no sign.
            if number.is_nan() { f32::NAN } else { number }
        }
        _ => return Err(unexpected(value)),
    })
}

fn float64(value: &Token<'_>) -> Result<f64, Problem> {
    Ok(match value {
        Token::Int(value) | Token::Date(value) | Token::Time(value) | Token::Timestamp(value) => {
            *value as f64
        }
        Token::Boolean(value) => f64::from(u8::from(*value)),
        Token::Float32(value) => f64::from(*value),
        Token::Float64(value) => *value,
        Token::Decimal(value) => decimal_to_string(value).parse().unwrap_or(f64::NAN),
        Token::Text(text) => {
            let number = float_text(text).and_then(|number| number.parse::<f64>().ok());
            let number = number.ok_or_else(|| out_of_range(text))?;
            if number.is_nan() { f64::NAN } else { number }
        }
        _ => return Err(unexpected(value)),
    })
}

/// What Rust reads of a text that `Double.parseDouble` reads; none for words that Java does not know, and for hexadecimal digits.
fn float_text(text: &str) -> Option<&str> {
    let text = java_trim(text);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return Some(text);
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let known = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    number.bytes().all(known).then_some(number)
}

fn boolean(value: &Token<'_>) -> Result<bool, Problem> {
    match value {
        Token::Boolean(value) => Ok(*value),
        Token::Text(text) => Ok(text.eq_ignore_ascii_case("true")),
        _ => Ok(integer(value, SchemaType::Int64)? != 0),
    }
}

/// Appends the text of a value, which is this item.
fn text(value: &Token<'_>, item: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    if let Token::Text(_) = value {
        out.extend_from_slice(item);
        return Ok(());
    }
    let start = out.len();
    match value {
        Token::Bytes(bytes) => base64::write(out, bytes),
        Token::Date(days) => values::write_time(out, days.saturating_mul(DAY)),
        Token::Time(millis) | Token::Timestamp(millis) => values::write_time(out, *millis),
        _ => java::write_value(out, Some(item), 0)?,
    }
    end_text(out, start);
    Ok(())
}

/// Makes a text of the bytes from `start` on. Its length is known only now, so that the head is written last and goes to the front.
pub(crate) fn end_text(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    write::text_head(out, end - start);
    let head = out.len() - end;
    if let Some(text) = out.get_mut(start..) {
        text.rotate_right(head);
    }
}

#[cold]
fn out_of_range(text: &str) -> Problem {
    Problem::data(format!("Value ({text}) was out of range for requested data type"))
}

#[cold]
fn unexpected(value: &Token<'_>) -> Problem {
    let found = java::class_name(value, None);
    Problem::data(format!("Unexpected type in Cast transformation: class {found}"))
}
