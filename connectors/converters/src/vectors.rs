//! Reads vectors from the real Kafka Connect, for tests. Not here: what is done with them.

use std::collections::HashMap;

use serde_json::Value;
use tombolo_sdk::bindings::types::Field;
use tombolo_sdk::cbor::Cursor;
use tombolo_sdk::columns::Written;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::schema::{self, Schema, SchemaNumber, SchemaType};
use tombolo_sdk::settings::{Configuration, Settings};

use crate::rows::Format;

/// The schemas that a file of vectors has defined so far.
#[derive(Default)]
pub(crate) struct Vectors {
    named: HashMap<String, SchemaNumber>,
}

/// Runs a file of vectors. `run` answers what is wrong with a case, or none.
pub(crate) fn check(text: &str, mut run: impl FnMut(&Vectors, &Value) -> Option<String>) {
    let mut vectors = Vectors::default();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if let Some(name) = case["define"].as_str() {
            let number = vectors.schema(&case["schema"]);
            vectors.named.insert(name.to_owned(), number);
        } else if let Some(found) = run(&vectors, &case) {
            wrong.push(format!("{line}\n    found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// A format with the settings of a case.
fn format_of<F: Format>(case: &Value) -> Result<F, Fault> {
    let mut settings = Settings::default();
    for (name, value) in case["config"].as_object().unwrap() {
        settings.set(name, value.as_str().unwrap());
    }
    F::new(F::Settings::read(&settings)?)
}

/// Whether a problem is another than Connect's.
fn differs(found: &Problem, expected: &Value) -> bool {
    found.class.as_deref() != expected["class"].as_str()
        || Some(found.message.as_str()) != expected["message"].as_str()
}

fn problem(failure: &Failure) -> &Problem {
    match failure {
        Failure::Row(problem) => problem,
        Failure::Call(fault) => fault.problem(),
    }
}

/// Reads the bytes of a case twice, as a converter meets them in two rows: caches must not matter.
pub(crate) fn read_case<F: Format>(vectors: &Vectors, case: &Value) -> Option<String> {
    let mut format = match format_of::<F>(case) {
        Ok(format) => format,
        Err(fault) if differs(fault.problem(), &case["config_error"]) => {
            return Some(format!("{fault:?}"));
        }
        Err(_) => return None,
    };
    let bytes = match case["text"].as_str() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => Vectors::value(&case["bytes"]),
    };
    for _ in 0..2 {
        let mut out = b"before".to_vec();
        match format.read(bytes.as_deref(), &mut out) {
            Ok((written, schema)) => {
                let item = out.split_off(6);
                let value = (written == Written::Item).then_some(item);
                let expected = (Vectors::value(&case["value"]), vectors.schema(&case["schema"]));
                if !case["error"].is_null() || !same((value.clone(), schema), expected) {
                    return Some(Vectors::show(value.as_deref(), schema));
                }
            }
            Err(failure) if differs(problem(&failure), &case["error"]) => {
                return Some(format!("{failure:?}"));
            }
            Err(_) => {}
        }
    }
    None
}

/// Writes the value of a case twice.
pub(crate) fn write_case<F: Format>(vectors: &Vectors, case: &Value) -> Option<String> {
    let mut format = format_of::<F>(case).unwrap();
    let expected = match case["text"].as_str() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => Vectors::value(&case["bytes"]),
    };
    let schema = vectors.schema(&case["schema"]);
    for _ in 0..2 {
        let mut out = Vec::new();
        match format.write(Vectors::value(&case["value"]).as_deref(), schema, &mut out) {
            Ok(written) => {
                let found = (written == Written::Item).then_some(out);
                if !case["error"].is_null() || found != expected {
                    return Some(format!(
                        "{:?}",
                        found.map(|found| String::from_utf8_lossy(&found).into_owned())
                    ));
                }
            }
            Err(failure) if differs(problem(&failure), &case["error"]) => {
                return Some(format!("{failure:?}"));
            }
            Err(_) => {}
        }
    }
    None
}

/// Whether values and schemas are the same, whatever the order of maps that Java hashes.
fn same(found: (Option<Vec<u8>>, SchemaNumber), expected: (Option<Vec<u8>>, SchemaNumber)) -> bool {
    let sorted = |value: Option<Vec<u8>>| value.map(|value| sort(&mut Cursor::new(&value)));
    found.1 == expected.1 && sorted(found.0) == sorted(expected.0)
}

/// An item with the entries of its maps sorted.
fn sort(cursor: &mut Cursor<'_>) -> Vec<u8> {
    if let Some(pairs) = cursor.map().unwrap() {
        let mut entries: Vec<_> =
            (0..pairs).map(|_| [sort(cursor), sort(cursor)].concat()).collect();
        entries.sort();
        return [vec![0xa0, u8::try_from(pairs).unwrap()], entries.concat()].concat();
    }
    match cursor.array().unwrap() {
        Some(items) => {
            let items: Vec<_> = (0..items).map(|_| sort(cursor)).collect();
            [vec![0x80, u8::try_from(items.len()).unwrap()], items.concat()].concat()
        }
        None => cursor.item().unwrap().to_vec(),
    }
}

impl Vectors {
    /// Defines a schema; 0 for null.
    pub(crate) fn schema(&self, of: &Value) -> SchemaNumber {
        if let Some(name) = of.as_str() {
            return self.named[name];
        }
        if of.is_null() {
            return 0;
        }
        let part = |name: &str| Some(self.schema(&of[name])).filter(|&number| number != 0);
        let text = |name: &str| of[name].as_str().map(str::to_owned);
        let field = |field: &Value| Field {
            name: field[0].as_str().unwrap().to_owned(),
            schema: self.schema(&field[1]),
        };
        let parameters = of["parameters"].as_object().into_iter().flatten();
        schema::define(Schema {
            type_: schema_type(of["type"].as_str().unwrap()),
            optional: of["optional"] == true,
            name: text("name"),
            version: of["version"].as_i64().map(|version| version.try_into().unwrap()),
            doc: text("doc"),
            parameters: parameters
                .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            default: Self::value(&of["default"]),
            fields: of["fields"].as_array().into_iter().flatten().map(field).collect(),
            key: part("key"),
            value: part("value"),
        })
        .unwrap()
    }

    /// The CBOR of a value; none for null.
    pub(crate) fn value(of: &Value) -> Option<Vec<u8>> {
        let digits = of.as_str()?;
        let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        Some((0..digits.len()).step_by(2).map(byte).collect())
    }

    /// A value and its schema, to read.
    pub(crate) fn show(value: Option<&[u8]>, number: SchemaNumber) -> String {
        let digits = |value: &[u8]| value.iter().map(|byte| format!("{byte:02x}")).collect();
        let value = value.map_or_else(|| "null".to_owned(), digits);
        format!("{value} with {:?}", schema::get(number))
    }
}

fn schema_type(name: &str) -> SchemaType {
    match name {
        "int8" => SchemaType::Int8,
        "int16" => SchemaType::Int16,
        "int32" => SchemaType::Int32,
        "int64" => SchemaType::Int64,
        "float32" => SchemaType::Float32,
        "float64" => SchemaType::Float64,
        "boolean" => SchemaType::Boolean,
        "string" => SchemaType::Text,
        "bytes" => SchemaType::Bytes,
        "array" => SchemaType::Array,
        "map" => SchemaType::Map,
        "struct" => SchemaType::Struct,
        other => panic!("{other}"),
    }
}
