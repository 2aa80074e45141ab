//! Bodies made comparable: what must differ between two workers is replaced, and what has no order is sorted.
//!
//! Not here: names of a case's own, which are words already.

use serde_json::{Map, Value};
use tombolo_harness::jars::KAFKA_VERSION;

/// Members below which Kafka Connect has a hash map: their order says nothing.
const UNORDERED: [&str; 3] = ["config", "partition", "offset"];

/// Versions of what ships: Kafka Connect's and ours.
const VERSIONS: [&str; 2] = [KAFKA_VERSION, env!("CARGO_PKG_VERSION")];

/// The body, comparable: JSON, or text where it is none.
pub(super) fn normal(body: &str) -> Value {
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            tidy(&mut value, "");
            value
        }
        Err(_) => body.into(),
    }
}

fn tidy(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => tidy_object(members, name),
        // The list of all connectors is in no order.
        Value::Array(names) if name.is_empty() && names.iter().all(Value::is_string) => {
            names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| tidy(element, name));
            // Partitions are in a hash map, and so are tasks that are restarted.
            if name == "offsets" {
                elements.sort_by_key(ToString::to_string);
            }
            if name == "tasks" && elements.iter().all(|task| task["state"].is_string()) {
                elements.sort_by_key(|task| task["id"].as_u64());
            }
        }
        Value::String(text) if VERSIONS.contains(&text.as_str()) => *text = "VERSION".to_owned(),
        // A message that lists the versions that there are.
        Value::String(text) => {
            for version in VERSIONS.map(|version| format!("[{version}]")) {
                *text = text.replace(&version, "[VERSION]");
            }
        }
        _ => {}
    }
}

fn tidy_object(members: &mut Map<String, Value>, name: &str) {
    // Of an answer to `expand`, the members are connectors, in no order.
    let is_expanded = members.values().all(|member| {
        member == &Value::Object(Map::new())
            || ["status", "info"].iter().any(|known| member.get(known).is_some())
    });
    let is_config = members.contains_key("connector.class");
    if UNORDERED.contains(&name) || is_config || is_expanded {
        members.sort_keys();
    }
    for (name, member) in members.iter_mut() {
        match name.as_str() {
            "version" | "commit" if member.is_string() => *member = "VERSION".into(),
            "trace" => *member = "TRACE".into(),
            "last_modified" if member.is_number() => *member = "TIME".into(),
            // In words of our own.
            "documentation" => *member = "DOCUMENTATION".into(),
            // Classes to offer are those installed.
            "recommended_values" if member.to_string().contains("org.apache") => {
                *member = "CLASSES".into();
            }
            _ => tidy(member, name),
        }
    }
    // Kafka Connect's own name was `order` before it was `order_in_group`; some clients still read it.
    members.shift_remove("order");
}
