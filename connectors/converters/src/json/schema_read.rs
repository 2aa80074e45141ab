//! A schema's JSON to a schema of the task.
//!
//! Follows `JsonConverter.asConnectSchema`, its order of complaints included. Not here: when that is worth doing, which the envelope knows.

use tombolo_sdk::bindings::types::Field;
use tombolo_sdk::cbor::Cursor;
use tombolo_sdk::columns::Written;
use tombolo_sdk::json::{DEPTH_MAX, Number, Reader, Text, Token};
use tombolo_sdk::schema::{self, Schema, SchemaNumber, SchemaType};

use super::number;
use super::plan::Plans;
use super::read::PayloadReader;
use super::refused::Refused;

/// Reads schemas.
pub(super) struct SchemaReader<'a> {
    /// Where the plans of defaults come from.
    pub(super) plans: &'a mut Plans,
    /// What reads defaults.
    pub(super) payloads: &'a mut PayloadReader,
}

/// The members of an object, each with the text of its value.
struct Members<'a>(Vec<(Text<'a>, &'a [u8])>);

impl<'a> Members<'a> {
    /// The members of the object that this text is; none when it is another value.
    fn read(json: &'a [u8]) -> Result<Option<Self>, Refused> {
        let mut reader = Reader::new(json);
        if reader.token()? != Token::Object {
            return Ok(None);
        }
        let mut members = Vec::new();
        while let Some(name) = reader.member(members.is_empty())? {
            members.push((name, reader.skip()?));
        }
        Ok(Some(Self(members)))
    }

    /// A member's text; the last one counts.
    fn raw(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().rev().find(|(member, _)| member.is(name)).map(|(_, raw)| *raw)
    }

    fn token(&self, name: &str) -> Result<Option<Token<'a>>, Refused> {
        Ok(self.raw(name).map(|raw| Reader::new(raw).token()).transpose()?)
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refused> {
        match self.token(name)? {
            Some(Token::Text(text)) => decoded(text).map(Some),
            _ => Ok(None),
        }
    }
}

fn decoded(text: Text<'_>) -> Result<String, Refused> {
    let mut bytes = Vec::with_capacity(text.raw.len());
    text.decode(&mut bytes);
    String::from_utf8(bytes).map_err(|_| Refused::data("a name that is not UTF-8"))
}

fn is_null(raw: &[u8]) -> bool {
    raw == b"null"
}

impl SchemaReader<'_> {
    /// The schema that this JSON describes; 0 for `null`.
    pub(super) fn read(&mut self, json: &[u8]) -> Result<SchemaNumber, Refused> {
        self.schema(json, 0)
    }

    fn schema(&mut self, json: &[u8], depth: usize) -> Result<SchemaNumber, Refused> {
        if is_null(json) {
            return Ok(0);
        }
        if depth > DEPTH_MAX {
            return Err(Refused::data(format!("Schema nested deeper than {DEPTH_MAX}")));
        }
        let members = Members::read(json)?;
        let type_ = members.as_ref().map(|members| members.text("type")).transpose()?.flatten();
        let (Some(members), Some(type_)) = (members, type_) else {
            return Err(Refused::data("Schema must contain 'type' field"));
        };
        let mut schema = self.typed(&type_, &members, depth)?;
        schema.optional = members.token("optional")? == Some(Token::Boolean(true));
        schema.name = members.text("name")?;
        if let Some(Token::Number(version)) = members.token("version")? {
            schema.version = version_of(version);
        }
        schema.doc = members.text("doc")?;
        schema.parameters = parameters(&members)?;
        if let Some(default) = members.raw("default") {
            schema.default = self.default(&schema, default)?;
        }
        Ok(schema::define(schema)?)
    }

    /// The type, with what it is made of.
    fn typed(
        &mut self,
        type_: &str,
        members: &Members<'_>,
        depth: usize,
    ) -> Result<Schema, Refused> {
        Ok(Schema::of(match type_ {
            "boolean" => SchemaType::Boolean,
            "int8" => SchemaType::Int8,
            "int16" => SchemaType::Int16,
            "int32" => SchemaType::Int32,
            "int64" => SchemaType::Int64,
            "float" => SchemaType::Float32,
            "double" => SchemaType::Float64,
            "bytes" => SchemaType::Bytes,
            "string" => SchemaType::Text,
            "array" => {
                let items = members.raw("items").filter(|items| !is_null(items));
                let wrong = "Array schema did not specify the element type";
                let items = items.ok_or_else(|| Refused::data(wrong))?;
                let value = Some(self.schema(items, depth + 1)?);
                return Ok(Schema { value, ..Schema::of(SchemaType::Array) });
            }
            "map" => return self.map(members, depth),
            "struct" => return self.structure(members, depth),
            unknown => return Err(Refused::data(format!("Unknown schema type: {unknown}"))),
        }))
    }

    fn map(&mut self, members: &Members<'_>, depth: usize) -> Result<Schema, Refused> {
        let part = |name: &str, what: &str| {
            let wrong = || Refused::data(format!("Map schema did not specify the {what} type"));
            members.raw(name).ok_or_else(wrong)
        };
        let (keys, values) = (part("keys", "key")?, part("values", "value")?);
        let (key, value) = (self.schema(keys, depth + 1)?, self.schema(values, depth + 1)?);
        for (number, what) in [(key, "keySchema"), (value, "valueSchema")] {
            if number == 0 {
                return Err(Refused::schema(format!("{what} cannot be null.")));
            }
        }
        let (key, value) = (Some(key), Some(value));
        Ok(Schema { key, value, ..Schema::of(SchemaType::Map) })
    }

    fn structure(&mut self, members: &Members<'_>, depth: usize) -> Result<Schema, Refused> {
        let wrong = || Refused::data("Struct schema's \"fields\" argument is not an array.");
        let mut reader = Reader::new(members.raw("fields").ok_or_else(wrong)?);
        if reader.token()? != Token::Array {
            return Err(wrong());
        }
        let mut schema = Schema::of(SchemaType::Struct);
        let mut first = true;
        while reader.element(std::mem::take(&mut first))? {
            let field = reader.skip()?;
            let name = Members::read(field)?.map(|field| field.text("field")).transpose()?;
            let name = name.flatten().ok_or_else(|| {
                Refused::data("Struct schema's field name not specified properly")
            })?;
            let number = self.schema(field, depth + 1)?;
            if name.is_empty() {
                return Err(Refused::schema("fieldName cannot be null."));
            }
            if schema.field(&name).is_some() {
                return Err(Refused::schema(format!(
                    "Cannot create field because of field name duplication {name}"
                )));
            }
            schema.fields.push(Field { name, schema: number });
        }
        Ok(schema)
    }

    /// A default, read by the schema as far as it is known. Connect refuses every struct.
    fn default(&mut self, schema: &Schema, json: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let invalid = || Refused::schema("Invalid default value");
        let number = schema::define(schema.clone())?;
        let plan = self.plans.get(number)?;
        let mut item = Vec::new();
        let read = self.payloads.payload(plan.as_deref(), &mut Reader::new(json), &mut item)?;
        match read {
            Written::Null if schema.optional => Ok(None),
            Written::Null => Err(invalid()),
            Written::Item if schema.type_ == SchemaType::Struct => Err(invalid()),
            Written::Item if has_null_part(&item, schema) => Err(invalid()),
            Written::Item => Ok(Some(item)),
        }
    }
}

/// Whether an array's or a map's default has a null where its schema allows none.
fn has_null_part(item: &[u8], schema: &Schema) -> bool {
    let required = |number: Option<SchemaNumber>| {
        number.and_then(schema::get).is_some_and(|schema| !schema.optional)
    };
    let parts = match schema.type_ {
        SchemaType::Array => vec![required(schema.value)],
        SchemaType::Map => vec![required(schema.key), required(schema.value)],
        _ => return false,
    };
    let mut cursor = Cursor::new(item);
    if cursor.head().is_err() {
        return false;
    }
    let mut required = parts.into_iter().cycle();
    std::iter::from_fn(|| cursor.item().ok())
        .any(|part| required.next() == Some(true) && part == [0xf6])
}

/// An integer's low 32 bits; none for another number.
#[expect(clippy::cast_possible_truncation, reason = "Java's cast drops the high bits as well")]
fn version_of(number: Number<'_>) -> Option<i32> {
    number.integral.then(|| number::integer(number) as i32)
}

fn parameters(members: &Members<'_>) -> Result<Vec<(String, String)>, Refused> {
    let Some(raw) = members.raw("parameters") else { return Ok(Vec::new()) };
    let Some(entries) = Members::read(raw)? else { return Ok(Vec::new()) };
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, raw) in entries.0 {
        let Token::Text(value) = Reader::new(raw).token()? else {
            return Err(Refused::data("Schema parameters must have string values."));
        };
        let (name, value) = (decoded(name)?, decoded(value)?);
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => parameters.push((name, value)),
        }
    }
    Ok(parameters)
}
