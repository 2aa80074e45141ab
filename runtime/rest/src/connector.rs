//! `/connectors/{name}` and what is below it.
//!
//! Not here: offsets.

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use tombolo_herder::{ConnectorStatus, RestartFlags};

use crate::body;
use crate::connectors::{Base, created};
use crate::entity::{Config, Info, StateInfo, Task, TaskInfo, TaskState};
use crate::error::{Answer, Failure, json};
use crate::query::Parameters;
use crate::server::Context;

/// The connector in the path.
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let segments = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let name = segments.ok().and_then(|Path(segments)| segments.into_iter().next());
        name.map(|(_, name)| Self(name)).ok_or_else(|| Failure::http(StatusCode::NOT_FOUND))
    }
}

/// The task in the path.
pub(crate) struct TaskIndex(u32);

impl<S: Send + Sync> FromRequestParts<S> for TaskIndex {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let segments = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let task = segments.ok().and_then(|Path(segments)| segments.into_iter().nth(1));
        let index = task.and_then(|(_, index)| index.parse().ok());
        index.map(Self).ok_or_else(|| Failure::http(StatusCode::NOT_FOUND))
    }
}

/// `GET /connectors/{name}`
pub(crate) async fn info(State(context): State<Context>, Name(name): Name) -> Answer {
    let info = context.herder()?.connector(&name)?;
    Ok(json(StatusCode::OK, &Info::from(&info)))
}

/// `GET /connectors/{name}/config`
pub(crate) async fn config(State(context): State<Context>, Name(name): Name) -> Answer {
    let info = context.herder()?.connector(&name)?;
    Ok(json(StatusCode::OK, &Config(&info.config)))
}

/// `PUT /connectors/{name}/config`
pub(crate) async fn put_config(
    State(context): State<Context>,
    Name(name): Name,
    base: Base,
    body: Bytes,
) -> Answer {
    let herder = context.herder()?;
    let config = body::json(body)?.settings()?;
    let (is_new, info) = herder.put_config(&name, config).await?;
    if is_new {
        return Ok(created(&info, &base));
    }
    Ok(json(StatusCode::OK, &Info::from(&info)))
}

/// `PATCH /connectors/{name}/config`: a null removes a setting.
pub(crate) async fn patch_config(
    State(context): State<Context>,
    Name(name): Name,
    body: Bytes,
) -> Answer {
    let herder = context.herder()?;
    let sent = body::json(body)?;
    if sent.is_null() {
        // That there is no connector is found out before that there is no patch.
        herder.connector(&name)?;
    }
    let patch = sent.settings()?;
    let info = herder.patch_config(&name, patch).await?;
    Ok(json(StatusCode::OK, &Info::from(&info)))
}

/// `DELETE /connectors/{name}`
pub(crate) async fn delete(State(context): State<Context>, Name(name): Name) -> Answer {
    context.herder()?.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /connectors/{name}/status`
pub(crate) async fn status(State(context): State<Context>, Name(name): Name) -> Answer {
    let status = context.herder()?.status(&name)?;
    Ok(status_answer(StatusCode::OK, &status))
}

fn status_answer(code: StatusCode, status: &ConnectorStatus) -> Response {
    json(code, &StateInfo::from(status))
}

/// `POST /connectors/{name}/restart`
pub(crate) async fn restart(
    State(context): State<Context>,
    Name(name): Name,
    query: Parameters,
) -> Answer {
    let request = RestartFlags {
        only_failed: query.is_true("onlyFailed", false),
        include_tasks: query.is_true("includeTasks", false),
    };
    match context.herder()?.restart(&name, request).await? {
        Some(status) => Ok(status_answer(StatusCode::ACCEPTED, &status)),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// `PUT /connectors/{name}/pause`
pub(crate) async fn pause(State(context): State<Context>, Name(name): Name) -> Answer {
    context.herder()?.pause(&name).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// `PUT /connectors/{name}/resume`
pub(crate) async fn resume(State(context): State<Context>, Name(name): Name) -> Answer {
    context.herder()?.resume(&name).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// `PUT /connectors/{name}/stop`
pub(crate) async fn stop(State(context): State<Context>, Name(name): Name) -> Answer {
    context.herder()?.stop_connector(&name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /connectors/{name}/tasks`
pub(crate) async fn tasks(State(context): State<Context>, Name(name): Name) -> Answer {
    let tasks = context.herder()?.tasks(&name)?;
    let tasks: Vec<TaskInfo<'_>> = tasks
        .iter()
        .map(|(id, config)| TaskInfo { id: Task::from(id), config: Config(config) })
        .collect();
    Ok(json(StatusCode::OK, &tasks))
}

/// `GET /connectors/{name}/tasks/{task}/status`
pub(crate) async fn task_status(
    State(context): State<Context>,
    Name(name): Name,
    TaskIndex(task): TaskIndex,
) -> Answer {
    let status = context.herder()?.task_status(&name, task)?;
    Ok(json(StatusCode::OK, &TaskState::new(task, &status)))
}

/// `POST /connectors/{name}/tasks/{task}/restart`
pub(crate) async fn restart_task(
    State(context): State<Context>,
    Name(name): Name,
    TaskIndex(task): TaskIndex,
) -> Answer {
    context.herder()?.restart_task(&name, task).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /connectors/{name}/topics`
pub(crate) async fn topics(State(context): State<Context>, Name(name): Name) -> Answer {
    let topics = context.herder()?.topics(&name)?;
    Ok(json(StatusCode::OK, &serde_json::json!({ name: { "topics": topics } })))
}

/// `PUT /connectors/{name}/topics/reset`
pub(crate) async fn reset_topics(State(context): State<Context>, Name(name): Name) -> Answer {
    context.herder()?.reset_topics(&name)?;
    Ok(StatusCode::ACCEPTED.into_response())
}
