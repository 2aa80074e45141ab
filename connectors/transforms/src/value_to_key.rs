//! `ValueToKey`: a new key from fields of the value.

use tombolo_sdk::bindings::types::Field;
use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::columns::{Columns, SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::transformation::{Next, Transformation};

use crate::fields::{self, BySchema, Fields, NULL, copy_value, key_of};
use crate::lists::{NULL_TO_DEFAULT, some_members};

const PURPOSE: &str = "copying fields from value to key";

const FIELDS: Key<Vec<String>> = Key::new("fields")
    .doc("Fields of the value that make the new key.")
    .importance(Importance::High);

/// What the settings say.
pub(crate) struct ValueToKeySettings {
    fields: Vec<String>,
    null_to_default: bool,
}

impl Configuration for ValueToKeySettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FIELDS, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let fields = some_members(&FIELDS, settings)?;
        Ok(Self { fields, null_to_default: NULL_TO_DEFAULT.get(settings)? })
    }
}

/// A value's schema and its key's.
struct Known {
    fields: Fields,
    type_: SchemaType,
    /// Places of the key's fields in the value.
    places: Vec<usize>,
    key: SchemaNumber,
}

/// The step.
pub(crate) struct ValueToKey {
    /// Names, and names as CBOR items.
    names: Vec<(String, Vec<u8>)>,
    null_to_default: bool,
    known: BySchema<Known>,
    /// Where the values of fields begin and end in the value.
    found: Vec<Option<(usize, usize)>>,
}

impl Plugin for ValueToKey {
    type Settings = ValueToKeySettings;
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.ValueToKey";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Replaces the key by a new one made of fields of the value.";
    const READS: Columns = Columns::VALUE;
}

impl Transformation for ValueToKey {
    fn create(settings: ValueToKeySettings) -> Result<Self, Fault> {
        let with_key = |name: String| {
            let key = key_of(&name);
            (name, key)
        };
        Ok(Self {
            names: settings.fields.into_iter().map(with_key).collect(),
            null_to_default: settings.null_to_default,
            known: BySchema::default(),
            found: Vec::new(),
        })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        let number = row.value_schema();
        if number == 0 {
            row.set(Part::Key, |row, out| {
                self.key_of_map(row.value(), out)?;
                Ok::<_, Failure>((Written::Item, 0))
            })?;
            return Ok(Next::Keep);
        }
        let Self { names, known, .. } = self;
        let known = known.get(number, |schema| know(schema, names))?;
        row.set(Part::Key, |row, out| {
            self.key_of_struct(&known, row.value(), out)?;
            Ok::<_, Failure>((Written::Item, known.key))
        })?;
        Ok(Next::Keep)
    }
}

fn know(schema: &Schema, names: &[(String, Vec<u8>)]) -> Result<Known, Failure> {
    let fields = Fields::of(schema)?;
    let mut key = Schema::of(SchemaType::Struct);
    let mut places = Vec::new();
    if schema.type_ == SchemaType::Struct {
        for (name, _) in names {
            let missing = || Problem::data(format!("Field does not exist: {name}"));
            places.push(fields.place(name).ok_or_else(missing)?);
            let number = schema.field(name).unwrap_or(0);
            key.fields.push(Field { name: name.clone(), schema: number });
        }
    }
    Ok(Known { fields, type_: schema.type_, places, key: schema::define(key)? })
}

impl ValueToKey {
    fn key_of_map(&mut self, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (mut cursor, pairs) = fields::map(value, PURPOSE)?;
        let body = cursor.rest();
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        self.found.clear();
        self.found.resize(self.names.len(), None);
        for _ in 0..pairs {
            let key = cursor.item()?;
            let start = at(&cursor);
            cursor.skip()?;
            let place = self.names.iter().position(|(_, name)| name == key);
            if let Some(found) = place.and_then(|place| self.found.get_mut(place)) {
                *found = Some((start, at(&cursor)));
            }
        }
        write::map(out, self.names.len());
        for ((_, key), found) in self.names.iter().zip(&self.found) {
            let value = found.and_then(|(start, end)| body.get(start..end));
            out.extend_from_slice(key);
            out.extend_from_slice(value.unwrap_or(NULL));
        }
        Ok(())
    }

    fn key_of_struct(
        &mut self,
        known: &Known,
        value: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let all = &known.fields.all;
        let mut cursor = fields::structure(value, known.type_, all.len(), PURPOSE)?;
        let body = cursor.rest();
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        self.found.clear();
        for _ in all {
            cursor.skip()?;
            let start = at(&cursor);
            cursor.skip()?;
            self.found.push(Some((start, at(&cursor))));
        }
        write::map(out, known.places.len());
        for &place in &known.places {
            let range = self.found.get(place).copied().flatten();
            let value = range.and_then(|(start, end)| body.get(start..end)).unwrap_or(NULL);
            let Some(field) = all.get(place) else { continue };
            out.extend_from_slice(&field.key);
            copy_value(field, value, self.null_to_default, out)?;
        }
        Ok(())
    }
}
