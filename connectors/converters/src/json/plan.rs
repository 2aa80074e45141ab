//! What a schema means for JSON, worked out once per schema.
//!
//! Not here: reading (`read`) and writing (`write`) by it.

use std::collections::HashMap;
use std::rc::Rc;

use tombolo_sdk::cbor::write;
use tombolo_sdk::fault::Fault;
use tombolo_sdk::java;
use tombolo_sdk::json;
use tombolo_sdk::schema::{self, SchemaNumber, SchemaType};

/// A schema with all it is made of.
#[derive(Debug)]
pub(super) struct Plan {
    /// Its number.
    pub(super) number: SchemaNumber,
    /// Its type.
    pub(super) type_: SchemaType,
    /// Whether null is a value.
    pub(super) optional: bool,
    /// One CBOR item.
    pub(super) default: Option<Vec<u8>>,
    /// What it stands for, when it has one of the four names.
    pub(super) logical: Option<Logical>,
    /// What it is made of.
    pub(super) parts: Parts,
}

/// Logical types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logical {
    /// With its scale; none when the schema does not say it well.
    Decimal(Option<i32>),
    Date,
    Time,
    Timestamp,
}

/// What a schema is made of. Elements, keys and values may be unknown.
#[derive(Debug)]
pub(super) enum Parts {
    None,
    Array(Option<Rc<Plan>>),
    Map { key: Option<Rc<Plan>>, value: Option<Rc<Plan>> },
    Struct(Vec<Field>),
}

/// A field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// Its name as a CBOR item.
    pub(super) cbor_key: Vec<u8>,
    /// Its name in JSON, with the comma before and the colon behind: `,"name":`.
    pub(super) json_key: Vec<u8>,
    /// Its schema.
    pub(super) plan: Rc<Plan>,
}

impl Plan {
    /// The type as Java spells it.
    pub(super) fn type_name(&self) -> &'static str {
        java::type_name(self.type_)
    }
}

/// The plans of schemas that were met, the last one at hand.
///
/// A task has at most 10,000 schemas, and a plan is about as large as its schema, so that none is thrown away.
#[derive(Default)]
pub(super) struct Plans {
    last: Option<(SchemaNumber, Rc<Plan>)>,
    all: HashMap<SchemaNumber, Rc<Plan>>,
}

impl Plans {
    /// The plan of a schema; none for no schema.
    ///
    /// Errors: a number that the task does not have.
    pub(super) fn get(&mut self, number: SchemaNumber) -> Result<Option<Rc<Plan>>, Fault> {
        if number == 0 {
            return Ok(None);
        }
        if let Some((_, plan)) = self.last.as_ref().filter(|(last, _)| *last == number) {
            return Ok(Some(Rc::clone(plan)));
        }
        let plan = match self.all.get(&number) {
            Some(plan) => Rc::clone(plan),
            None => self.make(number)?,
        };
        self.last = Some((number, Rc::clone(&plan)));
        Ok(Some(plan))
    }

    fn make(&mut self, number: SchemaNumber) -> Result<Rc<Plan>, Fault> {
        let unknown = || Fault::fatal(format_args!("no schema has number {number}"));
        let schema = schema::get(number).ok_or_else(unknown)?;
        let mut part = |number: Option<SchemaNumber>| self.get(number.unwrap_or(0));
        let parts = match schema.type_ {
            SchemaType::Array => Parts::Array(part(schema.value)?),
            SchemaType::Map => Parts::Map { key: part(schema.key)?, value: part(schema.value)? },
            SchemaType::Struct => {
                let fields = schema.fields.iter().map(|field| {
                    let plan = part(Some(field.schema))?.ok_or_else(unknown)?;
                    Ok(Field::new(&field.name, plan))
                });
                Parts::Struct(fields.collect::<Result<_, Fault>>()?)
            }
            _ => Parts::None,
        };
        let logical = match schema.name.as_deref() {
            Some(schema::DECIMAL) => {
                let scale = schema.parameter("scale").and_then(|scale| scale.parse().ok());
                Some(Logical::Decimal(scale))
            }
            Some(schema::DATE) => Some(Logical::Date),
            Some(schema::TIME) => Some(Logical::Time),
            Some(schema::TIMESTAMP) => Some(Logical::Timestamp),
            _ => None,
        };
        let plan = Rc::new(Plan {
            number,
            type_: schema.type_,
            optional: schema.optional,
            default: schema.default.clone(),
            logical,
            parts,
        });
        self.all.insert(number, Rc::clone(&plan));
        Ok(plan)
    }
}

impl Field {
    fn new(name: &str, plan: Rc<Plan>) -> Self {
        let mut cbor_key = Vec::new();
        write::text(&mut cbor_key, name);
        let mut json_key = vec![b','];
        json::key(&mut json_key, name.as_bytes());
        Self { name: name.to_owned(), cbor_key, json_key, plan }
    }
}
