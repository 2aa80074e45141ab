//! `Cast`: fields, or the whole, in another type. Not here: what a value becomes (`convert`).

use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java;
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::convert::{convert, default_in};
use crate::fields::{BySchema, Fields, NULL, key_of, no_field_list, with_fields};
use crate::lists::NULL_TO_DEFAULT;
use crate::part::PartStep;
use crate::remake::{self, Remade};

const PURPOSE: &str = "cast types";

/// What a value can be cast to, as Java prints the set.
const TARGETS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";

const SPEC: Key<Vec<String>> = Key::new("spec")
    .doc(
        "Fields and their new types, as field:type with commas between; or one type, for the whole. Types: int8, int16, int32, int64, float32, float64, \
         boolean, string. Bytes can only become a string.",
    )
    .importance(Importance::High);

/// What is cast.
enum Spec {
    /// All of it.
    Whole(SchemaType),
    /// Fields: their names, and their new types.
    Fields(Vec<(String, SchemaType)>),
}

/// What the settings say.
pub(crate) struct CastSettings {
    spec: Spec,
    null_to_default: bool,
}

impl Configuration for CastSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&SPEC, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let spec = parse(&SPEC.get(settings)?)?;
        Ok(Self { spec, null_to_default: NULL_TO_DEFAULT.get(settings)? })
    }
}

/// Reads the specification. Of a field that is there twice, the last type counts.
///
/// Follows `Cast.parseFieldTypes`.
fn parse(mappings: &[String]) -> Result<Spec, ConfigError> {
    let mut whole = None;
    let mut fields: Vec<(String, SchemaType)> = Vec::new();
    for mapping in mappings {
        // As Java splits: nothing at the end does not count.
        let parts: Vec<&str> = mapping.trim_end_matches(':').split(':').collect();
        match parts.as_slice() {
            [type_] => whole = Some(target(type_)?),
            [field, type_] => {
                let (field, type_) = (java_trim(field), target(type_)?);
                fields.retain(|(known, _)| known != field);
                fields.push((field.to_owned(), type_));
            }
            _ => {
                let given = format!("[{}]", mappings.join(", "));
                let expected = format!("Invalid rename mapping: {mapping}");
                // Kafka Connect names the setting of another transformation.
                return Err(ConfigError::invalid("renames", given, expected));
            }
        }
    }
    match whole {
        Some(_) if mappings.len() > 1 => Err(ConfigError::of(
            SPEC.name(),
            "Cast transformations that specify a type to cast the entire value to may only \
             specify a single cast in their spec",
        )),
        Some(type_) => Ok(Spec::Whole(type_)),
        None if mappings.is_empty() => {
            Err(ConfigError::of(SPEC.name(), "Must specify at least one field to cast."))
        }
        None => Ok(Spec::Fields(fields)),
    }
}

/// As `String.trim`.
pub(crate) fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// A type by its name.
fn target(name: &str) -> Result<SchemaType, ConfigError> {
    let name = java_trim(name);
    let upper = name.to_uppercase();
    Ok(match upper.as_str() {
        "INT8" => SchemaType::Int8,
        "INT16" => SchemaType::Int16,
        "INT32" => SchemaType::Int32,
        "INT64" => SchemaType::Int64,
        "FLOAT32" => SchemaType::Float32,
        "FLOAT64" => SchemaType::Float64,
        "BOOLEAN" => SchemaType::Boolean,
        "STRING" => SchemaType::Text,
        other @ ("BYTES" | "ARRAY" | "MAP" | "STRUCT") => {
            let message = format!(
                "Cast transformation does not support casting to {other}; supported types are \
                 {TARGETS}"
            );
            return Err(ConfigError::of(SPEC.name(), message));
        }
        _ => {
            // Kafka Connect takes the cause for a value, and the message for a setting.
            let message = format!(
                "Invalid value java.lang.IllegalArgumentException: No enum constant \
                 org.apache.kafka.connect.data.Schema.Type.{upper} for configuration Invalid type \
                 found in casting spec: {name}"
            );
            return Err(ConfigError::of(SPEC.name(), message));
        }
    })
}

/// A schema before and after.
struct Updated {
    schema: Schema,
    fields: Remade,
    number: SchemaNumber,
}

/// The step.
pub(crate) struct Cast {
    spec: Spec,
    /// Names of the fields as CBOR items.
    keys: Vec<Vec<u8>>,
    null_to_default: bool,
    updated: BySchema<Updated>,
}

impl PartStep for Cast {
    type Settings = CastSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.Cast$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.Cast$Value";
    const DOC: &'static str = "Casts fields, or the whole, to another type.";

    fn new(CastSettings { spec, null_to_default }: CastSettings) -> Result<Self, Fault> {
        let keys = match &spec {
            Spec::Whole(_) => Vec::new(),
            Spec::Fields(fields) => fields.iter().map(|(name, _)| key_of(name)).collect(),
        };
        Ok(Self { spec, keys, null_to_default, updated: BySchema::default() })
    }

    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        if row.get(part).is_none() {
            return Ok(());
        }
        let number = row.schema(part);
        if number == 0 {
            return row.set(part, |row, out| {
                match &self.spec {
                    Spec::Whole(to) => convert(row.get(part).unwrap_or(NULL), None, *to, out)?,
                    Spec::Fields(casts) => {
                        remake::map(
                            &self.keys,
                            (row.get(part), PURPOSE),
                            out,
                            |place, item, out| match casts.get(place) {
                                Some(&(_, to)) => convert(item, None, to, out),
                                None => Ok(()),
                            },
                        )?;
                    }
                }
                Ok((Written::Item, 0))
            });
        }
        let Self { spec, null_to_default, updated, .. } = self;
        let updated = updated.get(number, |schema| update(schema, spec))?;
        row.set(part, |row, out| {
            let value = row.get(part);
            match spec {
                Spec::Whole(to) => {
                    convert(value.unwrap_or(NULL), Some(&updated.schema), *to, out)?;
                }
                Spec::Fields(_) => {
                    let make = |schema: &Schema, to, item: &[u8], out: &mut Vec<u8>| {
                        convert(item, Some(schema), to, out)
                    };
                    updated.fields.write((value, PURPOSE), *null_to_default, out, make)?;
                }
            }
            Ok((Written::Item, updated.number))
        })
    }
}

/// The schema with the new types.
///
/// Follows `Cast.getOrBuildSchema`.
fn update(schema: &Schema, spec: &Spec) -> Result<Updated, Failure> {
    let old = schema.clone();
    let casts = match spec {
        Spec::Whole(type_) => {
            let fields = Fields { all: Vec::new(), defaults: false };
            let mut new = Schema {
                fields: Vec::new(),
                key: None,
                value: None,
                type_: *type_,
                ..schema.clone()
            };
            new.default = default_in(schema, &new)?;
            let number = schema::define(new)?;
            let fields = Remade { type_: schema.type_, fields, types: Vec::new() };
            return Ok(Updated { schema: old, fields, number });
        }
        Spec::Fields(casts) => casts,
    };
    if schema.type_ != SchemaType::Struct {
        return Err(no_field_list().into());
    }
    let fields = Fields::of(schema)?;
    let cast_of = |name: &str| casts.iter().find(|(cast, _)| cast == name).map(|&(_, to)| to);
    let mut all = Vec::with_capacity(fields.all.len());
    for field in &fields.all {
        let mut number = field.number;
        if let Some(to) = cast_of(&field.name) {
            let mut new = Schema { optional: field.schema.optional, ..Schema::of(to) };
            new.default = default_in(&field.schema, &new)?;
            number = schema::define(new)?;
        }
        all.push((field.name.clone(), number));
    }
    let types = fields.all.iter().map(|field| cast_of(&field.name)).collect();
    let number = with_fields(schema, all)?;
    // A default of the whole cannot be cast, as a struct cannot.
    let new = schema::get(number).ok_or_else(|| Fault::fatal("a schema is gone"))?;
    let new = Schema { optional: schema.optional, ..Schema::clone(&new) };
    default_in(schema, &new)?;
    let fields = Remade { type_: schema.type_, fields, types };
    Ok(Updated { schema: old, fields, number: schema::define(new)? })
}

/// What `Cast` says of a value that it does not take.
#[cold]
pub(crate) fn unsupported(from: SchemaType) -> Problem {
    let from = java::type_name(from);
    Problem::data(format!(
        "Cast transformation does not support casting from {from}; supported types are [INT8, \
         INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
    ))
}
