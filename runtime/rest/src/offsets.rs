//! `/connectors/{name}/offsets`.
//!
//! Not here: changing them.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::value::RawValue;

use crate::connector::Name;
use crate::entity::{ConnectorOffset, ConnectorOffsets};
use crate::error::{Answer, Failure, json};
use crate::server::Context;

/// `GET /connectors/{name}/offsets`
pub(crate) async fn list(State(context): State<Context>, Name(name): Name) -> Answer {
    let offsets = context.herder()?.offsets(&name).await?;
    let raw = |text: String| {
        RawValue::from_string(text).map_err(|err| {
            Failure::unreadable(format!("an offset in the offsets topic is not JSON: {err}"))
        })
    };
    let offsets = offsets
        .into_iter()
        .map(|(partition, offset)| {
            Ok(ConnectorOffset { partition: raw(partition)?, offset: raw(offset)? })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(json(StatusCode::OK, &ConnectorOffsets { offsets }))
}
