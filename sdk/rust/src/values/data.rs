//! Values and shapes of text, before they become CBOR and schemas.
//!
//! A tree is in place here: such texts are small, and lists in them rare.

use crate::cbor::write;
use crate::fault::Fault;
use crate::java::DAY;
use crate::schema::{self, Schema, SchemaBuilder, SchemaNumber, SchemaType};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Int(i64),
    Float32(f32),
    Float64(f64),
    Text(String),
    /// A decimal in Java's digits.
    Decimal(String),
    /// Milliseconds since the epoch; which type of time it is, its shape says.
    Date(i64),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// What a schema says of it. All are required; an array or a map may not know its parts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Text,
    /// With its scale.
    Decimal(i32),
    Date,
    Time,
    Timestamp,
    Array(Option<Box<Shape>>),
    Map(Option<Box<Shape>>, Option<Box<Shape>>),
}

/// Connect's types, which several shapes share: what schemas are merged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    Text,
    Bytes,
    Array,
    Map,
}

impl Kind {
    /// Whether numbers of this kind can be widened to a larger one.
    fn is_number(self) -> bool {
        self <= Self::Float64
    }
}

impl Shape {
    fn kind(&self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Int8 => Kind::Int8,
            Self::Int16 => Kind::Int16,
            Self::Int32 | Self::Date | Self::Time => Kind::Int32,
            Self::Int64 | Self::Timestamp => Kind::Int64,
            Self::Float32 => Kind::Float32,
            Self::Float64 => Kind::Float64,
            Self::Text => Kind::Text,
            Self::Decimal(_) => Kind::Bytes,
            Self::Array(_) => Kind::Array,
            Self::Map(..) => Kind::Map,
        }
    }

    /// What both can be: the later of one kind, the wider of two numbers; none if there is no such shape.
    ///
    /// Follows `Values.mergeSchemas`.
    fn merge(self, later: Shape) -> Option<Shape> {
        let (before, after) = (self.kind(), later.kind());
        if before == after {
            return Some(later);
        }
        match (before.is_number() && after.is_number(), after > before) {
            (true, true) => Some(later),
            (true, false) => Some(self),
            (false, _) => None,
        }
    }

    /// Defines its schema, and those it is made of.
    ///
    /// Errors: as [`schema::define`].
    pub(crate) fn define(&self) -> Result<SchemaNumber, Fault> {
        let part =
            |shape: &Option<Box<Shape>>| shape.as_ref().map(|shape| shape.define()).transpose();
        let plain = |of: SchemaType| schema::define(Schema::of(of));
        match self {
            Self::Boolean => plain(SchemaType::Boolean),
            Self::Int8 => plain(SchemaType::Int8),
            Self::Int16 => plain(SchemaType::Int16),
            Self::Int32 => plain(SchemaType::Int32),
            Self::Int64 => plain(SchemaType::Int64),
            Self::Float32 => plain(SchemaType::Float32),
            Self::Float64 => plain(SchemaType::Float64),
            Self::Text => plain(SchemaType::Text),
            Self::Decimal(scale) => SchemaBuilder::decimal(*scale).define(),
            Self::Date => SchemaBuilder::date().define(),
            Self::Time => SchemaBuilder::time().define(),
            Self::Timestamp => SchemaBuilder::timestamp().define(),
            Self::Array(element) => {
                let value = part(element)?;
                schema::define(Schema { value, ..Schema::of(SchemaType::Array) })
            }
            Self::Map(key, value) => {
                let (key, value) = (part(key)?, part(value)?);
                schema::define(Schema { key, value, ..Schema::of(SchemaType::Map) })
            }
        }
    }
}

/// The shape that elements have in common, as they are met.
///
/// Follows `Values.SchemaMerger`.
#[derive(Debug, Default)]
pub(super) struct Merger {
    common: Option<Shape>,
    incompatible: bool,
}

impl Merger {
    /// Takes in the shape of one more element; a null has none and changes nothing.
    pub(super) fn merge(&mut self, shape: Option<&Shape>) {
        let Some(shape) = shape.filter(|_| !self.incompatible).cloned() else { return };
        self.common = match self.common.take() {
            None => Some(shape),
            Some(common) => common.merge(shape),
        };
        self.incompatible = self.common.is_none();
    }

    /// The common shape; none when all were null, or two had nothing in common.
    pub(super) fn common(self) -> Option<Shape> {
        self.common
    }
}

/// Appends a value whose shape is this, or not known.
pub(crate) fn append(out: &mut Vec<u8>, value: &Value, shape: Option<&Shape>) {
    match value {
        Value::Null => write::null(out),
        Value::Boolean(value) => write::boolean(out, *value),
        Value::Int(value) => write::int(out, *value),
        Value::Float32(value) => write::f32(out, *value),
        Value::Float64(value) => write::f64(out, *value),
        Value::Text(value) => write::text(out, value),
        Value::Decimal(digits) => {
            if let Some((unscaled, scale)) = crate::java::parse_decimal(digits) {
                write::decimal_bytes(out, &unscaled, scale);
            }
        }
        Value::Date(millis) => match shape {
            Some(Shape::Date) => write::date(out, millis.div_euclid(DAY)),
            Some(Shape::Time) => write::time(out, *millis),
            _ => write::timestamp(out, *millis),
        },
        Value::List(elements) => {
            let element = match shape {
                Some(Shape::Array(element)) => element.as_deref(),
                _ => None,
            };
            write::array(out, elements.len());
            elements.iter().for_each(|value| append(out, value, element));
        }
        Value::Map(entries) => {
            let (key, value) = match shape {
                Some(Shape::Map(key, value)) => (key.as_deref(), value.as_deref()),
                _ => (None, None),
            };
            write::map(out, entries.len());
            for entry in entries {
                append(out, &entry.0, key);
                append(out, &entry.1, value);
            }
        }
    }
}
