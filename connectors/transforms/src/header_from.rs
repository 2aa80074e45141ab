//! `HeaderFrom`: copies fields into headers, or moves them there.

use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::columns::{Columns, Headers, SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::fields::{self, BySchema, Field, Fields, NULL, copy_value, key_of, with_fields};
use crate::lists::{NULL_TO_DEFAULT, non_empty};
use crate::part::PartStep;

const FIELDS: Key<Vec<String>> = Key::new("fields")
    .doc("Fields whose values become values of headers.")
    .importance(Importance::High);
const HEADERS: Key<Vec<String>> = Key::new("headers")
    .doc("Names of the headers, in the order of the fields.")
    .importance(Importance::High);
const OPERATION: Key<String> = Key::new("operation")
    .doc("Whether the fields stay where they are as well (copy) or not (move).")
    .one_of(&["move", "copy"])
    .recommended(&[])
    .importance(Importance::High);

/// What the settings say.
pub(crate) struct HeaderSettings {
    fields: Vec<String>,
    headers: Vec<String>,
    moves: bool,
    null_to_default: bool,
}

impl Configuration for HeaderSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&FIELDS, &HEADERS, &OPERATION, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let read = Self {
            fields: non_empty(&FIELDS, settings)?,
            headers: non_empty(&HEADERS, settings)?,
            moves: OPERATION.get(settings)? == "move",
            null_to_default: NULL_TO_DEFAULT.get(settings)?,
        };
        if read.fields.len() != read.headers.len() {
            let (fields, headers) = (FIELDS.name(), HEADERS.name());
            let message = format!(
                "'{fields}' config must have the same number of elements as '{headers}' config."
            );
            return Err(ConfigError::of(fields, message));
        }
        Ok(read)
    }
}

/// A field that becomes a header.
struct Wanted {
    field: String,
    /// The field's name as a CBOR item.
    key: Vec<u8>,
    header: String,
}

/// A struct's schema before and after.
struct Known {
    fields: Fields,
    type_: SchemaType,
    number: SchemaNumber,
    /// Whether each field goes.
    moved: Vec<bool>,
    /// The place of each header's field, where there is one.
    places: Vec<Option<usize>>,
}

/// Where an entry begins, and its value begins and ends.
type Place = (usize, usize, usize);

/// The step.
pub(crate) struct HeaderFrom {
    wanted: Vec<Wanted>,
    moves: bool,
    null_to_default: bool,
    known: BySchema<Known>,
    /// All fields of a struct, or the entries of a map that become headers.
    entries: Vec<Place>,
    /// For each header its entry.
    found: Vec<Option<usize>>,
}

impl PartStep for HeaderFrom {
    type Settings = HeaderSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.HeaderFrom$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.HeaderFrom$Value";
    const DOC: &'static str = "Copies fields into headers, or moves them there.";
    const ALSO_READS: Columns = Columns::HEADERS;

    fn new(settings: HeaderSettings) -> Result<Self, Fault> {
        let pairs = settings.fields.into_iter().zip(settings.headers);
        let wanted = pairs.map(|(field, header)| Wanted { key: key_of(&field), field, header });
        Ok(Self {
            wanted: wanted.collect(),
            moves: settings.moves,
            null_to_default: settings.null_to_default,
            known: BySchema::default(),
            entries: Vec::new(),
            found: Vec::new(),
        })
    }

    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let purpose = if self.moves { "header move" } else { "header copy" };
        let mut headers = Headers::new();
        headers.extend(row.headers());
        let number = row.schema(part);
        if number == 0 {
            let pairs = self.look_through_map(row.get(part), purpose)?;
            if self.moves {
                row.set(part, |row, out| {
                    self.rest_of_map(row.get(part).unwrap_or_default(), pairs, out);
                    self.fill(None, row.get(part).unwrap_or_default(), &mut headers)?;
                    Ok::<_, Failure>((Written::Item, 0))
                })?;
            } else {
                self.fill(None, row.get(part).unwrap_or_default(), &mut headers)?;
            }
            row.set_headers(headers);
            return Ok(());
        }
        let Self { wanted, known, .. } = self;
        let known = known.get(number, |schema| know(schema, wanted))?;
        self.look_through_struct(&known, row.get(part), purpose)?;
        if self.moves {
            row.set(part, |row, out| {
                let value = row.get(part).unwrap_or_default();
                self.rest_of_struct(&known, value, out)?;
                self.fill(Some(&known), value, &mut headers)?;
                Ok::<_, Failure>((Written::Item, known.number))
            })?;
        } else {
            self.fill(Some(&known), row.get(part).unwrap_or_default(), &mut headers)?;
        }
        row.set_headers(headers);
        Ok(())
    }
}

fn know(schema: &Schema, wanted: &[Wanted]) -> Result<Known, Failure> {
    let type_ = schema.type_;
    if type_ != SchemaType::Struct {
        let fields = Fields { all: Vec::new(), defaults: false };
        return Ok(Known { fields, type_, number: 0, moved: Vec::new(), places: Vec::new() });
    }
    let fields = Fields::of(schema)?;
    let is_moved = |field: &Field| wanted.iter().any(|wanted| wanted.field == field.name);
    let moved: Vec<bool> = fields.all.iter().map(is_moved).collect();
    let kept = fields.all.iter().filter(|field| !is_moved(field));
    let number =
        with_fields(schema, kept.map(|field| (field.name.clone(), field.number)).collect())?;
    let places = wanted.iter().map(|wanted| fields.place(&wanted.field)).collect();
    Ok(Known { fields, type_, number, moved, places })
}

impl HeaderFrom {
    /// Notes the entries that become headers. Gives the number of all.
    fn look_through_map(&mut self, value: Option<&[u8]>, purpose: &str) -> Result<usize, Failure> {
        let (mut cursor, pairs) = fields::map(value, purpose)?;
        self.entries.clear();
        self.found.clear();
        self.found.resize(self.wanted.len(), None);
        for _ in 0..pairs {
            let entry = cursor.position();
            let key = cursor.item()?;
            let start = cursor.position();
            cursor.skip()?;
            let mut is_wanted = false;
            for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
                if wanted.key == key {
                    *found = Some(self.entries.len());
                    is_wanted = true;
                }
            }
            if is_wanted {
                self.entries.push((entry, start, cursor.position()));
            }
        }
        Ok(pairs)
    }

    /// Notes all fields.
    fn look_through_struct(
        &mut self,
        known: &Known,
        value: Option<&[u8]>,
        purpose: &str,
    ) -> Result<(), Failure> {
        let all = known.fields.all.len();
        let mut cursor = fields::structure(value, known.type_, all, purpose)?;
        self.entries.clear();
        for _ in 0..all {
            let entry = cursor.position();
            cursor.skip()?;
            let start = cursor.position();
            cursor.skip()?;
            self.entries.push((entry, start, cursor.position()));
        }
        self.found.clone_from(&known.places);
        Ok(())
    }

    /// Appends a map without the entries that were noted.
    fn rest_of_map(&self, value: &[u8], pairs: usize, out: &mut Vec<u8>) {
        write::map(out, pairs - self.entries.len());
        let mut cursor = Cursor::new(value);
        drop(cursor.head());
        let mut copied = cursor.position();
        for &(entry, _, end) in &self.entries {
            out.extend_from_slice(cursor.slice(copied, entry));
            copied = end;
        }
        out.extend_from_slice(cursor.slice(copied, value.len()));
    }

    /// Appends a struct without the fields that go.
    fn rest_of_struct(
        &self,
        known: &Known,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Problem> {
        write::map(out, known.moved.iter().filter(|moved| !**moved).count());
        let slice = |from: usize, to: usize| value.get(from..to).unwrap_or_default();
        // Fields that stay as they are, up to here, are copied in one go.
        let mut copied = self.entries.first().map_or(value.len(), |&(entry, ..)| entry);
        for ((field, &moved), &(entry, start, end)) in
            known.fields.all.iter().zip(&known.moved).zip(&self.entries)
        {
            let is_null = known.fields.defaults && slice(start, end) == NULL;
            if moved || is_null {
                out.extend_from_slice(slice(copied, if moved { entry } else { start }));
                copied = end;
            }
            if is_null && !moved {
                copy_value(field, NULL, self.null_to_default, out)?;
            }
        }
        out.extend_from_slice(slice(copied, value.len()));
        Ok(())
    }

    /// Adds the headers.
    fn fill(
        &self,
        known: Option<&Known>,
        value: &[u8],
        headers: &mut Headers,
    ) -> Result<(), Problem> {
        for (wanted, &found) in self.wanted.iter().zip(&self.found) {
            let entry = found.and_then(|place| self.entries.get(place));
            let item = entry.and_then(|&(_, start, end)| value.get(start..end));
            let item = item.filter(|item| *item != NULL);
            let Some(known) = known else {
                headers.push(&wanted.header, item, 0);
                continue;
            };
            let field = found.and_then(|place| known.fields.all.get(place));
            let Field { schema, number, .. } = field.ok_or_else(no_field)?;
            let default = schema.default.as_deref().filter(|_| self.null_to_default);
            let item = item.or(default);
            if item.is_none() && !schema.optional {
                return Err(null_in_header(schema));
            }
            headers.push(&wanted.header, item, *number);
        }
        Ok(())
    }
}

/// What Java says when a struct does not have the field.
#[cold]
fn no_field() -> Problem {
    Problem::of(
        "java.lang.NullPointerException",
        "Cannot invoke \"org.apache.kafka.connect.data.Field.schema()\" because the return value \
         of \"org.apache.kafka.connect.data.Schema.field(String)\" is null",
    )
}

/// What `ConnectHeaders` says of a null whose schema does not allow it.
#[cold]
fn null_in_header(schema: &Schema) -> Problem {
    let schema = fields::schema_text(schema);
    Problem::data(format!("A null value requires an optional schema but was {schema}"))
}
