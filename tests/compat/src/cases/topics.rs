//! Topics in use. Follows `ConnectorTopicsIntegrationTest`. Not here: making topics (`sources`).

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::case::{Case, Settings};
use crate::kit;
use crate::scene::{Scene, config};

const NO_RESET: Settings = &[("topic.tracking.allow.reset", "false")];
const NO_TRACKING: Settings =
    &[("topic.tracking.enable", "false"), ("status.storage.topic", "compat-no-tracking-PEER")];

macro_rules! from {
    ($test:literal) => {
        concat!("ConnectorTopicsIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("topics/are_those_in_use_until_a_reset", from!("testGetActiveTopics"), in_use),
    Case::new(
        "topics/are_not_reset_where_that_is_not_allowed",
        from!("testTopicTrackingResetIsDisabled"),
        no_reset,
    )
    .with(NO_RESET),
    Case::new(
        "topics/are_not_told_where_nobody_keeps_them",
        from!("testTopicTrackingIsDisabled"),
        no_tracking,
    )
    .with(NO_TRACKING),
    Case::new(
        "topics/of_a_source_follow_a_transformation",
        "ConnectorTopicsIntegrationTest",
        routed,
    ),
];

fn source(topic: &str) -> Value {
    config(kit::SOURCE, &json!({"topic": topic, "throughput": "10", "messages.per.poll": "10"}))
}

fn sink(topics: &[&str]) -> Value {
    config(kit::SINK, &json!({"topics": topics.join(",")}))
}

fn in_use(scene: &Scene<'_>) -> Result<()> {
    let (busy, idle) = (scene.make_topic_of("foo", 3)?, scene.make_topic_of("bar", 3)?);
    let (foo_source, bar_source) =
        (scene.connector_named("foo-source"), scene.connector_named("bar-source"));
    let sink_connector = scene.connector_named("sink");
    ensure!(foo_source.topics()?.is_empty(), "a connector that is not there uses no topics");
    foo_source.put(&source(&busy))?;
    foo_source.wait_for_topics(&[&busy])?;
    bar_source.put(&source(&idle))?;
    bar_source.wait_for_topics(&[&idle])?;
    sink_connector.put(&sink(&[&busy, &idle]))?;
    sink_connector.wait_for_topics(&[&busy, &idle])?;
    // A deleted connector uses none.
    bar_source.delete()?;
    bar_source.wait_for_topics(&[])?;
    // All that the deleted source wrote has to be through, or it would be in use again after the reset.
    let length = scene.broker().length(&idle)?;
    sink_connector.wait_for_offsets("the sink is at the end of the idle topic", |offsets| {
        let of_bar = offsets.iter().filter(|(partition, _)| partition["kafka_topic"] == idle);
        of_bar.filter_map(|(_, offset)| offset["kafka_offset"].as_u64()).sum::<u64>() == length
    })?;
    sink_connector.ask("PUT", "/topics/reset", None)?.expect(202)?;
    sink_connector.wait_for_topics(&[&busy])
}

fn no_reset(scene: &Scene<'_>) -> Result<()> {
    let busy = scene.make_topic_of("foo", 3)?;
    let (foo_source, sink_connector) =
        (scene.connector_named("foo-source"), scene.connector_named("sink"));
    ensure!(foo_source.topics()?.is_empty(), "a connector that is not there uses no topics");
    foo_source.put(&source(&busy))?;
    foo_source.wait_for_topics(&[&busy])?;
    sink_connector.put(&sink(&[&busy]))?;
    sink_connector.wait_for_topics(&[&busy])?;
    foo_source.delete()?;
    foo_source.wait_for_topics(&[])?;
    let answer = sink_connector.ask("PUT", "/topics/reset", None)?;
    answer.expect_error(403, "Topic tracking reset is disabled.")?;
    sink_connector.wait_for_topics(&[&busy])
}

fn no_tracking(scene: &Scene<'_>) -> Result<()> {
    let busy = scene.make_topic_of("foo", 3)?;
    let (foo_source, sink_connector) =
        (scene.connector_named("foo-source"), scene.connector_named("sink"));
    foo_source.put(&source(&busy))?;
    foo_source.wait_until_running(1)?;
    let disabled = "Topic tracking is disabled.";
    sink_connector.ask("PUT", "/topics/reset", None)?.expect_error(403, disabled)?;
    sink_connector.ask("GET", "/topics", None)?.expect_error(403, disabled)?;
    scene.broker().read(&busy, 10)?;
    // What tracking would have written, it would have written with the first records.
    let status = format!("compat-no-tracking-{}", scene.peer().name());
    let records = scene.broker().read(&status, 1)?;
    let tracked = records
        .iter()
        .find(|record| record.key.as_deref().is_some_and(|key| key.starts_with("status-topic-")));
    ensure!(tracked.is_none(), "the status topic has {tracked:?}");
    Ok(())
}

fn routed(scene: &Scene<'_>) -> Result<()> {
    let (from, to) = (scene.topic("from"), scene.make_topic("to")?);
    let connector = scene.connector();
    let route = json!({
        "topic": from, "throughput": "10", "transforms": "route",
        "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route.regex": "(.*)-from", "transforms.route.replacement": "$1-to",
    });
    connector.put(&config(kit::SOURCE, &route))?;
    connector.wait_for_topics(&[&to])
}
