//! Answers as text to compare: what must differ between two workers is replaced, and maps without an order are sorted.

use serde_json::{Map, Value};

/// Members below which Kafka Connect has a hash map: their order says nothing.
const UNORDERED: [&str; 3] = ["config", "partition", "offset"];

/// Versions of plugins: Kafka Connect's and ours.
const VERSIONS: [&str; 2] = [tombolo_harness::jars::KAFKA_VERSION, env!("CARGO_PKG_VERSION")];

/// The body, comparable.
pub(crate) fn comparable(body: &str, replace: &[(String, &str)]) -> String {
    let text = replace.iter().fold(body.to_owned(), |text, (from, to)| text.replace(from, to));
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => {
            tidy(&mut value, "");
            value.to_string()
        }
        Err(_) => text,
    }
}

fn tidy(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            // Of an answer to `expand`, the members are connectors, in no order.
            let is_expanded = members.values().all(|member| {
                member == &Value::Object(Map::new())
                    || ["status", "info"].iter().any(|known| member.get(known).is_some())
            });
            let is_config = members.contains_key("connector.class");
            if UNORDERED.contains(&name) || is_config || is_expanded {
                sort(members);
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
        // The list of all connectors is in no order either.
        Value::Array(names) if name.is_empty() && names.iter().all(Value::is_string) => {
            names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| tidy(element, name)),
        Value::String(text) if VERSIONS.contains(&text.as_str()) => *text = "VERSION".to_owned(),
        _ => {}
    }
}

fn sort(members: &mut Map<String, Value>) {
    let mut sorted: Vec<_> = std::mem::take(members).into_iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    members.extend(sorted);
}
