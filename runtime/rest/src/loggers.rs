//! `/admin/loggers`: how much this worker logs.
//!
//! Not here: what the names of loggers stand for.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use tombolo_herder::Level;

use crate::body;
use crate::connector::Name;
use crate::entity;
use crate::error::{Answer, Failure, json};
use crate::query::Parameters;
use crate::server::Context;

/// `GET /admin/loggers`: sorted by name, without those that are off.
pub(crate) async fn list(State(context): State<Context>) -> Answer {
    let all = context.herder()?.loggers().all();
    let shown: BTreeMap<&str, entity::LoggerLevel> = all
        .iter()
        .filter(|(_, logger)| logger.level != Level::Off)
        .map(|(name, logger)| (name.as_str(), entity::LoggerLevel::from(logger)))
        .collect();
    Ok(json(StatusCode::OK, &shown))
}

/// `GET /admin/loggers/{logger}`
pub(crate) async fn find(State(context): State<Context>, Name(name): Name) -> Answer {
    match context.herder()?.loggers().find(&name) {
        Some(logger) => Ok(json(StatusCode::OK, &entity::LoggerLevel::from(&logger))),
        None => {
            let message = format!("Logger {name} not found.");
            Err(Failure::new(StatusCode::NOT_FOUND, message))
        }
    }
}

/// `PUT /admin/loggers/{logger}`: on this worker, or with `scope=cluster` on all.
pub(crate) async fn set(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
    body: Bytes,
) -> Answer {
    let herder = context.herder()?;
    let mut settings = body::json(body)?.settings()?;
    let Some(wanted) = settings.remove("level").flatten() else {
        let message = "Desired 'level' parameter was not specified in request.";
        return Err(Failure::bad_request(message));
    };
    let Some(level) = Level::from_name(&wanted) else {
        let message = format!("invalid log level '{wanted}'.");
        return Err(Failure::new(StatusCode::NOT_FOUND, message));
    };
    let scope = query.get("scope").unwrap_or("worker");
    if scope.eq_ignore_ascii_case("cluster") {
        herder.set_cluster_level(&name, level).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if !scope.eq_ignore_ascii_case("worker") {
        tracing::warn!(
            "Received invalid scope '{scope}' in request to adjust logging level; will default to worker"
        );
    }
    Ok(json(StatusCode::OK, &herder.loggers().set(&name, level)?))
}
