//! Connect schemas, each naming others by number.
//!
//! Not here: the table that gives out the numbers (the sandbox keeps one per task), and values.

/// The type of a schema.
///
/// Follows `Schema.Type` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// 32-bit IEEE 754.
    Float32,
    /// 64-bit IEEE 754.
    Float64,
    /// True or false.
    Boolean,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// Values of one schema, in order.
    Array,
    /// Keys of one schema, each with a value of another.
    Map,
    /// Named fields.
    Struct,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name, not empty, unique in its struct.
    pub name: String,
    /// Number of its schema.
    pub schema: u32,
}

/// A Connect schema.
///
/// Follows `org.apache.kafka.connect.data.Schema`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schema {
    /// Its type.
    pub r#type: SchemaType,
    /// Whether null is a value.
    pub optional: bool,
    /// Its name; a logical type has a well-known one.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<i32>,
    /// What it is for.
    pub doc: Option<String>,
    /// Parameters, in order.
    pub parameters: Vec<(String, String)>,
    /// The default as one CBOR item.
    pub default: Option<Vec<u8>>,
    /// Fields of a struct, in order.
    pub fields: Vec<Field>,
    /// Number of the key schema of a map.
    pub key: Option<u32>,
    /// Number of the value schema of an array or a map.
    pub value: Option<u32>,
}
