//! Offsets of sources: those that the worker stored for them. Not here: the list of cases (`offsets`).

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::offsets::{RECORDS, TASKS, base, expect_left_to_worker};
use crate::broker::Broker;
use crate::connector::Connector;
use crate::http::Request;
use crate::kit;
use crate::scene::{Scene, changed};

pub(super) fn own_topic(scene: &Scene<'_>) -> Value {
    json!({"offsets.storage.topic": scene.topic("offsets")})
}

pub(super) fn other_cluster(other: &Broker) -> Value {
    json!({
        "producer.override.bootstrap.servers": other.bootstrap(),
        "admin.override.bootstrap.servers": other.bootstrap(),
    })
}

fn source(scene: &Scene<'_>, more: &Value) -> Value {
    let source = json!({
        "topic": scene.topic("t"), "messages.per.poll": "3", "max.messages": RECORDS.to_string(),
        "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
    });
    changed(&base(kit::SOURCE, &source), more)
}

/// Waits until each task is at this offset.
fn wait_for(connector: &Connector<'_>, offset: usize) -> Result<()> {
    connector.wait_for_offsets(&format!("{TASKS} tasks are at {offset}"), |offsets| {
        offsets.len() == TASKS
            && offsets.iter().all(|(partition, found)| {
                let task = partition["task.id"].as_str().unwrap_or_default();
                task.starts_with(connector.name()) && found["saved"] == offset
            })
    })
}

fn started<'s>(scene: &'s Scene<'_>, more: &Value) -> Result<Connector<'s>> {
    let connector = scene.connector();
    connector.put(&source(scene, more))?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, RECORDS)?;
    Ok(connector)
}

/// The same offset for each task.
fn all_at(connector: &Connector<'_>, offset: usize) -> Value {
    let each: Vec<Value> = (0..TASKS)
        .map(|task| {
            json!({"partition": {"task.id": connector.task(task)}, "offset": {"saved": offset}})
        })
        .collect();
    json!({ "offsets": each })
}

pub(super) fn get(scene: &Scene<'_>, more: &Value) -> Result<()> {
    let connector = started(scene, more)?;
    let twice = json!({"max.messages": (2 * RECORDS).to_string()});
    connector.put(&changed(&source(scene, more), &twice))?;
    wait_for(&connector, 2 * RECORDS)
}

pub(super) fn not_stopped(scene: &Scene<'_>) -> Result<()> {
    let connector = started(scene, &json!({}))?;
    let message = "Connectors must be in the STOPPED state before their offsets can be modified";
    let offsets = all_at(&connector, 5);
    connector.ask("PATCH", "/offsets", Some(&offsets))?.expect_error(400, message)?;
    connector.pause()?;
    connector.wait_for("PAUSED", &["PAUSED"; TASKS])?;
    connector.ask("PATCH", "/offsets", Some(&offsets))?.expect_error(400, message)
}

pub(super) fn alter(scene: &Scene<'_>, more: &Value) -> Result<()> {
    let connector = started(scene, more)?;
    connector.stop_and_wait()?;
    let offsets = all_at(&connector, 5);
    let answer = connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?.json();
    expect_left_to_worker(&answer, "altered")?;
    wait_for(&connector, 5)?;

    // A connector that takes care of offsets itself.
    connector.put(&changed(&source(scene, more), &json!({"alter.offsets.result": "true"})))?;
    let offsets = all_at(&connector, 7);
    let answer = connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?.json();
    let expected = "The offsets for this connector have been altered successfully";
    ensure!(answer["message"] == expected, "{answer}");
    wait_for(&connector, 7)?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, RECORDS)
}

pub(super) fn reset(scene: &Scene<'_>, more: &Value) -> Result<()> {
    let connector = started(scene, more)?;
    connector.stop_and_wait()?;
    // What is done already can be asked for again.
    for _ in 0..2 {
        let answer = connector.ask("DELETE", "/offsets", None)?.expect(200)?.json();
        expect_left_to_worker(&answer, "reset")?;
        connector.wait_for_offsets("there are none", <[_]>::is_empty)?;
    }
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, RECORDS)
}

pub(super) fn wrong_requests(scene: &Scene<'_>) -> Result<()> {
    let connector = started(scene, &json!({}))?;
    connector.stop_and_wait()?;
    let none = "Partitions / offsets need to be provided for an alter offsets request";
    // What is no such request as JSON is refused in the words of a JSON parser.
    for (body, status, message) in [
        ("[]", 500, ""),
        ("{}", 400, none),
        ("{\"key\": []}", 500, ""),
        ("{\"offsets\": []}", 400, none),
        ("{\"offsets\": {}}", 500, ""),
        ("{\"offsets\": [123]}", 500, ""),
        ("{\"offsets\": [{\"key\": \"val\"}]}", 500, ""),
        ("{\"offsets\": [{\"partition\": []]}]}", 500, ""),
    ] {
        let path = format!("/connectors/{}/offsets", connector.name());
        let request = Request {
            method: "PATCH",
            path: &path,
            headers: &[("content-type", "application/json")],
            body: Some(body.as_bytes()),
        };
        scene.client().send_until_settled(&request)?.expect_error(status, message)?;
    }
    Ok(())
}
