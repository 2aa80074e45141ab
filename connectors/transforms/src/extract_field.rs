//! `ExtractField`: a field takes the place of the whole.

use std::rc::Rc;

use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};

use crate::fields::{self, BySchema, Fields, NULL, key_of, no_fields};
use crate::lists::NULL_TO_DEFAULT;
use crate::part::PartStep;
use crate::path::{self, SYNTAX};

const PURPOSE: &str = "field extraction";
const NESTED_PURPOSE: &str = "nested field access";

const FIELD: Key<String> = Key::new("field").doc("The field, by its name or path.");

/// What the settings say.
pub(crate) struct ExtractSettings {
    path: String,
    steps: Vec<String>,
    null_to_default: bool,
}

impl Configuration for ExtractSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FIELD, &NULL_TO_DEFAULT, &SYNTAX];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let path = FIELD.get(settings)?;
        let null_to_default = NULL_TO_DEFAULT.get(settings)?;
        Ok(Self { path, null_to_default, steps: path::steps(&FIELD, settings)? })
    }
}

/// A struct on the way to the field.
struct Level {
    /// How many fields it has.
    fields: usize,
    /// The place of the one that leads on.
    place: usize,
    /// That one's schema.
    schema: Rc<Schema>,
}

/// The way through a schema.
struct Known {
    type_: SchemaType,
    levels: Vec<Level>,
    /// The field's schema.
    number: SchemaNumber,
}

/// The step.
pub(crate) struct ExtractField {
    path: String,
    /// Names, and names as CBOR items.
    steps: Vec<(String, Vec<u8>)>,
    null_to_default: bool,
    known: BySchema<Known>,
}

impl PartStep for ExtractField {
    type Settings = ExtractSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.ExtractField$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.ExtractField$Value";
    const DOC: &'static str =
        "Replaces the whole by one field: of a struct with a schema, else of a map.";

    fn new(settings: ExtractSettings) -> Result<Self, Fault> {
        let ExtractSettings { path, steps, null_to_default } = settings;
        let with_key = |name: String| {
            let key = key_of(&name);
            (name, key)
        };
        let steps = steps.into_iter().map(with_key).collect();
        Ok(Self { path, steps, null_to_default, known: BySchema::default() })
    }

    #[inline]
    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let number = row.schema(part);
        if number == 0 {
            if row.get(part).is_none() {
                return Ok(());
            }
            return row.set(part, |row, out| Ok((put(self.of_map(row.get(part))?, out), 0)));
        }
        let Self { path, steps, known, .. } = self;
        let known = known.get(number, |schema| know(schema, steps, path))?;
        row.set(part, |row, out| {
            let field = match row.get(part) {
                Some(value) => self.of_struct(&known, value)?,
                None if known.type_ != SchemaType::Struct => return Err(no_fields().into()),
                None => NULL,
            };
            Ok((put(field, out), known.number))
        })
    }
}

/// Appends a value, unless it is null.
fn put(value: &[u8], out: &mut Vec<u8>) -> Written {
    if value == NULL {
        return Written::Null;
    }
    out.extend_from_slice(value);
    Written::Item
}

/// What Java says of a path without steps.
#[cold]
fn no_steps() -> Problem {
    Problem::of("java.lang.IllegalArgumentException", "fromIndex(0) > toIndex(-1)")
}

fn know(schema: &Schema, steps: &[(String, Vec<u8>)], path: &str) -> Result<Known, Failure> {
    let type_ = schema.type_;
    let mut known = Known { type_, levels: Vec::new(), number: 0 };
    if type_ != SchemaType::Struct {
        // A value that is not null is refused for what it is.
        return Ok(known);
    }
    if steps.is_empty() {
        return Err(no_steps().into());
    }
    let mut inner: Option<Rc<Schema>> = None;
    for (name, _) in steps {
        let outer = inner.as_deref().unwrap_or(schema);
        if outer.type_ != SchemaType::Struct {
            return Err(no_fields().into());
        }
        let fields = Fields::of(outer)?;
        let unknown = || {
            let message = format!("Unknown field: {path}");
            Problem::of("java.lang.IllegalArgumentException", message)
        };
        let place = fields.place(name).ok_or_else(unknown)?;
        let field = fields.all.get(place).ok_or_else(unknown)?;
        let schema = Rc::clone(&field.schema);
        known.number = field.number;
        known.levels.push(Level { fields: fields.all.len(), place, schema: Rc::clone(&schema) });
        inner = Some(schema);
    }
    Ok(known)
}

impl ExtractField {
    fn of_map<'a>(&self, value: Option<&'a [u8]>) -> Result<&'a [u8], Failure> {
        let mut found = value.unwrap_or(NULL);
        if self.steps.is_empty() {
            fields::map(value, PURPOSE)?;
            return Err(no_steps().into());
        }
        let mut purpose = PURPOSE;
        for (_, key) in &self.steps {
            let (mut cursor, pairs) = fields::map(Some(found), purpose)?;
            found = NULL;
            for _ in 0..pairs {
                if cursor.item()? == key {
                    found = cursor.item()?;
                    break;
                }
                cursor.skip()?;
            }
            if found == NULL {
                break;
            }
            purpose = NESTED_PURPOSE;
        }
        Ok(found)
    }

    fn of_struct<'a>(&self, known: &'a Known, value: &'a [u8]) -> Result<&'a [u8], Failure> {
        let Some(first) = known.levels.first() else {
            fields::structure(Some(value), known.type_, 0, PURPOSE)?;
            return Err(no_fields().into());
        };
        let mut cursor = fields::structure(Some(value), known.type_, first.fields, PURPOSE)?;
        let mut levels = known.levels.iter().peekable();
        while let Some(level) = levels.next() {
            for _ in 0..=2 * level.place {
                cursor.skip()?;
            }
            let mut found = cursor.item()?;
            let next = levels.peek();
            if found == NULL {
                match &level.schema.default {
                    Some(default) if next.is_some() || self.null_to_default => found = default,
                    _ => return Ok(NULL),
                }
            }
            let Some(next) = next else { return Ok(found) };
            let type_ = level.schema.type_;
            cursor = fields::structure(Some(found), type_, next.fields, NESTED_PURPOSE)?;
        }
        Ok(NULL)
    }
}
