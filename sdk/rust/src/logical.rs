//! Connect's logical types for serde: a field of one of these is written with its tag, and read from it.
//!
//! A plain integer field reads them too (milliseconds, days). Not here: calendars; use a crate of your choice.

use serde::{Deserialize, Serialize};

use crate::cbor::{Cursor, Error, Token, write};

/// Milliseconds since the epoch. Kafka Connect's `Timestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "tombolo::Timestamp")]
pub struct Timestamp(pub i64);

/// Days since the epoch. Kafka Connect's `Date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "tombolo::Date")]
pub struct Date(pub i64);

/// Milliseconds since midnight. Kafka Connect's `Time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "tombolo::Time")]
pub struct Time(pub i64);

/// A decimal as text, such as `-12.50`; the digits after the point are its scale. Kafka Connect's `Decimal`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename = "tombolo::Decimal")]
pub struct Decimal(pub String);

/// Bytes, where serde would make a list of numbers of a `Vec<u8>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

/// Gives the item from `start` on the form of the logical type whose serde name this is; others stay as they are.
pub(crate) fn tag(out: &mut Vec<u8>, start: usize, name: &str) -> Result<(), Error> {
    let Some(name) = name.strip_prefix("tombolo::") else { return Ok(()) };
    let plain = out.split_off(start);
    match (name, Cursor::new(&plain).token()?) {
        ("Timestamp", Token::Int(millis)) => write::timestamp(out, millis),
        ("Date", Token::Int(days)) => write::date(out, days),
        ("Time", Token::Int(millis)) => write::time(out, millis),
        ("Decimal", Token::Text(text)) => write_decimal(out, text)?,
        _ => out.extend_from_slice(&plain),
    }
    Ok(())
}

/// Writes a decimal from text: digits, perhaps with a sign, a point and an exponent.
pub fn write_decimal(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    let parsed = crate::java::parse_decimal(text);
    let (unscaled, scale) = parsed.ok_or_else(|| Error::shape(format!("not a decimal: {text}")))?;
    write::decimal_bytes(out, &unscaled, scale);
    Ok(())
}
