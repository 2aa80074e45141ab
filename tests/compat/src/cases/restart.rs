//! Restarts by REST, counted by the kit. Follows `ConnectorRestartApiIntegrationTest`. Not here: several workers.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::case::Case;
use crate::connector::Connector;
use crate::events::{Event, count};
use crate::kit;
use crate::scene::{Scene, changed};

/// Tasks of each connector.
const TASKS: usize = 4;

/// What a restart is asked for.
#[derive(Clone, Copy)]
struct Flags {
    only_failed: bool,
    include_tasks: bool,
}

impl Flags {
    fn query(self) -> String {
        format!("/restart?onlyFailed={}&includeTasks={}", self.only_failed, self.include_tasks)
    }
}

const fn flags(only_failed: bool, include_tasks: bool) -> Flags {
    Flags { only_failed, include_tasks }
}

macro_rules! from {
    ($test:literal) => {
        concat!("ConnectorRestartApiIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "restart/of_an_unknown_connector",
        from!("testRestartUnknownConnectorNoParams"),
        |scene| {
            let answer = scene.connector().ask("POST", "/restart", None)?;
            answer.expect_error(404, "")
        },
    ),
    Case::new(
        "restart/of_an_unknown_connector_with_flags",
        from!("testRestartUnknownConnector"),
        |scene| {
            for (only_failed, include_tasks) in
                [(false, false), (false, true), (true, false), (true, true)]
            {
                let query = flags(only_failed, include_tasks).query();
                scene.connector().ask("POST", &query, None)?.expect_error(404, "")?;
            }
            Ok(())
        },
    ),
    Case::new(
        "restart/of_a_running_connector_alone",
        from!("testRunningConnectorAndTasksRestartOnlyConnector"),
        |scene| running(scene, flags(false, false), 1, 0),
    ),
    Case::new(
        "restart/of_a_running_connector_and_its_tasks",
        from!("testRunningConnectorAndTasksRestartBothConnectorAndTasks"),
        |scene| running(scene, flags(false, true), 1, 1),
    ),
    Case::new(
        "restart/of_a_running_connector_only_if_it_failed",
        from!("testRunningConnectorAndTasksRestartOnlyFailedConnectorNoop"),
        |scene| running(scene, flags(true, false), 0, 0),
    ),
    Case::new(
        "restart/of_running_tasks_only_if_they_failed",
        from!("testRunningConnectorAndTasksRestartBothConnectorAndTasksNoop"),
        |scene| running(scene, flags(true, true), 0, 0),
    ),
    Case::new(
        "restart/of_a_failed_connector_alone",
        from!("testFailedConnectorRestartOnlyConnector"),
        |scene| failed_connector(scene, flags(false, false)),
    ),
    Case::new(
        "restart/of_a_failed_connector_and_its_tasks",
        from!("testFailedConnectorRestartBothConnectorAndTasks"),
        |scene| failed_connector(scene, flags(false, true)),
    ),
    Case::new(
        "restart/of_all_that_failed_with_a_failed_connector",
        from!("testFailedConnectorRestartOnlyFailedConnectorAndTasks"),
        |scene| failed_connector(scene, flags(true, true)),
    ),
    Case::new(
        "restart/of_a_connector_alone_with_failed_tasks",
        from!("testFailedTasksRestartOnlyConnector"),
        |scene| failed_tasks(scene, flags(false, false), &[0, 1, 2, 3], 1, false),
    ),
    Case::new("restart/of_failed_tasks_alone", from!("testFailedTasksRestartOnlyTasks"), |scene| {
        failed_tasks(scene, flags(true, true), &[0, 1, 2, 3], 0, true)
    }),
    Case::new(
        "restart/of_failed_tasks_that_leaves_tasks_out",
        from!("testFailedTasksRestartWithoutIncludeTasksNoop"),
        |scene| failed_tasks(scene, flags(true, false), &[0, 1, 2, 3], 0, false),
    ),
    Case::new(
        "restart/of_a_connector_and_its_failed_tasks",
        from!("testFailedTasksRestartBothConnectorAndTasks"),
        |scene| failed_tasks(scene, flags(false, true), &[0, 1, 2, 3], 1, true),
    ),
    Case::new(
        "restart/of_the_one_task_that_failed",
        from!("testOneFailedTasksRestartOnlyOneTasks"),
        |scene| failed_tasks(scene, flags(true, true), &[1], 0, true),
    ),
    Case::new(
        "restart/of_a_failed_connector_that_is_well_again",
        "connect_distributed_test.test_restart_failed_connector",
        |scene| well_again(scene, flags(false, false)),
    ),
    Case::new(
        "restart/of_all_that_failed_with_a_connector_that_is_well_again",
        "connect_distributed_test.test_restart_connector_and_tasks_failed_connector",
        |scene| well_again(scene, flags(true, true)),
    ),
];

fn source(topic: &str) -> Value {
    json!({
        "connector.class": kit::SOURCE, "tasks.max": TASKS.to_string(), "topic": topic,
        "throughput": "10", "messages.per.poll": "10",
        "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
    })
}

/// How often each is expected to have done something, beyond what it had.
fn plus(
    before: &BTreeMap<String, usize>,
    connector: &Connector<'_>,
    connectors: usize,
    tasks: &[usize],
) -> BTreeMap<String, usize> {
    let mut counts = before.clone();
    *counts.entry("connector".to_owned()).or_default() += connectors;
    for task in tasks {
        *counts.entry(connector.task(*task)).or_default() += 1;
    }
    counts.retain(|_, count| *count > 0);
    counts
}

fn wait_for_starts(connector: &Connector<'_>, expected: &BTreeMap<String, usize>) -> Result<()> {
    let what = format!("starts are {expected:?}");
    connector.wait_for_events(&what, |events| count(events, "start") == *expected).map(drop)
}

/// Asks for a restart, and holds the answer to what it must be.
fn restart(connector: &Connector<'_>, flags: Flags) -> Result<Value> {
    let status = if flags.only_failed || flags.include_tasks { 202 } else { 204 };
    Ok(connector.ask("POST", &flags.query(), None)?.expect(status)?.json())
}

fn running(scene: &Scene<'_>, flags: Flags, connectors: usize, tasks: usize) -> Result<()> {
    let connector = scene.connector();
    connector.put(&source(&scene.topic("t")))?;
    connector.wait_until_running(TASKS)?;
    let all: Vec<usize> = (0..TASKS * tasks.min(1)).collect();
    let before = connector
        .wait_for_events("all have started", |events| count(events, "start").len() == TASKS + 1)?;
    let (starts, stops) = (count(&before, "start"), count(&before, "stop"));
    let answer = restart(&connector, flags)?;
    if connectors + tasks == 0 {
        ensure!(!answer.to_string().contains("RESTARTING"), "nothing is restarted: {answer}");
    } else if flags.include_tasks {
        let states = answer.to_string().matches("RESTARTING").count();
        ensure!(states == TASKS + 1, "all are restarted: {answer}");
    }
    wait_for_starts(&connector, &plus(&starts, &connector, connectors, &all))?;
    connector.wait_until_running(TASKS)?;
    let after = connector.events();
    expect_counts(&after, "start", &plus(&starts, &connector, connectors, &all))?;
    expect_counts(&after, "stop", &plus(&stops, &connector, connectors, &all))
}

fn expect_counts(events: &[Event], what: &str, expected: &BTreeMap<String, usize>) -> Result<()> {
    let counts = count(events, what);
    ensure!(counts == *expected, "{what}s are {counts:?}, expected {expected:?}");
    Ok(())
}

fn failed_connector(scene: &Scene<'_>, flags: Flags) -> Result<()> {
    let connector = scene.connector();
    let fails = json!({"connector.start.inject.error": "true"});
    connector.put(&changed(&source(&scene.topic("t")), &fails))?;
    connector.wait_for("FAILED", &[])?;
    let starts = count(&connector.events(), "start");
    // Without flags, the request waits for the start, and has its failure for an answer.
    connector.ask("POST", &flags.query(), None)?;
    wait_for_starts(&connector, &plus(&starts, &connector, 1, &[]))?;
    connector.wait_for("FAILED", &[])
}

fn well_again(scene: &Scene<'_>, flags: Flags) -> Result<()> {
    let connector = scene.connector();
    let fails = json!({"connector.start.inject.error": "true"});
    connector.put(&changed(&source(&scene.topic("t")), &fails))?;
    connector.wait_for("FAILED", &[])?;
    connector.heal()?;
    restart(&connector, flags)?;
    connector.wait_until_running(TASKS)
}

fn failed_tasks(
    scene: &Scene<'_>,
    flags: Flags,
    failing: &[usize],
    connectors: usize,
    restarts_tasks: bool,
) -> Result<()> {
    let connector = scene.connector();
    let mut config = source(&scene.topic("t"));
    for task in failing {
        config[format!("task-{}.start.inject.error", connector.task(*task))] = json!("true");
    }
    connector.put(&config)?;
    let states: Vec<&str> =
        (0..TASKS).map(|task| if failing.contains(&task) { "FAILED" } else { "RUNNING" }).collect();
    connector.wait_for("RUNNING", &states)?;
    let starts = count(&connector.events(), "start");
    let answer = restart(&connector, flags)?;
    let restarted: &[usize] = if restarts_tasks { failing } else { &[] };
    if restarted.is_empty() && connectors == 0 {
        ensure!(!answer.to_string().contains("RESTARTING"), "nothing is restarted: {answer}");
    }
    wait_for_starts(&connector, &plus(&starts, &connector, connectors, restarted))?;
    connector.wait_for("RUNNING", &states)?;
    expect_counts(&connector.events(), "start", &plus(&starts, &connector, connectors, restarted))
}
