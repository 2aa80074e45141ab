//! Records for which a whole call fails: they are found and go to the dead letter queue, and the others go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use tombolo_model::fault::Breach;
use tombolo_model::{Fault, Stage};

use crate::dead_letters::{committed, counts, fixture};
use crate::support::Fixture;
use crate::support::sink::{Answer, Call, SinkScript};

/// A sink that fails a `put` as a whole, in this way, when one of these values is in it.
fn poisoned(
    fixture: &mut Fixture,
    topic: &str,
    poison: &[&str],
    fault: impl Fn() -> Fault + Send + 'static,
) -> Arc<SinkScript> {
    let poison: BTreeSet<String> = poison.iter().map(|&value| value.to_owned()).collect();
    SinkScript::install(fixture, topic, move |call| match call {
        Call::Put(rows)
            if rows.iter().any(|row| row.value.as_ref().is_some_and(|v| poison.contains(v))) =>
        {
            Err(fault())
        }
        _ => Ok(Answer::default()),
    })
}

fn fatal() -> Fault {
    let mut fault = Fault::fatal(Stage::TaskPut, "a foreign key is violated");
    fault.class = Some("org.acme.Violated".to_owned());
    fault
}

fn trap() -> Fault {
    Fault::breach(Breach::Trap, Stage::TaskPut, "unreachable")
}

async fn letters(fixture: &Fixture, queue: &str) -> Vec<String> {
    fixture.cluster.values(queue).await
}

/// The values of `put`s that did not fail, each once.
fn taken(script: &SinkScript, poison: &[&str]) -> BTreeSet<String> {
    let of = |call| match call {
        Call::Put(rows) => {
            let values: Vec<String> = rows.into_iter().filter_map(|row| row.value).collect();
            let failed = values.iter().any(|value| poison.contains(&value.as_str()));
            if failed { Vec::new() } else { values }
        }
        _ => Vec::new(),
    };
    script.calls().into_iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_that_fail_a_put_are_found_and_all_others_arrive() {
    for (name, fault) in [("poison", fatal as fn() -> Fault), ("trapped", trap)] {
        let (mut fixture, topic, queue) = fixture(name, &[]).await;
        fixture.cluster.produce_numbered(&topic, 0, 1200).await;
        let poison = ["v0-0", "v0-333", "v0-334", "v0-1199"];
        let script = poisoned(&mut fixture, &topic, &poison, fault);
        fixture.start_task(0).await;
        committed(&fixture, &topic, 1200).await;
        let counted = counts(&fixture);
        assert_eq!((counted.dead_letter_requests, counted.dead_letter_failures), (4, 0));
        fixture.stop_task(0).await;
        assert_eq!(letters(&fixture, &queue).await, poison, "{name}");
        let all: BTreeSet<String> = (0..1200).map(|n| format!("v0-{n}")).collect();
        let taken = taken(&script, &poison);
        let missing: Vec<_> = all.difference(&taken).cloned().collect();
        assert_eq!(missing, ["v0-0", "v0-1199", "v0-333", "v0-334"], "{name}");
        // Halving: a search costs some ten failures a record, not hundreds.
        let starts = script.count(|call| *call == Call::Start);
        assert!(starts <= 1 + 4 * 11, "{name}: {starts} starts");
        let stops = script.count(|call| *call == Call::Stop);
        assert_eq!(stops == starts, name == "poison", "what trapped is not called any more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_letter_says_what_the_sink_said() {
    let (mut fixture, topic, queue) = fixture("said", &[]).await;
    fixture.cluster.produce(&topic, 0, &[Some("a"), Some("b"), Some("c")]).await;
    poisoned(&mut fixture, &topic, &["b"], fatal);
    fixture.start_task(0).await;
    committed(&fixture, &topic, 3).await;
    fixture.stop_task(0).await;
    let read = fixture.cluster.read(&queue).await;
    let header = |name: &str| read[0].header(&format!("__connect.errors.{name}"));
    assert_eq!((read.len(), header("offset"), header("stage")), (1, Some("1"), Some("TASK_PUT")));
    assert_eq!(header("exception.class.name"), Some("org.acme.Violated"));
    assert_eq!(header("exception.message"), Some("a foreign key is violated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_breaks_a_converter_is_found_too() {
    let (mut fixture, topic, queue) = fixture("converter", &[]).await;
    let values: Vec<String> =
        (0..40).map(|n| if n == 7 { "trap".to_owned() } else { format!("v-{n}") }).collect();
    let values: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    fixture.cluster.produce(&topic, 0, &values).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    committed(&fixture, &topic, 40).await;
    fixture.stop_task(0).await;
    assert_eq!(letters(&fixture, &queue).await, ["trap"]);
    assert_eq!(taken(&script, &[]).len(), 39);
    let read = fixture.cluster.read(&queue).await;
    assert_eq!(read[0].header("__connect.errors.stage"), Some("VALUE_CONVERTER"));
    assert_eq!(read[0].header("__connect.errors.class.name"), Some("Bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_fails_for_every_record_is_broken_itself() {
    let (mut fixture, topic, queue) = fixture("broken", &[("errors.poison.rows.max", "3")]).await;
    fixture.cluster.produce_numbered(&topic, 0, 20).await;
    let all: Vec<String> = (0..20).map(|n| format!("v0-{n}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    poisoned(&mut fixture, &topic, &all, fatal);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let first = "More than 3 records in a row (errors.poison.rows.max) failed alone";
    assert!(trace.contains(first) && trace.contains("a foreign key is violated"), "{trace}");
    assert_eq!(letters(&fixture, &queue).await, ["v0-0", "v0-1", "v0-2"]);
    let group = fixture.group();
    assert!(fixture.cluster.committed(&group, &topic, 0).await.is_none_or(|offset| offset <= 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tolerance_or_queue_or_by_a_setting_or_for_a_deadline_the_task_fails() {
    without_search("strict", ("errors.tolerance", "none"), fatal).await;
    without_search("no-queue", ("errors.deadletterqueue.topic.name", ""), fatal).await;
    without_search("off", ("errors.poison.rows.max", "0"), trap).await;
    without_search("late", ("errors.poison.rows.max", "10"), || {
        Fault::breach(Breach::Deadline, Stage::TaskPut, "too late")
    })
    .await;
}

/// Nothing is searched with this setting when a `put` fails so.
async fn without_search(name: &str, setting: (&str, &str), fault: fn() -> Fault) {
    let (mut fixture, topic, _) = fixture(name, &[setting]).await;
    fixture.set(&[("sandbox.restart.max", "0")]);
    fixture.cluster.produce(&topic, 0, &[Some("a"), Some("b")]).await;
    let script = poisoned(&mut fixture, &topic, &["b"], fault);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    assert!(trace.contains(&fault().message), "{name}: {trace}");
    assert_eq!(script.count(|call| *call == Call::Start), 1, "{name}");
    assert_eq!(counts(&fixture).dead_letter_requests, 0, "{name}");
}
