//! Schemas: looked up by number once and kept, or built and defined.
//!
//! Not here: values. A value reads correctly without its schema; the schema says which integer type it is, what a struct's name is, and defaults.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::bindings::schemas::Refusal;
use crate::bindings::types::Field;
pub use crate::bindings::types::{Schema, SchemaType};
pub use crate::columns::SchemaNumber;
use crate::fault::{Fault, Result};
use crate::host;

/// Kafka Connect's name for a decimal's schema.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Kafka Connect's name for a date's schema.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Kafka Connect's name for the schema of a time of day.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Kafka Connect's name for a timestamp's schema.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";

/// What is known of the task's schemas. Numbers are never reused, so nothing here becomes wrong.
#[derive(Default)]
struct Known {
    by_number: HashMap<SchemaNumber, Rc<Schema>>,
    by_schema: HashMap<Rc<Schema>, SchemaNumber>,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// The schema with this number; none for 0, and for a number that the task does not have.
///
/// Cost: a hash, and a call to the host the first time.
pub fn get(number: SchemaNumber) -> Option<Rc<Schema>> {
    if number == 0 {
        return None;
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(schema) = known.by_number.get(&number) {
            return Some(Rc::clone(schema));
        }
        let schema = Rc::new(host::lookup_schema(number)?);
        known.by_number.insert(number, Rc::clone(&schema));
        known.by_schema.insert(Rc::clone(&schema), number);
        Some(schema)
    })
}

/// The number of this schema, whose parts have numbers already. Equal schemas have one number.
///
/// Errors: `Fatal` for a schema that the host refuses; `Retriable` when the task's table is full, which the host empties.
pub fn define(schema: Schema) -> Result<SchemaNumber> {
    if let Some(number) = KNOWN.with_borrow(|known| known.by_schema.get(&schema).copied()) {
        return Ok(number);
    }
    let number = host::define_schema(&schema).map_err(|refusal| match refusal {
        Refusal::Invalid(why) => Fault::fatal(format_args!("schema refused: {why}")),
        Refusal::Full => Fault::retriable("the task's schema table is full"),
    })?;
    KNOWN.with_borrow_mut(|known| {
        let schema = Rc::new(schema);
        known.by_number.insert(number, Rc::clone(&schema));
        known.by_schema.insert(schema, number);
    });
    Ok(number)
}

/// Forgets all schemas, as a new instance would.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn forget() {
    KNOWN.with_borrow_mut(|known| *known = Known::default());
}

impl Schema {
    /// A schema of this type, required, without a name.
    pub fn of(type_: SchemaType) -> Self {
        Self {
            type_,
            optional: false,
            name: None,
            version: None,
            doc: None,
            parameters: Vec::new(),
            default: None,
            fields: Vec::new(),
            key: None,
            value: None,
        }
    }

    /// The schema of a field, by name.
    pub fn field(&self, name: &str) -> Option<SchemaNumber> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.schema)
    }

    /// The schema of a field that is probably at this place; 0 when there is none.
    ///
    /// Cost: one comparison for a struct written in schema order.
    pub fn field_at(&self, place: usize, name: &[u8]) -> SchemaNumber {
        let named = |field: &&Field| field.name.as_bytes() == name;
        let field = self.fields.get(place).filter(named);
        field.or_else(|| self.fields.iter().find(named)).map_or(0, |field| field.schema)
    }

    /// Whether this is the logical type of this name, as [`DECIMAL`].
    pub fn is_named(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }

    /// A parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A schema in the making, with the schemas it is made of. [`SchemaBuilder::define`] gives it its number.
#[derive(Clone, Debug)]
pub struct SchemaBuilder {
    schema: Schema,
    fields: Vec<(String, SchemaBuilder)>,
    key: Option<Box<SchemaBuilder>>,
    value: Option<Box<SchemaBuilder>>,
}

impl SchemaBuilder {
    /// A schema of this type, required, without a name.
    pub fn new(type_: SchemaType) -> Self {
        Self { schema: Schema::of(type_), fields: Vec::new(), key: None, value: None }
    }

    fn logical(type_: SchemaType, name: &str) -> Self {
        Self::new(type_).name(name).version(1)
    }

    /// `INT32`.
    pub fn int32() -> Self {
        Self::new(SchemaType::Int32)
    }

    /// `INT64`.
    pub fn int64() -> Self {
        Self::new(SchemaType::Int64)
    }

    /// `FLOAT64`.
    pub fn float64() -> Self {
        Self::new(SchemaType::Float64)
    }

    /// `BOOLEAN`.
    pub fn boolean() -> Self {
        Self::new(SchemaType::Boolean)
    }

    /// `STRING`.
    pub fn string() -> Self {
        Self::new(SchemaType::Text)
    }

    /// `BYTES`.
    pub fn bytes() -> Self {
        Self::new(SchemaType::Bytes)
    }

    /// A decimal with this many digits after the point.
    pub fn decimal(scale: i32) -> Self {
        Self::logical(SchemaType::Bytes, DECIMAL).parameter("scale", &scale.to_string())
    }

    /// A date.
    pub fn date() -> Self {
        Self::logical(SchemaType::Int32, DATE)
    }

    /// A time of day.
    pub fn time() -> Self {
        Self::logical(SchemaType::Int32, TIME)
    }

    /// A timestamp.
    pub fn timestamp() -> Self {
        Self::logical(SchemaType::Int64, TIMESTAMP)
    }

    /// An array of these.
    pub fn array(of: Self) -> Self {
        Self { value: Some(Box::new(of)), ..Self::new(SchemaType::Array) }
    }

    /// A map from these to those.
    pub fn map(key: Self, value: Self) -> Self {
        let (key, value) = (Some(Box::new(key)), Some(Box::new(value)));
        Self { key, value, ..Self::new(SchemaType::Map) }
    }

    /// A struct, to which fields are added in the order of its values' members.
    pub fn structure(name: &str) -> Self {
        Self::new(SchemaType::Struct).name(name)
    }

    /// Adds a field to a struct.
    #[must_use]
    pub fn field(mut self, name: &str, schema: Self) -> Self {
        self.fields.push((name.to_owned(), schema));
        self
    }

    /// Makes null a value.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.schema.optional = true;
        self
    }

    /// Names it.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.schema.name = Some(name.to_owned());
        self
    }

    /// Gives it a version.
    #[must_use]
    pub fn version(mut self, version: i32) -> Self {
        self.schema.version = Some(version);
        self
    }

    /// Says what it is for.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        self.schema.doc = Some(doc.to_owned());
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.schema.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives it a default: one CBOR item.
    #[must_use]
    pub fn default(mut self, item: Vec<u8>) -> Self {
        self.schema.default = Some(item);
        self
    }

    /// Defines it and all that it is made of.
    ///
    /// Errors: as [`define`].
    pub fn define(self) -> Result<SchemaNumber> {
        let mut schema = self.schema;
        for (name, field) in self.fields {
            schema.fields.push(Field { name, schema: field.define()? });
        }
        schema.key = self.key.map(|key| key.define()).transpose()?;
        schema.value = self.value.map(|value| value.define()).transpose()?;
        define(schema)
    }
}
