//! `/connectors`: lists and creates.
//!
//! Not here: one connector (`connector`).

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};
use tombolo_herder::ConnectorInfo;
use tombolo_model::status::TargetState;

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
    let mut all = Map::new();
    for name in &names {
        let mut one = Map::new();
        for expansion in &expansions {
            // A connector that was deleted meanwhile is left out.
            let value = match *expansion {
                "status" => herder
                    .status(name.as_str())
                    .ok()
                    .map(|status| to_value(&StateInfo::from(&status))),
                "info" => {
                    herder.connector(name.as_str()).ok().map(|info| to_value(&Info::from(&info)))
                }
                _ => continue,
            };
            if let Some(value) = value {
                one.insert((*expansion).to_owned(), value);
            }
        }
        all.insert(name.as_str().to_owned(), Value::Object(one));
    }
    Ok(json(StatusCode::OK, &all))
}

fn to_value<T: serde::Serialize>(entity: &T) -> Value {
    serde_json::to_value(entity).unwrap_or(Value::Null)
}

/// `POST /connectors`
pub(crate) async fn create(
    State(context): State<Context>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let herder = context.herder()?;
    let request = body::json(body).await?;
    if request.is_null() {
        return Err(Failure::unreadable(
            "the body is empty, expected an object with name and config",
        ));
    }
    let mut request = body::members(request, &["name", "config", "initial_state"])?;
    let name = match request.remove("name") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(name)) => name,
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => {
            let kind = body::kind(&other);
            return Err(Failure::unreadable(format!("name: expected a text, found {kind}")));
        }
    };
    let initial = initial_state(request.remove("initial_state"))?;
    let config = request.remove("config").unwrap_or(Value::Null);
    let config = body::settings(config, "config")?;
    let info = herder.create(&name, config, initial).await?;
    Ok(created(&info, &headers))
}

fn initial_state(value: Option<Value>) -> Result<Option<TargetState>, Failure> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(other) => body::kind(&other).to_owned(),
    };
    match text.to_ascii_uppercase().as_str() {
        "RUNNING" => Ok(Some(TargetState::Started)),
        "PAUSED" => Ok(Some(TargetState::Paused)),
        "STOPPED" => Ok(Some(TargetState::Stopped)),
        _ => Err(Failure::unreadable(format!(
            "initial_state: expected RUNNING, PAUSED or STOPPED, found {text}"
        ))),
    }
}

/// 201 with the place of the connector, at the address that the client used.
pub(crate) fn created(info: &ConnectorInfo, request: &HeaderMap) -> Response {
    let mut response = error::json(StatusCode::CREATED, &Info::from(info));
    let host = request.get(header::HOST).and_then(|host| host.to_str().ok());
    let address = host.map(|host| format!("http://{host}")).unwrap_or_default();
    let place = format!("{address}/connectors/{}", encoded(info.name.as_str()));
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
