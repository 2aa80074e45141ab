//! `ReplaceField`: leaves fields out, and renames them.

use std::rc::Rc;

use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};
use tombolo_sdk::short::equal;

use crate::fields::{
    self, BySchema, Fields, copy_value, key_of, no_name, with_fields, without_repeated,
};
use crate::lists::{NULL_TO_DEFAULT, members};
use crate::names::Names;
use crate::part::PartStep;

const PURPOSE: &str = "field replacement";

const EXCLUDE: Key<Vec<String>> =
    Key::new("exclude").doc("Fields to leave out. It wins over include.").default("");
const INCLUDE: Key<Vec<String>> = Key::new("include")
    .doc("Fields to keep. Where it is given, all others are left out.")
    .default("");
const RENAMES: Key<Vec<String>> =
    Key::new("renames").doc("Fields to rename, as old:new with commas between.").default("");

/// What the settings say.
pub(crate) struct ReplaceSettings {
    exclude: Vec<String>,
    include: Vec<String>,
    renames: Vec<(String, String)>,
    null_to_default: bool,
}

impl Configuration for ReplaceSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&EXCLUDE, &INCLUDE, &RENAMES, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            exclude: members(&EXCLUDE, settings)?,
            include: members(&INCLUDE, settings)?,
            renames: renames(&RENAMES.get(settings)?)?,
            null_to_default: NULL_TO_DEFAULT.get(settings)?,
        })
    }
}

/// Pairs of an old and a new name; of an old name that is there twice, the last counts.
fn renames(mappings: &[String]) -> Result<Vec<(String, String)>, ConfigError> {
    let mut renames: Vec<(String, String)> = Vec::new();
    for mapping in mappings {
        // As Java splits: nothing at the end does not count.
        let parts: Vec<&str> = mapping.trim_end_matches(':').split(':').collect();
        let [old, new] = parts.as_slice() else {
            let given = format!("[{}]", mappings.join(", "));
            let expected = format!("Invalid rename mapping: {mapping}");
            return Err(ConfigError::invalid(RENAMES.name(), given, expected));
        };
        renames.retain(|(known, _)| known != old);
        renames.push(((*old).to_owned(), (*new).to_owned()));
    }
    Ok(renames)
}

/// A field of the new struct.
struct Output {
    /// Its name as a CBOR item.
    key: Vec<u8>,
    /// The place of the old field.
    from: usize,
}

/// A struct's schema before and after.
struct Updated {
    fields: Fields,
    type_: SchemaType,
    number: SchemaNumber,
    outputs: Vec<Output>,
    /// Fields that stay next to each other under their names, from a place up to another; none where one is renamed or may become its default.
    runs: Option<Vec<(usize, usize)>>,
}

/// The step.
pub(crate) struct ReplaceField {
    exclude: Names,
    include: Names,
    renames: Vec<(String, String, Vec<u8>)>,
    null_to_default: bool,
    updated: BySchema<Updated>,
    /// Where the fields of a struct begin, and their values begin and end.
    places: Vec<(usize, usize, usize)>,
}

impl PartStep for ReplaceField {
    type Settings = ReplaceSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.ReplaceField$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.ReplaceField$Value";
    const DOC: &'static str = "Leaves fields out, and renames them.";

    fn new(settings: ReplaceSettings) -> Result<Self, Fault> {
        let with_key = |(old, new): (String, String)| {
            let key = key_of(&new);
            (old, new, key)
        };
        Ok(Self {
            exclude: names(&settings.exclude),
            include: names(&settings.include),
            renames: settings.renames.into_iter().map(with_key).collect(),
            null_to_default: settings.null_to_default,
            updated: BySchema::default(),
            places: Vec::new(),
        })
    }

    #[inline]
    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let Some(value) = row.get(part) else { return Ok(()) };
        let number = row.schema(part);
        if number == 0 {
            fields::map(Some(value), PURPOSE)?;
            return row.set(part, |row, out| {
                self.map(row.get(part), out)?;
                Ok((Written::Item, 0))
            });
        }
        let mut cache = std::mem::take(&mut self.updated);
        let updated = cache.get(number, |schema| self.update(schema));
        self.updated = cache;
        let updated = updated?;
        row.set(part, |row, out| {
            self.structure(&updated, row.get(part), out)?;
            Ok((Written::Item, updated.number))
        })
    }
}

fn names(list: &[String]) -> Names {
    Names::new(list.iter().map(String::as_bytes))
}

impl ReplaceField {
    #[inline]
    fn keeps(&self, name: &[u8]) -> bool {
        !self.exclude.has(name) && (self.include.is_empty() || self.include.has(name))
    }

    /// The new name of a field as a CBOR item, if it gets one.
    fn renamed(&self, name: &[u8]) -> Option<&[u8]> {
        let rename = self.renames.iter().find(|(old, ..)| equal(old.as_bytes(), name));
        rename.map(|(_, _, key)| key.as_slice())
    }

    fn map(&self, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (mut cursor, pairs) = fields::map(value, PURPOSE)?;
        let start = out.len();
        let open = write::begin(out);
        let body = cursor.rest();
        // Entries that stay as they are, up to here, are copied in one go.
        let (mut kept, mut run) = (0, 0);
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        for _ in 0..pairs {
            let entry = at(&cursor);
            let Some(name) = cursor.text_bytes()? else { return Err(no_name(&cursor).into()) };
            let value = at(&cursor);
            cursor.skip()?;
            let keeps = self.keeps(name);
            let new_key = if keeps { self.renamed(name) } else { None };
            if keeps && new_key.is_none() {
                kept += 1;
                continue;
            }
            out.extend_from_slice(body.get(run..entry).unwrap_or_default());
            run = at(&cursor);
            if let Some(key) = new_key {
                out.extend_from_slice(key);
                out.extend_from_slice(body.get(value..run).unwrap_or_default());
                kept += 1;
            }
        }
        out.extend_from_slice(body.get(run..).unwrap_or_default());
        write::end_map(out, open, kept);
        if !self.renames.is_empty() {
            without_repeated(out, start)?;
        }
        Ok(())
    }

    fn update(&self, schema: &Schema) -> Result<Updated, Failure> {
        if schema.type_ != SchemaType::Struct {
            let fields = Fields { all: Vec::new(), defaults: false };
            let (outputs, runs) = (Vec::new(), None);
            return Ok(Updated { fields, type_: schema.type_, number: 0, outputs, runs });
        }
        let fields = Fields::of(schema)?;
        let mut all = Vec::new();
        for field in fields.all.iter().filter(|field| self.keeps(field.name.as_bytes())) {
            let rename = self.renames.iter().find(|(old, ..)| *old == field.name);
            let name = rename.map_or(&field.name, |(_, new, _)| new);
            all.push((name.clone(), field.number));
        }
        let number = with_fields(schema, all.clone())?;
        let outputs = all.into_iter().map(|(name, _)| {
            // Values are found by the old name of the new name, even where another field had the new name all along, as in Connect. Where there are two old
            // names, Connect takes whichever its hash order gives; here it is the first that is there.
            let mut olds = self.renames.iter().filter(|(_, new, _)| *new == name);
            let there = olds.clone().find(|(old, ..)| fields.place(old).is_some());
            let old = there.or_else(|| olds.next()).map_or(name.as_str(), |(old, ..)| old);
            let missing = || Problem::data(format!("{old} is not a valid field name"));
            Ok(Output { key: key_of(&name), from: fields.place(old).ok_or_else(missing)? })
        });
        let outputs = outputs.collect::<Result<Vec<_>, Failure>>()?;
        let runs = runs(&fields, &outputs);
        Ok(Updated { fields, type_: schema.type_, number, outputs, runs })
    }

    fn structure(
        &mut self,
        updated: &Rc<Updated>,
        value: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let fields = &updated.fields;
        let mut cursor = fields::structure(value, updated.type_, fields.all.len(), PURPOSE)?;
        let body = cursor.rest();
        let at = |cursor: &Cursor<'_>| body.len() - cursor.rest().len();
        self.places.clear();
        for _ in &fields.all {
            let start = at(&cursor);
            cursor.skip()?;
            let value = at(&cursor);
            cursor.skip()?;
            self.places.push((start, value, at(&cursor)));
        }
        write::map(out, updated.outputs.len());
        let place = |field: usize| self.places.get(field).copied().unwrap_or_default();
        let slice = |from: usize, to: usize| body.get(from..to).unwrap_or_default();
        if let Some(runs) = &updated.runs {
            for &(first, end) in runs {
                out.extend_from_slice(slice(place(first).0, place(end - 1).2));
            }
            return Ok(());
        }
        for output in &updated.outputs {
            let (_, start, end) = place(output.from);
            out.extend_from_slice(&output.key);
            match fields.all.get(output.from).filter(|_| fields.defaults) {
                Some(field) => copy_value(field, slice(start, end), self.null_to_default, out)?,
                None => out.extend_from_slice(slice(start, end)),
            }
        }
        Ok(())
    }
}

/// The fields that stay, as runs; none where one is renamed or may become its default.
fn runs(fields: &Fields, outputs: &[Output]) -> Option<Vec<(usize, usize)>> {
    let same =
        |output: &Output| fields.all.get(output.from).is_some_and(|field| field.key == output.key);
    if fields.defaults || !outputs.iter().all(same) {
        return None;
    }
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for output in outputs {
        match runs.last_mut() {
            Some((_, end)) if *end == output.from => *end += 1,
            _ => runs.push((output.from, output.from + 1)),
        }
    }
    Some(runs)
}
