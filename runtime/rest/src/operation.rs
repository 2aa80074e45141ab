//! What a request does, what it takes and what it answers, for people and their tools.
//!
//! Every route has one beside its handler (`routes`), so that none is served without. Not here: the document made of them (`openapi`).

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use tombolo_model::log_lines::LINES_MAX;

use crate::entity::{
    ConfigInfos, ConnectorOffsets, Definition, Info, LoggerLevel, Message, Plugin, Secret,
    ServerInfo, StateInfo, TaskInfo, TaskState, Upload, WorkerHealth,
};
use crate::logs::LINES;

/// The shape of a body.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// One request. Errors are the same everywhere and not named.
pub(crate) struct Operation {
    /// In one line.
    pub(crate) summary: &'static str,
    /// Parameters of the query: name, shape, and what it is for.
    pub(crate) query: &'static [(&'static str, Shape, &'static str)],
    /// The media type and shape of the body that it reads.
    pub(crate) body: Option<(&'static str, Shape)>,
    /// Statuses of success, each with the shape of the body, if there is one.
    pub(crate) answers: &'static [(u16, Option<Shape>)],
}

const JSON: &str = "application/json";

/// The shape of an entity.
fn of<T: JsonSchema>(shapes: &mut SchemaGenerator) -> Schema {
    shapes.subschema_for::<T>()
}

fn boolean(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "boolean", "default": false })
}

fn lines(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": LINES_MAX, "default": LINES })
}

fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}

/// `expand`, which may be repeated.
fn expansions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "enum": ["status", "info"] } })
}

/// `group`, which may be repeated.
fn groups(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string" } })
}

fn scope(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["worker", "cluster"], "default": "worker" })
}

/// Settings as they are sent: scalars become text.
fn settings(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
    })
}

fn new_connector(shapes: &mut SchemaGenerator) -> Schema {
    let config = settings(shapes);
    json_schema!({
        "type": "object",
        "required": ["name", "config"],
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "config": config,
            "initial_state": { "enum": ["RUNNING", "PAUSED", "STOPPED"] },
        },
    })
}

/// Offsets as they are sent: a null forgets a partition's.
fn new_offsets(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["offsets"],
        "additionalProperties": false,
        "properties": { "offsets": { "type": "array", "items": {
            "type": "object",
            "required": ["partition"],
            "properties": {
                "partition": { "type": "object" },
                "offset": { "type": ["object", "null"] },
            },
        } } },
    })
}

fn new_level(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["level"],
        "properties": { "level": {
            "enum": ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"],
        } },
    })
}

fn bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}

/// Names, or with `expand` what was asked for by name.
fn connectors(shapes: &mut SchemaGenerator) -> Schema {
    let (status, info) = (of::<StateInfo<'_>>(shapes), of::<Info<'_>>(shapes));
    json_schema!({ "oneOf": [
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": {
            "type": "object", "properties": { "status": status, "info": info },
        } },
    ] })
}

/// The topics of one connector, by its name.
fn topics(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["topics"],
            "properties": { "topics": { "type": "array", "items": { "type": "string" } } },
        },
    })
}

fn any(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

/// Asks for something without parameters.
const fn look(summary: &'static str, answers: &'static [(u16, Option<Shape>)]) -> Operation {
    Operation { summary, query: &[], body: None, answers }
}

/// Sends JSON, without parameters.
const fn send(
    summary: &'static str,
    body: Shape,
    answers: &'static [(u16, Option<Shape>)],
) -> Operation {
    Operation { summary, query: &[], body: Some((JSON, body)), answers }
}

pub(crate) const INFO: Operation =
    look("The worker's version and Kafka cluster", &[(200, Some(of::<ServerInfo<'_>>))]);
pub(crate) const HEALTH: Operation = look(
    "Whether the worker is starting, healthy or unhealthy",
    &[
        (200, Some(of::<WorkerHealth>)),
        (503, Some(of::<WorkerHealth>)),
        (500, Some(of::<WorkerHealth>)),
    ],
);
pub(crate) const METRICS: Operation = look(
    "Everything that is measured, as text for Prometheus. An addition to Kafka Connect",
    &[(200, None)],
);
pub(crate) const ALL_METERS: Operation = Operation {
    query: &[("group", groups, "groups of metrics to answer; all where none is named")],
    ..look(
        "What is measured of the worker and of each connector and its tasks, as JSON. An addition to Kafka Connect",
        &[(200, Some(any))],
    )
};
pub(crate) const DOCUMENT: Operation =
    look("This document. An addition to Kafka Connect", &[(200, Some(any))]);

pub(crate) const LIST_CONNECTORS: Operation = Operation {
    query: &[("expand", expansions, "what to answer of each connector, instead of its name alone")],
    ..look("All connectors", &[(200, Some(connectors))])
};
pub(crate) const CREATE_CONNECTOR: Operation =
    send("Creates a connector", new_connector, &[(201, Some(of::<Info<'_>>))]);
pub(crate) const CONNECTOR: Operation = look("A connector", &[(200, Some(of::<Info<'_>>))]);
pub(crate) const DELETE_CONNECTOR: Operation =
    look("Deletes a connector; its offsets stay", &[(204, None)]);
pub(crate) const CONFIG: Operation =
    look("The configuration of a connector", &[(200, Some(of::<BTreeMap<String, String>>))]);
pub(crate) const PUT_CONFIG: Operation = send(
    "Gives a connector a configuration, and creates it where there is none",
    settings,
    &[(200, Some(of::<Info<'_>>)), (201, Some(of::<Info<'_>>))],
);
pub(crate) const PATCH_CONFIG: Operation = send(
    "Changes some settings of a connector; a null removes one",
    settings,
    &[(200, Some(of::<Info<'_>>))],
);
pub(crate) const STATUS: Operation =
    look("The states of a connector and its tasks", &[(200, Some(of::<StateInfo<'_>>))]);
pub(crate) const RESTART: Operation = Operation {
    query: &[
        ("includeTasks", boolean, "whether tasks are restarted too"),
        ("onlyFailed", boolean, "whether only what has failed is restarted"),
    ],
    ..look("Restarts a connector", &[(204, None), (202, Some(of::<StateInfo<'_>>))])
};
pub(crate) const PAUSE: Operation = look("Has a connector and its tasks wait", &[(202, None)]);
pub(crate) const RESUME: Operation = look("Has a connector run again", &[(202, None)]);
pub(crate) const STOP: Operation = look("Stops a connector and ends its tasks", &[(204, None)]);
pub(crate) const TASKS: Operation = look(
    "The tasks of a connector with their configurations",
    &[(200, Some(of::<Vec<TaskInfo<'_>>>))],
);
pub(crate) const TASK_STATUS: Operation =
    look("The state of a task", &[(200, Some(of::<TaskState<'_>>))]);
pub(crate) const RESTART_TASK: Operation = look("Restarts a task", &[(204, None)]);
pub(crate) const TOPICS: Operation =
    look("Topics that a connector has used", &[(200, Some(topics))]);
pub(crate) const RESET_TOPICS: Operation =
    look("Forgets the topics that a connector has used", &[(202, None)]);
pub(crate) const OFFSETS: Operation =
    look("The offsets of a connector", &[(200, Some(of::<ConnectorOffsets<'_>>))]);
pub(crate) const ALTER_OFFSETS: Operation =
    send("Sets offsets of a stopped connector", new_offsets, &[(200, Some(of::<Message<'_>>))]);
pub(crate) const RESET_OFFSETS: Operation =
    look("Forgets the offsets of a stopped connector", &[(200, Some(of::<Message<'_>>))]);
pub(crate) const LOGS: Operation = Operation {
    query: &[("lines", lines, "how many of the last lines to answer")],
    ..look(
        "The last log lines of a connector and its tasks. An addition to Kafka Connect",
        &[(200, Some(any))],
    )
};
pub(crate) const METERS: Operation = look(
    "What is measured of a connector and its tasks. An addition to Kafka Connect",
    &[(200, Some(any))],
);

pub(crate) const PLUGINS: Operation = Operation {
    query: &[("connectorsOnly", boolean, "whether only connectors are listed; true by default")],
    ..look("What is installed", &[(200, Some(of::<Vec<Plugin<'_>>>))])
};
pub(crate) const UPLOAD: Operation = Operation {
    body: Some(("application/wasm", bytes)),
    ..look(
        "Installs a component. An addition to Kafka Connect",
        &[(201, Some(of::<Upload<'_>>)), (200, Some(of::<Upload<'_>>))],
    )
};
pub(crate) const PLUGIN_CONFIG: Operation = Operation {
    query: &[("version", text, "the version of the plugin; the latest by default")],
    ..look("The settings of a plugin", &[(200, Some(of::<Vec<Definition<'_>>>))])
};
pub(crate) const VALIDATE: Operation = send(
    "What is wrong with each setting of a configuration",
    settings,
    &[(200, Some(of::<ConfigInfos<'_>>))],
);

pub(crate) const SECRETS: Operation = look(
    "All secrets, and who refers to them; never their values. An addition to Kafka Connect",
    &[(200, Some(of::<Vec<Secret<'_>>>))],
);
pub(crate) const SECRET: Operation = look(
    "A secret, and who refers to it; never its value. An addition to Kafka Connect",
    &[(200, Some(of::<Secret<'_>>))],
);
pub(crate) const SET_SECRET: Operation = Operation {
    query: &[("restart", boolean, "whether connectors that refer to it are restarted")],
    body: Some(("text/plain", text)),
    ..look(
        "Sets a secret, to which configurations refer as ${secret:name}. An addition to Kafka Connect",
        &[(201, Some(of::<Secret<'_>>)), (200, Some(of::<Secret<'_>>))],
    )
};
pub(crate) const DELETE_SECRET: Operation = Operation {
    query: &[("force", boolean, "whether it is deleted though connectors refer to it")],
    ..look("Deletes a secret. An addition to Kafka Connect", &[(204, None)])
};

pub(crate) const LOGGERS: Operation =
    look("The levels of all loggers", &[(200, Some(of::<BTreeMap<String, LoggerLevel>>))]);
pub(crate) const LOGGER: Operation =
    look("The level of a logger", &[(200, Some(of::<LoggerLevel>))]);
pub(crate) const SET_LOGGER: Operation = Operation {
    query: &[("scope", scope, "whether on this worker or on all")],
    ..send(
        "Sets a logger and those below it",
        new_level,
        &[(200, Some(of::<Vec<String>>)), (204, None)],
    )
};
