//! Making a table, and adding columns to one, after what records want. Not here: when that is allowed.

use tombolo_sdk::cbor::{Cursor, Token};
use tombolo_sdk::schema::{self, DATE, DECIMAL, Schema, SchemaNumber, SchemaType, TIME, TIMESTAMP};

use crate::name::{TableName, quoted};
use crate::wanted::{Source, Wanted, Wants};

/// `CREATE TABLE` for what a record wants. A value that is null without a schema has no type, and waits for a record that has one.
pub(crate) fn create(name: &TableName, wants: &Wants<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for wanted in &wants.columns {
        if let Some(type_name) = type_of(wanted) {
            let null = if is_required(wanted) { " NOT NULL" } else { "" };
            parts.push(format!("{} {type_name}{null}", quoted(&wanted.column)));
        }
    }
    let keys: Vec<String> =
        wants.columns.iter().filter(|one| one.is_key).map(|one| quoted(&one.column)).collect();
    if !keys.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", keys.join(", ")));
    }
    format!("CREATE TABLE IF NOT EXISTS {} ({})", name.sql(), parts.join(", "))
}

/// `ALTER TABLE` for the columns that are missing; none where nothing is to be done.
///
/// Errors: a column that older rows cannot be without.
pub(crate) fn evolve(
    name: &TableName,
    wants: &Wants<'_>,
    missing: &[String],
) -> Result<Option<String>, String> {
    let mut parts = Vec::new();
    for wanted in wants.columns.iter().filter(|wanted| missing.contains(&wanted.column)) {
        let Some(type_name) = type_of(wanted) else { continue };
        if is_required(wanted) {
            return Err(format!(
                "Cannot ALTER TABLE {} to add missing field {}, as the field is not optional and does not have a default value",
                name.sql(),
                quoted(&wanted.column)
            ));
        }
        parts.push(format!("ADD COLUMN IF NOT EXISTS {} {type_name}", quoted(&wanted.column)));
    }
    let sql = format!("ALTER TABLE {} {}", name.sql(), parts.join(", "));
    Ok((!parts.is_empty()).then_some(sql))
}

/// Whether every row has it: part of the primary key, or by its schema.
fn is_required(wanted: &Wanted<'_>) -> bool {
    let by_schema = schema::get(wanted.schema)
        .is_some_and(|schema| !schema.optional && schema.default.is_none());
    wanted.is_key || by_schema
}

/// The column's type, as the JDBC sink's dialect for PostgreSQL has it, and `JSONB` for what it does not have.
fn type_of(wanted: &Wanted<'_>) -> Option<String> {
    match wanted.source {
        Source::Topic => return Some("TEXT".to_owned()),
        Source::Partition => return Some("INT".to_owned()),
        Source::Offset => return Some("BIGINT".to_owned()),
        Source::Key | Source::KeyField(_) | Source::ValueField(_) => {}
    }
    match schema::get(wanted.schema) {
        Some(schema) => Some(of_schema(&schema)),
        None => of_value(wanted.item).map(str::to_owned),
    }
}

fn of_schema(schema: &Schema) -> String {
    let name = schema.name.as_deref().unwrap_or_default();
    let plain = match (name, schema.type_) {
        (DECIMAL, _) => "DECIMAL",
        (DATE, _) => "DATE",
        (TIME, _) => "TIME",
        (TIMESTAMP, _) => "TIMESTAMP",
        (_, SchemaType::Int8 | SchemaType::Int16) => "SMALLINT",
        (_, SchemaType::Int32) => "INT",
        (_, SchemaType::Int64) => "BIGINT",
        (_, SchemaType::Float32) => "REAL",
        (_, SchemaType::Float64) => "DOUBLE PRECISION",
        (_, SchemaType::Boolean) => "BOOLEAN",
        (_, SchemaType::Text) => "TEXT",
        (_, SchemaType::Bytes) => "BYTEA",
        (_, SchemaType::Map | SchemaType::Struct) => "JSONB",
        (_, SchemaType::Array) => return array_of(schema.value),
    };
    plain.to_owned()
}

/// An array of scalars has its type in PostgreSQL; one of anything else is a document.
fn array_of(element: Option<SchemaNumber>) -> String {
    let element = element.and_then(schema::get).map(|element| of_schema(&element));
    match element.as_deref() {
        Some("JSONB") | None => "JSONB".to_owned(),
        Some(scalar) if scalar.ends_with("[]") => scalar.to_owned(),
        Some(scalar) => format!("{scalar}[]"),
    }
}

fn of_value(item: &[u8]) -> Option<&'static str> {
    Some(match Cursor::new(item).token().ok()? {
        Token::Null => return None,
        Token::Boolean(_) => "BOOLEAN",
        Token::Int(_) => "BIGINT",
        Token::Float32(_) | Token::Float64(_) => "DOUBLE PRECISION",
        Token::Text(_) => "TEXT",
        Token::Bytes(_) => "BYTEA",
        Token::Array(_) | Token::Map(_) => "JSONB",
        Token::Decimal(_) => "DECIMAL",
        Token::Date(_) => "DATE",
        Token::Timestamp(_) => "TIMESTAMP",
        Token::Time(_) => "TIME",
    })
}
