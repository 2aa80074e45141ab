//! From what went wrong to a status code and Kafka Connect's error body.
//!
//! The only place that chooses a status code for an error. Not here: the texts, which come from whoever refused.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tombolo_herder::Error;

use crate::entity;

/// A request that was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    message: String,
    /// When it may be tried again, in seconds.
    retry_after: Option<u32>,
}

impl Failure {
    /// An answer with this status and this text.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    /// The worker has as much to do as it takes on; in so many seconds it may have less.
    pub(crate) fn busy(message: impl Into<String>, retry_after: u32) -> Self {
        let retry_after = Some(retry_after);
        Self { retry_after, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }

    /// The request is wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The body is not what the endpoint reads. Kafka Connect answers 500 for that, and clients know it so.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// An answer with Jersey's text for this status, as `HTTP 404 Not Found`.
    pub(crate) fn http(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        Self::new(status, format!("HTTP {} {reason}", status.as_u16()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(message) => Self::new(StatusCode::NOT_FOUND, message),
            Error::AlreadyExists(message) | Error::Conflict(message) => {
                Self::new(StatusCode::CONFLICT, message)
            }
            Error::Forbidden(message) => Self::new(StatusCode::FORBIDDEN, message),
            Error::BadRequest(message) => Self::new(StatusCode::BAD_REQUEST, message),
            Error::Timeout(message) | Error::Internal(message) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body =
            entity::ErrorMessage { error_code: self.status.as_u16(), message: &self.message };
        let mut response = json(self.status, &body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            // What Jetty says, and what people see in their client's output.
            let reason = hyper::ext::ReasonPhrase::from_static(b"Server Error");
            response.extensions_mut().insert(reason);
        }
        response
    }
}

/// A JSON answer.
pub(crate) fn json<T: serde::Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = (status, bytes).into_response();
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What every endpoint answers.
pub(crate) type Answer = Result<Response, Failure>;
