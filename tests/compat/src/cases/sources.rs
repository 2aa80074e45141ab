//! Sources, and the topics that are made for them. Follows `SourceConnectorsIntegrationTest` and `ExampleConnectIntegrationTest`. Not here: their offsets (`offsets`).

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::case::{Case, Settings};
use crate::events::count;
use crate::kit;
use crate::scene::{Scene, changed, config, errors_of};

const NO_CREATION: Settings = &[("topic.creation.enable", "false")];

macro_rules! from {
    ($test:literal) => {
        concat!("SourceConnectorsIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "sources/topics_are_made_by_groups",
        from!("testTopicsAreCreatedWhenTopicCreationIsEnabled"),
        by_groups,
    ),
    Case::new(
        "sources/topics_are_not_made_until_the_worker_may",
        from!("testSwitchingToTopicCreationEnabled"),
        switching,
    )
    .alone(),
    Case::new(
        "sources/topics_are_made_by_the_broker",
        from!("testTopicsAreCreatedWhenAutoCreateTopicsIsEnabledAtTheBroker"),
        by_broker,
    )
    .alone(),
    Case::new(
        "sources/all_records_arrive_and_are_committed",
        "ExampleConnectIntegrationTest.testSourceConnector",
        example,
    ),
    Case::new(
        "sources/a_pause_stops_the_records_and_keeps_the_task",
        "connect_distributed_test.test_pause_and_resume_source",
        pause,
    ),
    Case::new(
        "sources/a_topic_gets_the_settings_of_its_group",
        "TopicCreationConfig",
        topic_settings,
    ),
];

fn source(topic: &str) -> Value {
    config(kit::SOURCE, &json!({"topic": topic, "throughput": "10", "messages.per.poll": "10"}))
}

/// A source whose topic `busy` falls into a group of its own, with 9 partitions.
fn with_groups(scene: &Scene<'_>, topic: &str) -> Value {
    let groups = json!({
        "topic.creation.groups": "foo,bar",
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "1",
        "topic.creation.foo.include": scene.topic("foo"),
        "topic.creation.foo.exclude": scene.topic("bar"),
        "topic.creation.foo.partitions": "9",
    });
    changed(&source(topic), &groups)
}

fn expect_valid(scene: &Scene<'_>, name: &str, config: &Value) -> Result<()> {
    let named = changed(config, &json!({ "name": name }));
    let (count, errors) = errors_of(&scene.validate(kit::SOURCE, &named)?);
    ensure!(count == 0, "validation found {errors:?}");
    Ok(())
}

fn by_groups(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let busy = with_groups(scene, &scene.topic("foo"));
    connector.put(&busy)?;
    expect_valid(scene, connector.name(), &busy)?;
    connector.wait_until_running(1)?;
    scene.broker().expect_topic(&scene.topic("foo"), 9)?;
    // A topic that no group includes.
    let other = scene.connector_named("other");
    other.put(&with_groups(scene, &scene.topic("other")))?;
    scene.broker().expect_topic(&scene.topic("other"), 1)
}

fn topic_settings(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.topic("t");
    let settings = json!({
        "topic.creation.default.replication.factor": "1",
        "topic.creation.default.partitions": "2",
        "topic.creation.default.cleanup.policy": "compact",
    });
    scene.connector().put(&changed(&source(&topic), &settings))?;
    scene.broker().expect_topic(&topic, 2)?;
    let policy = scene.broker().setting(&topic, "cleanup.policy")?;
    ensure!(policy.as_deref() == Some("compact"), "the policy is {policy:?}");
    Ok(())
}

fn switching(scene: &Scene<'_>) -> Result<()> {
    let idle = scene.make_topic("bar")?;
    let busy = scene.topic("foo");
    let worker = scene.start_worker(NO_CREATION)?;
    {
        let scene = scene.on(&worker);
        let (foo_source, bar_source) =
            (scene.connector_named("foo-source"), scene.connector_named("bar-source"));
        bar_source.put(&source(&idle))?;
        foo_source.put(&with_groups(&scene, &busy))?;
        expect_valid(&scene, foo_source.name(), &with_groups(&scene, &busy))?;
        foo_source.wait_until_running(1)?;
        bar_source.wait_until_running(1)?;
        scene.broker().read(&idle, 10)?;
        ensure!(scene.broker().topic(&busy)?.is_none(), "{busy} was made");
        worker.stop()?;
    }
    drop(worker);
    // The same group and topics, another setting.
    let worker = scene.start_worker(&[])?;
    let scene = scene.on(&worker);
    scene.connector_named("foo-source").wait_until_running(1)?;
    scene.connector_named("bar-source").wait_until_running(1)?;
    scene.broker().expect_topic(&busy, 9)?;
    scene.broker().expect_topic(&idle, 1)
}

fn by_broker(scene: &Scene<'_>) -> Result<()> {
    let kafka = tombolo_harness::Kafka::start(&[("auto.create.topics.enable", "true")])?;
    let worker = scene.start_worker_at(&kafka.bootstrap(), NO_CREATION)?;
    let scene = scene.on(&worker);
    let connector = scene.connector();
    let busy = scene.topic("foo");
    connector.put(&with_groups(&scene, &busy))?;
    connector.wait_until_running(1)?;
    let broker = crate::broker::Broker::new(&kafka.bootstrap())?;
    broker.expect_topic(&busy, 1)?;
    broker.read(&busy, 10).map(drop)
}

fn example(scene: &Scene<'_>) -> Result<()> {
    const TASKS: usize = 3;
    const RECORDS: u64 = 2_000;
    let topic = scene.make_topic_of("t", 3)?;
    let connector = scene.connector();
    let mut config = config(
        kit::SOURCE,
        &json!({
            "topic": topic, "throughput": "500", "tasks.max": TASKS.to_string(),
            "topic.creation.default.replication.factor": "1",
            "topic.creation.default.partitions": "1",
        }),
    );
    let (count, _) = errors_of(&scene.validate(kit::SOURCE, &config)?);
    ensure!(count == 1, "validation without a name found {count} errors");
    config["name"] = json!(connector.name());
    expect_valid(scene, connector.name(), &config)?;
    connector.put(&config)?;
    connector.wait_for_offsets("enough is committed", |offsets| {
        offsets.iter().filter_map(|(_, offset)| offset["saved"].as_u64()).sum::<u64>() >= RECORDS
    })?;
    let records = scene.broker().read(&topic, RECORDS)?;
    let header = records.first().map(|record| record.headers.clone()).unwrap_or_default();
    ensure!(header.len() == 1, "the first record has the headers {header:?}");
    Ok(())
}

fn pause(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let connector = scene.connector();
    connector.put(&source(&topic))?;
    scene.broker().read(&topic, 10)?;
    connector.pause()?;
    connector.wait_for("PAUSED", &["PAUSED"])?;
    // The producer's last records may be on their way: the length has to stay for as long as another source needs for some.
    let before = settled(scene, &topic, "settle")?;
    let after = settled(scene, &topic, "still")?;
    ensure!(before == after, "a paused source went from {before} to {after} records");
    connector.resume()?;
    connector.wait_until_running(1)?;
    scene.broker().read(&topic, after + 10)?;
    let starts = count(&connector.events(), "start");
    ensure!(starts[&connector.task(0)] == 1, "a pause restarts no task: {starts:?}");
    Ok(())
}

/// How long the topic is once another source has written some records.
fn settled(scene: &Scene<'_>, topic: &str, word: &str) -> Result<u64> {
    let other = scene.make_topic(word)?;
    scene.connector_named(word).put(&source(&other))?;
    scene.broker().read(&other, 20)?;
    scene.broker().length(topic)
}
