//! A broker that goes away, and one that forgets what was deleted. Follows `ConnectWorkerIntegrationTest`. Not here: plugins that hang (`blocking`), workers that go (`bounce`).

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::{Kafka, wait_for};

use crate::broker::{Broker, Record};
use crate::case::{Case, Settings};
use crate::kit;
use crate::peer::Peer;
use crate::scene::{PATIENCE, Scene, changed};
use crate::worker::Worker;

/// Tasks of the source.
const TASKS: usize = 2;

/// Longest wait after an outage: both sides of a group have to give each other up first.
const RECOVERY_MAX: Duration = Duration::from_secs(180);

/// A topic of configurations that is compacted as soon as may be.
const COMPACTED: Settings =
    &[("config.storage.segment.ms", "100"), ("config.storage.delete.retention.ms", "1")];

/// A broker that compacts as soon as may be.
const COMPACTING: [(&str, &str); 6] = [
    ("log.cleaner.backoff.ms", "100"),
    ("log.cleaner.delete.retention.ms", "1"),
    ("log.cleaner.max.compaction.lag.ms", "1"),
    ("log.cleaner.min.cleanable.ratio", "0"),
    ("log.cleaner.min.compaction.lag.ms", "1"),
    ("auto.create.topics.enable", "false"),
];

macro_rules! from {
    ($test:literal) => {
        concat!("ConnectWorkerIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "outages/all_goes_on_when_the_broker_comes_back",
        from!("testBrokerCoordinator"),
        |scene| outage(scene, look),
    )
    .alone(),
    Case::new(
        "outages/a_request_in_vain_says_what_the_worker_waits_for",
        from!("testRequestTimeouts"),
        |scene| outage(scene, ask_in_vain),
    )
    .alone(),
    Case::new(
        "outages/a_deleted_connector_of_which_half_is_compacted_away_can_be_made_anew",
        from!("testCompactedDeletedOlderConnectorConfig"),
        half_compacted,
    )
    .alone(),
];

fn cluster(settings: &[(&str, &str)]) -> Result<Kafka> {
    let builder = Kafka::builder().heap("-Xmx384M");
    settings.iter().fold(builder, |all, (name, value)| all.setting(name, value)).start()
}

/// A source of 10 records a second and task.
fn source(topic: &str) -> Value {
    json!({
        "connector.class": kit::SOURCE, "tasks.max": TASKS.to_string(), "topic": topic, "throughput": "10",
        "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
    })
}

fn wait_for_more(broker: &Broker, topic: &str, than: u64) -> Result<()> {
    let grows = || broker.length(topic).is_ok_and(|length| length > than);
    wait_for(grows, "more records come", RECOVERY_MAX)
}

/// A connector at work, whose broker is away while something is done.
fn outage(scene: &Scene<'_>, meanwhile: fn(&Scene<'_>, &Value) -> Result<()>) -> Result<()> {
    let mut kafka = cluster(&[("auto.create.topics.enable", "false")])?;
    let broker = Broker::new(&kafka.bootstrap())?;
    let worker = scene.start_worker_at(&kafka.bootstrap(), &[])?;
    let scene = scene.on(&worker);
    let topic = scene.topic("t");
    let connector = scene.connector();
    connector.put(&source(&topic))?;
    connector.wait_until_running(TASKS)?;
    wait_for_more(&broker, &topic, 0)?;
    let more = changed(&source(&topic), &json!({"tasks.max": (TASKS + 1).to_string()}));
    kafka.kill()?;
    let done = meanwhile(&scene, &more);
    kafka.start_again()?;
    done?;
    wait_until_well(&worker)?;
    connector.put(&more)?;
    let all = ["RUNNING"; TASKS + 1];
    let runs = || connector.status().is_some_and(|status| status.is("RUNNING", &all));
    wait_for(runs, "all run again", RECOVERY_MAX)?;
    wait_for_more(&broker, &topic, broker.length(&topic)?)
}

fn wait_until_well(worker: &Arc<Worker>) -> Result<()> {
    let is_well = || worker.client().get("/health").is_ok_and(|answer| answer.status == 200);
    wait_for(is_well, "the worker is healthy", RECOVERY_MAX)
}

/// Tombolo answers those who only look; Kafka Connect has one thread for all that concerns its group, which waits for the broker.
fn look(scene: &Scene<'_>, _: &Value) -> Result<()> {
    if scene.peer() == Peer::Tombolo {
        scene.client().get("/health")?.expect(200)?;
        scene.connector().config()?;
    }
    Ok(())
}

/// Nothing can be written: the answer comes when patience is over, and says what it was that took so long.
fn ask_in_vain(scene: &Scene<'_>, config: &Value) -> Result<()> {
    let refused = "Request timed out. The worker is currently ";
    scene.connector().try_put(config)?.expect_error(500, refused)
}

/// Keeps the settings of tasks of a connector whose own are gone: what is made anew must not find them.
fn half_compacted(scene: &Scene<'_>) -> Result<()> {
    let kafka = cluster(&COMPACTING)?;
    let broker = Broker::new(&kafka.bootstrap())?;
    let worker = scene.start_worker_at(&kafka.bootstrap(), COMPACTED)?;
    let scene = scene.on(&worker);
    let (topic, other) = (scene.topic("old"), scene.topic("new"));
    let connector = scene.connector();
    connector.put(&source(&topic))?;
    connector.wait_until_running(TASKS)?;
    wait_for_more(&broker, &topic, 0)?;
    connector.delete()?;
    worker.stop()?;
    forget(&scene, &broker, connector.name())?;
    worker.start_again()?;
    let before = broker.length(&topic)?;
    connector.put(&source(&other))?;
    connector.wait_until_running(TASKS)?;
    wait_for_more(&broker, &other, 10)?;
    let after = broker.length(&topic)?;
    ensure!(after == before, "{} records came to the old topic", after - before);
    Ok(())
}

/// Waits until the topic of configurations knows nothing of a connector itself. Segments are closed by what comes after them.
fn forget(scene: &Scene<'_>, broker: &Broker, connector: &str) -> Result<()> {
    let topic = format!("compat-{}-config", scene.name());
    let key = format!("connector-{connector}");
    let rubbish = Record {
        key: Some("rubbish".to_owned()),
        value: Some("{}".to_owned()),
        ..Record::default()
    };
    let is_forgotten = || {
        broker.produce(&topic, &rubbish).is_ok()
            && broker.read_now(&topic).is_ok_and(|all| {
                all.iter().all(|record| record.key.as_deref() != Some(key.as_str()))
            })
    };
    wait_for(is_forgotten, "the connector is compacted away", PATIENCE * 3)
}
