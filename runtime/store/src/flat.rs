//! Source partitions and offsets: flat maps with text keys and primitive values, between CBOR and Kafka Connect's JSON.
//!
//! Not here: records around them (`offset_records`). Follows `OffsetUtils.validateFormat` and `JsonConverter` of Kafka Connect.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// A primitive value.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer; every integer is 64 bits wide.
    Int(i64),
    /// A single float; reads back as a double.
    Float(f32),
    /// A double float.
    Double(f64),
    /// A text.
    Text(String),
    /// Bytes; read back as their base64 text.
    Bytes(Vec<u8>),
}

/// A map in the order its source had it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FlatMap(pub Vec<(String, Primitive)>);

impl FlatMap {
    /// Reads one CBOR map in the profile of `wit/cbor.md`.
    ///
    /// Errors: `Format`, in Kafka Connect's words where it has some.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self> {
        let mut reader = crate::cbor::Reader::new(bytes);
        let map = reader.flat_map()?;
        reader.end()?;
        Ok(map)
    }

    /// Writes one CBOR map.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut writer = crate::cbor::Writer::default();
        writer.flat_map(self);
        writer.bytes
    }

    /// Takes the members of a JSON object. Numbers without point or exponent are integers.
    ///
    /// Errors: `Format` where it is not a flat map.
    pub fn from_json(json: &Json) -> Result<Self> {
        let Json::Object(members) = json else {
            return Err(Error::Format("Offset data must be a map".to_owned()));
        };
        members
            .iter()
            .map(|(key, value)| Ok((key.clone(), primitive(key, value)?)))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// The value of a member.
    pub fn get(&self, key: &str) -> Option<&Primitive> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A form that is equal for equal content, whatever the order of members and the width of floats.
    pub fn canonical(&self) -> String {
        let members: BTreeMap<_, _> =
            self.0.iter().map(|(key, value)| (key.as_str(), value)).collect();
        crate::json::to_vec(&members)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

fn primitive(key: &str, value: &Json) -> Result<Primitive> {
    Ok(match value {
        Json::Null => Primitive::Null,
        Json::Bool(value) => Primitive::Bool(*value),
        Json::String(text) => Primitive::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Primitive::Int(integer),
            (None, Some(double)) if !number.is_u64() => Primitive::Double(double),
            _ => {
                let why = format!("field {key} contains {number}, which exceeds 64 bits");
                return Err(Error::Format(format!("Offsets may only contain integers: {why}")));
            }
        },
        Json::Array(_) => return Err(not_primitive(key, "ARRAY")),
        Json::Object(_) => return Err(not_primitive(key, "MAP")),
    })
}

/// What Kafka Connect says of a value that is not primitive.
pub(crate) fn not_primitive(key: &str, r#type: &str) -> Error {
    let rule = "Offsets may only contain primitive types as values";
    Error::Format(format!("{rule}, but field {key} contains {type}"))
}

impl Serialize for FlatMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Primitive {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) if !value.is_finite() => {
                serializer.serialize_str(not_finite(f64::from(*value)))
            }
            Self::Float(value) => serializer.serialize_f32(*value),
            Self::Double(value) if !value.is_finite() => {
                serializer.serialize_str(not_finite(*value))
            }
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&base64(bytes)),
        }
    }
}

/// Jackson quotes what JSON has no number for.
fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Bytes as base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = usize::try_from(group >> (18 - 6 * place) & 63).unwrap_or(0);
            let digit = ALPHABET.get(index).copied().unwrap_or(b'A');
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
