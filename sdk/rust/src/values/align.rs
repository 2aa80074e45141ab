//! Brings the elements of a list or a map to the shape they have in common.
//!
//! Follows `Values.convertTo` as far as parsed text can get there: numbers widen, strings meet only strings.

use super::data::{Shape, Value};
use super::{Typed, Unparsed, parse};
use crate::java::DAY;

/// A value in this shape.
pub(super) fn align(value: Value, shape: &Shape) -> Result<Value, Unparsed> {
    Ok(match shape {
        // Lists and maps stay as they are, whatever they hold.
        Shape::Array(_) | Shape::Map(..) | Shape::Text | Shape::Boolean | Shape::Decimal(_) => {
            match value {
                Value::Null => return Err(Unparsed::Data),
                value => value,
            }
        }
        Shape::Int8 => Value::Int(i64::from(integer(value)? as i8)),
        Shape::Int16 => Value::Int(i64::from(integer(value)? as i16)),
        Shape::Int32 => Value::Int(i64::from(integer(value)? as i32)),
        Shape::Int64 => Value::Int(integer(value)?),
        Shape::Float32 => match value {
            Value::Float32(_) => value,
            value => Value::Float32(float(value)? as f32),
        },
        Shape::Float64 => match value {
            Value::Float64(_) => value,
            value => Value::Float64(float(value)?),
        },
        Shape::Date => match value {
            Value::Date(_) => value,
            value => Value::Date(i64::from(integer(value)? as i32) * DAY),
        },
        Shape::Time => match value {
            Value::Date(_) => value,
            value => match i64::from(integer(value)? as i32) {
                millis @ 0..=DAY => Value::Date(millis),
                _ => return Err(Unparsed::Data),
            },
        },
        Shape::Timestamp => match value {
            Value::Date(_) => value,
            value => Value::Date(integer(value)?),
        },
    })
}

/// As `Values.asLong`.
fn integer(value: Value) -> Result<i64, Unparsed> {
    match value {
        Value::Int(value) => Ok(value),
        // As Java casts: towards zero, and to the nearest end when out of range.
        Value::Float32(value) => Ok(value as i64),
        Value::Float64(value) => Ok(value as i64),
        Value::Text(text) => match parse(&text)? {
            Some(Typed {
                value: value @ (Value::Int(_) | Value::Float32(_) | Value::Float64(_)),
                ..
            }) => integer(value),
            _ => Err(Unparsed::Data),
        },
        _ => Err(Unparsed::Data),
    }
}

/// As `Values.asDouble`.
fn float(value: Value) -> Result<f64, Unparsed> {
    match value {
        Value::Float32(value) => Ok(f64::from(value)),
        Value::Float64(value) => Ok(value),
        value => Ok(integer(value)? as f64),
    }
}
