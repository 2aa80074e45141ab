//! Connector instances: their states, their tasks' settings, and what they ask for.

use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, FaultKind, Settings, Stage};
use tombolo_worker::WorkerEvent;

use crate::support::plugins::NativeConnector;
use crate::support::{Fixture, PASSWORD, until};

async fn fixture(tasks: usize, settings: &[(&str, &str)]) -> (Fixture, NativeConnector) {
    let mut fixture = Fixture::new("connector", &[]).await;
    fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("topics", "t")]);
    fixture.set(settings);
    let connector = NativeConnector::default();
    connector.script.lock().unwrap().tasks = tasks;
    let made = connector.clone();
    fixture.plugins.set_connector(move || Box::new(made.clone()));
    (fixture, connector)
}

async fn start(fixture: &Fixture, target: TargetState) {
    fixture.worker.start_connector(&fixture.name, fixture.settings(), target).await;
}

async fn wait_for(fixture: &Fixture, state: State) {
    let now = || fixture.connector_states().last().map(|status| status.state);
    until(&format!("the connector is {state:?}"), || now() == Some(state)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_connector_gives_its_tasks_settings_with_what_kafka_connect_adds() {
    let (fixture, connector) = fixture(2, &[("tasks.max", "3")]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Running).await;
    let tasks = fixture.worker.task_settings(&fixture.name).await.unwrap();
    let expected = |n: &str| -> Settings {
        [("n", n), ("task.class", "org.acme.SinkTask"), ("topics", "t")].into_iter().collect()
    };
    assert_eq!(tasks, [expected("0"), expected("1")]);
    connector.script.lock().unwrap().has_changed = true;
    let asked = WorkerEvent::TaskReconfigurationRequested { name: fixture.name.clone() };
    until("it asks for new tasks", || fixture.events().contains(&asked)).await;
    fixture.worker.stop_connector(&fixture.name).await;
    assert_eq!(connector.calls(), ["start", "task_settings", "stop"]);
    wait_for(&fixture, State::Unassigned).await;
    let fault = fixture.worker.task_settings(&fixture.name).await.unwrap_err();
    assert!(fault.is_retriable());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tasks_than_allowed_fail_the_connector_unless_that_is_not_enforced() {
    let (fixture, _) = self::fixture(2, &[]).await;
    start(&fixture, TargetState::Started).await;
    let fault = fixture.worker.task_settings(&fixture.name).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    wait_for(&fixture, State::Failed).await;
    let trace = fixture.connector_states().last().unwrap().trace.clone().unwrap();
    assert!(trace.contains("has generated 2 tasks, which is greater than 1"), "{trace}");

    assert!(
        trace.starts_with("org.apache.kafka.connect.runtime.TooManyTasksException: The connector "),
        "{trace}"
    );
    // Tasks that an older worker has let through fail too, all of them.
    let task = fixture.task(0);
    let settings = fixture.settings();
    fixture.worker.start_task((&task, 2), settings, settings, TargetState::Started).await;
    let why = fixture.failure(0).await;
    assert!(why.contains("has generated 2 tasks, which is greater than 1"), "{why}");

    let (fixture, _) = self::fixture(2, &[("tasks.max.enforce", "false")]).await;
    start(&fixture, TargetState::Started).await;
    assert_eq!(fixture.worker.task_settings(&fixture.name).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_follows_its_target_state() {
    let (fixture, connector) = fixture(1, &[]).await;
    let target = |state| fixture.worker.set_target_state(&fixture.name, state);
    start(&fixture, TargetState::Paused).await;
    wait_for(&fixture, State::Paused).await;
    assert_eq!(connector.calls(), [""; 0], "a connector that begins paused is not started");
    target(TargetState::Started);
    wait_for(&fixture, State::Running).await;
    target(TargetState::Paused);
    wait_for(&fixture, State::Paused).await;
    assert_eq!(connector.calls(), ["start", "stop"], "a paused instance is stopped");
    target(TargetState::Stopped);
    wait_for(&fixture, State::Stopped).await;
    target(TargetState::Started);
    wait_for(&fixture, State::Running).await;
    assert_eq!(connector.calls(), ["start", "stop", "start"]);
    fixture.worker.stop_connector(&fixture.name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_fails_where_its_plugin_does_and_can_then_only_be_stopped() {
    for failing in ["start", "watch"] {
        let (fixture, connector) = fixture(1, &[]).await;
        connector.script.lock().unwrap().failing = Some(failing);
        start(&fixture, TargetState::Started).await;
        wait_for(&fixture, State::Failed).await;
        let trace = fixture.connector_states().last().unwrap().trace.clone();
        assert_eq!(trace.unwrap(), format!("{failing} failed"));
        fixture.worker.set_target_state(&fixture.name, TargetState::Paused);
        assert!(fixture.worker.task_settings(&fixture.name).await.is_err());
        assert_eq!(fixture.connector_states().last().unwrap().state, State::Failed);
        fixture.worker.set_target_state(&fixture.name, TargetState::Stopped);
        wait_for(&fixture, State::Stopped).await;
        fixture.worker.set_target_state(&fixture.name, TargetState::Started);
        wait_for(&fixture, State::Running).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_cannot_say_its_tasks_goes_on_running_and_can_be_asked_again() {
    let (fixture, connector) = fixture(1, &[]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Running).await;
    let why = "not these settings";
    for refusal in [Fault::config(why), Fault::fatal(Stage::Lifecycle, why)] {
        connector.script.lock().unwrap().refusal = Some(refusal);
        let fault = fixture.worker.task_settings(&fixture.name).await.unwrap_err();
        assert_eq!(fault.message, why);
        let tasks = fixture.worker.task_settings(&fixture.name).await.unwrap();
        assert_eq!(tasks.len(), 1);
    }
    assert_eq!(fixture.connector_states().len(), 1, "it never stopped running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_hangs_while_it_starts_is_dropped_at_its_deadline() {
    let (fixture, connector) = fixture(1, &[]).await;
    connector.script.lock().unwrap().hanging = Some("start");
    start(&fixture, TargetState::Started).await;
    until("it starts", || connector.calls() == ["start"]).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Stopped);
    fixture.worker.stop_connector(&fixture.name).await;
    wait_for(&fixture, State::Unassigned).await;
    assert_eq!(connector.calls(), ["start"], "nothing of it is called any more");
    // Another takes its place.
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Running).await;
    let states: Vec<State> = fixture.connector_states().iter().map(|told| told.state).collect();
    assert_eq!(states, [State::Unassigned, State::Running]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_passed_its_memory_mark_is_started_anew() {
    let (fixture, connector) = fixture(1, &[]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Running).await;
    connector.script.lock().unwrap().is_recycling_due = true;
    until("it is started anew", || connector.calls() == ["start", "stop", "start"]).await;
    let settings = fixture.worker.task_settings(&fixture.name).await.unwrap();
    assert_eq!(settings.len(), 1);
    let states: Vec<State> = fixture.connector_states().iter().map(|told| told.state).collect();
    assert_eq!(states, [State::Running], "nobody hears of it");
    fixture.worker.stop_connector(&fixture.name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_that_is_not_installed_fails_the_connector() {
    let (fixture, _) = fixture(1, &[("connector.class", "org.acme.Missing")]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_configuration_refers_to_reaches_the_connector_and_is_told_to_nobody_else() {
    let reference = "${vault:db}";
    let (fixture, connector) = fixture(1, &[("password", reference)]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Running).await;
    let url = format!("db?p={PASSWORD}");
    let beside = [("password", PASSWORD), ("url", &url)];
    let why = Fault::config(format!("no login as {PASSWORD}"));
    {
        let mut script = connector.script.lock().unwrap();
        assert_eq!(script.settings.get("password"), Some(PASSWORD));
        (script.beside, script.refusal) = (beside.into_iter().collect(), Some(why));
    }
    let refused = fixture.worker.task_settings(&fixture.name).await.unwrap_err();
    assert_eq!(refused.message, "no login as [hidden]");
    let tasks = fixture.worker.task_settings(&fixture.name).await.unwrap();
    assert_eq!(tasks[0].get("password"), Some(reference));
    assert_eq!(tasks[0].get("url"), Some("db?p=${vault:db}"));
    fixture.worker.stop_connector(&fixture.name).await;

    // What the worker itself says of a value is hidden too.
    let (mut fixture, _) = self::fixture(1, &[("connector.class", "${vault:class}")]).await;
    start(&fixture, TargetState::Started).await;
    wait_for(&fixture, State::Failed).await;
    let trace = fixture.connector_states().last().unwrap().trace.clone().unwrap();
    assert_eq!(trace, "no sink [hidden]");
    fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("tasks.max", "${vault:n}")]);
    fixture.start_task(0).await;
    let why = fixture.failure(0).await;
    assert!(why.starts_with("Invalid value [hidden] for configuration tasks.max"), "{why}");
    let resolved = fixture.worker.resolve(fixture.settings()).await.unwrap();
    let validation = fixture.worker.validate(&resolved).await.unwrap();
    let tasks = validation.configs.iter().find(|config| config.name == "tasks.max").unwrap();
    assert_eq!(tasks.value.as_deref(), Some("${vault:n}"));
    assert_eq!(
        tasks.errors,
        [
            "Invalid value for configuration 'tasks.max': the value resolved from the config provider reference failed validation"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_that_the_policy_does_not_allow_is_found_by_validation() {
    let policy = [("connector.client.config.override.policy", "Tuning")];
    let mut fixture = Fixture::new("override", &policy).await;
    fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("topics", "t")]);
    fixture.set(&[("consumer.override.max.poll.records", "5")]);
    fixture.set(&[("consumer.override.bootstrap.servers", "elsewhere:9092")]);
    let resolved = fixture.worker.resolve(fixture.settings()).await.unwrap();
    let validation = fixture.worker.validate(&resolved).await.unwrap();
    let wrong: Vec<_> = validation.configs.iter().filter(|one| !one.errors.is_empty()).collect();
    let wrong: Vec<_> = wrong.iter().map(|one| (one.name.as_str(), one.errors.clone())).collect();
    let refused = "The 'Tuning' policy does not allow 'bootstrap.servers' to be overridden in the connector configuration.";
    assert_eq!(wrong, [("consumer.override.bootstrap.servers", vec![refused.to_owned()])]);
}
