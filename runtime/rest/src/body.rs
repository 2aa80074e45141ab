//! Request bodies: which media types are read, how much of them, and JSON as Jackson would take it.
//!
//! Not here: what the members mean.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};
use tombolo_herder::SubmittedConfig;

use crate::error::Failure;

/// Most bytes of a JSON body: a hundred times the largest configuration seen in practice.
const JSON_BYTES_MAX: usize = 8 << 20;

/// Refuses media types that no endpoint reads or writes, before any endpoint is asked.
pub(crate) async fn check_media_types(request: Request, next: Next) -> Response {
    let is_upload = request.method() == Method::POST
        && request.uri().path().trim_end_matches('/') == "/connector-plugins";
    let reads_body = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if reads_body && !is_upload && !is_json_or_absent(request.headers()) {
        return Failure::http(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response();
    }
    if !accepts_json(request.headers()) {
        return Failure::http(StatusCode::NOT_ACCEPTABLE).into_response();
    }
    next.run(request).await
}

fn is_json_or_absent(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let text = value.to_str().unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(header::ACCEPT).iter().peekable();
    if all.peek().is_none() {
        return true;
    }
    all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|media| {
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        ["application/json", "application/*", "*/*", ""].contains(&media.as_str())
    })
}

/// The JSON of a body.
///
/// Errors: 413 for too large a body; for what is not JSON, Kafka Connect's 500 with where and why.
pub(crate) async fn json(body: Body) -> Result<Value, Failure> {
    let bytes = axum::body::to_bytes(body, JSON_BYTES_MAX).await.map_err(|_| {
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body could not be read, or is larger than {JSON_BYTES_MAX} bytes"),
        )
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes)
        .map_err(|err| Failure::unreadable(format!("the body is not valid JSON: {err}")))
}

/// Reads an object of settings: numbers and booleans become text, null stays.
pub(crate) fn settings(value: Value, what: &str) -> Result<SubmittedConfig, Failure> {
    let Value::Object(members) = value else {
        return Err(Failure::unreadable(format!(
            "{what}: expected an object of texts, found {}",
            kind(&value)
        )));
    };
    members
        .into_iter()
        .map(|(name, value)| {
            let text = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                Value::Bool(truth) => Some(truth.to_string()),
                Value::Array(_) | Value::Object(_) => {
                    return Err(Failure::unreadable(format!(
                        "{what}: expected a text for {name}, found {}",
                        kind(&value)
                    )));
                }
            };
            Ok((name, text))
        })
        .collect()
}

/// The members of an object, of which only these are known.
///
/// Errors: Kafka Connect's 500 for what is not an object, and for an unknown member.
pub(crate) fn members(value: Value, known: &[&str]) -> Result<Map<String, Value>, Failure> {
    let Value::Object(members) = value else {
        return Err(Failure::unreadable(format!("expected an object, found {}", kind(&value))));
    };
    if let Some(name) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::unreadable(format!(
            "Unrecognized field \"{name}\", expected one of: {}",
            known.join(", ")
        )));
    }
    Ok(members)
}

/// What a JSON value is, for people.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_in_settings_become_text() {
        let sent = settings(
            serde_json::json!({"a": 1, "b": true, "c": "x", "d": 1.5, "e": null}),
            "config",
        );
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            ("a", text("1")),
            ("b", text("true")),
            ("c", text("x")),
            ("d", text("1.5")),
            ("e", None),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        assert_eq!(sent.unwrap(), expected.into_iter().collect());
        assert!(settings(serde_json::json!({"a": []}), "config").is_err());
        assert!(settings(serde_json::json!([]), "config").is_err());
    }

    #[test]
    fn media_types_are_checked_as_jersey_checks_them() {
        let check = |name: header::HeaderName, value: &str, json: bool, accepted: bool| {
            let headers: HeaderMap = [(name, value.parse().unwrap())].into_iter().collect();
            assert_eq!(
                (is_json_or_absent(&headers), accepts_json(&headers)),
                (json, accepted),
                "{value}"
            );
        };
        check(header::CONTENT_TYPE, "application/json; charset=utf-8", true, true);
        check(header::CONTENT_TYPE, "application/x-www-form-urlencoded", false, true);
        check(header::ACCEPT, "text/html, */*;q=0.1", true, true);
        check(header::ACCEPT, "text/plain", true, false);
    }
}
