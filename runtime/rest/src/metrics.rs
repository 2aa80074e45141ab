//! `/metrics`: everything that is measured, for Prometheus.
//!
//! Not here: measuring, and the text's format (`prometheus`).

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;

use crate::error::Answer;
use crate::prometheus;
use crate::server::Context;

/// `GET /metrics`
pub(crate) async fn all(State(context): State<Context>) -> Answer {
    let text = prometheus::text(&context.herder()?.metrics());
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, prometheus::MEDIA_TYPE)], text).into_response())
}
