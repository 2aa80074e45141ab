//! Several connectors on one worker. Follows `RebalanceSourceConnectorsIntegrationTest`. Not here: several workers.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::case::Case;
use crate::events::count;
use crate::kit;
use crate::scene::{Scene, changed};

/// Tasks of each connector.
const TASKS: usize = 4;

macro_rules! from {
    ($test:literal) => {
        concat!("RebalanceSourceConnectorsIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("several/start_beside_each_other", from!("testStartTwoConnectors"), started),
    Case::new(
        "several/one_takes_another_topic_and_the_other_does_not_notice",
        from!("testReconfigConnector"),
        reconfigured,
    ),
    Case::new(
        "several/one_is_deleted_and_the_others_do_not_notice",
        from!("testDeleteConnector"),
        deleted,
    ),
];

fn source(topic: &str) -> Value {
    json!({
        "connector.class": kit::SOURCE, "tasks.max": TASKS.to_string(), "topic": topic,
        "throughput": "20", "messages.per.poll": "10",
    })
}

/// How often each task has started so far.
fn starts(scene: &Scene<'_>, word: &str) -> BTreeMap<String, usize> {
    count(&scene.connector_named(word).events(), "start")
}

fn started(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic_of("t", 3)?;
    let (one, other) = (scene.connector_named("one"), scene.connector_named("other"));
    one.put(&source(&topic))?;
    one.wait_until_running(TASKS)?;
    other.put(&source(&topic))?;
    other.wait_until_running(TASKS)?;
    one.wait_until_running(TASKS)?;
    let from = |name: &str| format!("value-{name}-");
    let has = |name: &str| {
        let records = scene.broker().read_now(&topic).unwrap_or_default();
        records.iter().any(|it| it.value.as_ref().is_some_and(|it| it.starts_with(&from(name))))
    };
    scene.wait("both write", || has(one.name()) && has(other.name()))
}

fn reconfigured(scene: &Scene<'_>) -> Result<()> {
    let (topic, another) = (scene.make_topic_of("t", 3)?, scene.make_topic_of("u", 3)?);
    let (one, other) = (scene.connector_named("one"), scene.connector_named("other"));
    for connector in [&one, &other] {
        connector.put(&source(&topic))?;
        connector.wait_until_running(TASKS)?;
    }
    scene.broker().read(&topic, 100)?;
    let (before, others) = (starts(scene, "one"), starts(scene, "other"));
    one.put(&changed(&source(&topic), &json!({ "topic": another })))?;
    one.wait_for_events("it and all of its tasks start again", |events| {
        let after = count(events, "start");
        before.iter().all(|(who, times)| after.get(who) > Some(times))
    })?;
    one.wait_until_running(TASKS)?;
    scene.broker().read(&another, 100)?;
    ensure!(starts(scene, "other") == others, "the other has started again");
    Ok(())
}

fn deleted(scene: &Scene<'_>) -> Result<()> {
    const WORDS: [&str; 3] = ["one", "two", "three"];
    let topic = scene.make_topic_of("t", 3)?;
    for word in WORDS {
        let connector = scene.connector_named(word);
        connector.put(&source(&topic))?;
        connector.wait_until_running(TASKS)?;
    }
    let kept = [starts(scene, "one"), starts(scene, "two")];
    scene.connector_named("three").delete()?;
    let before = scene.broker().length(&topic)?;
    scene.broker().read(&topic, before + 50)?;
    ensure!([starts(scene, "one"), starts(scene, "two")] == kept, "others have started again");
    for word in ["one", "two"] {
        scene.connector_named(word).wait_until_running(TASKS)?;
    }
    Ok(())
}
