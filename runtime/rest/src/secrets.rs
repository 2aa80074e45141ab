//! `/secrets`: set, listed and deleted, and never told. Ours; Kafka Connect has nothing like it.
//!
//! Not here: keeping them.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use tombolo_herder::secrets::SECRET_BYTES_MAX;

use crate::body;
use crate::connector::Name;
use crate::entity::Secret;
use crate::error::{Answer, json};
use crate::query::Parameters;
use crate::server::Context;
use crate::upload::refuse_multipart;

/// `GET /secrets`
pub(crate) async fn list(State(context): State<Context>) -> Answer {
    let secrets = context.herder()?.secrets()?;
    let shown: Vec<Secret<'_>> = secrets.iter().map(Secret::from).collect();
    Ok(json(StatusCode::OK, &shown))
}

/// `GET /secrets/{secret}`
pub(crate) async fn find(State(context): State<Context>, Name(name): Name) -> Answer {
    let secret = context.herder()?.secret(&name)?;
    Ok(json(StatusCode::OK, &Secret::from(&secret)))
}

/// `PUT /secrets/{secret}`: the body is the value, whatever its media type. 201 for a new secret, 200 for a new value.
pub(crate) async fn set(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let value = body::whole(body, SECRET_BYTES_MAX).await;
    let herder = context.herder()?;
    refuse_multipart(&headers, "a secret is sent as the body itself, as with curl -T file")?;
    let value = value.map_err(|unread| unread.failure(SECRET_BYTES_MAX))?;
    let (is_new, secret) = herder.put_secret(&name, &value).await?;
    let restarted = match query.is_true("restart", false) {
        true => herder.restart_users(&secret).await,
        false => Vec::new(),
    };
    let code = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(code, &Secret::from(&secret).restarting(&restarted)))
}

/// `DELETE /secrets/{secret}`
pub(crate) async fn delete(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
) -> Answer {
    context.herder()?.delete_secret(&name, query.is_true("force", false)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
