//! `/openapi.json`: what the API is, made of the routes that are served and of the entities that they answer with.
//!
//! Not here: what each request does (`operation`).

use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::entity::ErrorMessage;
use crate::error;
use crate::operation::Operation;
use crate::routes::described;

/// The version of OpenAPI whose schemas are JSON's.
const OPENAPI: &str = "3.1.0";

/// `GET /openapi.json`
pub(crate) async fn serve() -> Response {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    error::json(StatusCode::OK, DOCUMENT.get_or_init(document))
}

fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let mut shapes = settings.into_generator();
    let error = shapes.subschema_for::<ErrorMessage<'_>>();
    let mut paths = Map::new();
    for (path, operations) in described() {
        let each = operations.into_iter().map(|(method, operation)| {
            (method.to_ascii_lowercase(), one(path, operation, &mut shapes))
        });
        paths.insert(path.to_owned(), Value::Object(each.collect()));
    }
    json!({
        "openapi": OPENAPI,
        "info": { "title": "Tombolo", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": shapes.take_definitions(true),
            "responses": { "Error": answer("What went wrong", Some(json!(error))) },
        },
    })
}

fn one(path: &str, operation: &Operation, shapes: &mut SchemaGenerator) -> Value {
    let in_path = path.split(['{', '}']).skip(1).step_by(2).map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
    );
    let mut parameters: Vec<Value> = in_path.collect();
    for (name, shape, what) in operation.query {
        let schema = shape(shapes);
        parameters
            .push(json!({ "name": name, "in": "query", "description": what, "schema": schema }));
    }
    let mut answers = Map::new();
    for (status, shape) in operation.answers {
        let schema = shape.map(|shape| json!(shape(shapes)));
        let said = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        answers.insert(status.to_string(), answer(said.unwrap_or_default(), schema));
    }
    answers.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Error" }));
    let mut described = Map::new();
    described.insert("summary".to_owned(), json!(operation.summary));
    if !parameters.is_empty() {
        described.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some((media, shape)) = operation.body {
        let schema = shape(shapes);
        let body = json!({ "required": true, "content": { media: { "schema": schema } } });
        described.insert("requestBody".to_owned(), body);
    }
    described.insert("responses".to_owned(), Value::Object(answers));
    Value::Object(described)
}

fn answer(said: &str, schema: Option<Value>) -> Value {
    match schema {
        None => json!({ "description": said }),
        Some(schema) => json!({
            "description": said,
            "content": { "application/json": { "schema": schema } },
        }),
    }
}
