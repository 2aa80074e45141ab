//! States of connectors and their tasks, and what changes them. Follows `ConnectWorkerIntegrationTest`. Not here: several workers, and outages.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::broker::Record;
use crate::case::{Case, Settings};
use crate::connector::Connector;
use crate::events::{count, rows};
use crate::kit;
use crate::scene::{Scene, changed, config};

/// Tasks of a connector with several.
const TASKS: usize = 4;

/// A worker that reads settings out of files.
const FILES: Settings = &[
    ("config.providers", "file"),
    ("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
    // Tombolo's connectors reach no file that this does not name.
    ("config.providers.file.param.allowed.paths", "/"),
];

macro_rules! from {
    ($test:literal) => {
        concat!("ConnectWorkerIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "lifecycle/a_failed_task_runs_after_a_new_configuration_and_a_restart",
        from!("testRestartFailedTask"),
        failed_task,
    ),
    Case::new(
        "lifecycle/the_number_of_tasks_follows_tasks_max",
        from!("testTaskStatuses"),
        task_statuses,
    ),
    Case::new(
        "lifecycle/a_source_without_its_topic_can_be_deleted",
        from!("testSourceTaskNotBlockedOnShutdownWithNonExistentTopic"),
        missing_topic,
    ),
    Case::new(
        "lifecycle/a_connector_goes_from_each_state_to_each_other",
        from!("testPauseStopResume"),
        transitions,
    ),
    Case::new(
        "lifecycle/a_connector_that_fails_can_be_stopped_and_resumed",
        from!("testStoppedState"),
        stopped,
    ),
    Case::new(
        "lifecycle/a_connector_is_created_paused",
        from!("testCreateConnectorWithPausedInitialState"),
        created_paused,
    ),
    Case::new(
        "lifecycle/a_source_is_created_stopped_and_its_offsets_altered",
        from!("testCreateSourceConnectorWithStoppedInitialStateAndModifyOffsets"),
        source_created_stopped,
    ),
    Case::new(
        "lifecycle/a_sink_is_created_stopped_and_its_offsets_altered",
        from!("testCreateSinkConnectorWithStoppedInitialStateAndModifyOffsets"),
        sink_created_stopped,
    ),
    Case::new(
        "lifecycle/connectors_created_paused_or_stopped_can_be_deleted",
        from!("testDeleteConnectorCreatedWithPausedOrStoppedInitialState"),
        created_and_deleted,
    ),
    Case::new(
        "lifecycle/a_patch_changes_adds_and_takes_out",
        from!("testPatchConnectorConfig"),
        patched,
    ),
    Case::new(
        "lifecycle/too_many_tasks_fail_the_connector",
        from!("testTasksMaxEnforcement"),
        tasks_max,
    ),
    Case::new(
        "lifecycle/tasks_without_settings_take_a_new_converter",
        from!("testRuntimePropertyReconfiguration"),
        new_converter,
    ),
    Case::new(
        "lifecycle/tasks_whose_old_settings_cannot_be_read_any_more_take_new_ones",
        from!("testReconfigureConnectorWithFailingTaskConfigs"),
        lost_settings,
    )
    .with(FILES),
    Case::new("lifecycle/plugins_are_known_by_their_aliases", from!("testPluginAliases"), aliases),
    Case::new(
        "lifecycle/a_connector_asks_for_other_tasks",
        "ConnectorContext.requestTaskReconfiguration",
        asks_for_tasks,
    ),
    Case::new(
        "lifecycle/a_configuration_that_changes_nothing_restarts_no_task",
        "DistributedHerder.publishConnectorTaskConfigs",
        nothing_changed,
    ),
];

/// A source of 10 records a second with 4 tasks.
fn source(scene: &Scene<'_>) -> Value {
    json!({
        "connector.class": kit::SOURCE, "tasks.max": TASKS.to_string(), "topic": scene.topic("t"),
        "throughput": "10", "messages.per.poll": "10",
        "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
    })
}

fn failed_task(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let good = changed(&source(scene), &json!({"tasks.max": "1"}));
    let bad = json!({"producer.override.bootstrap.servers": "nobrokerrunningatthisaddress"});
    connector.put(&changed(&good, &bad))?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    connector.put(&good)?;
    connector.ask("POST", "/tasks/0/restart", None)?.expect(204)?;
    connector.wait_until_running(1)
}

fn task_statuses(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    for tasks in [1, 5, 3] {
        connector.put(&changed(&source(scene), &json!({"tasks.max": tasks.to_string()})))?;
        connector.wait_until_running(tasks)?;
    }
    Ok(())
}

fn missing_topic(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let endless = json!({
        "throughput": "-1",
        "topic.creation.default.replication.factor": null, "topic.creation.default.partitions": null,
    });
    connector.put(&changed(&source(scene), &endless))?;
    connector.wait_until_running(TASKS)?;
    connector.wait_for_events("all tasks poll", |events| count(events, "poll").len() == TASKS)?;
    connector.delete()?;
    connector
        .wait_for_events("all have stopped", |events| count(events, "stop").len() == TASKS + 1)
        .map(drop)
}

fn transitions(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    connector.put(&source(scene))?;
    connector.wait_until_running(TASKS)?;
    // Every request twice: a state that is reached already is no mistake.
    connector.stop()?;
    connector.stop_and_wait()?;
    connector.expect_no_tasks()?;
    connector.resume()?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    connector.pause()?;
    connector.pause()?;
    connector.wait_for("PAUSED", &["PAUSED"; TASKS])?;
    connector.stop_and_wait()?;
    connector.expect_no_tasks()?;
    connector.pause()?;
    connector.wait_for("PAUSED", &[])?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    connector.delete()
}

fn stopped(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let fails_to_start = json!({"connector.start.inject.error": "true"});
    connector.put(&changed(&source(scene), &fails_to_start))?;
    connector.wait_for("FAILED", &[])?;
    connector.stop_and_wait()?;
    connector.expect_no_tasks()?;
    connector.put(&source(scene))?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    let fails_to_stop = json!({"connector.stop.inject.error": "true"});
    connector.put(&changed(&source(scene), &fails_to_stop))?;
    connector.stop_and_wait()?;
    connector.expect_no_tasks()?;
    connector.resume()?;
    connector.wait_until_running(TASKS)?;
    connector.delete()
}

fn created_paused(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    connector.create(&source(scene), "PAUSED")?;
    connector.wait_for("PAUSED", &[])?;
    connector.expect_no_tasks()?;
    connector.resume()?;
    connector.wait_until_running(TASKS)
}

fn source_created_stopped(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let connector = scene.connector();
    let ten = json!({"max.messages": "10", "tasks.max": "1"});
    connector.create(&changed(&source(scene), &ten), "STOPPED")?;
    connector.wait_for("STOPPED", &[])?;
    connector.expect_no_tasks()?;
    let offsets = json!({"offsets": [
        {"partition": {"task.id": connector.task(0)}, "offset": {"saved": 5}}]});
    connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    scene.broker().read(&topic, 5)?;
    // The offset after the tenth is stored: there are no more to come.
    connector.wait_for_offsets("the source is at its end", |all| {
        all.first().is_some_and(|(_, offset)| offset["saved"] == 10)
    })?;
    let length = scene.broker().length(&topic)?;
    ensure!(length == 5, "there are {length} records");
    Ok(())
}

fn sink_created_stopped(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.fill_topic("t", 1, 10)?;
    let connector = scene.connector();
    connector.create(&config(kit::SINK, &json!({"topics": topic})), "STOPPED")?;
    connector.wait_for("STOPPED", &[])?;
    connector.expect_no_tasks()?;
    let offsets = json!({"offsets": [
        {"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": {"kafka_offset": 5}}]});
    connector.ask("PATCH", "/offsets", Some(&offsets))?.expect(200)?;
    connector.resume()?;
    connector.wait_until_running(1)?;
    let events =
        connector.wait_for_events("five records arrive", |events| rows(events).len() >= 5)?;
    let offsets: Vec<i64> = rows(&events).iter().map(|row| row.offset).collect();
    ensure!(offsets == [5, 6, 7, 8, 9], "it got {offsets:?}");
    connector.wait_until_running(1)
}

fn created_and_deleted(scene: &Scene<'_>) -> Result<()> {
    for state in ["PAUSED", "STOPPED"] {
        let connector = scene.connector();
        connector.create(&source(scene), state)?;
        connector.wait_for(state, &[])?;
        connector.expect_no_tasks()?;
        connector.delete()?;
    }
    Ok(())
}

fn patched(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let connector = scene.connector();
    let before = config(
        kit::SINK,
        &json!({"topics": topic, "tasks.max": "2", "unaffected-key": "unaffected-value", "to-be-deleted-key": "value"}),
    );
    connector.put(&before)?;
    connector.wait_until_running(2)?;
    let patch = json!({"tasks.max": "3", "to-be-added-key": "value", "to-be-deleted-key": null});
    connector.ask("PATCH", "/config", Some(&patch))?.expect(200)?;
    connector.wait_until_running(3)?;
    let after = connector.config()?;
    let mut expected = changed(&before, &patch);
    expected["name"] = json!(connector.name());
    expected["events"] = json!(connector.events_file());
    ensure!(after == expected, "{after} is not {expected}");
    Ok(())
}

fn tasks_max(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let with = |more: Value| changed(&changed(&source(scene), &json!({"tasks.max": "1"})), &more);
    connector.put(&with(json!({"num.tasks": "2"})))?;
    connector.wait_for("FAILED", &[])?;
    let expected = format!(
        "The connector {} has generated 2 tasks, which is greater than 1, the maximum number of tasks it is configured to create. ",
        connector.name()
    );
    let trace = connector.status().context("there is a status")?.trace;
    ensure!(trace.contains(&expected), "the trace is {trace}");
    connector.put(&with(json!({"num.tasks": "2", "tasks.max.enforce": "false"})))?;
    connector.wait_until_running(2)?;
    connector.put(&with(json!({"num.tasks": "3", "tasks.max.enforce": "false"})))?;
    connector.wait_until_running(3)?;
    connector.put(&with(json!({"num.tasks": "1", "tasks.max.enforce": "true"})))?;
    connector.wait_until_running(1)?;
    connector.put(&with(json!({"num.tasks": "2", "tasks.max.enforce": "true"})))?;
    connector.wait_for("FAILED", &["RUNNING"])?;
    // Its task had a chance to fail, and did not.
    connector.ask("POST", "/tasks/0/restart", None)?.expect(204)?;
    connector.wait_for("FAILED", &["RUNNING"])
}

fn new_converter(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    scene.broker().produce_values(&topic, ["non-json-value"])?;
    let connector = scene.connector();
    let json_converter = json!({
        "topics": topic, "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    });
    connector.put(&config("EmptyTaskConfigsConnector", &json_converter))?;
    connector.wait_for("RUNNING", &["FAILED"])?;
    let offsets = connector.offsets()?;
    ensure!(offsets.is_empty(), "the first record failed, but offsets are {offsets:?}");
    let text = json!({
        "topics": topic, "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter.schemas.enable": "false",
    });
    connector.put(&config("EmptyTaskConfigsConnector", &text))?;
    connector.wait_until_running(1)?;
    let expected =
        (json!({"kafka_topic": topic, "kafka_partition": 0}), json!({"kafka_offset": 1}));
    connector.wait_for_offsets("the record is committed", |offsets| offsets == [expected.clone()])
}

fn lost_settings(scene: &Scene<'_>) -> Result<()> {
    let (first, second) = (scene.make_topic("t")?, scene.make_topic("u")?);
    let secrets = scene.file("secrets.properties");
    std::fs::write(&secrets, "rate=10\n")?;
    let connector = scene.connector();
    let from_file = format!("${{file:{}:rate}}", secrets.display());
    connector.put(&changed(&source(scene), &json!({ "throughput": from_file, "topic": first })))?;
    connector.wait_until_running(TASKS)?;
    scene.broker().read(&first, 1)?;
    std::fs::remove_file(&secrets)?;
    let before = count(&connector.events(), "start");
    connector.put(&changed(&source(scene), &json!({ "topic": second })))?;
    connector.wait_for_events("all tasks start again", |events| {
        let after = count(events, "start");
        before.iter().all(|(who, times)| after.get(who) > Some(times))
    })?;
    connector.wait_until_running(TASKS)?;
    scene.broker().read(&second, 1).map(drop)
}

fn aliases(scene: &Scene<'_>) -> Result<()> {
    let topic = scene.make_topic("t")?;
    let base = json!({
        "tasks.max": TASKS.to_string(),
        "key.converter": "StringConverter", "value.converter": "StringConverter",
        "header.converter": "StringConverter",
        "transforms": "filter", "transforms.filter.type": "Filter",
        "transforms.filter.predicate": "tombstone",
        "predicates": "tombstone", "predicates.tombstone.type": "RecordIsTombstone",
    });
    // With and without the suffix.
    for class in [kit::SOURCE, "MonitorableSource"] {
        let source = scene.connector_named("source");
        let more = json!({"connector.class": class, "topic": topic, "throughput": "10"});
        source.put(&changed(&base, &more))?;
        source.wait_until_running(TASKS)?;
        source.delete()?;
    }
    for class in [kit::SINK, "MonitorableSink"] {
        let sink = scene.connector_named("sink");
        sink.put(&changed(&base, &json!({"connector.class": class, "topics": topic})))?;
        sink.wait_until_running(TASKS)?;
        sink.delete()?;
    }
    Ok(())
}

fn asks_for_tasks(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let file = scene.file("tasks");
    std::fs::write(&file, "1")?;
    connector.put(&changed(&source(scene), &json!({"num.tasks.file": file})))?;
    connector.wait_until_running(1)?;
    std::fs::write(&file, "3")?;
    connector.wait_until_running(3)?;
    std::fs::write(&file, "2")?;
    connector.wait_until_running(2)
}

fn nothing_changed(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let topic = scene.make_topic("t")?;
    connector.put(&config("EmptyTaskConfigsConnector", &json!({"topics": topic})))?;
    connector.wait_until_running(1)?;
    let task = |connector: &Connector<'_>| connector.task_configs();
    let before = task(&connector)?;
    connector.put(&config("EmptyTaskConfigsConnector", &json!({"topics": topic, "note": "n"})))?;
    connector.wait_until_running(1)?;
    scene.broker().produce(&topic, &Record { value: Some("v".to_owned()), ..Record::default() })?;
    connector.wait_for_offsets("the record is committed", |offsets| offsets.len() == 1)?;
    ensure!(task(&connector)? == before, "its task has another configuration");
    Ok(())
}
