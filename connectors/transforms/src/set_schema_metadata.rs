//! `SetSchemaMetadata`: gives a schema another name or version.

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::fields::{self, BySchema, Fields, NULL, copy_value, no_field_list};
use crate::lists::NULL_TO_DEFAULT;
use crate::part::PartStep;

const PURPOSE: &str = "updating schema metadata";

const NAME: Key<Option<String>> =
    Key::new("schema.name").doc("The new name.").importance(Importance::High);
const VERSION: Key<Option<i32>> =
    Key::new("schema.version").doc("The new version.").importance(Importance::High);

/// What the settings say.
pub(crate) struct MetadataSettings {
    name: Option<String>,
    version: Option<i32>,
    null_to_default: bool,
}

impl Configuration for MetadataSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&NAME, &VERSION, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let (name, version) = (NAME.get(settings)?, VERSION.get(settings)?);
        let null_to_default = NULL_TO_DEFAULT.get(settings)?;
        if name.is_none() && version.is_none() {
            return Err(ConfigError::of(NAME.name(), "Neither schema name nor version configured"));
        }
        Ok(Self { name, version, null_to_default })
    }
}

/// A schema before and after.
struct Updated {
    fields: Fields,
    number: SchemaNumber,
}

/// The step.
pub(crate) struct SetSchemaMetadata {
    settings: MetadataSettings,
    updated: BySchema<Updated>,
}

impl PartStep for SetSchemaMetadata {
    type Settings = MetadataSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value";
    const DOC: &'static str = "Gives the schema another name, another version, or both.";

    fn new(settings: MetadataSettings) -> Result<Self, Fault> {
        Ok(Self { settings, updated: BySchema::default() })
    }

    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let number = row.schema(part);
        if number == 0 {
            return match row.get(part) {
                None => Ok(()),
                Some(_) => Err(Problem::data(format!("Schema required for [{PURPOSE}]")).into()),
            };
        }
        let Self { settings, updated } = self;
        let updated = updated.get(number, |schema| update(schema, settings))?;
        row.set(part, |row, out| {
            let Some(value) = row.get(part) else { return Ok((Written::Null, updated.number)) };
            structure(&updated.fields, value, settings.null_to_default, out)?;
            Ok((Written::Item, updated.number))
        })
    }
}

fn update(schema: &Schema, settings: &MetadataSettings) -> Result<Updated, Failure> {
    if schema.type_ != SchemaType::Struct {
        // Kafka Connect refuses all others, by an oversight.
        return Err(no_field_list().into());
    }
    let mut new = schema.clone();
    new.name = settings.name.clone().or(new.name);
    new.version = settings.version.or(new.version);
    let number = schema::define(new)?;
    Ok(Updated { fields: Fields::of(schema)?, number })
}

/// Appends a struct as `Struct.put` takes its fields: nulls become defaults, or must be allowed.
fn structure(
    fields: &Fields,
    value: &[u8],
    null_to_default: bool,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let all = &fields.all;
    let mut cursor = fields::structure(Some(value), SchemaType::Struct, all.len(), PURPOSE)?;
    write::map(out, all.len());
    // Fields that stay as they are, up to here, are copied in one go.
    let mut copied = cursor.position();
    for field in all {
        cursor.skip()?;
        let start = cursor.position();
        if cursor.item()? == NULL {
            out.extend_from_slice(cursor.slice(copied, start));
            copy_value(field, NULL, null_to_default, out)?;
            copied = cursor.position();
        }
    }
    out.extend_from_slice(cursor.slice(copied, cursor.position()));
    Ok(())
}
