//! A shape of records: where each field of key and value goes. Rows of one shape go into one statement. Not here: statements.

use std::borrow::Cow;

use tombolo_sdk::cbor::{Cursor, write};
use tombolo_sdk::fault::Problem;
use tombolo_sdk::record::Record;

use crate::encode::{self, Unwritten};
use crate::kind::{Form, Kind};
use crate::name::quoted;
use crate::settings::{SchemaChanges, Writing};
use crate::table::Table;
use crate::wanted::{Change, Source, Wants};

/// CBOR's null.
const NULL: &[u8] = &[0xf6];

/// A column that rows of a shape fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) column: String,
    pub(crate) is_key: bool,
    /// How it is sent.
    pub(crate) kind: Kind,
    pub(crate) form: Form,
    /// The column's own type, to cast to where that is not how it is sent.
    pub(crate) type_name: String,
    /// Whether it is sent in another type than the column's.
    pub(crate) is_cast: bool,
}

/// Where the fields of records go that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) change: Change,
    /// In the order in which a record has them: Kafka's coordinates, the key's, the value's.
    pub(crate) targets: Vec<Target>,
    has_coordinates: bool,
    key: Part,
    value: Part,
}

/// What of a key or a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Nothing,
    /// All of it, to one column.
    Whole,
    /// A map with exactly these members.
    Members(Vec<(Box<[u8]>, Member)>),
}

/// What becomes of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    /// It goes to the next column.
    Goes,
    /// It is not wanted.
    Passed,
    /// It is null, of no type, and has no column yet: nothing is lost while it is null.
    Null,
}

/// Why a record was not written. Nothing of it is in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is of another shape.
    Shape,
    /// It does not fit the table.
    Row(Problem),
}

impl From<tombolo_sdk::cbor::Error> for Unfit {
    fn from(error: tombolo_sdk::cbor::Error) -> Self {
        Self::Row(error.into())
    }
}

impl Shape {
    /// The shape of a record that wants this.
    ///
    /// Errors: columns that the table does not have.
    pub(crate) fn of(
        wants: &Wants<'_>,
        table: &Table,
        writing: &Writing,
    ) -> Result<Self, Vec<String>> {
        let (mut missing, mut targets, mut untyped) = (Vec::new(), Vec::new(), Vec::new());
        let SchemaChanges { create, evolve } = writing.schema_changes;
        for wanted in &wants.columns {
            let Some(column) = table.place(&wanted.column).and_then(|at| table.column(at)) else {
                if (create || evolve) && wanted.item == NULL && wanted.schema == 0 {
                    untyped.push(wanted.source);
                } else {
                    missing.push(wanted.column.clone());
                }
                continue;
            };
            let shifts = !writing.is_utc && column.kind == Kind::Timestamp;
            let kind = if shifts { Kind::TimestampTz } else { column.kind };
            let form = form(wanted.item, kind);
            targets.push(Target {
                column: column.name.clone(),
                is_key: wanted.is_key,
                kind,
                form,
                type_name: column.type_name.clone(),
                is_cast: shifts || (form == Form::Text && column.kind != Kind::Text),
            });
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        let goes = |source: Source| wants.columns.iter().any(|wanted| wanted.source == source);
        let becomes = |source: Source| match goes(source) {
            _ if untyped.contains(&source) => Member::Null,
            true => Member::Goes,
            false => Member::Passed,
        };
        let part = |names: &Option<Vec<&[u8]>>, source: fn(usize) -> Source| match names {
            None => Part::Nothing,
            Some(names) => {
                let member = |(at, name): (usize, &&[u8])| (Box::from(*name), becomes(source(at)));
                Part::Members(names.iter().enumerate().map(member).collect())
            }
        };
        let key =
            if goes(Source::Key) { Part::Whole } else { part(&wants.key_names, Source::KeyField) };
        Ok(Self {
            change: wants.change,
            targets,
            has_coordinates: goes(Source::Topic),
            key,
            value: part(&wants.value_names, Source::ValueField),
        })
    }

    /// Appends a record as a row of a binary `COPY`, and returns what tells its primary key from others: empty where there is none.
    pub(crate) fn write<'a>(
        &self,
        record: &Record<'a>,
        out: &mut Vec<u8>,
    ) -> Result<Cow<'a, [u8]>, Unfit> {
        let is_deletion = record.value_bytes().is_none();
        if is_deletion != (self.change == Change::Delete) {
            return Err(Unfit::Shape);
        }
        let start = out.len();
        let written = self.row(record, out);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn row<'a>(&self, record: &Record<'a>, out: &mut Vec<u8>) -> Result<Cow<'a, [u8]>, Unfit> {
        let count = u16::try_from(self.targets.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&count.to_be_bytes());
        let mut row = Row { out, targets: self.targets.iter(), key: Cow::Borrowed(&[]) };
        if self.has_coordinates {
            row.coordinates(record)?;
        }
        row.part(&self.key, record.key_bytes())?;
        row.part(&self.value, record.value_bytes())?;
        Ok(row.key)
    }

    /// Whether the keys of its rows can be told from those of another shape's: the same columns, sent alike.
    pub(crate) fn has_keys_as(&self, other: &Self) -> bool {
        let keys = |shape: &'_ Self| -> Vec<(String, Form)> {
            let keys = shape.targets.iter().filter(|target| target.is_key);
            keys.map(|target| (target.column.clone(), target.form)).collect()
        };
        keys(self) == keys(other)
    }
}

/// A row in the making.
struct Row<'r, 'a> {
    out: &'r mut Vec<u8>,
    /// Those that are still to be written.
    targets: std::slice::Iter<'r, Target>,
    key: Cow<'a, [u8]>,
}

impl<'a> Row<'_, 'a> {
    /// Topic, partition and offset as they were read. No two records have the same.
    fn coordinates(&mut self, record: &Record<'_>) -> Result<(), Unfit> {
        let origin = record.origin();
        let mut items = Vec::new();
        write::text(&mut items, &origin.at.topic);
        write::int(&mut items, origin.at.partition.into());
        write::int(&mut items, origin.offset);
        let mut cursor = Cursor::new(&items);
        (0..3).try_for_each(|_| self.field(&mut cursor).map(drop))
    }

    fn part(&mut self, part: &Part, bytes: Option<&'a [u8]>) -> Result<(), Unfit> {
        let members = match part {
            Part::Nothing => return Ok(()),
            Part::Whole => {
                let bytes = bytes.ok_or(Unfit::Shape)?;
                let mut cursor = Cursor::new(bytes);
                if cursor.clone().map()?.is_some() {
                    return Err(Unfit::Shape);
                }
                return self.item(&mut cursor);
            }
            Part::Members(members) => members,
        };
        let mut cursor = Cursor::new(bytes.ok_or(Unfit::Shape)?);
        if cursor.map()? != Some(members.len()) {
            return Err(Unfit::Shape);
        }
        for (name, becomes) in members {
            if cursor.text_bytes()? != Some(&**name) {
                return Err(Unfit::Shape);
            }
            match becomes {
                Member::Goes => self.item(&mut cursor)?,
                Member::Passed => cursor.skip()?,
                Member::Null if cursor.item()? == NULL => {}
                Member::Null => return Err(Unfit::Shape),
            }
        }
        Ok(())
    }

    /// The item at the cursor to the next target, which it tells from others where that is a part of the primary key.
    fn item(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Unfit> {
        let start = cursor.position();
        if self.field(cursor)?.is_key {
            let item = cursor.slice(start, cursor.position());
            if self.key.is_empty() {
                self.key = Cow::Borrowed(item);
            } else {
                self.key.to_mut().extend_from_slice(item);
            }
        }
        Ok(())
    }

    /// The item at the cursor to the next target.
    fn field(&mut self, cursor: &mut Cursor<'_>) -> Result<&Target, Unfit> {
        let Some(target) = self.targets.next() else { return Err(Unfit::Shape) };
        let written = encode::write(self.out, cursor, target.kind, target.form);
        written.map_err(|why| unfit(target, &why))?;
        Ok(target)
    }
}

fn unfit(target: &Target, why: &Unwritten) -> Unfit {
    let column = quoted(&target.column);
    let type_name = &target.type_name;
    Unfit::Row(Problem::data(match why {
        Unwritten::Form(_) => return Unfit::Shape,
        Unwritten::Type(what) => {
            format!("{what} does not go into column {column}, which is of type {type_name}")
        }
        Unwritten::Range => {
            format!("a number out of range for column {column}, which is of type {type_name}")
        }
        Unwritten::Malformed(error) => format!("the value for column {column}: {error}"),
    }))
}

/// How an item is sent to a column of this kind; coordinates of Kafka have no item.
fn form(item: &[u8], kind: Kind) -> Form {
    match encode::write(&mut Vec::new(), &mut Cursor::new(item), kind, Form::Native) {
        Err(Unwritten::Form(form)) => form,
        // Null fits any form, and a value that is none is refused where it is written.
        _ if kind == Kind::Other => Form::Text,
        _ => Form::Native,
    }
}
