//! What a record wants to write: which of its parts go to which column. Asked once for each shape of records. Not here: the table.

use tombolo_sdk::cbor::Cursor;
use tombolo_sdk::fault::Problem;
use tombolo_sdk::record::Record;
use tombolo_sdk::schema::{self, SchemaNumber};

use crate::settings::{Names, PrimaryKey, Writing};

/// What becomes of a record's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Write,
    Delete,
}

/// The part of a record that goes to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Topic,
    Partition,
    Offset,
    /// The key as a whole.
    Key,
    /// A field of the key, by its place.
    KeyField(usize),
    /// A field of the value, by its place.
    ValueField(usize),
}

/// A value that is to go to the column of this name.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) source: Source,
    pub(crate) column: String,
    pub(crate) is_key: bool,
    /// Its CBOR; empty for Kafka's coordinates.
    pub(crate) item: &'a [u8],
    pub(crate) schema: SchemaNumber,
}

/// All that a record wants.
#[derive(Clone, Debug)]
pub(crate) struct Wants<'a> {
    pub(crate) change: Change,
    pub(crate) columns: Vec<Wanted<'a>>,
    /// Names of the key's fields, in order; none where it is no struct and no map, or does not matter.
    pub(crate) key_names: Option<Vec<&'a [u8]>>,
    pub(crate) value_names: Option<Vec<&'a [u8]>>,
}

/// A field: its name, its item, its schema.
type Field<'a> = (&'a [u8], &'a [u8], SchemaNumber);

impl<'a> Wants<'a> {
    /// Errors: the record has not what the settings ask for.
    pub(crate) fn of(record: &Record<'a>, writing: &Writing) -> Result<Self, Problem> {
        let is_deletion = record.value_bytes().is_none();
        if is_deletion && !writing.delete {
            return Err(Problem::data(format_args!(
                "the value is null: a row is deleted for it only with delete.enabled=true and pk.mode=record_key ({})",
                place(record)
            )));
        }
        let change = if is_deletion { Change::Delete } else { Change::Write };
        let mut wants = Self { change, columns: Vec::new(), key_names: None, value_names: None };
        match writing.primary_key {
            PrimaryKey::Kafka => wants.coordinates(writing),
            PrimaryKey::RecordKey => wants.key(record, writing)?,
            PrimaryKey::RecordValue | PrimaryKey::None => {}
        }
        if change == Change::Write {
            wants.value(record, writing)?;
        }
        Ok(wants)
    }

    fn coordinates(&mut self, writing: &Writing) {
        let sources = [Source::Topic, Source::Partition, Source::Offset];
        for (source, name) in sources.into_iter().zip(&writing.key_fields) {
            self.add(writing, (source, true), name.as_bytes(), (&[], 0));
        }
    }

    fn key(&mut self, record: &Record<'a>, writing: &Writing) -> Result<(), Problem> {
        let Some(bytes) = record.key_bytes() else {
            return Err(Problem::data(format_args!(
                "pk.mode=record_key, and the key is null ({})",
                place(record)
            )));
        };
        let number = record.key_schema_number();
        let Some(fields) = fields(bytes, number)? else {
            let [name] = writing.key_fields.as_slice() else {
                return Err(Problem::data(format_args!(
                    "the key is no struct and no map: pk.fields has to name the one column that it goes to ({})",
                    place(record)
                )));
            };
            self.add(writing, (Source::Key, true), name.as_bytes(), (bytes, number));
            return Ok(());
        };
        all_there(&fields, writing, "key", record)?;
        for (at, field) in fields.iter().enumerate() {
            if writing.key_fields.is_empty() || is_named(&writing.key_fields, field.0) {
                self.add(writing, (Source::KeyField(at), true), field.0, (field.1, field.2));
            }
        }
        self.key_names = Some(fields.into_iter().map(|(name, ..)| name).collect());
        Ok(())
    }

    fn value(&mut self, record: &Record<'a>, writing: &Writing) -> Result<(), Problem> {
        let bytes = record.value_bytes().unwrap_or_default();
        let Some(fields) = fields(bytes, record.value_schema_number())? else {
            return Err(Problem::data(format_args!(
                "the value is no struct and no map, so that it has no columns ({})",
                place(record)
            )));
        };
        let is_in_value = writing.primary_key == PrimaryKey::RecordValue;
        if is_in_value {
            all_there(&fields, writing, "value", record)?;
        }
        let taken: Vec<String> = self.columns.iter().map(|wanted| wanted.column.clone()).collect();
        for (at, field) in fields.iter().enumerate() {
            let is_key = is_in_value
                && (writing.key_fields.is_empty() || is_named(&writing.key_fields, field.0));
            let is_wanted =
                is_key || writing.whitelist.is_empty() || is_named(&writing.whitelist, field.0);
            // A column that the key fills is the key's.
            if is_wanted && !taken.contains(&column(writing, field.0)) {
                self.add(writing, (Source::ValueField(at), is_key), field.0, (field.1, field.2));
            }
        }
        self.value_names = Some(fields.into_iter().map(|(name, ..)| name).collect());
        Ok(())
    }

    fn add(
        &mut self,
        writing: &Writing,
        (source, is_key): (Source, bool),
        name: &[u8],
        (item, schema): (&'a [u8], SchemaNumber),
    ) {
        let column = column(writing, name);
        self.columns.push(Wanted { source, column, is_key, item, schema });
    }
}

/// The column of a field.
fn column(writing: &Writing, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    match writing.names {
        Names::Folded => name.to_lowercase(),
        Names::Kept => name.into_owned(),
    }
}

fn is_named(names: &[String], name: &[u8]) -> bool {
    names.iter().any(|one| one.as_bytes() == name)
}

/// The fields of a struct or a map; none of anything else.
fn fields(bytes: &[u8], number: SchemaNumber) -> Result<Option<Vec<Field<'_>>>, Problem> {
    let schema = schema::get(number);
    let mut cursor = Cursor::new(bytes);
    let Some(count) = cursor.map()? else { return Ok(None) };
    let mut fields = Vec::with_capacity(count);
    for place in 0..count {
        let name = cursor.text_bytes()?;
        let name = name.ok_or_else(|| Problem::data("a map whose keys are not all text"))?;
        let schema = schema.as_ref().map_or(0, |schema| schema.field_at(place, name));
        fields.push((name, cursor.item()?, schema));
    }
    Ok(Some(fields))
}

/// Errors unless the key's fields are all there.
fn all_there(
    fields: &[Field<'_>],
    writing: &Writing,
    what: &str,
    record: &Record<'_>,
) -> Result<(), Problem> {
    let is_there = |name: &&String| fields.iter().any(|(field, ..)| *field == name.as_bytes());
    match writing.key_fields.iter().find(|name| !is_there(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::data(format_args!(
            "pk.fields names {name}, and the {what} has no such field ({})",
            place(record)
        ))),
    }
}

/// Where a record stands, for messages.
fn place(record: &Record<'_>) -> String {
    let origin = record.origin();
    format!(
        "topic {}, partition {}, offset {}",
        origin.at.topic, origin.at.partition, origin.offset
    )
}
