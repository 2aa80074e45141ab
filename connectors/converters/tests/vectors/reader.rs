//! Reads vectors from the real Kafka Connect, for the tests of converters and of transformations. Not here: what is done with them.

use std::collections::HashMap;

use serde_json::Value;
use tombolo_sdk::bindings::types::Field;
use tombolo_sdk::cbor::Cursor;
use tombolo_sdk::fault::Problem;
use tombolo_sdk::schema::{self, Schema, SchemaNumber, SchemaType};
use tombolo_sdk::settings::Settings;

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

/// The settings of a case.
pub(crate) fn settings(case: &Value) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in case["config"].as_object().unwrap() {
        settings.set(name, value.as_str().unwrap());
    }
    settings
}

/// Whether a problem is another than Connect's.
pub(crate) fn differs(found: &Problem, expected: &Value) -> bool {
    found.class.as_deref() != expected["class"].as_str()
        || Some(found.message.as_str()) != expected["message"].as_str()
}

/// Whether values and schemas are the same, whatever the order of maps that Java hashes.
pub(crate) fn same(
    found: (Option<Vec<u8>>, SchemaNumber),
    expected: (Option<Vec<u8>>, SchemaNumber),
) -> bool {
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
