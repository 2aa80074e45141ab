//! `POST /connector-plugins`: a component as the body. Ours; Kafka Connect has nothing like it.
//!
//! Not here: what a component must be (the sandbox checks).

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use tombolo_model::role::InstallRefused;

use crate::body::{self, Unread};
use crate::entity::Upload;
use crate::error::{Answer, Failure, json};
use crate::server::Context;

/// Most bytes of a component: the largest of our own toolchains', Python's, is half of it.
pub(crate) const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Most bytes of all components that are being received or wait to be compiled, which happens one after another: four of the largest.
pub(crate) const WAITING_BYTES_MAX: usize = 4 * COMPONENT_BYTES_MAX;

/// `POST /connector-plugins`: 201 for a new component, 200 for one that is there already, 503 where too many bytes of others wait.
pub(crate) async fn upload(
    State(context): State<Context>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let received = body::within(body, COMPONENT_BYTES_MAX, Some(&context.uploads)).await;
    let herder = context.herder()?;
    let message = "a component is sent as the body itself, as with curl --data-binary @plugin.wasm";
    refuse_multipart(&headers, message)?;
    // What it takes is given back once it is installed.
    let (bytes, _taken) = received.map_err(unread)?;
    match herder.install(bytes.into()).await {
        Ok(installed) => {
            let code = if installed.known { StatusCode::OK } else { StatusCode::CREATED };
            Ok(json(code, &Upload::from(&installed)))
        }
        Err(InstallRefused::Invalid(message)) => Err(Failure::bad_request(message)),
        Err(refused @ InstallRefused::Failed(_)) => {
            if let InstallRefused::Failed(source) = &refused {
                tracing::error!(error = %source, "a component could not be installed");
            }
            Err(Failure::unreadable(refused.to_string()))
        }
    }
}

/// Refuses a form where a body is what was meant.
pub(crate) fn refuse_multipart(headers: &HeaderMap, message: &str) -> Result<(), Failure> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media.is_some_and(|media| media.starts_with("multipart/")) {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    Ok(())
}

fn unread(unread: Unread) -> Failure {
    match unread {
        Unread::TooLarge => Failure::bad_request(format!(
            "the component is larger than {COMPONENT_BYTES_MAX} bytes, the most that is taken"
        )),
        unread => unread.failure(COMPONENT_BYTES_MAX),
    }
}
