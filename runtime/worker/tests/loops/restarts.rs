//! What failed is started anew: tasks from their last committed offsets, connectors as they were.

use std::time::Duration;

use tombolo_model::fault::Breach;
use tombolo_model::metric::{Metered, Readings, Value};
use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, Stage};
use tombolo_worker::WorkerEvent;

use crate::support::plugins::NativeConnector;
use crate::support::sink::{Answer, Call as SinkCall, SinkScript, committed};
use crate::support::source::{Call, CountingScript};
use crate::support::{Fixture, until};

/// Restarts follow at once.
const QUICKLY: [(&str, &str); 2] =
    [("sandbox.restart.backoff.ms", "50"), ("sandbox.restart.backoff.max.ms", "50")];
/// A restart never comes.
const LATE: [(&str, &str); 2] =
    [("sandbox.restart.backoff.ms", "3600000"), ("sandbox.restart.backoff.max.ms", "3600000")];

fn trap() -> Fault {
    Fault::breach(Breach::Trap, Stage::TaskPoll, "unreachable")
}

/// The last value of a counter of the fixture's connector or one of its tasks.
fn count(fixture: &Fixture, group: &str, name: &str, tag: Option<&str>) -> f64 {
    let mut readings = Readings::of_connector(fixture.name.as_str());
    fixture.worker.read(&mut readings);
    let is_it = |reading: &&tombolo_model::metric::Reading| {
        let has_tag = |tag| reading.tags.iter().any(|(_, value)| value == tag);
        reading.group.domain == "tombolo"
            && reading.group.name == group
            && reading.name == name
            && tag.is_none_or(has_tag)
    };
    match readings.into_vec().iter().find(is_it).map(|reading| &reading.value) {
        Some(Value::Counter(count)) => *count,
        _ => -1.0,
    }
}

fn states(fixture: &Fixture) -> Vec<State> {
    fixture.states(0).iter().map(|status| status.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_sandbox_broke_goes_on_from_its_last_commit() {
    let mut fixture = Fixture::new("restarted", &[]).await;
    let topic = fixture.cluster.new_topic("restarted", 1).await;
    fixture.set(&QUICKLY);
    let script = CountingScript::new(&[("a", &topic)], 100).install(&mut fixture);
    fixture.start_task(0).await;
    until("the first rows are told", || script.told("a") == Some(100)).await;
    script.faults.lock().unwrap().extend([Fault::retriable(Stage::TaskPoll, "away"), trap()]);
    script.limit.store(200, std::sync::atomic::Ordering::SeqCst);
    until("all rows are told", || script.told("a") == Some(200)).await;
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;

    let expected: Vec<String> = (0..200).map(|n| format!("a-{n}")).collect();
    assert_eq!(fixture.cluster.values(&topic).await, expected);
    let told = [State::Running, State::Restarting, State::Running, State::Unassigned];
    assert_eq!(states(&fixture), told);
    let trace = fixture.states(0)[1].trace.clone().unwrap();
    let (what, note) = trace.split_once('\n').unwrap();
    assert_eq!(what, "unreachable");
    assert!(note.starts_with("It is started anew at 20"), "{note}");
    let rest = "Z: restart 1 of at most 10 within 3600000 ms (sandbox.restart.max, sandbox.restart.window.ms).";
    assert!(note.ends_with(rest), "{note}");
    let calls = |wanted| script.calls().into_iter().filter(|call| *call == wanted).count();
    assert_eq!((calls(Call::Start), calls(Call::Stop), calls(Call::Dropped)), (2, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_whose_sandbox_broke_gets_its_rows_again_from_the_committed_offset() {
    let mut fixture = Fixture::new("restarted-sink", &[]).await;
    let topic = fixture.cluster.new_topic("restarted-sink", 1).await;
    fixture.set(&QUICKLY);
    let mut is_broken = false;
    let script = SinkScript::install(&mut fixture, &topic, move |call| match call {
        SinkCall::Put(rows) if rows.iter().any(|row| row.offset == 20) && !is_broken => {
            is_broken = true;
            Err(trap())
        }
        _ => Ok(Answer::default()),
    });
    fixture.cluster.produce_numbered(&topic, 0, 20).await;
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 20).await;
    fixture.cluster.produce_numbered(&topic, 0, 20).await;
    committed(&fixture, &topic, 0, 40).await;
    assert_eq!(script.count(|call| *call == SinkCall::Start), 2);
    let offsets: Vec<i64> = script.rows().iter().map(|row| row.offset).collect();
    assert_eq!(offsets[..20], (0..20).collect::<Vec<i64>>(), "what was committed comes once");
    assert!(offsets[20..].iter().all(|offset| *offset >= 20));
    assert_eq!(offsets[offsets.len() - 20..], (20..40).collect::<Vec<i64>>(), "and the rest again");
    assert_eq!(count(&fixture, "task", "restarts-total", None), 1.0);
    assert_eq!(count(&fixture, "task", "breaches-total", Some("trap")), 1.0);
    assert_eq!(count(&fixture, "task", "breaches-total", Some("memory")), 0.0);
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_breaks_once_too_often_fails_and_says_so_and_one_that_may_not_restart_at_once()
{
    let note = "It was started anew 2 times within 3600000 ms, and is not again (sandbox.restart.max, sandbox.restart.window.ms).";
    for (max, expected) in [("2", format!("unreachable\n{note}")), ("0", "unreachable".to_owned())]
    {
        let mut fixture = Fixture::new("exhausted", &[]).await;
        fixture.set(&QUICKLY);
        fixture.set(&[("sandbox.restart.max", max)]);
        let topic = fixture.cluster.new_topic("exhausted", 1).await;
        let script = CountingScript::new(&[("a", &topic)], 0).install(&mut fixture);
        script.faults.lock().unwrap().extend([trap(), trap(), trap()]);
        fixture.start_task(0).await;
        assert_eq!(fixture.failure(0).await, expected);
        let restarts: f64 = max.parse().unwrap();
        assert_eq!(count(&fixture, "task", "restarts-total", None), restarts);
        assert_eq!(count(&fixture, "task", "breaches-total", Some("trap")), restarts + 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_calls_fatal_is_not_started_anew() {
    let mut fixture = Fixture::new("fatal", &[]).await;
    fixture.set(&QUICKLY);
    let topic = fixture.cluster.new_topic("fatal", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 0).install(&mut fixture);
    script.faults.lock().unwrap().push(Fault::fatal(Stage::TaskPoll, "gone"));
    fixture.start_task(0).await;
    assert_eq!(fixture.failure(0).await, "gone");
    assert_eq!(states(&fixture), [State::Running, State::Failed]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_waits_for_its_restart_is_paused_resumed_and_stopped_at_once() {
    let mut fixture = Fixture::new("waiting", &[]).await;
    fixture.set(&LATE);
    let topic = fixture.cluster.new_topic("waiting", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 0).install(&mut fixture);
    script.faults.lock().unwrap().extend([trap(), trap()]);
    fixture.start_task(0).await;
    fixture.wait_for_state(0, State::Restarting).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Paused);
    fixture.wait_for_state(0, State::Paused).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Started);
    fixture.wait_for_state(0, State::Restarting).await;
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    let told = [
        State::Running,
        State::Restarting,
        State::Paused,
        State::Running,
        State::Restarting,
        State::Unassigned,
    ];
    assert_eq!(states(&fixture), told);
}

async fn connector(settings: &[(&str, &str)]) -> (Fixture, NativeConnector) {
    let mut fixture = Fixture::new("restarted-connector", &[]).await;
    fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("topics", "t")]);
    fixture.set(settings);
    let connector = NativeConnector::default();
    connector.script.lock().unwrap().tasks = 1;
    let made = connector.clone();
    fixture.plugins.set_connector(move || Box::new(made.clone()));
    (fixture, connector)
}

async fn wait_for(fixture: &Fixture, state: State) {
    let now = || fixture.connector_states().last().map(|status| status.state);
    until(&format!("the connector is {state:?}"), || now() == Some(state)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_broke_is_started_anew_and_its_tasks_are_asked_for() {
    for (failing, fault) in
        [("start", Fault::retriable(Stage::Lifecycle, "away")), ("watch", trap())]
    {
        let (fixture, connector) = connector(&QUICKLY).await;
        {
            let mut script = connector.script.lock().unwrap();
            (script.failing, script.fault) = (Some(failing), Some(fault));
        }
        let settings = fixture.settings();
        fixture.worker.start_connector(&fixture.name, settings, TargetState::Started).await;
        let asked = WorkerEvent::TaskReconfigurationRequested { name: fixture.name.clone() };
        until("its tasks are asked for", || fixture.events().contains(&asked)).await;
        wait_for(&fixture, State::Running).await;
        assert_eq!(fixture.worker.task_settings(&fixture.name).await.unwrap().len(), 1);
        assert_eq!(count(&fixture, "connector", "restarts-total", None), 1.0);
        let is_breach = f64::from(failing == "watch");
        assert_eq!(count(&fixture, "connector", "breaches-total", Some("trap")), is_breach);
        fixture.worker.stop_connector(&fixture.name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_waits_for_its_restart_follows_its_target_at_once() {
    for (asked, state) in
        [(TargetState::Paused, State::Paused), (TargetState::Stopped, State::Stopped)]
    {
        let (fixture, connector) = connector(&LATE).await;
        let breaks = || {
            let mut script = connector.script.lock().unwrap();
            (script.failing, script.fault) = (Some("watch"), Some(trap()));
        };
        breaks();
        let settings = fixture.settings();
        fixture.worker.start_connector(&fixture.name, settings, TargetState::Started).await;
        wait_for(&fixture, State::Restarting).await;
        let trace = fixture.connector_states().last().unwrap().trace.clone().unwrap();
        assert!(trace.starts_with("unreachable\nIt is started anew at "), "{trace}");
        assert!(fixture.worker.task_settings(&fixture.name).await.unwrap_err().is_retriable());
        fixture.worker.set_target_state(&fixture.name, asked);
        wait_for(&fixture, state).await;
        fixture.worker.set_target_state(&fixture.name, TargetState::Started);
        wait_for(&fixture, State::Running).await;
        breaks();
        wait_for(&fixture, State::Restarting).await;
        let stopping = fixture.worker.stop_connector(&fixture.name);
        tokio::time::timeout(Duration::from_secs(4), stopping).await.unwrap();
        wait_for(&fixture, State::Unassigned).await;
    }
}
