//! Reads the connector files of a worker that stands alone.
//!
//! Not here: creating the connectors. Follows `ConnectStandalone.parseConnectorConfigurationFile` of Kafka Connect, and tries the forms in its order.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use tombolo_herder::SubmittedConfig;
use tombolo_model::status::TargetState;

use crate::properties;

/// A connector to create.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConnectorFile {
    pub(crate) name: String,
    /// Its configuration, with its name.
    pub(crate) config: SubmittedConfig,
    /// What it shall be from the start.
    pub(crate) initial: Option<TargetState>,
}

/// Reads a file: a JSON object of settings, a JSON object as `POST /connectors` takes it, or Java properties.
///
/// Errors: the file, and what it lacks.
pub(crate) fn read(path: &Path) -> anyhow::Result<ConnectorFile> {
    let bytes = std::fs::read(path);
    let file = || format!("cannot read the connector file {}", path.display());
    parse(&bytes.with_context(file)?).with_context(file)
}

fn parse(bytes: &[u8]) -> anyhow::Result<ConnectorFile> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => match flat(&members) {
            Some(config) => named(config),
            None => request(&members),
        },
        _ => {
            let settings = properties::parse(bytes)?;
            named(settings.iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
        }
    }
}

/// A configuration that says the connector's name itself.
fn named(config: SubmittedConfig) -> anyhow::Result<ConnectorFile> {
    let Some(Some(name)) = config.get("name") else {
        bail!("it is missing the mandatory 'name' configuration");
    };
    Ok(ConnectorFile { name: name.clone(), config, initial: None })
}

/// The form of `POST /connectors`; other members are left alone.
fn request(members: &Map<String, Value>) -> anyhow::Result<ConnectorFile> {
    let config = match members.get("config") {
        Some(Value::Object(config)) => flat(config),
        _ => None,
    };
    let Some(mut config) = config else {
        bail!("its 'config' is not an object of texts");
    };
    let Some(Some(name)) = members.get("name").map(text) else {
        bail!("it is missing the mandatory 'name' of the connector");
    };
    match config.get("name") {
        Some(Some(included)) if *included != name => {
            bail!("the name in its 'config', {included}, is not the connector's 'name', {name}")
        }
        _ => drop(config.insert("name".to_owned(), Some(name.clone()))),
    }
    Ok(ConnectorFile { name, config, initial: initial_state(members.get("initial_state"))? })
}

fn initial_state(value: Option<&Value>) -> anyhow::Result<Option<TargetState>> {
    let Some(text) = value.and_then(text) else { return Ok(None) };
    match text.to_ascii_uppercase().as_str() {
        "RUNNING" => Ok(Some(TargetState::Started)),
        "PAUSED" => Ok(Some(TargetState::Paused)),
        "STOPPED" => Ok(Some(TargetState::Stopped)),
        _ => bail!("its 'initial_state' is {text}; expected RUNNING, PAUSED or STOPPED"),
    }
}

/// An object of scalars as settings; none where it holds anything else.
fn flat(members: &Map<String, Value>) -> Option<SubmittedConfig> {
    let scalar = |value: &Value| !value.is_object() && !value.is_array();
    let setting = |(name, value): (&String, &Value)| (name.clone(), text(value));
    members.values().all(scalar).then(|| members.iter().map(setting).collect())
}

/// A scalar as text; none for null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(config: &[(&str, Option<&str>)], initial: Option<TargetState>) -> ConnectorFile {
        let text = |text: &str| text.to_owned();
        let config = config.iter().map(|(name, value)| (text(name), value.map(text))).collect();
        ConnectorFile { name: "c".into(), config, initial }
    }

    #[test]
    fn all_three_forms_are_read() {
        let check = |bytes: &str, expected: ConnectorFile| {
            assert_eq!(parse(bytes.as_bytes()).unwrap(), expected, "{bytes}");
        };
        let plain = || file(&[("name", Some("c")), ("tasks.max", Some("2"))], None);
        check(r#"{"name": "c", "tasks.max": 2}"#, plain());
        check("name=c\ntasks.max = 2\n", plain());
        check(r#"{"name": "c", "config": {"tasks.max": "2"}}"#, plain());
        check(r#"{"name": "c", "config": {"name": "c", "tasks.max": "2"}, "other": []}"#, plain());
        let null = file(&[("name", Some("c")), ("a", None), ("b", Some("true"))], None);
        check(r#"{"name": "c", "a": null, "b": true}"#, null);
        let stopped = file(&[("name", Some("c"))], Some(TargetState::Stopped));
        check(r#"{"name": "c", "initial_state": "stopped", "config": {}}"#, stopped);
        // A flat object whose settings happen to have the names of a request's members.
        let odd = file(&[("name", Some("c")), ("initial_state", Some("PAUSED"))], None);
        check(r#"{"name": "c", "initial_state": "PAUSED"}"#, odd);
    }

    #[test]
    fn what_a_file_lacks_is_said() {
        let check = |bytes: &str, expected: &str| {
            assert_eq!(parse(bytes.as_bytes()).unwrap_err().to_string(), expected, "{bytes}");
        };
        let nameless = "it is missing the mandatory 'name' configuration";
        check("", nameless);
        check("topic=t", nameless);
        check(r#"{"topic": "t"}"#, nameless);
        check("[1]", nameless);
        check(r#"{"config": {}}"#, "it is missing the mandatory 'name' of the connector");
        check(r#"{"name": "c", "config": [1]}"#, "its 'config' is not an object of texts");
        check(r#"{"name": "c", "list": []}"#, "its 'config' is not an object of texts");
        check(
            r#"{"name": "c", "config": {"name": "d"}}"#,
            "the name in its 'config', d, is not the connector's 'name', c",
        );
        check(
            r#"{"name": "c", "config": {}, "initial_state": "DANCING"}"#,
            "its 'initial_state' is DANCING; expected RUNNING, PAUSED or STOPPED",
        );
    }
}
