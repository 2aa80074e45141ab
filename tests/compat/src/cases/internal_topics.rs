//! The worker's own topics: how they are made, which it refuses, and what is skipped of them. Follows `InternalTopicsIntegrationTest`. Not here: what else is in them.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::json;
use tombolo_harness::{Kafka, wait_for};

use crate::broker::{Broker, Record, Topic};
use crate::case::Case;
use crate::kit;
use crate::peer::Peer;
use crate::scene::{PATIENCE, Scene, config};
use crate::worker::{Plan, Worker};

macro_rules! from {
    ($test:literal) => {
        concat!("InternalTopicsIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "internal_topics/are_made_with_the_usual_settings",
        from!("testCreateInternalTopicsWithDefaultSettings"),
        usual,
    )
    .alone(),
    Case::new(
        "internal_topics/are_made_with_fewer_replicas_than_brokers",
        from!("testCreateInternalTopicsWithFewerReplicasThanBrokers"),
        fewer,
    )
    .alone(),
    Case::new(
        "internal_topics/cannot_have_more_replicas_than_brokers",
        from!("testFailToCreateInternalTopicsWithMoreReplicasThanBrokers"),
        more,
    )
    .alone(),
    Case::new(
        "internal_topics/that_are_not_compacted_are_refused",
        from!("testFailToStartWhenInternalTopicsAreNotCompacted"),
        not_compacted,
    )
    .alone(),
    Case::new(
        "internal_topics/that_the_broker_compacts_are_taken",
        from!(
            "testStartWhenInternalTopicsCreatedManuallyWithCompactForBrokersDefaultCleanupPolicy"
        ),
        compacted_by_broker,
    )
    .alone(),
    Case::new(
        "internal_topics/records_that_cannot_be_read_are_reported_and_skipped",
        "KafkaConfigBackingStore.ConsumeCallback",
        unreadable,
    )
    .alone(),
];

/// The three topics' names, beside the settings that name them.
fn names(scene: &Scene<'_>) -> [(&'static str, String); 3] {
    ["config", "offset", "status"].map(|word| (word, format!("compat-{}-{word}", scene.name())))
}

fn cluster(nodes: usize, settings: &[(&str, &str)]) -> Result<Kafka> {
    let builder = Kafka::builder().nodes(nodes).heap("-Xmx384M");
    let builder = builder.setting("auto.create.topics.enable", "false");
    settings.iter().fold(builder, |all, (name, value)| all.setting(name, value)).start()
}

fn plan(scene: &Scene<'_>, kafka: &Kafka, settings: &[(&str, &str)]) -> Plan {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let settings = settings.iter().map(owned).collect();
    Plan { bootstrap: kafka.bootstrap(), settings, ..scene.stage().plan(scene.name(), &[]) }
}

/// A healthy worker. The kit is not needed here, and its upload takes time where there are several brokers.
fn started(plan: Plan) -> Result<Worker> {
    let worker = Worker::launch(plan)?;
    worker.wait_until_healthy()?;
    Ok(worker)
}

/// Waits until the topics have these numbers of partitions and replicas: of configurations, offsets and statuses.
fn expect(scene: &Scene<'_>, broker: &Broker, expected: [(usize, usize); 3]) -> Result<()> {
    for ((_, name), (partitions, replicas)) in names(scene).iter().zip(expected) {
        broker.expect_topic(name, partitions)?;
        let topic = broker.topic(name)?;
        ensure!(topic == Some(Topic { partitions, replicas }), "{name} is {topic:?}");
        let policy = broker.setting(name, "cleanup.policy")?;
        ensure!(policy.as_deref() == Some("compact"), "{name} has the policy {policy:?}");
    }
    Ok(())
}

fn usual(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(3, &[])?;
    let broker = Broker::new(&kafka.bootstrap())?;
    // Nothing that says how many.
    let none = [
        ("config.storage.replication.factor", ""),
        ("offset.storage.replication.factor", ""),
        ("status.storage.replication.factor", ""),
        ("offset.storage.partitions", ""),
    ];
    let worker = started(plan(scene, &kafka, &none))?;
    let expected = [(1, 3), (25, 3), (5, 3)];
    expect(scene, &broker, expected)?;
    worker.stop()?;
    worker.start_again()?;
    expect(scene, &broker, expected)
}

fn fewer(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(2, &[])?;
    let replicas = [
        ("config.storage.replication.factor", "1"),
        ("offset.storage.replication.factor", "2"),
        ("status.storage.replication.factor", "1"),
    ];
    let _worker = started(plan(scene, &kafka, &replicas))?;
    expect(scene, &Broker::new(&kafka.bootstrap())?, [(1, 1), (5, 2), (5, 1)])
}

fn more(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(1, &[])?;
    let replicas = [
        ("config.storage.replication.factor", "3"),
        ("offset.storage.replication.factor", "2"),
        ("status.storage.replication.factor", "1"),
    ];
    let worker = Worker::launch(plan(scene, &kafka, &replicas))?;
    wait_for(|| worker.has_ended(), "the worker gives up", PATIENCE * 3)?;
    let broker = Broker::new(&kafka.bootstrap())?;
    for (_, name) in names(scene).iter().filter(|(word, _)| *word != "status") {
        ensure!(broker.topic(name)?.is_none(), "{name} was made");
    }
    Ok(())
}

fn not_compacted(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(1, &[("log.cleanup.policy", "delete")])?;
    let broker = Broker::new(&kafka.bootstrap())?;
    for word in ["config", "offset", "status"] {
        broker.create_with(&format!("good-{word}"), 1, &[("cleanup.policy", "compact")])?;
    }
    broker.create_with("bad-config", 1, &[("cleanup.policy", "delete")])?;
    broker.create_with("bad-offset", 1, &[("cleanup.policy", "delete,compact")])?;
    broker.create("bad-status", 1)?;
    // The good take the places of the bad one by one.
    for good in 0..3 {
        let at = |number: usize, word: &str| {
            format!("{}-{word}", if number < good { "good" } else { "bad" })
        };
        let topics = [at(0, "config"), at(1, "offset"), at(2, "status")];
        let worker = Worker::launch(with_topics(scene, &kafka, &topics))?;
        wait_for(|| worker.has_ended(), "the worker gives up", PATIENCE * 3)?;
    }
    let good = ["config", "offset", "status"].map(|word| format!("good-{word}"));
    started(with_topics(scene, &kafka, &good)).map(drop)
}

fn with_topics(scene: &Scene<'_>, kafka: &Kafka, topics: &[String; 3]) -> Plan {
    let [config, offset, status] = topics.each_ref().map(String::as_str);
    let settings = [
        ("config.storage.topic", config),
        ("offset.storage.topic", offset),
        ("status.storage.topic", status),
    ];
    plan(scene, kafka, &settings)
}

fn compacted_by_broker(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(1, &[("log.cleanup.policy", "compact")])?;
    let broker = Broker::new(&kafka.bootstrap())?;
    for (_, name) in names(scene) {
        broker.create(&name, 1)?;
    }
    let worker = Arc::new(started(plan(scene, &kafka, &[]))?);
    scene.on(&worker).client().look("/connectors").map(drop)
}

/// Records that mean nothing: topic, partition, key and value.
const UNREADABLE: [(&str, i32, &str, &str); 8] = [
    ("config", 0, "connector-broken", "{broken"),
    ("config", 0, "rubbish", "rubbish"),
    ("config", 0, "task-rubbish", "{}"),
    ("config", 0, "commit-broken", "[]"),
    ("status", 4, "status-connector-broken", "{broken"),
    ("status", 4, "rubbish", "{}"),
    ("offset", 3, "rubbish", "{}"),
    ("offset", 3, "[1,2,3]", "{}"),
];

fn unreadable(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let worker = scene.start_worker(&[])?;
    let scene = scene.on(&worker);
    let connector = scene.connector();
    connector.put(&config(kit::SOURCE, &json!({"topic": topic, "throughput": "10"})))?;
    connector.wait_until_running(1)?;
    connector.wait_for_offsets("offsets are stored", |offsets| !offsets.is_empty())?;
    worker.stop()?;
    let mut places = Vec::new();
    for (word, partition, key, value) in UNREADABLE {
        let topic = format!("compat-{}-{word}", scene.name());
        let offset = scene.broker().end(&topic, partition)?;
        let record = Record {
            partition,
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
            headers: Vec::new(),
        };
        scene.broker().produce(&topic, &record)?;
        places.push(format!("topic={topic} partition={partition} offset={offset}"));
    }
    worker.start_again()?;
    connector.wait_until_running(1)?;
    let before = scene.broker().length(&topic)?;
    scene.broker().read(&topic, before + 10)?;
    let names = scene.client().look("/connectors")?;
    ensure!(names == json!([connector.name()]), "there are {names}");
    // What Kafka Connect says does not always have all three.
    let log = worker.log();
    let missing: Vec<&String> = places.iter().filter(|place| !log.contains(*place)).collect();
    ensure!(
        scene.peer() == Peer::Connect || missing.is_empty(),
        "not reported: {missing:?}\n{log}"
    );
    Ok(())
}
