//! `BooleanConverter` and the converters of one number: big-endian, as Kafka's serializers write them.

use std::marker::PhantomData;

use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java;
use tombolo_sdk::schema::{self, SchemaBuilder, SchemaType};

use crate::role::NoSettings;
use crate::rows::{Format, Read};

/// A type of number, and how it stands in bytes.
pub(crate) trait Number: 'static {
    /// Its converter's class.
    const CLASS: &'static str;
    /// What its converter does.
    const DOC: &'static str;
    /// What messages call it.
    const NAME: &'static str;
    /// Its type in a schema.
    const TYPE: SchemaType;

    /// Appends as CBOR the number that these bytes are; none when they are no such number.
    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()>;

    /// Appends the bytes of a value of this type; none when it has another. `schema` is its schema's type.
    fn write(value: &Token<'_>, schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()>;
}

/// One number.
pub(crate) struct NumberFormat<N> {
    schema: SchemaNumber,
    number: PhantomData<N>,
}

impl<N: Number> Format for NumberFormat<N> {
    type Settings = NoSettings;
    const CLASS: &'static str = N::CLASS;
    const DOC: &'static str = N::DOC;

    fn new(_settings: NoSettings) -> Result<Self, Fault> {
        let schema = SchemaBuilder::new(N::TYPE).optional().define()?;
        Ok(Self { schema, number: PhantomData })
    }

    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read {
        let Some(bytes) = bytes else { return Ok((Written::Null, self.schema)) };
        let unreadable = || Problem::data(format!("Failed to deserialize {}: ", N::NAME));
        N::read(bytes, out).ok_or_else(unreadable)?;
        Ok((Written::Item, self.schema))
    }

    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure> {
        let type_ = schema::get(schema).map(|schema| schema.type_);
        if N::TYPE == SchemaType::Boolean
            && let Some(other) = type_.filter(|type_| *type_ != SchemaType::Boolean)
        {
            let found = java::type_name(other);
            let message = format!("Invalid schema type for BooleanConverter: {found}");
            return Err(Problem::data(message).into());
        }
        let Some(value) = value else { return Ok(Written::Null) };
        let value = Cursor::new(value).token()?;
        let refused = || {
            let found = java::class_name(&value, type_);
            Problem::data(if N::TYPE == SchemaType::Boolean {
                format!("BooleanConverter is not compatible with objects of type class {found}")
            } else {
                format!("Failed to serialize to {} (was class {found}): ", N::NAME)
            })
        };
        N::write(&value, type_, out).ok_or_else(refused)?;
        Ok(Written::Item)
    }
}

/// A truth value.
pub(crate) struct Boolean;

impl Number for Boolean {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.BooleanConverter";
    const DOC: &'static str = "A truth value in one byte.";
    const NAME: &'static str = "boolean";
    const TYPE: SchemaType = SchemaType::Boolean;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let [value @ (0 | 1)] = bytes else { return None };
        write::boolean(out, *value == 1);
        Some(())
    }

    fn write(value: &Token<'_>, _schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let Token::Boolean(value) = value else { return None };
        out.push(u8::from(*value));
        Some(())
    }
}

/// 16 bits.
pub(crate) struct Short;

impl Number for Short {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.ShortConverter";
    const DOC: &'static str = "An integer in two bytes.";
    const NAME: &'static str = "short";
    const TYPE: SchemaType = SchemaType::Int16;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        write::int(out, i16::from_be_bytes(bytes.try_into().ok()?).into());
        Some(())
    }

    fn write(value: &Token<'_>, schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let value = i16::try_from(integer(value, schema, Self::TYPE)?).ok()?;
        out.extend_from_slice(&value.to_be_bytes());
        Some(())
    }
}

/// 32 bits.
pub(crate) struct Integer;

impl Number for Integer {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.IntegerConverter";
    const DOC: &'static str = "An integer in four bytes.";
    const NAME: &'static str = "integer";
    const TYPE: SchemaType = SchemaType::Int32;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        write::int(out, i32::from_be_bytes(bytes.try_into().ok()?).into());
        Some(())
    }

    fn write(value: &Token<'_>, schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let value = i32::try_from(integer(value, schema, Self::TYPE)?).ok()?;
        out.extend_from_slice(&value.to_be_bytes());
        Some(())
    }
}

/// 64 bits; also what an integer without a schema is.
pub(crate) struct Long;

impl Number for Long {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.LongConverter";
    const DOC: &'static str = "An integer in eight bytes.";
    const NAME: &'static str = "long";
    const TYPE: SchemaType = SchemaType::Int64;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        write::int(out, i64::from_be_bytes(bytes.try_into().ok()?));
        Some(())
    }

    fn write(value: &Token<'_>, schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let value = integer(value, Some(schema.unwrap_or(Self::TYPE)), Self::TYPE)?;
        out.extend_from_slice(&value.to_be_bytes());
        Some(())
    }
}

/// A float.
pub(crate) struct Float;

impl Number for Float {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.FloatConverter";
    const DOC: &'static str = "A float in four bytes.";
    const NAME: &'static str = "float";
    const TYPE: SchemaType = SchemaType::Float32;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        write::f32(out, f32::from_be_bytes(bytes.try_into().ok()?));
        Some(())
    }

    fn write(value: &Token<'_>, _schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let Token::Float32(value) = value else { return None };
        out.extend_from_slice(&value.to_be_bytes());
        Some(())
    }
}

/// A double.
pub(crate) struct Double;

impl Number for Double {
    const CLASS: &'static str = "org.apache.kafka.connect.converters.DoubleConverter";
    const DOC: &'static str = "A double in eight bytes.";
    const NAME: &'static str = "double";
    const TYPE: SchemaType = SchemaType::Float64;

    fn read(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        write::f64(out, f64::from_be_bytes(bytes.try_into().ok()?));
        Some(())
    }

    fn write(value: &Token<'_>, _schema: Option<SchemaType>, out: &mut Vec<u8>) -> Option<()> {
        let Token::Float64(value) = value else { return None };
        out.extend_from_slice(&value.to_be_bytes());
        Some(())
    }
}

/// An integer whose schema says that it has this type: CBOR has one type for all of them.
fn integer(value: &Token<'_>, schema: Option<SchemaType>, wanted: SchemaType) -> Option<i64> {
    match value {
        Token::Int(value) if schema == Some(wanted) => Some(*value),
        _ => None,
    }
}
