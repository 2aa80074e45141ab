//! `Flatten`: the fields of nested structs and maps become fields of the whole, under joined names.

use std::rc::Rc;

use tombolo_sdk::cbor::{Cursor, DEPTH_MAX, Error, Major, write};
use tombolo_sdk::columns::{SchemaNumber, Written};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java;
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::schema::{self, Schema, SchemaType};
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};

use crate::fields::{self, BySchema, Fields, NULL, key_of, no_name, with_fields, without_repeated};
use crate::part::PartStep;

const PURPOSE: &str = "flattening";

const DELIMITER: Key<String> =
    Key::new("delimiter").doc("What stands between joined names.").default(".");

/// What the settings say.
pub(crate) struct FlattenSettings(String);

impl Configuration for FlattenSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&DELIMITER];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        DELIMITER.get(settings).map(Self)
    }
}

/// A field of the old struct.
enum Node {
    /// One that stays a field.
    Leaf(Leaf),
    /// A struct, whose fields are these.
    Inner(Vec<Node>),
}

/// A field of the new struct.
struct Leaf {
    name: String,
    /// Its name as a CBOR item.
    key: Vec<u8>,
    /// The old field's schema.
    schema: Rc<Schema>,
    /// Whether the new field may be null: so may what was in a struct that could.
    optional: bool,
}

/// A struct's schema before and after.
struct Updated {
    type_: SchemaType,
    nodes: Vec<Node>,
    /// How many fields the new struct has.
    leaves: usize,
    number: SchemaNumber,
}

/// The step.
pub(crate) struct Flatten {
    delimiter: String,
    updated: BySchema<Updated>,
    /// The joined names that lead to the map at hand.
    prefix: Vec<u8>,
}

impl PartStep for Flatten {
    type Settings = FlattenSettings;
    const KEY_CLASS: &'static str = "org.apache.kafka.connect.transforms.Flatten$Key";
    const VALUE_CLASS: &'static str = "org.apache.kafka.connect.transforms.Flatten$Value";
    const DOC: &'static str = "Makes fields of nested structs, or maps, fields of the whole, under joined names. Arrays stay as they are.";

    fn new(FlattenSettings(delimiter): FlattenSettings) -> Result<Self, Fault> {
        Ok(Self { delimiter, updated: BySchema::default(), prefix: Vec::new() })
    }

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
        let Self { delimiter, updated, .. } = self;
        let updated = updated.get(number, |schema| update(schema, delimiter))?;
        row.set(part, |row, out| {
            structure(&updated, row.get(part), out)?;
            Ok((Written::Item, updated.number))
        })
    }
}

/// The schema without structs in it.
fn update(schema: &Schema, delimiter: &str) -> Result<Updated, Failure> {
    let type_ = schema.type_;
    let mut updated = Updated { type_, nodes: Vec::new(), leaves: 0, number: 0 };
    if type_ != SchemaType::Struct {
        return Ok(updated);
    }
    let mut all = Vec::new();
    let top = Level { prefix: "", optional: schema.optional, default: schema.default.as_deref() };
    updated.nodes = nodes(schema, delimiter, &top, &mut all)?;
    updated.leaves = all.len();
    updated.number = with_fields(schema, all)?;
    Ok(updated)
}

/// What the fields of a struct get from those around it.
struct Level<'a> {
    prefix: &'a str,
    optional: bool,
    default: Option<&'a [u8]>,
}

/// The fields of a struct, and into `all` those that they become.
///
/// Follows `Flatten.buildUpdatedSchema`.
fn nodes(
    schema: &Schema,
    delimiter: &str,
    level: &Level<'_>,
    all: &mut Vec<(String, SchemaNumber)>,
) -> Result<Vec<Node>, Failure> {
    let mut nodes = Vec::new();
    for (place, field) in Fields::of(schema)?.all.into_iter().enumerate() {
        let name = match level.prefix {
            "" => field.name,
            prefix => format!("{prefix}{delimiter}{}", field.name),
        };
        let optional = level.optional || field.schema.optional;
        let inherited = level.default.map(|default| member(default, place)).transpose()?;
        let default = field.schema.default.as_deref().or(inherited.filter(|item| *item != NULL));
        match field.schema.type_ {
            SchemaType::Struct => {
                let level = Level { prefix: &name, optional, default };
                nodes.push(Node::Inner(self::nodes(&field.schema, delimiter, &level, all)?));
            }
            SchemaType::Map => {
                return Err(Problem::data(format!(
                    "Flatten transformation does not support MAP for record with schemas (for \
                     field {name})."
                ))
                .into());
            }
            _ => {
                let default = default.map(<[u8]>::to_vec);
                let new = Schema { optional, default, ..Schema::clone(&field.schema) };
                all.push((name.clone(), schema::define(new)?));
                let key = key_of(&name);
                nodes.push(Node::Leaf(Leaf { name, key, schema: field.schema, optional }));
            }
        }
    }
    Ok(nodes)
}

/// The value of the field at this place of a struct.
fn member(value: &[u8], place: usize) -> Result<&[u8], Error> {
    let mut cursor = Cursor::new(value);
    cursor.map()?;
    for _ in 0..=2 * place {
        cursor.skip()?;
    }
    cursor.item()
}

fn structure(updated: &Updated, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let all = updated.nodes.len();
    let mut cursor = fields::structure(value, updated.type_, all, PURPOSE)?;
    write::map(out, updated.leaves);
    // Fields that stay as they are, up to here, are copied in one go.
    let mut copied = cursor.position();
    for node in &updated.nodes {
        let start = cursor.position();
        match node {
            Node::Leaf(leaf) => {
                cursor.skip()?;
                let value = cursor.item()?;
                if value != NULL || (leaf.schema.default.is_none() && leaf.optional) {
                    continue;
                }
                out.extend_from_slice(cursor.slice(copied, start));
                write_leaf(leaf, value, out)?;
            }
            Node::Inner(nodes) => {
                out.extend_from_slice(cursor.slice(copied, start));
                cursor.skip()?;
                write_inner(nodes, &mut cursor, out)?;
            }
        }
        copied = cursor.position();
    }
    out.extend_from_slice(cursor.slice(copied, cursor.position()));
    Ok(())
}

/// Appends what a struct that stands here becomes.
fn write_inner(nodes: &[Node], cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    match cursor.map()? {
        Some(pairs) if pairs == nodes.len() => {}
        Some(_) => return Err(Problem::data("Mismatching schema.").into()),
        None => {
            cursor.skip()?;
            write_nulls(nodes, out);
            return Ok(());
        }
    }
    for node in nodes {
        cursor.skip()?;
        match node {
            Node::Leaf(leaf) => write_leaf(leaf, cursor.item()?, out)?,
            Node::Inner(nodes) => write_inner(nodes, cursor, out)?,
        }
    }
    Ok(())
}

/// Appends the fields of a struct that is null.
fn write_nulls(nodes: &[Node], out: &mut Vec<u8>) {
    for node in nodes {
        match node {
            Node::Leaf(leaf) => {
                out.extend_from_slice(&leaf.key);
                out.extend_from_slice(NULL);
            }
            Node::Inner(nodes) => write_nulls(nodes, out),
        }
    }
}

fn write_leaf(leaf: &Leaf, value: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    out.extend_from_slice(&leaf.key);
    match &leaf.schema.default {
        Some(default) if value == NULL => out.extend_from_slice(default),
        None if value == NULL && !leaf.optional => {
            return Err(fields::null_in_required(&leaf.name, leaf.schema.type_));
        }
        _ => out.extend_from_slice(value),
    }
    Ok(())
}

/// What a map has become so far.
struct Flat {
    entries: usize,
    /// Whether a map was in it.
    nested: bool,
    /// Whether a name is empty or has a byte of the delimiter: two names may be joined to one then.
    ambiguous: bool,
}

impl Flatten {
    fn map(&mut self, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (mut cursor, pairs) = fields::map(value, PURPOSE)?;
        let start = out.len();
        let open = write::begin(out);
        self.prefix.clear();
        let mut flat = Flat { entries: 0, nested: false, ambiguous: self.delimiter.is_empty() };
        self.entries(&mut cursor, pairs, (0, &mut flat), out)?;
        write::end_map(out, open, flat.entries);
        if flat.nested && flat.ambiguous {
            without_repeated(out, start)?;
        }
        Ok(())
    }

    /// Appends the entries of the map at hand.
    fn entries(
        &mut self,
        cursor: &mut Cursor<'_>,
        pairs: usize,
        (depth, flat): (usize, &mut Flat),
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        // Entries that stay as they are, up to here, are copied in one go.
        let mut copied = cursor.position();
        for _ in 0..pairs {
            let entry = cursor.position();
            let Some(name) = cursor.text_bytes()? else { return Err(no_name(cursor).into()) };
            let delimiter = self.delimiter.as_bytes();
            flat.ambiguous |= name.is_empty() || name.iter().any(|byte| delimiter.contains(byte));
            let value = cursor.position();
            match cursor.clone().head()?.major {
                Major::Map => {
                    out.extend_from_slice(cursor.slice(copied, entry));
                    flat.nested = true;
                    self.enter(cursor, name, (depth, flat), out)?;
                    copied = cursor.position();
                    continue;
                }
                Major::Tag => return Err(unsupported(cursor).into()),
                _ => cursor.skip()?,
            }
            flat.entries += 1;
            if !self.prefix.is_empty() {
                let delimiter = self.delimiter.as_bytes();
                write::text_head(out, self.prefix.len() + delimiter.len() + name.len());
                out.extend_from_slice(&self.prefix);
                out.extend_from_slice(delimiter);
                out.extend_from_slice(name);
                out.extend_from_slice(cursor.slice(value, cursor.position()));
                copied = cursor.position();
            }
        }
        out.extend_from_slice(cursor.slice(copied, cursor.position()));
        Ok(())
    }

    /// Appends the entries of the map that stands here under a name.
    fn enter(
        &mut self,
        cursor: &mut Cursor<'_>,
        name: &[u8],
        (depth, flat): (usize, &mut Flat),
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        if depth >= DEPTH_MAX {
            return Err(Problem::data("a value nested too deep").into());
        }
        let before = self.prefix.len();
        if before > 0 {
            self.prefix.extend_from_slice(self.delimiter.as_bytes());
        }
        self.prefix.extend_from_slice(name);
        let pairs = cursor.map()?.unwrap_or(0);
        self.entries(cursor, pairs, (depth + 1, flat), out)?;
        self.prefix.truncate(before);
        Ok(())
    }
}

/// What Java says of a logical type that no schema tells.
#[cold]
fn unsupported(cursor: &Cursor<'_>) -> Problem {
    let found = cursor.peek().map_or("null", |token| java::class_name(&token, None));
    Problem::data(format!(
        "Flatten transformation was passed a value of type class {found} which is not supported \
         by Connect's data API"
    ))
}
