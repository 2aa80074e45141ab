//! A worker that stands alone. Follows `StandaloneWorkerIntegrationTest`. Not here: its file of offsets, which our own tests read.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::json;

use super::rest::loggers;
use crate::case::{Case, Settings};
use crate::golden::hold;
use crate::kit;
use crate::scene::{Scene, config};
use crate::worker::{Plan, Worker};

/// Without a group and its topics; offsets are in a file of the worker's folder.
const ALONE: Settings = &[
    ("offset.storage.file.filename", "offsets"),
    ("group.id", ""),
    ("config.storage.topic", ""),
    ("config.storage.replication.factor", ""),
    ("offset.storage.topic", ""),
    ("offset.storage.replication.factor", ""),
    ("offset.storage.partitions", ""),
    ("status.storage.topic", ""),
    ("status.storage.replication.factor", ""),
    ("scheduled.rebalance.max.delay.ms", ""),
];

macro_rules! from {
    ($test:literal) => {
        concat!("StandaloneWorkerIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("standalone/loggers", from!("testDynamicLogging"), |scene| {
        hold(scene, "loggers", &loggers())
    })
    .with(ALONE),
    Case::new(
        "standalone/a_connector_is_created_stopped_and_resumed",
        from!("testCreateConnectorWithStoppedInitialState"),
        created_stopped,
    )
    .with(ALONE),
    Case::new(
        "standalone/who_is_healthy_has_the_connectors_that_it_began_with",
        from!("testHealthCheck"),
        healthy,
    )
    .alone(),
];

fn created_stopped(scene: &Scene<'_>) -> Result<()> {
    const TASKS: usize = 4;
    let topic = scene.make_topic("t")?;
    let connector = scene.connector();
    let source = json!({"topic": topic, "throughput": "10", "tasks.max": TASKS.to_string()});
    connector.create(&config(kit::SOURCE, &source), "STOPPED")?;
    connector.wait_for("STOPPED", &[])?;
    connector.expect_no_tasks()?;
    connector.resume()?;
    connector.wait_until_running(TASKS)
}

/// Apache's test lets that connector hang. Ours ship with the program: a component is uploaded to a worker that runs already.
fn healthy(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let plan = scene.stage().plan(scene.name(), ALONE);
    let folder = plan.folder.join(&plan.name);
    let lines = folder.join("files").join("lines.txt");
    let file = folder.join("connector.json");
    let connector = json!({
        "name": scene.name(), "connector.class": "FileStreamSource", "tasks.max": "1",
        "topic": topic, "file": lines,
    });
    std::fs::create_dir_all(folder.join("files"))?;
    std::fs::write(&lines, "one\n")?;
    std::fs::write(&file, connector.to_string())?;
    let worker = Arc::new(Worker::launch(Plan { connectors: vec![file], ..plan })?);
    worker.wait_until_healthy()?;
    let scene = scene.on(&worker);
    let tasks = scene.connector().tasks()?;
    ensure!(tasks.len() == 1, "its tasks are {tasks:?}");
    scene.connector().wait_until_running(1)?;
    scene.broker().read(&topic, 1).map(drop)
}
