//! Offsets of sinks: those of their consumer group. Not here: the list of cases (`offsets`).

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::offsets::{RECORDS, TASKS, base, change, expect_left_to_worker};
use crate::broker::Broker;
use crate::connector::Connector;
use crate::http::Answer;
use crate::kit;
use crate::scene::{Scene, changed, config, fill};

pub(super) fn own_group(scene: &Scene<'_>) -> Value {
    json!({"consumer.override.group.id": scene.topic("overridden-group")})
}

pub(super) fn other_cluster(other: &Broker) -> Value {
    json!({
        "consumer.override.bootstrap.servers": other.bootstrap(),
        "admin.override.bootstrap.servers": other.bootstrap(),
    })
}

/// The group that the connector was told to use is there, and the one it would have used is not.
pub(super) fn expect_own_group(scene: &Scene<'_>) -> Result<()> {
    let groups = scene.broker().groups()?;
    let (own, usual) = (scene.topic("overridden-group"), format!("connect-{}", scene.name()));
    ensure!(groups.contains(&own), "{own} is not in {groups:?}");
    ensure!(!groups.contains(&usual), "{usual} is in {groups:?}");
    Ok(())
}

/// A partition with an offset.
pub(super) fn at(topic: &str, partition: usize, offset: &Value) -> Value {
    json!({"partition": {"kafka_topic": topic, "kafka_partition": partition}, "offset": offset})
}

/// Waits until each of so many partitions is at this offset, and no others have one.
fn wait_for(
    connector: &Connector<'_>,
    topic: &str,
    partitions: usize,
    offset: usize,
) -> Result<()> {
    let what = format!("{partitions} partitions of {topic} are at {offset}");
    connector.wait_for_offsets(&what, |offsets| {
        offsets.len() == partitions
            && offsets.iter().all(|(partition, found)| {
                partition["kafka_topic"] == topic && found["kafka_offset"] == offset
            })
    })
}

fn started<'s>(
    scene: &'s Scene<'_>,
    broker: &Broker,
    partitions: usize,
    config: &Value,
) -> Result<(Connector<'s>, String)> {
    let topic = scene.topic("t");
    broker.create(&topic, partitions)?;
    fill(broker, &topic, partitions, RECORDS)?;
    let connector = scene.connector();
    connector.put(config)?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, &topic, partitions, RECORDS)?;
    Ok((connector, topic))
}

fn sink(scene: &Scene<'_>, more: &Value) -> Value {
    changed(&base(kit::SINK, &json!({"topics": scene.topic("t")})), more)
}

pub(super) fn get(scene: &Scene<'_>, broker: &Broker, more: &Value) -> Result<()> {
    let (connector, topic) = started(scene, broker, 5, &sink(scene, more))?;
    fill(broker, &topic, 5, RECORDS)?;
    wait_for(&connector, &topic, 5, 2 * RECORDS)
}

pub(super) fn alter(scene: &Scene<'_>, broker: &Broker, more: &Value) -> Result<()> {
    let (connector, topic) = started(scene, broker, 3, &sink(scene, more))?;
    connector.stop_and_wait()?;
    let five = json!({"kafka_offset": 5});
    let offsets = json!({"offsets": [
        at(&topic, 0, &Value::Null), at(&topic, 1, &five), at(&topic, 2, &five)]});
    expect_left_to_worker(&change(&connector, scene, Some(&offsets))?, "altered")?;
    wait_for(&connector, &topic, 2, 5)?;

    // A connector that takes care of offsets itself.
    connector.put(&changed(&sink(scene, more), &json!({"alter.offsets.result": "true"})))?;
    let three = json!({"kafka_offset": 3});
    let offsets = json!({"offsets": [at(&topic, 1, &three), at(&topic, 2, &three)]});
    let answer = connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?.json();
    let expected = "The offsets for this connector have been altered successfully";
    ensure!(answer["message"] == expected, "{answer}");
    wait_for(&connector, &topic, 2, 3)?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, &topic, 3, RECORDS)
}

pub(super) fn reset(scene: &Scene<'_>, broker: &Broker, more: &Value) -> Result<()> {
    let (connector, topic) = started(scene, broker, 3, &sink(scene, more))?;
    connector.stop_and_wait()?;
    expect_left_to_worker(&change(&connector, scene, None)?, "reset")?;
    connector.wait_for_offsets("there are none", <[_]>::is_empty)?;
    // What is done already can be asked for again.
    let again = connector.ask("DELETE", "/offsets", None)?.expect(200)?.json();
    expect_left_to_worker(&again, "reset")?;
    connector.wait_for_offsets("there are none", <[_]>::is_empty)?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    wait_for(&connector, &topic, 3, RECORDS)
}

/// A task that does not stop is in its group still: its offsets are refused.
pub(super) fn zombie(
    scene: &Scene<'_>,
    change: impl Fn(&Connector<'_>) -> Result<Answer>,
) -> Result<()> {
    let topic = scene.fill_topic("t", 1, RECORDS)?;
    let connector = scene.connector();
    connector.put(&config(kit::SINK, &json!({"topics": topic, "block": "Task::stop"})))?;
    connector.wait_until_running(1)?;
    wait_for(&connector, &topic, 1, RECORDS)?;
    connector.stop()?;
    connector.wait_until_blocked()?;
    // The worker waits a while for the task, and is asked once it has given up.
    connector.wait_for("STOPPED", &[])?;
    let refused = change(&connector)?.expect_error(500, "zombie sink task");
    connector.go()?;
    refused
}

pub(super) fn wrong_requests(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let connector = scene.connector();
    connector.put(&base(kit::SINK, &json!({"topics": topic})))?;
    connector.wait_until_running(TASKS)?;
    connector.stop_and_wait()?;
    let partition =
        |partition: Value| json!({"offsets": [{"partition": partition, "offset": null}]});
    let offset = |offset: Value| {
        let partition = json!({"kafka_topic": "test", "kafka_partition": 1});
        json!({"offsets": [{"partition": partition, "offset": offset}]})
    };
    let none = "Partitions / offsets need to be provided for an alter offsets request";
    let no_partition = "The partition for a sink connector offset cannot be null or missing";
    let no_keys = "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'";
    let no_number = "Partition values for sink connectors need to be integers";
    let no_offset =
        "The offset for a sink connector should either be null or contain the key 'kafka_offset'";
    let no_offset_number = "Offset values for sink connectors need to be integers";
    for (body, message) in [
        (json!({}), none),
        (json!({"offsets": []}), none),
        (json!({"offsets": [{}]}), no_partition),
        (partition(Value::Null), no_partition),
        (partition(json!({})), no_keys),
        (partition(json!({"kafka_topic": "test", "kafka_partition": "not a number"})), no_number),
        (offset(json!({})), no_offset),
        (offset(json!({"kafka_offset": "not a number"})), no_offset_number),
    ] {
        connector.ask("PATCH", "/offsets", Some(&body))?.expect_error(400, message)?;
    }
    Ok(())
}
