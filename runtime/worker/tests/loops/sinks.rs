//! Sink tasks: what the sink was given, in which order, and what is committed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tombolo_model::fault::{Problem, RowFault};
use tombolo_model::role::{RecordFault, SinkRequests};
use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, FaultKind, Stage};
use tombolo_worker::WorkerEvent;

use crate::support::sink::{
    Answer, Call, SinkScript, asking, at, committed, is_empty_put, numbered, offset,
};
use crate::support::{Fixture, until};

fn problem() -> Problem {
    Problem { message: "a bad row".to_owned(), class: None, trace: None }
}

/// Whether a call put at least one row.
fn is_rows(call: &Call) -> bool {
    matches!(call, Call::Put(rows) if !rows.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_put_in_order_and_offsets_committed_after_pre_commit() {
    let mut fixture = Fixture::new("sink", &[]).await;
    let topic = fixture.cluster.new_topic("sink", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 2000).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    until("all rows are put", || script.values().len() == 2000).await;
    committed(&fixture, &topic, 0, 2000).await;
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    assert_eq!(script.values(), numbered(0, 0, 2000));
    let calls = script.calls();
    assert_eq!(calls[..2], [Call::Start, Call::Open(vec![offset(&topic, 0, 0)])]);
    let closed = [Call::Close(vec![at(&topic, 0)]), Call::Stop];
    assert_eq!(calls[calls.len() - 2..], closed);
    assert!(matches!(&calls[calls.len() - 3], Call::PreCommit(_)), "the last commit");
    fixture.wait_for_state(0, State::Unassigned).await;
    let states: Vec<State> = fixture.states(0).iter().map(|status| status.state).collect();
    assert_eq!(states, [State::Running, State::Unassigned]);
    let used = WorkerEvent::TopicUsed { task: fixture.task(0), topic: topic.clone() };
    assert_eq!(fixture.events().iter().filter(|event| **event == used).count(), 1);

    fixture.cluster.produce_numbered(&topic, 0, 5).await;
    fixture.start_task(0).await;
    until("only new rows are put", || script.values().len() == 2005).await;
    assert!(script.calls().contains(&Call::Open(vec![offset(&topic, 0, 2000)])));
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_arrive_as_null_and_filtered_rows_are_committed() {
    let mut fixture = Fixture::new("tombstones", &[]).await;
    let topic = fixture.cluster.new_topic("tombstones", 1).await;
    fixture.set(&[
        ("transforms", "m"),
        ("transforms.m.type", "Mark"),
        ("transforms.m.topic", "renamed"),
    ]);
    let values = [Some("v-0"), None, Some("v-1"), Some("v-3")];
    fixture.cluster.produce(&topic, 0, &values).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 4).await;
    fixture.stop_task(0).await;
    let rows = script.rows();
    assert_eq!(script.values(), ["v-0", "null"]);
    assert!(rows.iter().all(|row| row.topic == "renamed"));
    assert!(rows.iter().all(|row| row.original_topic.as_ref() == Some(&topic)), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_put_comes_at_least_every_second_and_sooner_where_the_sink_asks_for_it() {
    let mut fixture = Fixture::new("empty", &[]).await;
    let topic = fixture.cluster.new_topic("empty", 1).await;
    let hurries = Arc::new(AtomicBool::new(false));
    let hurried = Arc::clone(&hurries);
    let script = SinkScript::install(&mut fixture, &topic, move |_| {
        let timeout = hurried.load(Ordering::SeqCst).then_some(Duration::from_millis(5));
        Ok(asking(SinkRequests { timeout, ..SinkRequests::default() }))
    });
    fixture.start_task(0).await;
    until("it is opened", || script.count(|call| matches!(call, Call::Open(_))) == 1).await;
    let begun = tokio::time::Instant::now();
    until("three empty puts", || script.count(is_empty_put) >= 3).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    hurries.store(true, Ordering::SeqCst);
    let before = script.count(is_empty_put);
    let begun = tokio::time::Instant::now();
    until("twenty more", || script.count(is_empty_put) >= before + 20).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_sink_cannot_take_for_now_are_put_again_before_any_other() {
    let mut fixture = Fixture::new("again", &[("consumer.max.poll.records", "10")]).await;
    let topic = fixture.cluster.new_topic("again", 2).await;
    fixture.cluster.produce_numbered(&topic, 0, 30).await;
    fixture.cluster.produce_numbered(&topic, 1, 30).await;
    let mut failures = 0;
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        if is_rows(call) && failures < 3 {
            failures += 1;
            let after = Some(Duration::from_millis(50));
            return Err(Fault::new(FaultKind::Retriable { after }, Stage::TaskPut, "away"));
        }
        Ok(Answer::default())
    });
    fixture.start_task(0).await;
    let three_failed: usize = 3;
    until("all rows are taken", || {
        let puts: Vec<Call> = script.calls().into_iter().filter(is_rows).collect();
        let rows = |call: &Call| match call {
            Call::Put(rows) => rows.len(),
            _ => 0,
        };
        puts.len() > three_failed && puts[three_failed..].iter().map(rows).sum::<usize>() == 60
    })
    .await;
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    let told: Vec<(State, Option<String>)> =
        fixture.states(0).into_iter().map(|status| (status.state, status.trace)).collect();
    let why = Some("put failed for now, and is tried again: away".to_owned());
    assert_eq!(told[..2], [(State::Running, None), (State::Running, why)]);
    assert!(told[2..].iter().all(|(_, trace)| trace.is_none()), "the reason has passed: {told:?}");
    assert!(told.len() > 3, "{told:?}");
    let puts: Vec<Call> = script.calls().into_iter().filter(is_rows).collect();
    assert!(puts[1..=3].iter().all(|put| *put == puts[0]), "the same rows, and no others between");
    let mut taken: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for put in &puts[3..] {
        let Call::Put(rows) = put else { continue };
        rows.iter().for_each(|row| taken.entry(row.partition).or_default().push(row.offset));
    }
    assert!(taken.values().all(|offsets| *offsets == (0..30).collect::<Vec<i64>>()), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_can_ask_for_a_commit_and_say_what_is_durable() {
    let mut fixture = Fixture::new("asked", &[("offset.flush.interval.ms", "3600000")]).await;
    let topic = fixture.cluster.new_topic("asked", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let of = topic.clone();
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let has_last = matches!(call, Call::Put(rows) if rows.iter().any(|row| row.offset == 9));
        // Nobody was asked about the second, and the third is not given yet.
        let offsets = vec![offset(&of, 0, 7), offset("not-mine", 0, 1)];
        let requests = SinkRequests { commit: has_last, ..SinkRequests::default() };
        Ok(Answer { requests, offsets: Some(offsets), ..Answer::default() })
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 7).await;
    assert!(script.calls().contains(&Call::PreCommit(vec![offset(&topic, 0, 10)])));
    fixture.stop_task(0).await;
    let group = fixture.group();
    assert_eq!(fixture.cluster.committed(&group, &topic, 0).await, Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_sink_refuses_at_once_or_later_end_the_task_or_are_skipped() {
    for (tolerance, is_late) in [("none", false), ("none", true), ("all", false), ("all", true)] {
        let mut fixture = Fixture::new("refusing", &[]).await;
        let topic = fixture.cluster.new_topic("refusing", 1).await;
        fixture.set(&[("errors.tolerance", tolerance), ("errors.log.enable", "true")]);
        fixture.cluster.produce_numbered(&topic, 0, 10).await;
        let of = topic.clone();
        SinkScript::install(&mut fixture, &topic, move |call| {
            let mut answer = Answer::default();
            match call {
                Call::Put(rows) if !is_late && !rows.is_empty() => {
                    answer.faults.push(RowFault { row: 0, problem: problem() });
                }
                Call::PreCommit(_) if is_late => {
                    let fault = RecordFault { at: offset(&of, 0, 3), problem: problem() };
                    answer.requests.faults.push(fault);
                }
                _ => {}
            }
            Ok(answer)
        });
        fixture.start_task(0).await;
        if tolerance == "all" {
            committed(&fixture, &topic, 0, 10).await;
            assert_eq!(fixture.states(0).last().unwrap().state, State::Running);
            fixture.stop_task(0).await;
        } else {
            let trace = fixture.failure(0).await;
            assert_eq!(
                trace,
                "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
                 Caused by: a bad row"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_fails_ends_the_task_and_earlier_rows_are_committed() {
    let mut fixture = Fixture::new("ending", &[("offset.flush.interval.ms", "3600000")]).await;
    let topic = fixture.cluster.new_topic("ending", 1).await;
    fixture.set(&[("consumer.override.max.poll.records", "1")]);
    fixture.cluster.produce_numbered(&topic, 0, 3).await;
    let script = SinkScript::install(&mut fixture, &topic, |call| match call {
        Call::Put(rows) if rows.iter().any(|row| row.offset == 2) => {
            Err(Fault::fatal(Stage::TaskPut, "no space left"))
        }
        _ => Ok(Answer::default()),
    });
    fixture.start_task(0).await;
    assert_eq!(fixture.failure(0).await, "no space left");
    committed(&fixture, &topic, 0, 2).await;
    assert_eq!(script.calls().last(), Some(&Call::Stop));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_consumed_row_ends_the_task_or_is_skipped() {
    for tolerance in ["none", "all"] {
        let mut fixture = Fixture::new("unreadable", &[]).await;
        let topic = fixture.cluster.new_topic("unreadable", 1).await;
        fixture.set(&[("errors.tolerance", tolerance)]);
        fixture.cluster.produce(&topic, 0, &[Some("a"), Some("bad"), Some("b")]).await;
        let script = SinkScript::willing(&mut fixture, &topic);
        fixture.start_task(0).await;
        let is_tolerant = tolerance == "all";
        if is_tolerant {
            committed(&fixture, &topic, 0, 3).await;
            assert_eq!(script.values(), ["a", "b"]);
        } else {
            let trace = fixture.failure(0).await;
            assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
        }
        // Those of a task that has failed can still be read.
        let counters = fixture.worker.error_counters();
        let (task, counts) = (&counters[0].0, counters[0].1.read());
        assert_eq!((counters.len(), task), (1, &fixture.task(0)));
        let numbers = (counts.record_failures, counts.record_errors, counts.records_skipped);
        assert_eq!(numbers, (1, 1, u64::from(is_tolerant)));
        fixture.stop_task(0).await;
        assert!(fixture.worker.error_counters().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_sink_gets_nothing_and_commits_what_it_has() {
    let mut fixture = Fixture::new("waiting", &[("offset.flush.interval.ms", "3600000")]).await;
    let topic = fixture.cluster.new_topic("waiting", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 3).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    until("rows are put", || script.values().len() == 3).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Paused);
    fixture.wait_for_state(0, State::Paused).await;
    committed(&fixture, &topic, 0, 3).await;
    let puts = script.count(|call| matches!(call, Call::Put(_)));
    fixture.cluster.produce_numbered(&topic, 0, 3).await;
    let reader = fixture.cluster.read(&topic).await;
    assert_eq!(reader.len(), 6);
    assert_eq!(script.count(|call| matches!(call, Call::Put(_))), puts);
    fixture.worker.set_target_state(&fixture.name, TargetState::Started);
    until("the rest is put", || script.values().len() == 6).await;
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buffering_sink_that_passed_its_memory_mark_is_started_anew_and_loses_nothing() {
    let mut fixture = Fixture::new("buffering", &[("consumer.max.poll.records", "10")]).await;
    let topic = fixture.cluster.new_topic("buffering", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 1000).await;
    // Rows are durable in pieces of 64; the others are in the memory that a new start loses.
    let buffer: Arc<Mutex<Vec<String>>> = Arc::default();
    let durable: Arc<Mutex<Vec<String>>> = Arc::default();
    let starts = Arc::new(AtomicUsize::new(0));
    let (kept, written, begun) = (Arc::clone(&buffer), Arc::clone(&durable), Arc::clone(&starts));
    let of = topic.clone();
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let (mut buffer, mut durable) = (kept.lock().unwrap(), written.lock().unwrap());
        match call {
            Call::Start => {
                buffer.clear();
                begun.fetch_add(1, Ordering::SeqCst);
            }
            Call::Put(rows) => {
                buffer.extend(rows.iter().map(|row| row.value.clone().unwrap()));
                while buffer.len() >= 64 {
                    durable.extend(buffer.drain(..64));
                }
            }
            Call::PreCommit(_) => {
                let offsets = vec![offset(&of, 0, i64::try_from(durable.len()).unwrap())];
                return Ok(Answer { offsets: Some(offsets), ..Answer::default() });
            }
            _ => {}
        }
        Ok(Answer::default())
    });
    fixture.start_task(0).await;
    until("some rows are durable", || durable.lock().unwrap().len() >= 64).await;
    script.is_recycling_due.store(true, Ordering::SeqCst);
    until("it is started anew", || starts.load(Ordering::SeqCst) == 2).await;
    until("all rows are durable", || durable.lock().unwrap().len() == 960).await;
    fixture.stop_task(0).await;
    assert_eq!(*durable.lock().unwrap(), numbered(0, 0, 960));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_passed_its_memory_mark_while_rows_wait_for_it_gets_them_when_it_is_started_anew()
 {
    let mut fixture = Fixture::new("waiting", &[]).await;
    let topic = fixture.cluster.new_topic("waiting", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let starts = Arc::new(AtomicUsize::new(0));
    let begun = Arc::clone(&starts);
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        match call {
            Call::Start => {
                begun.fetch_add(1, Ordering::SeqCst);
            }
            Call::Put(rows) if !rows.is_empty() && begun.load(Ordering::SeqCst) == 1 => {
                let kind = FaultKind::Retriable { after: Some(Duration::from_secs(3_600)) };
                return Err(Fault::new(kind, Stage::TaskPut, "later"));
            }
            _ => {}
        }
        Ok(Answer::default())
    });
    fixture.start_task(0).await;
    until("rows are refused", || !script.values().is_empty()).await;
    let refused = script.values().len();
    script.is_recycling_due.store(true, Ordering::SeqCst);
    until("all are taken", || script.values().len() == refused + 10).await;
    assert_eq!(starts.load(Ordering::SeqCst), 2);
    assert_eq!(script.values()[refused..], numbered(0, 0, 10));
    fixture.stop_task(0).await;
}
