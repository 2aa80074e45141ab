//! A worker that goes and comes back. Follows `connect_distributed_test`. Not here: several workers.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::case::{Case, Settings};
use crate::connector::Connector;
use crate::events::rows;
use crate::kit;
use crate::scene::{Scene, config};
use crate::worker::Worker;

/// A worker whose death its groups notice soon.
const SOON: Settings = &[
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "1000"),
    ("consumer.session.timeout.ms", "6000"),
    ("consumer.heartbeat.interval.ms", "1000"),
];

/// How often the worker goes.
const BOUNCES: usize = 2;

/// Records between two of them, and after the last.
const RECORDS: usize = 50;

macro_rules! from {
    ($test:literal) => {
        concat!("connect_distributed_test.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("bounce/a_pause_outlives_the_worker", from!("test_pause_state_persistent"), paused)
        .alone(),
    Case::new(
        "bounce/a_worker_that_stops_loses_nothing_and_repeats_nothing",
        from!("test_bounce"),
        |scene| {
            let repeated = bounce(scene, Worker::stop)?;
            ensure!(repeated == 0, "{repeated} records came twice");
            Ok(())
        },
    )
    .alone(),
    Case::new("bounce/a_worker_that_is_killed_loses_nothing", from!("test_bounce"), |scene| {
        bounce(scene, Worker::kill).map(drop)
    })
    .alone(),
];

fn paused(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let worker = scene.start_worker(&[])?;
    let scene = scene.on(&worker);
    let connector = scene.connector();
    connector.put(&config(kit::SOURCE, &json!({"topic": topic, "throughput": "10"})))?;
    connector.wait_until_running(1)?;
    connector.pause()?;
    connector.wait_for("PAUSED", &["PAUSED"])?;
    worker.stop()?;
    worker.start_again()?;
    connector.wait_for("PAUSED", &["PAUSED"])?;
    let before = scene.broker().length(&topic)?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    let grows = || scene.broker().length(&topic).is_ok_and(|length| length > before);
    scene.wait("records come again", grows)
}

/// Numbers that a sink got, in order.
fn numbers(sink: &Connector<'_>) -> Vec<u64> {
    let rows = rows(&sink.events());
    rows.iter().filter_map(|row| row.value.rsplit('-').next()?.parse().ok()).collect()
}

/// Lets a worker go and come back while records travel from a source to a sink. Answers how many came twice; all of them come.
fn bounce(scene: &Scene<'_>, go: fn(&Worker) -> Result<()>) -> Result<usize> {
    let topic = scene.make_topic("t")?;
    let worker = scene.start_worker(SOON)?;
    let scene = scene.on(&worker);
    let (source, sink) = (scene.connector_named("source"), scene.connector_named("sink"));
    source.put(&config(kit::SOURCE, &json!({"topic": topic, "throughput": "50"})))?;
    sink.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    for _ in 0..BOUNCES {
        wait_for_more(&sink, RECORDS)?;
        go(&worker)?;
        worker.start_again()?;
    }
    wait_for_more(&sink, RECORDS)?;
    source.stop_and_wait()?;
    // No more are sent: what is in the topic is all that has to arrive.
    let sent = scene.broker().read_now(&topic)?;
    let sent: BTreeSet<u64> = sent
        .iter()
        .filter_map(|it| it.value.as_deref()?.rsplit('-').next()?.parse().ok())
        .collect();
    let last = sent.last().copied().context("records were sent")?;
    ensure!(sent.iter().copied().eq(1..=last), "the source left some out: {sent:?}");
    sink.wait_for_events("all arrive", |_| {
        numbers(&sink).into_iter().collect::<BTreeSet<_>>() == sent
    })?;
    Ok(numbers(&sink).len() - sent.len())
}

fn wait_for_more(sink: &Connector<'_>, count: usize) -> Result<()> {
    let before = numbers(sink).len();
    let grown = |_: &[crate::events::Event]| numbers(sink).len() >= before + count;
    sink.wait_for_events("records arrive", grown).map(drop)
}
