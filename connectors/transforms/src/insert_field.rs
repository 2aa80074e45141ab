//! `InsertField`: adds fields with what the record has besides its value, or with a fixed text.

use std::rc::Rc;

use tombolo_sdk::cbor::write;
use tombolo_sdk::columns::{Columns, SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{Schema, SchemaBuilder, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};

use crate::fields::{self, BySchema, Fields, NULL, copy_value, key_of, with_fields};
use crate::lists::NULL_TO_DEFAULT;
use crate::names::Names;
use crate::part::PartStep;

const PURPOSE: &str = "field insertion";

const TOPIC: Key<Option<String>> = Key::new("topic.field").doc(
    "Name of a field for the topic. A ! at the end makes the field required, a ? or nothing \
     optional.",
);
const PARTITION: Key<Option<String>> = Key::new("partition.field")
    .doc("Name of a field for the Kafka partition, with ! or ? as for topic.field.");
const OFFSET: Key<Option<String>> = Key::new("offset.field").doc(
    "Name of a field for the Kafka offset, with ! or ? as for topic.field. For sinks only: at a \
     source, records have no offset yet.",
);
const TIMESTAMP: Key<Option<String>> = Key::new("timestamp.field")
    .doc("Name of a field for the record's timestamp, with ! or ? as for topic.field.");
const STATIC_FIELD: Key<Option<String>> = Key::new("static.field")
    .doc("Name of a field for a fixed text, with ! or ? as for topic.field.");
const STATIC_VALUE: Key<Option<String>> = Key::new("static.value").doc("The text of static.field.");

/// What is inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Static,
}

/// A field to insert.
#[derive(Debug)]
struct Insertion {
    name: String,
    /// Its name as a CBOR item.
    key: Vec<u8>,
    optional: bool,
    source: Source,
}

impl Insertion {
    /// By a name with `!` or `?` at its end.
    fn parse(specification: &str, source: Source) -> Self {
        let (name, optional) = match specification.strip_suffix('!') {
            Some(name) => (name, false),
            None => (specification.strip_suffix('?').unwrap_or(specification), true),
        };
        Self { name: name.to_owned(), key: key_of(name), optional, source }
    }
}

/// What the settings say.
pub(crate) struct InsertSettings {
    insertions: Vec<Insertion>,
    static_value: String,
    null_to_default: bool,
}

impl Configuration for InsertSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&TOPIC, &PARTITION, &OFFSET, &TIMESTAMP, &STATIC_FIELD, &STATIC_VALUE, &NULL_TO_DEFAULT];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let mut insertions = Vec::new();
        for (key, source) in [
            (&TOPIC, Source::Topic),
            (&PARTITION, Source::Partition),
            (&OFFSET, Source::Offset),
            (&TIMESTAMP, Source::Timestamp),
            (&STATIC_FIELD, Source::Static),
        ] {
            let specification = key.get(settings)?;
            insertions.extend(specification.map(|text| Insertion::parse(&text, source)));
        }
        let null_to_default = NULL_TO_DEFAULT.get(settings)?;
        let Some(last) = insertions.last() else {
            return Err(ConfigError::of(TOPIC.name(), "No field insertion configured"));
        };
        let static_value = STATIC_VALUE.get(settings)?;
        if last.source == Source::Static && static_value.is_none() {
            let expected = format!("No value specified for static field: {}", last.name);
            return Err(ConfigError::invalid(STATIC_VALUE.name(), "null", expected));
        }
        Ok(Self { insertions, static_value: static_value.unwrap_or_default(), null_to_default })
    }
}

/// A struct's schema before and after.
struct Updated {
    fields: Fields,
    type_: SchemaType,
    number: SchemaNumber,
}

/// The step.
pub(crate) struct InsertField {
    insertions: Vec<Insertion>,
    /// Their names as CBOR items.
    keys: Names,
    static_item: Vec<u8>,
    null_to_default: bool,
    updated: BySchema<Updated>,
    /// Entries of a map that get another value: where they begin, where their value begins and ends, and whose value they get.
    found: Vec<(usize, usize, usize)>,
}

impl PartStep for InsertField {
    type Settings = InsertSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.InsertField$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.InsertField$Value";
    const DOC: &'static str =
        "Adds fields with the record's topic, partition, offset or timestamp, or a fixed text.";
    const ALSO_READS: Columns =
        Columns::TOPIC.union(Columns::PARTITION).union(Columns::OFFSET).union(Columns::TIMESTAMP);

    fn new(settings: InsertSettings) -> Result<Self, Fault> {
        let InsertSettings { insertions, static_value, null_to_default } = settings;
        let static_item = key_of(&static_value);
        let keys = Names::new(insertions.iter().map(|insertion| insertion.key.as_slice()));
        let updated = BySchema::default();
        Ok(Self { insertions, keys, static_item, null_to_default, updated, found: Vec::new() })
    }

    #[inline]
    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure> {
        let Some(value) = row.get(part) else { return Ok(()) };
        let number = row.schema(part);
        if number == 0 {
            fields::map(Some(value), PURPOSE)?;
            return row.set(part, |row, out| {
                self.write_map(row.get(part), row, out)?;
                Ok((Written::Item, 0))
            });
        }
        let Self { insertions, updated, .. } = self;
        let updated = updated.get(number, |schema| update(schema, insertions))?;
        row.set(part, |row, out| {
            self.write_struct(&updated, row.get(part), row, out)?;
            Ok((Written::Item, updated.number))
        })
    }
}

/// The schema with the inserted fields.
fn update(schema: &Schema, insertions: &[Insertion]) -> Result<Updated, Failure> {
    if schema.type_ != SchemaType::Struct {
        let fields = Fields { all: Vec::new(), defaults: false };
        return Ok(Updated { fields, type_: schema.type_, number: 0 });
    }
    let mut all: Vec<_> =
        schema.fields.iter().map(|field| (field.name.clone(), field.schema)).collect();
    for insertion in insertions {
        let builder = match insertion.source {
            Source::Topic | Source::Static => SchemaBuilder::string(),
            Source::Partition => SchemaBuilder::int32(),
            Source::Offset => SchemaBuilder::int64(),
            Source::Timestamp => SchemaBuilder::timestamp(),
        };
        let builder = if insertion.optional { builder.optional() } else { builder };
        all.push((insertion.name.clone(), builder.define()?));
    }
    let number = with_fields(schema, all)?;
    Ok(Updated { fields: Fields::of(schema)?, type_: schema.type_, number })
}

impl InsertField {
    /// Appends what an insertion inserts; false when the record does not have it. `logical`: a timestamp as such, else as a number.
    fn write_item(
        &self,
        insertion: &Insertion,
        row: &Row<'_>,
        logical: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, Problem> {
        match insertion.source {
            Source::Topic => write::text(out, row.topic()),
            Source::Static => out.extend_from_slice(&self.static_item),
            Source::Partition => match row.partition() {
                -1 => return Ok(false),
                partition => write::int(out, i64::from(partition)),
            },
            Source::Offset => match row.offset() {
                -1 => {
                    return Err(Problem::data(format!(
                        "Only SinkRecord supported for [{PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord"
                    )));
                }
                offset => write::int(out, offset),
            },
            Source::Timestamp => match row.timestamp() {
                None => return Ok(false),
                Some(millis) if logical => write::timestamp(out, millis),
                Some(millis) => write::int(out, millis),
            },
        }
        Ok(true)
    }

    fn write_map(
        &mut self,
        value: Option<&[u8]>,
        row: &Row<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let (mut cursor, pairs) = fields::map(value, PURPOSE)?;
        let body = cursor.rest();
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        for _ in 0..pairs {
            let key = cursor.item()?;
            let start = body.len() - cursor.rest().len();
            cursor.skip()?;
            if self.keys.has(key) {
                let key_start = start - key.len();
                found.push((key_start, start, body.len() - cursor.rest().len()));
            }
        }
        if found.is_empty() && !self.has_twins() {
            let open = write::begin(out);
            out.extend_from_slice(body);
            let mut all = pairs;
            for insertion in &self.insertions {
                let start = out.len();
                out.extend_from_slice(&insertion.key);
                if self.write_item(insertion, row, false, out)? {
                    all += 1;
                } else {
                    out.truncate(start);
                }
            }
            write::end_map(out, open, all);
        } else {
            self.replace(body, (pairs, &found), row, out)?;
        }
        self.found = found;
        Ok(())
    }

    /// Whether two insertions have one name.
    fn has_twins(&self) -> bool {
        let mut rest = self.insertions.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if others.iter().any(|other| other.name == first.name) {
                return true;
            }
            rest = others;
        }
        false
    }

    /// Writes a map some of whose keys are inserted: they keep their places, the last value of a name counts.
    #[cold]
    fn replace(
        &self,
        body: &[u8],
        (pairs, found): (usize, &[(usize, usize, usize)]),
        row: &Row<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let mut items: Vec<(&[u8], Vec<u8>)> = Vec::with_capacity(self.insertions.len());
        for insertion in &self.insertions {
            let mut item = Vec::new();
            if !self.write_item(insertion, row, false, &mut item)? {
                continue;
            }
            match items.iter_mut().find(|(key, _)| *key == insertion.key) {
                Some(known) => known.1 = item,
                None => items.push((&insertion.key, item)),
            }
        }
        let open = write::begin(out);
        let mut copied = 0;
        let slice = |from: usize, to: usize| body.get(from..to).unwrap_or_default();
        for &(key, value, end) in found {
            let place = items.iter().position(|(name, _)| *name == slice(key, value));
            let Some(place) = place else { continue };
            out.extend_from_slice(slice(copied, value));
            out.extend_from_slice(&items.remove(place).1);
            copied = end;
        }
        out.extend_from_slice(slice(copied, body.len()));
        let all = pairs + items.len();
        for (key, item) in items {
            out.extend_from_slice(key);
            out.extend_from_slice(&item);
        }
        write::end_map(out, open, all);
        Ok(())
    }

    fn write_struct(
        &self,
        updated: &Rc<Updated>,
        value: Option<&[u8]>,
        row: &Row<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let fields = &updated.fields;
        let mut cursor = fields::structure(value, updated.type_, fields.all.len(), PURPOSE)?;
        write::map(out, fields.all.len() + self.insertions.len());
        if fields.defaults {
            for field in &fields.all {
                out.extend_from_slice(cursor.item()?);
                copy_value(field, cursor.item()?, self.null_to_default, out)?;
            }
        } else {
            out.extend_from_slice(cursor.rest());
        }
        for insertion in &self.insertions {
            out.extend_from_slice(&insertion.key);
            if !self.write_item(insertion, row, true, out)? {
                out.extend_from_slice(NULL);
            }
        }
        Ok(())
    }
}
