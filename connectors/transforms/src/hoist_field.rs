//! `HoistField`: wraps a key or a value into a field.

use tombolo_sdk::bindings::types::Field;
use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};

use crate::fields::{BySchema, NULL, key_of, null_in_required};
use crate::part::PartStep;

const FIELD: Key<String> =
    Key::new("field").doc("Name of the only field of the new struct or map.");

/// What the settings say.
pub(crate) struct HoistSettings {
    field: String,
}

impl Configuration for HoistSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FIELD];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { field: FIELD.get(settings)? })
    }
}

/// A schema wrapped.
struct Hoisted {
    number: SchemaNumber,
    type_: SchemaType,
    optional: bool,
}

/// The step.
pub(crate) struct HoistField {
    name: String,
    key: Vec<u8>,
    hoisted: BySchema<Hoisted>,
}

impl PartStep for HoistField {
    type Settings = HoistSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.HoistField$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.HoistField$Value";
    const DOC: &'static str =
        "Wraps the whole into one field: of a struct with a schema, else of a map.";

    fn new(HoistSettings { field: name }: HoistSettings) -> Result<Self, Fault> {
        Ok(Self { key: key_of(&name), name, hoisted: BySchema::default() })
    }

    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let inner = row.schema(part);
        let mut number = 0;
        if inner != 0 {
            let Self { name, hoisted, .. } = self;
            let hoisted = hoisted.get(inner, |schema| hoist(name, inner, schema))?;
            if row.get(part).is_none() && !hoisted.optional {
                return Err(null_in_required(name, hoisted.type_).into());
            }
            number = hoisted.number;
        }
        row.set(part, |row, out| {
            write::map(out, 1);
            out.extend_from_slice(&self.key);
            out.extend_from_slice(row.get(part).unwrap_or(NULL));
            Ok((Written::Item, number))
        })
    }
}

fn hoist(name: &str, inner: SchemaNumber, schema: &Schema) -> Result<Hoisted, Failure> {
    let mut outer = Schema::of(SchemaType::Struct);
    outer.fields.push(Field { name: name.to_owned(), schema: inner });
    let number = schema::define(outer)?;
    Ok(Hoisted { number, type_: schema.type_, optional: schema.optional })
}
