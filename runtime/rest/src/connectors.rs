//! `/connectors`: lists and creates.
//!
//! Not here: one connector (`connector`).

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};
use tombolo_herder::{ConnectorInfo, HerderHandle};
use tombolo_model::status::TargetState;

use crate::address::Scheme;
use crate::entity::{Info, StateInfo};
use crate::error::{Answer, Failure, json};
use crate::query::Parameters;
use crate::server::Context;
use crate::{body, error};

/// `GET /connectors`, with `expand=status` and `expand=info`
pub(crate) async fn list(State(context): State<Context>, query: Parameters) -> Answer {
    let herder = context.herder()?;
    let names = herder.connectors();
    let expansions: Vec<&str> = query.all("expand").collect();
    if expansions.is_empty() {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        return Ok(json(StatusCode::OK, &names));
    }
    let all: Map<String, Value> = names
        .iter()
        .filter_map(|name| Some((name.to_string(), expanded(herder, name.as_str(), &expansions)?)))
        .collect();
    Ok(json(StatusCode::OK, &all))
}

/// A connector with what is asked of it; none if it was deleted meanwhile, or has no status yet.
fn expanded(herder: &HerderHandle, name: &str, expansions: &[&str]) -> Option<Value> {
    let mut one = Map::new();
    for expansion in expansions {
        let value = match *expansion {
            "status" => to_value(&StateInfo::from(&herder.status(name).ok()?)),
            "info" => to_value(&Info::from(&herder.connector(name).ok()?)),
            _ => continue,
        };
        one.insert((*expansion).to_owned(), value);
    }
    Some(Value::Object(one))
}

fn to_value<T: serde::Serialize>(entity: &T) -> Value {
    serde_json::to_value(entity).unwrap_or(Value::Null)
}

/// `POST /connectors`
pub(crate) async fn create(State(context): State<Context>, base: Base, body: Bytes) -> Answer {
    let herder = context.herder()?;
    let request = body::json(body)?;
    if request.is_null() {
        return Err(Failure::unreadable(
            "the body is empty, expected an object with name and config",
        ));
    }
    let request = request.members(&["name", "config", "initial_state"])?;
    let text = |name: &str| match request.get(name) {
        None => Ok(None),
        Some(raw) => body::text(raw, name),
    };
    let name = text("name")?.unwrap_or_default();
    let initial = initial_state(text("initial_state")?)?;
    let Some(config) = request.get("config") else {
        return Err(Failure::unreadable("config: expected an object of texts, found nothing"));
    };
    let info = herder.create(&name, body::settings_of(config)?, initial).await?;
    Ok(created(&info, &base))
}

fn initial_state(text: Option<String>) -> Result<Option<TargetState>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match text.to_ascii_uppercase().as_str() {
        "RUNNING" => Ok(Some(TargetState::Started)),
        "PAUSED" => Ok(Some(TargetState::Paused)),
        "STOPPED" => Ok(Some(TargetState::Stopped)),
        _ => Err(Failure::unreadable(format!(
            "initial_state: expected RUNNING, PAUSED or STOPPED, found {text}"
        ))),
    }
}

/// The address that a client used, as `http://host:port`; empty where it does not say.
pub(crate) struct Base(String);

impl<S: Send + Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or(Scheme::Http).name();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        Ok(Self(host.map(|host| format!("{scheme}://{host}")).unwrap_or_default()))
    }
}

/// 201 with the place of the connector, at the address that the client used.
pub(crate) fn created(info: &ConnectorInfo, Base(base): &Base) -> Response {
    let mut response = error::json(StatusCode::CREATED, &Info::from(info));
    let place = format!("{base}/connectors/{}", encoded(info.name.as_str()));
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// A name as a segment of a path.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_segment_of_a_path() {
        assert_eq!(encoded("a b/c->d%ü"), "a%20b%2Fc-%3Ed%25%C3%BC");
    }
}
