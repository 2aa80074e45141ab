//! What happens one thing at a time.

use std::time::Duration;

use tombolo_model::status::{State, TargetState};

use super::world::{World, name};
use crate::event::Answer;
use crate::step::Answering;

fn last(world: &World) -> String {
    let (_, answer) = world.answers.last_key_value().unwrap();
    match answer {
        Ok(Answer::Written { is_created, .. }) => format!("Written {{ is_created: {is_created} }}"),
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{error:?}"),
    }
}

fn created(connector: &str) -> World {
    let mut world = World::new();
    world.create(&name(connector), None);
    world.settle();
    world.done.clear();
    world
}

#[test]
fn a_created_connector_starts_and_then_its_tasks() {
    let mut world = World::new();
    world.tasks_made = 2;
    world.create(&name("a"), None);
    world.settle();
    assert_eq!(last(&world), "Written { is_created: true }");
    assert_eq!(world.done, ["a: start", "a: start 0", "a: start 1"]);
    world.create(&name("a"), None);
    world.settle();
    assert_eq!(last(&world), r#"AlreadyExists("Connector a already exists")"#);
    world.put(&name("a"));
    world.settle();
    assert_eq!(last(&world), "Written { is_created: false }");
    world.check();
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let mut world = World::new();
    world.is_valid = false;
    world.create(&name("a"), None);
    world.settle();
    assert_eq!(last(&world), r#"BadRequest("bad")"#);
    assert!(world.done.is_empty());
    world.check();
}

#[test]
fn a_connector_created_stopped_has_no_tasks_until_it_is_resumed() {
    let mut world = World::new();
    world.create(&name("a"), Some(TargetState::Stopped));
    world.settle();
    assert_eq!(world.done, ["a: start"]);
    world.target(&name("a"), TargetState::Started);
    world.settle();
    assert_eq!(world.done, ["a: start", "a: STARTED", "a: start 0"]);
    world.check();
}

#[test]
fn stopping_ends_the_tasks_and_their_statuses_at_once() {
    let mut world = created("a");
    world.target(&name("a"), TargetState::Stopped);
    world.settle();
    assert_eq!(world.done, ["a: stop [0]", "a: STOPPED"]);
    assert!(world.statuses[&name("a")].tasks.is_empty());
    world.check();
}

#[test]
fn new_settings_that_change_no_task_leave_the_tasks_alone() {
    let mut world = created("a");
    world.ask_for_tasks(&name("a"));
    world.settle();
    assert!(world.done.is_empty(), "{:?}", world.done);
    world.tasks_made = 2;
    world.ask_for_tasks(&name("a"));
    world.settle();
    assert_eq!(world.done, ["a: stop [0]", "a: start 0", "a: start 1"]);
    world.check();
}

#[test]
fn fewer_tasks_leave_no_statuses_behind() {
    let mut world = World::new();
    world.tasks_made = 3;
    world.create(&name("a"), None);
    world.settle();
    world.tasks_made = 1;
    world.ask_for_tasks(&name("a"));
    world.settle();
    world.report_task(&name("a"), 2, State::Failed);
    assert_eq!(world.statuses[&name("a")].tasks.len(), 1);
    world.check();
}

#[test]
fn a_deleted_connector_stops_and_is_unknown() {
    let mut world = created("a");
    world.delete(&name("a"));
    world.settle();
    assert_eq!(last(&world), "Done");
    assert_eq!(world.done, ["a: stop [0]", "a: stop"]);
    world.report_task(&name("a"), 0, State::Unassigned);
    world.delete(&name("a"));
    world.settle();
    assert_eq!(last(&world), r#"NotFound("Connector a not found")"#);
    world.check();
}

#[test]
fn each_request_says_in_its_own_words_that_a_connector_is_unknown() {
    let a = name("a");
    let check = |ask: &dyn Fn(&mut World), expected: &str| {
        let mut world = World::new();
        ask(&mut world);
        world.settle();
        assert_eq!(last(&world), format!("NotFound({expected:?})"));
    };
    check(&|world| world.patch(&a), "Connector a not found");
    check(&|world| world.delete(&a), "Connector a not found");
    check(&|world| world.reset_offsets(&a), "Connector a not found");
    check(&|world| world.target(&a, TargetState::Paused), "Unknown connector a");
    check(&|world| world.restart(&a), "Unknown connector: a");
    check(&|world| world.restart_all(&a, false, true), "Unknown connector: a");
    check(&|world| world.restart_task(&a, 0), "Unknown connector: a");
    let mut world = created("a");
    world.restart_task(&a, 9);
    assert_eq!(last(&world), r#"NotFound("Unknown task: a-9")"#);
}

#[test]
fn a_restart_replaces_what_it_includes() {
    let mut world = created("a");
    world.restart(&name("a"));
    world.settle();
    assert_eq!(last(&world), "Done");
    world.restart_task(&name("a"), 0);
    world.settle();
    assert_eq!(last(&world), "Done");
    assert_eq!(world.done, ["a: stop", "a: start", "a: stop [0]", "a: start 0"]);
    world.done.clear();
    world.restart_all(&name("a"), true, true);
    world.settle();
    assert!(world.done.is_empty(), "nothing has failed");
    world.report_task(&name("a"), 0, State::Failed);
    world.restart_all(&name("a"), true, true);
    world.settle();
    assert_eq!(world.done, ["a: stop [0]", "a: start 0"]);
    assert!(last(&world).contains("Restarting"), "{}", last(&world));
    world.check();
}

#[test]
fn an_instance_that_ends_for_another_was_never_unassigned() {
    let mut world = created("a");
    world.report_task(&name("a"), 0, State::Unassigned);
    assert_eq!(world.statuses[&name("a")].tasks[&0].state, State::Running);
    world.stop();
    world.report_task(&name("a"), 0, State::Unassigned);
    assert_eq!(world.statuses[&name("a")].tasks[&0].state, State::Unassigned);
}

#[test]
fn task_settings_that_cannot_be_made_are_asked_for_again_with_longer_pauses() {
    let mut world = World::new();
    world.makes_tasks = false;
    world.create(&name("a"), None);
    world.settle();
    for pause in [250, 500, 1000, 2000] {
        assert_eq!(world.wake_at(), Some(Duration::from_millis(pause)));
        world.pass(Duration::from_millis(pause));
        world.settle();
    }
    world.makes_tasks = true;
    world.pass(Duration::from_secs(4));
    world.settle();
    assert_eq!(world.wake_at(), None);
    assert_eq!(world.done, ["a: start", "a: start 0"]);
    world.check();
}

#[test]
fn a_failed_write_is_told_to_who_asked_and_tried_again_for_tasks() {
    let mut world = World::new();
    world.break_next_write();
    world.create(&name("a"), None);
    world.settle();
    assert_eq!(last(&world), r#"Internal("Error writing to the config topic in Kafka")"#);
    world.create(&name("a"), Some(TargetState::Paused));
    world.settle();
    world.break_next_write();
    world.ask_for_tasks(&name("a"));
    world.target(&name("a"), TargetState::Started);
    world.settle();
    world.target(&name("a"), TargetState::Started);
    world.settle();
    world.check();
}

#[test]
fn offsets_change_only_while_a_connector_is_stopped_and_hold_up_other_changes() {
    let mut world = created("a");
    world.reset_offsets(&name("a"));
    assert!(last(&world).starts_with(r#"BadRequest("Connectors must be in the STOPPED state"#));
    world.target(&name("a"), TargetState::Stopped);
    world.settle();
    world.done.clear();
    world.reset_offsets(&name("a"));
    world.target(&name("a"), TargetState::Started);
    let answers = world.answers.len();
    assert!(world.done.is_empty());
    world.settle();
    assert_eq!(world.answers.len(), answers + 2);
    assert_eq!(world.done, ["a: STARTED", "a: start 0"]);
    world.check();
}

#[test]
fn a_stopping_herder_ends_everything_and_takes_nothing_on() {
    let mut world = created("a");
    world.stop();
    world.settle();
    assert_eq!(world.done, ["a: stop [0]", "a: stop"]);
    world.create(&name("b"), None);
    assert_eq!(last(&world), r#"Internal("The worker is shutting down")"#);
    world.foreign_put(&name("c"));
    world.settle();
    assert_eq!(world.done.len(), 2);
}

fn alone() -> World {
    World::answering(Answering::OnceStarted)
}

/// How many tasks the last answer names.
fn tasks_answered(world: &World) -> usize {
    match world.answers.last_key_value() {
        Some((_, Ok(Answer::Written { connector, .. }))) => connector.tasks().len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_that_stands_alone_answers_a_configuration_with_the_tasks() {
    let mut world = alone();
    world.tasks_made = 2;
    world.create(&name("a"), None);
    world.settle();
    assert_eq!(last(&world), "Written { is_created: true }");
    assert_eq!(tasks_answered(&world), 2);
    world.tasks_made = 3;
    world.put(&name("a"));
    world.settle();
    assert_eq!(last(&world), "Written { is_created: false }");
    assert_eq!(tasks_answered(&world), 3);
    world.check();
}

#[test]
fn a_worker_that_stands_alone_answers_one_that_is_to_wait_without_tasks() {
    for target in [TargetState::Paused, TargetState::Stopped] {
        let mut world = alone();
        world.create(&name("a"), Some(target));
        world.settle();
        assert_eq!(last(&world), "Written { is_created: true }");
        assert_eq!(tasks_answered(&world), 0);
        world.check();
    }
}

#[test]
fn a_worker_that_stands_alone_answers_why_a_connector_does_not_start() {
    let mut world = alone();
    world.starts = false;
    world.create(&name("a"), None);
    world.settle();
    let why = "Failed to transition connector a to state STARTED: it does not start";
    assert_eq!(last(&world), format!("Internal({why:?})"));
    world.starts = true;
    world.makes_tasks = false;
    world.put(&name("a"));
    world.settle();
    assert_eq!(last(&world), r#"Internal("not now")"#);
    world.makes_tasks = true;
    world.break_next_write();
    world.put(&name("a"));
    world.settle();
    assert_eq!(last(&world), r#"Internal("Error writing to the config topic in Kafka")"#);
    world.check();
}
