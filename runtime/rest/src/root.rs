//! `/` and `/health`.
//!
//! Not here: what makes a worker healthy.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tombolo_herder::Health;

use crate::entity::{ServerInfo, WorkerHealth};
use crate::error::{Answer, json};
use crate::server::Context;

/// The Kafka Connect whose API this is; clients choose their features by it.
const KAFKA_CONNECT_VERSION: &str = "4.3.1";

/// What we are, where Kafka Connect names its commit.
const COMMIT: &str = concat!("tombolo-", env!("CARGO_PKG_VERSION"));

pub(crate) const STARTING: WorkerHealth =
    WorkerHealth { status: "starting", message: "Worker is still starting up." };

const HEALTHY: WorkerHealth = WorkerHealth {
    status: "healthy",
    message: "Worker has completed startup and is ready to handle requests.",
};

const UNHEALTHY: WorkerHealth = WorkerHealth {
    status: "unhealthy",
    message: "Worker was unable to handle this request and may be unable to handle other requests.",
};

/// `GET /`
pub(crate) async fn info(State(context): State<Context>) -> Answer {
    let herder = context.herder()?;
    let info = ServerInfo {
        version: KAFKA_CONNECT_VERSION,
        commit: COMMIT,
        kafka_cluster_id: herder.cluster_id(),
    };
    Ok(json(StatusCode::OK, &info))
}

/// `GET /health`
pub(crate) async fn health(State(context): State<Context>) -> Response {
    let Ok(herder) = context.herder() else {
        return json(StatusCode::SERVICE_UNAVAILABLE, &STARTING).into_response();
    };
    match herder.health().await {
        Health::Healthy => json(StatusCode::OK, &HEALTHY),
        Health::Starting => json(StatusCode::SERVICE_UNAVAILABLE, &STARTING),
        Health::Unhealthy => json(StatusCode::INTERNAL_SERVER_ERROR, &UNHEALTHY),
    }
}
