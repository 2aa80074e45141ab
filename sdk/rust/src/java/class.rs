//! The Java class that a connect value would be of, and the name of its type, for messages. Not here: its text.

use crate::cbor::Token;
use crate::schema::SchemaType;

/// The class of a value by its schema's type; without a schema, integers are `Long` and maps `HashMap`, as `JsonConverter` makes them.
pub fn class_name(value: &Token<'_>, type_: Option<SchemaType>) -> &'static str {
    match (value, type_) {
        (Token::Null, _) => "null",
        (Token::Boolean(_), _) => "java.lang.Boolean",
        (Token::Int(_), Some(SchemaType::Int8)) => "java.lang.Byte",
        (Token::Int(_), Some(SchemaType::Int16)) => "java.lang.Short",
        (Token::Int(_), Some(SchemaType::Int32)) => "java.lang.Integer",
        (Token::Int(_), _) => "java.lang.Long",
        (Token::Float32(_), _) => "java.lang.Float",
        (Token::Float64(_), _) => "java.lang.Double",
        (Token::Text(_), _) => "java.lang.String",
        (Token::Bytes(_), _) => "[B",
        (Token::Array(_), _) => "java.util.ArrayList",
        (Token::Map(_), Some(SchemaType::Struct)) => "org.apache.kafka.connect.data.Struct",
        (Token::Map(_), _) => "java.util.HashMap",
        (Token::Decimal(_), _) => "java.math.BigDecimal",
        (Token::Date(_) | Token::Timestamp(_) | Token::Time(_), _) => "java.util.Date",
    }
}

/// A type as Java spells it.
pub fn type_name(of: SchemaType) -> &'static str {
    match of {
        SchemaType::Int8 => "INT8",
        SchemaType::Int16 => "INT16",
        SchemaType::Int32 => "INT32",
        SchemaType::Int64 => "INT64",
        SchemaType::Float32 => "FLOAT32",
        SchemaType::Float64 => "FLOAT64",
        SchemaType::Boolean => "BOOLEAN",
        SchemaType::Text => "STRING",
        SchemaType::Bytes => "BYTES",
        SchemaType::Array => "ARRAY",
        SchemaType::Map => "MAP",
        SchemaType::Struct => "STRUCT",
    }
}
