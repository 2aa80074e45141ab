//! Connectors that hang in one of their calls, beside one that does not. Follows `BlockingConnectorTest`.
//!
//! A component has no call to hang in while its settings are listed, or between making and starting it: those two tests have no counterpart.
//! Not here: requests that time out (`outages`).

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::Case;
use crate::connector::Connector;
use crate::events::{count, rows};
use crate::kit;
use crate::scene::{Scene, changed, config};

/// Records that the connector beside it gets.
const RECORDS: usize = 100;

macro_rules! from {
    ($test:literal) => {
        concat!("BlockingConnectorTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "blocking/in_validation_holds_up_nobody",
        from!("testBlockInConnectorValidate"),
        validate,
    ),
    Case::new(
        "blocking/in_the_start_of_a_connector_holds_up_nobody",
        from!("testBlockInConnectorStart"),
        |scene| hangs(scene, kit::SOURCE, "Connector::start"),
    ),
    Case::new(
        "blocking/in_the_stop_of_a_connector_holds_up_nobody",
        from!("testBlockInConnectorStop"),
        |scene| hangs_when_deleted(scene, kit::SOURCE, "Connector::stop"),
    ),
    Case::new(
        "blocking/in_the_start_of_a_source_task_holds_up_nobody",
        from!("testBlockInSourceTaskStart"),
        |scene| hangs(scene, kit::SOURCE, "Task::start"),
    ),
    Case::new(
        "blocking/in_the_stop_of_a_source_task_holds_up_nobody",
        from!("testBlockInSourceTaskStop"),
        |scene| hangs_when_deleted(scene, kit::SOURCE, "Task::stop"),
    ),
    Case::new(
        "blocking/in_the_start_of_a_sink_task_holds_up_nobody",
        from!("testBlockInSinkTaskStart"),
        |scene| hangs(scene, kit::SINK, "Task::start"),
    ),
    Case::new(
        "blocking/in_the_stop_of_a_sink_task_holds_up_nobody",
        from!("testBlockInSinkTaskStop"),
        |scene| hangs_when_deleted(scene, kit::SINK, "Task::stop"),
    ),
    Case::new(
        "blocking/in_the_poll_of_a_source_task_holds_up_nobody",
        "BlockingConnectorTest",
        |scene| hangs(scene, kit::SOURCE, "SourceTask::poll"),
    ),
    Case::new(
        "blocking/in_the_start_of_a_connector_does_not_keep_a_worker_from_starting",
        from!("testWorkerRestartWithBlockInConnectorStart"),
        |scene| worker_restart(scene, "Connector::start"),
    )
    .alone(),
    Case::new(
        "blocking/in_the_stop_of_a_connector_does_not_keep_a_worker_from_ending",
        from!("testWorkerRestartWithBlockInConnectorStop"),
        |scene| worker_restart(scene, "Connector::stop"),
    )
    .alone(),
];

fn blocking(scene: &Scene<'_>, class: &str, place: &str) -> Result<Value> {
    let topic = scene.topic("blocking");
    if scene.broker().topic(&topic)?.is_none() {
        scene.broker().create(&topic, 1)?;
    }
    let own =
        if class == kit::SINK { json!({ "topics": topic }) } else { json!({ "topic": topic }) };
    Ok(config(class, &changed(&own, &json!({"block": place, "throughput": "10"}))))
}

/// A connector beside the one that hangs: is created, gets records, and is deleted.
fn expect_neighbour(scene: &Scene<'_>, word: &str) -> Result<()> {
    let topic = scene.fill_topic(&format!("{word}-t"), 1, RECORDS)?;
    let normal = scene.connector_named(word);
    normal.put(&config(kit::SINK, &json!({ "topics": topic })))?;
    normal.wait_for_events("all records arrive", |events| rows(events).len() == RECORDS)?;
    normal.wait_until_running(1)?;
    normal.delete()
}

fn hangs(scene: &Scene<'_>, class: &str, place: &str) -> Result<()> {
    let connector = scene.connector_named("blocking");
    connector.put(&blocking(scene, class, place)?)?;
    connector.wait_until_blocked()?;
    expect_neighbour(scene, "normal")?;
    connector.go()
}

fn hangs_when_deleted(scene: &Scene<'_>, class: &str, place: &str) -> Result<()> {
    let connector = scene.connector_named("blocking");
    connector.put(&blocking(scene, class, place)?)?;
    connector.wait_until_running(1)?;
    connector.wait_for_events("the task starts", |events| !count(events, "start").is_empty())?;
    connector.ask("DELETE", "", None)?.expect(204)?;
    connector.wait_until_blocked()?;
    expect_neighbour(scene, "normal")?;
    connector.go()
}

fn validate(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector_named("blocking");
    let config = blocking(scene, kit::SOURCE, "Connector::validate")?;
    std::thread::scope(|scope| {
        // It is answered when the validation goes on, or is given up.
        let asked = scope.spawn(|| connector.try_put(&config));
        let checked = watch(scene, &connector);
        let gone = connector.go();
        let answered = asked.join().map_err(|_| anyhow::anyhow!("the request panicked"));
        checked.and(gone).and(answered?.map(drop))
    })
}

fn watch(scene: &Scene<'_>, connector: &Connector<'_>) -> Result<()> {
    connector.wait_until_blocked()?;
    expect_neighbour(scene, "normal")
}

fn worker_restart(scene: &Scene<'_>, place: &str) -> Result<()> {
    let worker = scene.start_worker(&[])?;
    let scene = scene.on(&worker);
    let connector = scene.connector_named("blocking");
    connector.put(&blocking(&scene, kit::SOURCE, place)?)?;
    if place == "Connector::start" {
        connector.wait_until_blocked()?;
    } else {
        connector.wait_until_running(1)?;
    }
    expect_neighbour(&scene, "before")?;
    worker.stop()?;
    worker.start_again()?;
    expect_neighbour(&scene, "after")?;
    connector.go()
}
