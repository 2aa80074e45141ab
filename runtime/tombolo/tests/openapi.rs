//! What the worker answers has the shapes that its document says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker};

/// What differs from a schema: every member is to be known, and every required one there.
fn differences(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return differences(document, target, value, at);
    }
    for choices in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choices].as_array() {
            let all = choices.iter().map(|one| differences(document, one, value, at));
            return all.min_by_key(Vec::len).unwrap();
        }
    }
    let mut found = Vec::new();
    if !is_of_type(&schema["type"], value) {
        return vec![format!("{at}: {value} is not {}", schema["type"])];
    }
    if let Value::Array(items) = value {
        let each = items.iter().enumerate();
        found.extend(each.flat_map(|(index, item)| {
            differences(document, &schema["items"], item, &format!("{at}/{index}"))
        }));
    }
    let Value::Object(members) = value else { return found };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let missing = required.iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
    found.extend(missing.map(|name| format!("{at}: {name} is missing")));
    for (name, member) in members {
        let known = [&schema["properties"][name], &schema["additionalProperties"]];
        let at = format!("{at}/{name}");
        match known.into_iter().find(|known| !known.is_null()) {
            Some(known) => found.extend(differences(document, known, member, &at)),
            None => found.push(format!("{at} is not in the document")),
        }
    }
    found
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    match types {
        Value::Null => true,
        Value::Array(types) => types.iter().any(is),
        name => is(name),
    }
}

/// Requests, each with the path in the document.
const REQUESTS: [(&str, &str, &str); 22] = [
    ("GET", "/", "/"),
    ("GET", "/health", "/health"),
    ("GET", "/connectors", "/connectors"),
    ("GET", "/connectors?expand=status&expand=info", "/connectors"),
    ("GET", "/connectors/shapes", "/connectors/{name}"),
    ("GET", "/connectors/shapes/config", "/connectors/{name}/config"),
    ("PUT", "/connectors/shapes/config", "/connectors/{name}/config"),
    ("GET", "/connectors/shapes/status", "/connectors/{name}/status"),
    ("GET", "/connectors/shapes/tasks", "/connectors/{name}/tasks"),
    ("GET", "/connectors/shapes/tasks/0/status", "/connectors/{name}/tasks/{task}/status"),
    ("GET", "/connectors/shapes/topics", "/connectors/{name}/topics"),
    ("GET", "/connectors/shapes/offsets", "/connectors/{name}/offsets"),
    ("POST", "/connectors/shapes/restart?includeTasks=true", "/connectors/{name}/restart"),
    ("GET", "/connector-plugins?connectorsOnly=false", "/connector-plugins"),
    ("GET", "/connector-plugins/FileStreamSource/config", "/connector-plugins/{plugin}/config"),
    (
        "PUT",
        "/connector-plugins/FileStreamSource/config/validate",
        "/connector-plugins/{plugin}/config/validate",
    ),
    ("GET", "/admin/loggers", "/admin/loggers"),
    ("GET", "/admin/loggers/root", "/admin/loggers/{logger}"),
    ("GET", "/connectors/none", "/connectors/{name}"),
    ("PUT", "/connectors/none/pause", "/connectors/{name}/pause"),
    ("POST", "/connectors/none/tasks/0/restart", "/connectors/{name}/tasks/{task}/restart"),
    ("DELETE", "/connectors/shapes/offsets", "/connectors/{name}/offsets"),
];

#[test]
fn answers_have_the_shapes_of_the_document() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let file = worker.files().join("lines.txt");
    std::fs::write(&file, "one\n").unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "file": file, "topic": "shapes", "name": "shapes",
    });
    worker.create("shapes", &config).unwrap();
    worker.wait_for_state("shapes", "RUNNING").unwrap();
    let (status, document) = worker.request("GET", "/openapi.json", None).unwrap();
    assert_eq!(status, 200);
    let mut wrong = Vec::new();
    for (method, path, described) in REQUESTS {
        let body = (method == "PUT" && path.contains("config")).then_some(&config);
        let (status, answer) = worker.request(method, path, body).unwrap();
        let answers = &document["paths"][described][method.to_lowercase()]["responses"];
        let said = match &answers[status.to_string()] {
            Value::Null => &document["components"]["responses"]["Error"],
            said => said,
        };
        assert!(status < 400 || said == &document["components"]["responses"]["Error"]);
        let schema = &said["content"]["application/json"]["schema"];
        wrong.extend(differences(&document, schema, &answer, &format!("{method} {path}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
