//! `/connectors/{name}/offsets`: reads, alters, resets.
//!
//! Not here: whether that is allowed.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use tombolo_herder::{FlatMap, Primitive};

use crate::body::{self, Json};
use crate::connector::Name;
use crate::entity::{ConnectorOffsets, Message};
use crate::error::{Answer, Failure, json};
use crate::server::Context;

/// Kafka Connect's words for a request without offsets.
const NO_OFFSETS: &str = "Partitions / offsets need to be provided for an alter offsets request";

/// `GET /connectors/{name}/offsets`
pub(crate) async fn list(State(context): State<Context>, Name(name): Name) -> Answer {
    let offsets = context.herder()?.offsets(&name).await?;
    Ok(json(StatusCode::OK, &ConnectorOffsets::from(offsets.as_slice())))
}

/// `PATCH /connectors/{name}/offsets`
pub(crate) async fn alter(State(context): State<Context>, Name(name): Name, body: Bytes) -> Answer {
    let offsets = read(&body::json(body)?)?;
    let message = context.herder()?.alter_offsets(&name, offsets).await?;
    Ok(json(StatusCode::OK, &Message { message: &message }))
}

/// `DELETE /connectors/{name}/offsets`
pub(crate) async fn reset(State(context): State<Context>, Name(name): Name) -> Answer {
    let message = context.herder()?.reset_offsets(&name).await?;
    Ok(json(StatusCode::OK, &Message { message: &message }))
}

/// Partitions, if they are named, each with the offset it gets, or none to forget it.
type Sent = Vec<(Option<FlatMap>, Option<FlatMap>)>;

fn read(request: &Json) -> Result<Sent, Failure> {
    if request.is_null() {
        return Err(Failure::bad_request(NO_OFFSETS));
    }
    let members = request.members(&["offsets"])?;
    let offsets: Option<Vec<Value>> = match members.get("offsets") {
        None => None,
        Some(raw) => body::parsed(raw, "offsets")?,
    };
    let offsets = offsets.filter(|offsets| !offsets.is_empty());
    let offsets = offsets.ok_or_else(|| Failure::bad_request(NO_OFFSETS))?;
    offsets.into_iter().map(one).collect()
}

fn one(offset: Value) -> Result<(Option<FlatMap>, Option<FlatMap>), Failure> {
    let Value::Object(mut members) = offset else {
        return Err(not_an_object("offsets", &offset));
    };
    let partition = match members.shift_remove("partition") {
        Some(Value::Object(partition)) => Some(flat(partition)?),
        None | Some(Value::Null) => None,
        Some(other) => return Err(not_an_object("partition", &other)),
    };
    let offset = match members.shift_remove("offset") {
        Some(Value::Object(offset)) => Some(flat(offset)?),
        None | Some(Value::Null) => None,
        Some(other) => return Err(not_an_object("offset", &other)),
    };
    match members.keys().next() {
        None => Ok((partition, offset)),
        Some(name) => Err(Failure::unreadable(format!(
            "Unrecognized field \"{name}\", expected one of: partition, offset"
        ))),
    }
}

fn not_an_object(what: &str, found: &Value) -> Failure {
    Failure::unreadable(format!("{what}: expected an object, found {}", body::kind(found)))
}

fn flat(members: Map<String, Value>) -> Result<FlatMap, Failure> {
    let primitive = |name: &str, value: Value| match value {
        Value::Null => Ok(Primitive::Null),
        Value::Bool(truth) => Ok(Primitive::Bool(truth)),
        Value::String(text) => Ok(Primitive::Text(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Ok(Primitive::Int(int)),
            (None, Some(double)) => Ok(Primitive::Double(double)),
            (None, None) => Err(Failure::bad_request(format!("{name}: {number} is out of range"))),
        },
        other => Err(Failure::bad_request(format!(
            "{name}: expected a text, a number or a boolean, found {}",
            body::kind(&other)
        ))),
    };
    let members = members.into_iter().map(|(name, value)| {
        let value = primitive(&name, value)?;
        Ok((name, value))
    });
    members.collect::<Result<_, Failure>>().map(FlatMap)
}
