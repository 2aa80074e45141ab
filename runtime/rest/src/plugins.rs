//! `/connector-plugins`: what is installed, its settings, and whether a configuration is valid.
//!
//! Not here: installing (`upload`).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use tombolo_herder::definitions;
use tombolo_model::config_def::ConfigKey;

use crate::body;
use crate::connector::Name;
use crate::entity::{ConfigInfos, Definition, Plugin};
use crate::error::{Answer, Failure, json};
use crate::query::Parameters;
use crate::server::Context;

/// `GET /connector-plugins`
pub(crate) async fn list(State(context): State<Context>, query: Parameters) -> Answer {
    let connectors_only = query.is_true("connectorsOnly", true);
    let plugins = context.herder()?.plugins();
    let shown: Vec<Plugin<'_>> = plugins
        .iter()
        .filter(|info| !connectors_only || info.kind.is_connector())
        .map(|info| Plugin::from(&**info))
        .collect();
    Ok(json(StatusCode::OK, &shown))
}

/// `GET /connector-plugins/{plugin}/config`
pub(crate) async fn config(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
) -> Answer {
    let version = query.get("version").filter(|version| *version != "latest");
    let plugin = context.herder()?.plugin(&name, version)?;
    let mut keys: Vec<ConfigKey> = plugin.settings.clone();
    if plugin.kind.is_connector() {
        for mut key in definitions::of(plugin.kind) {
            if key.name == "connector.plugin.version" {
                key.default = Some(plugin.version.clone().into());
            }
            if !keys.iter().any(|own| own.name == key.name) {
                keys.push(key);
            }
        }
    }
    let keys: Vec<Definition<'_>> = keys.iter().map(Definition::from).collect();
    Ok(json(StatusCode::OK, &keys))
}

/// `PUT /connector-plugins/{plugin}/config/validate`
pub(crate) async fn validate(
    State(context): State<Context>,
    Name(name): Name,
    body: Bytes,
) -> Answer {
    let herder = context.herder()?;
    let sent = body::json(body)?.settings()?;
    if let Some(Some(class)) = sent.get("connector.class")
        && !short(class).ends_with(short(&name))
    {
        return Err(Failure::bad_request(format!(
            "Included connector type {class} does not match request type {name}"
        )));
    }
    let validation = herder.validate(&sent).await?;
    Ok(json(StatusCode::OK, &ConfigInfos::from(&validation)))
}

/// A class without the end that aliases leave out.
fn short(class: &str) -> &str {
    class.strip_suffix("Connector").filter(|short| !short.is_empty()).unwrap_or(class)
}
