//! Fields of structs and entries of maps: what all field transformations ask of a value.
//!
//! Not here: what they do with it.

use std::collections::HashMap;
use std::rc::Rc;

use tombolo_sdk::bindings::types::Field as SchemaField;
use tombolo_sdk::cbor::{Cursor, Token, write};
use tombolo_sdk::columns::SchemaNumber;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::java;
use tombolo_sdk::schema::{self, Schema, SchemaType};

/// CBOR null.
pub(crate) const NULL: &[u8] = &[0xf6];

/// A field of a struct, as far as transformations care.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// Its name as a CBOR item.
    pub(crate) key: Vec<u8>,
    /// The number of its schema.
    pub(crate) number: SchemaNumber,
    /// Its schema.
    pub(crate) schema: Rc<Schema>,
}

/// The fields of a struct.
#[derive(Debug)]
pub(crate) struct Fields {
    /// In order.
    pub(crate) all: Vec<Field>,
    /// Whether one of them has a default, so that nulls matter.
    pub(crate) defaults: bool,
}

/// A name as a CBOR item.
pub(crate) fn key_of(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 9);
    write::text(&mut key, name);
    key
}

impl Fields {
    /// The fields of this schema.
    pub(crate) fn of(schema: &Schema) -> Result<Self, Fault> {
        let field = |field: &SchemaField| {
            let number = field.schema;
            let unknown = || Fault::fatal(format_args!("no schema has number {number}"));
            let schema = schema::get(number).ok_or_else(unknown)?;
            Ok(Field { name: field.name.clone(), key: key_of(&field.name), number, schema })
        };
        let all = schema.fields.iter().map(field).collect::<Result<Vec<_>, Fault>>()?;
        let defaults = all.iter().any(|field| field.schema.default.is_some());
        Ok(Self { all, defaults })
    }

    /// The place of a field.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|field| field.name == name)
    }
}

/// Appends a field's value as `Struct.get` gives it and `Struct.put` takes it: a null becomes the default, if that is wanted, or must be allowed.
#[inline]
pub(crate) fn copy_value(
    field: &Field,
    value: &[u8],
    null_to_default: bool,
    out: &mut Vec<u8>,
) -> Result<(), Problem> {
    if value != NULL {
        out.extend_from_slice(value);
        return Ok(());
    }
    copy_null(field, null_to_default, out)
}

fn copy_null(field: &Field, null_to_default: bool, out: &mut Vec<u8>) -> Result<(), Problem> {
    match &field.schema.default {
        Some(default) if null_to_default => out.extend_from_slice(default),
        _ if field.schema.optional => out.extend_from_slice(NULL),
        _ => return Err(null_in_required(&field.name, field.schema.type_)),
    }
    Ok(())
}

/// What `Struct.put` says of a null where none may be.
#[cold]
pub(crate) fn null_in_required(name: &str, type_: SchemaType) -> Problem {
    let type_ = java::type_name(type_);
    Problem::data(format!(
        "Invalid value: null used for required field: \"{name}\", schema type: {type_}"
    ))
}

/// A schema made of one with other fields: name, version, doc and parameters stay, as `SchemaUtil.copySchemaBasics` has it.
pub(crate) fn with_fields(
    schema: &Schema,
    fields: Vec<(String, SchemaNumber)>,
) -> Result<SchemaNumber, Failure> {
    let mut updated = Schema::of(SchemaType::Struct);
    updated.name.clone_from(&schema.name);
    updated.version = schema.version;
    updated.doc.clone_from(&schema.doc);
    updated.parameters.clone_from(&schema.parameters);
    for (name, number) in fields {
        if name.is_empty() {
            return Err(schema_problem("fieldName cannot be null.").into());
        }
        if updated.field(&name).is_some() {
            let message = format!("Cannot create field because of field name duplication {name}");
            return Err(schema_problem(&message).into());
        }
        updated.fields.push(SchemaField { name, schema: number });
    }
    Ok(schema::define(updated)?)
}

/// A schema as `ConnectSchema.toString` gives it.
pub(crate) fn schema_text(schema: &Schema) -> String {
    let type_ = java::type_name(schema.type_);
    match &schema.name {
        Some(name) => format!("Schema{{{name}:{type_}}}"),
        None => format!("Schema{{{type_}}}"),
    }
}

/// What `ConnectSchema.field` says of a schema that has no fields.
#[cold]
pub(crate) fn no_fields() -> Problem {
    Problem::data("Cannot look up fields on non-struct type")
}

/// What `ConnectSchema.fields` says of such a schema.
#[cold]
pub(crate) fn no_field_list() -> Problem {
    Problem::data("Cannot list fields on non-struct type")
}

fn schema_problem(message: &str) -> Problem {
    Problem::of("org.apache.kafka.connect.errors.SchemaBuilderException", message)
}

/// A cursor behind the head of a map without a schema, and its number of entries.
///
/// Errors: as `Requirements.requireMap`.
#[inline]
pub(crate) fn map<'a>(
    value: Option<&'a [u8]>,
    purpose: &str,
) -> Result<(Cursor<'a>, usize), Problem> {
    let mut cursor = Cursor::new(value.unwrap_or(NULL));
    match cursor.map()? {
        Some(pairs) => Ok((cursor, pairs)),
        None => {
            Err(unfit("Only Map objects supported in absence of schema", purpose, &cursor, None))
        }
    }
}

/// A cursor behind the head of a struct with these fields.
///
/// Errors: as `Requirements.requireStruct`.
#[inline]
pub(crate) fn structure<'a>(
    value: Option<&'a [u8]>,
    type_: SchemaType,
    fields: usize,
    purpose: &str,
) -> Result<Cursor<'a>, Problem> {
    let mut cursor = Cursor::new(value.unwrap_or(NULL));
    if type_ == SchemaType::Struct {
        match cursor.map()? {
            Some(pairs) if pairs == fields => return Ok(cursor),
            Some(_) => return Err(Problem::data("Mismatching schema.")),
            None => {}
        }
    }
    Err(unfit("Only Struct objects supported", purpose, &cursor, Some(type_)))
}

#[cold]
fn unfit(what: &str, purpose: &str, cursor: &Cursor<'_>, type_: Option<SchemaType>) -> Problem {
    let token = cursor.peek().unwrap_or(Token::Null);
    let found = java::class_name(&token, type_);
    Problem::data(format!("{what} for [{purpose}], found: {found}"))
}

/// What Java says of a map whose keys are not all strings.
#[cold]
pub(crate) fn no_name(cursor: &Cursor<'_>) -> Problem {
    let found = cursor.peek().map_or("null", |token| java::class_name(&token, None));
    Problem::of(
        "java.lang.ClassCastException",
        format!("class {found} cannot be cast to class java.lang.String"),
    )
}

/// Takes out of a map entries whose key came before: the last value stays, in the place of the first.
pub(crate) fn without_repeated(out: &mut Vec<u8>, start: usize) -> Result<(), Problem> {
    let map = out.get(start..).unwrap_or_default();
    let mut cursor = Cursor::new(map);
    let pairs = cursor.map()?.unwrap_or(0);
    let mut entries: Vec<(&[u8], &[u8])> = Vec::with_capacity(pairs);
    for _ in 0..pairs {
        let (key, value) = (cursor.item()?, cursor.item()?);
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    if entries.len() == pairs {
        return Ok(());
    }
    let mut unique = Vec::with_capacity(map.len());
    write::map(&mut unique, entries.len());
    for (key, value) in entries {
        unique.extend_from_slice(key);
        unique.extend_from_slice(value);
    }
    out.truncate(start);
    out.extend_from_slice(&unique);
    Ok(())
}

/// What a step worked out for a schema. The last schema is at hand, as rows of one topic nearly always share it.
#[derive(Debug)]
pub(crate) struct BySchema<T> {
    last: Option<(SchemaNumber, Rc<T>)>,
    all: HashMap<SchemaNumber, Rc<T>>,
}

impl<T> Default for BySchema<T> {
    fn default() -> Self {
        Self { last: None, all: HashMap::new() }
    }
}

impl<T> BySchema<T> {
    /// What was worked out, or is now.
    #[inline]
    pub(crate) fn get(
        &mut self,
        number: SchemaNumber,
        make: impl FnOnce(&Schema) -> Result<T, Failure>,
    ) -> Result<Rc<T>, Failure> {
        match &self.last {
            Some((last, made)) if *last == number => Ok(Rc::clone(made)),
            _ => self.find(number, make),
        }
    }

    fn find(
        &mut self,
        number: SchemaNumber,
        make: impl FnOnce(&Schema) -> Result<T, Failure>,
    ) -> Result<Rc<T>, Failure> {
        let made = match self.all.get(&number) {
            Some(made) => Rc::clone(made),
            None => {
                let unknown = || Fault::fatal(format_args!("no schema has number {number}"));
                let made = Rc::new(make(&*schema::get(number).ok_or_else(unknown)?)?);
                self.all.insert(number, Rc::clone(&made));
                made
            }
        };
        self.last = Some((number, Rc::clone(&made)));
        Ok(made)
    }
}
