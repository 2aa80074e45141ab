//! A schema as JSON, as an envelope carries it.
//!
//! Follows `JsonConverter.asJsonSchema`, its order of members included. Not here: the payload.

use tombolo_sdk::fault::Fault;
use tombolo_sdk::schema::{self, Schema, SchemaNumber, SchemaType};
use tombolo_sdk::{itoa, json};

use super::plan::Plans;
use super::refused::Refused;
use super::write::PayloadWriter;

/// Appends a schema; `null` for none.
pub(super) fn write(
    out: &mut Vec<u8>,
    number: SchemaNumber,
    plans: &mut Plans,
    payloads: &PayloadWriter,
) -> Result<(), Refused> {
    SchemaWriter { plans, payloads }.schema(out, number, None)
}

struct SchemaWriter<'a> {
    plans: &'a mut Plans,
    payloads: &'a PayloadWriter,
}

impl SchemaWriter<'_> {
    /// Appends a schema, as a struct's field with its name.
    fn schema(
        &mut self,
        out: &mut Vec<u8>,
        number: SchemaNumber,
        field: Option<&str>,
    ) -> Result<(), Refused> {
        if number == 0 {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let unknown = || Fault::fatal(format_args!("no schema has number {number}"));
        let schema = schema::get(number).ok_or_else(unknown)?;
        out.extend_from_slice(br#"{"type":"#);
        json::string(out, type_name(schema.type_).as_bytes());
        self.parts(out, &schema)?;
        out.extend_from_slice(br#","optional":"#);
        out.extend_from_slice(if schema.optional { b"true" } else { b"false" });
        text(out, "name", schema.name.as_deref());
        if let Some(version) = schema.version {
            out.extend_from_slice(br#","version":"#);
            itoa::write_signed(out, i64::from(version));
        }
        text(out, "doc", schema.doc.as_deref());
        parameters(out, &schema);
        if let Some(default) = &schema.default {
            out.extend_from_slice(br#","default":"#);
            let plan = self.plans.get(number)?;
            self.payloads.write(plan.as_deref(), Some(default), out)?;
        }
        text(out, "field", field);
        out.push(b'}');
        Ok(())
    }

    fn parts(&mut self, out: &mut Vec<u8>, schema: &Schema) -> Result<(), Refused> {
        match schema.type_ {
            SchemaType::Array => {
                out.extend_from_slice(br#","items":"#);
                self.schema(out, schema.value.unwrap_or(0), None)?;
            }
            SchemaType::Map => {
                out.extend_from_slice(br#","keys":"#);
                self.schema(out, schema.key.unwrap_or(0), None)?;
                out.extend_from_slice(br#","values":"#);
                self.schema(out, schema.value.unwrap_or(0), None)?;
            }
            SchemaType::Struct => {
                out.extend_from_slice(br#","fields":["#);
                for (place, field) in schema.fields.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    self.schema(out, field.schema, Some(&field.name))?;
                }
                out.push(b']');
            }
            _ => {}
        }
        Ok(())
    }
}

fn text(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.push(b',');
        json::key(out, name.as_bytes());
        json::string(out, value.as_bytes());
    }
}

fn parameters(out: &mut Vec<u8>, schema: &Schema) {
    if schema.parameters.is_empty() {
        return;
    }
    out.extend_from_slice(br#","parameters":{"#);
    for (place, (name, value)) in schema.parameters.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        json::key(out, name.as_bytes());
        json::string(out, value.as_bytes());
    }
    out.push(b'}');
}

/// A type as its JSON spells it.
fn type_name(of: SchemaType) -> &'static str {
    match of {
        SchemaType::Int8 => "int8",
        SchemaType::Int16 => "int16",
        SchemaType::Int32 => "int32",
        SchemaType::Int64 => "int64",
        SchemaType::Float32 => "float",
        SchemaType::Float64 => "double",
        SchemaType::Boolean => "boolean",
        SchemaType::Text => "string",
        SchemaType::Bytes => "bytes",
        SchemaType::Array => "array",
        SchemaType::Map => "map",
        SchemaType::Struct => "struct",
    }
}
