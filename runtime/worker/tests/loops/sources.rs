//! Source tasks: what is in Kafka, what is stored, and what the source was told.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tombolo_model::role::Acknowledged;
use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, Stage};
use tombolo_worker::WorkerEvent;

use crate::support::source::{Call, CountingScript};
use crate::support::{Fixture, until};

/// The values `<partition>-0` to `<partition>-<count - 1>`.
fn numbered(partition: &str, count: u64) -> Vec<String> {
    (0..count).map(|n| format!("{partition}-{n}")).collect()
}

/// Waits until the offset of partition `a` is stored and the source was told so.
async fn told(script: &CountingScript, count: u64) {
    until(&format!("the source is told of {count}"), || script.told("a") == Some(count)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_in_order_and_the_source_is_told_of_offsets_once_they_are_stored() {
    let mut fixture = Fixture::new("plain", &[]).await;
    let topic = fixture.cluster.new_topic("plain", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 1000).install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 1000).await;
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 1000));
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    let states: Vec<State> = fixture.states(0).iter().map(|status| status.state).collect();
    assert_eq!(states, [State::Running, State::Unassigned]);

    let calls = script.calls();
    assert_eq!(calls.first(), Some(&Call::Start));
    assert_eq!(calls[calls.len() - 2..], [Call::Stop, Call::Dropped]);
    let stored: BTreeSet<u64> = fixture.stored_offsets().into_iter().map(|(_, n)| n).collect();
    for call in &calls {
        if let Call::Commit(offsets) = call {
            let is_stored = |(_, n): &(String, u64)| stored.contains(n);
            assert!(offsets.iter().all(is_stored), "{offsets:?} {stored:?}");
        }
    }
    let used = fixture.events().into_iter().filter(
        |event| matches!(event, WorkerEvent::TopicUsed { topic: used, .. } if *used == topic),
    );
    assert_eq!(used.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_stopped_in_the_middle_goes_on_without_a_gap_or_a_repetition() {
    let mut fixture = Fixture::new("middle", &[]).await;
    let topic = fixture.cluster.new_topic("middle", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 100_000);
    let script = CountingScript { rows_per_poll: 500, ..script }.install(&mut fixture);
    for round in 1..=3 {
        fixture.start_task(0).await;
        let polled = |call: &&Call| matches!(call, Call::Polled(..));
        until("rows are polled", || script.calls().iter().filter(polled).count() >= 5 * round)
            .await;
        fixture.stop_task(0).await;
    }
    script.limit.store(50_000, Ordering::SeqCst);
    let sent = fixture.stored_offset("a").unwrap();
    script.limit.store(sent + 1000, Ordering::SeqCst);
    fixture.start_task(0).await;
    told(&script, sent + 1000).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", sent + 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_hangs_is_cancelled_and_the_next_sends_again_from_the_last_commit() {
    let mut fixture =
        Fixture::new("hanging", &[("task.shutdown.graceful.timeout.ms", "200")]).await;
    let topic = fixture.cluster.new_topic("hanging", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 100).install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 100).await;
    fixture.set_store_away(true);
    script.limit.store(200, Ordering::SeqCst);
    let mut sent = 0;
    while sent < 200 {
        sent = fixture.cluster.values(&topic).await.len();
    }
    script.hangs.store(true, Ordering::SeqCst);
    until("it hangs", || script.calls().last() == Some(&Call::Hang)).await;
    fixture.stop_task(0).await;
    until("the instance is dropped", || script.calls().last() == Some(&Call::Dropped)).await;
    assert!(!script.calls().contains(&Call::Stop), "nothing of it is called any more");
    fixture.wait_for_state(0, State::Unassigned).await;
    let states: Vec<State> = fixture.states(0).iter().map(|status| status.state).collect();
    assert_eq!(states, [State::Running, State::Unassigned], "it is told for what it is, once");

    fixture.set_store_away(false);
    script.hangs.store(false, Ordering::SeqCst);
    fixture.start_task(0).await;
    told(&script, 200).await;
    let values = fixture.cluster.values(&topic).await;
    let (before, again) = values.split_at(200);
    assert_eq!(before, numbered("a", 200));
    assert_eq!(again, &numbered("a", 200)[100..], "from the last commit on, in order");
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_of_filtered_rows_are_committed_too() {
    let mut fixture = Fixture::new("filtered", &[]).await;
    let topic = fixture.cluster.new_topic("filtered", 1).await;
    fixture.set(&[("transforms", "m"), ("transforms.m.type", "Mark")]);
    let script = CountingScript::new(&[("a", &topic)], 100).install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 100).await;
    fixture.stop_task(0).await;
    let even: Vec<String> = (0..50).map(|n| format!("a-{}", 2 * n)).collect();
    assert_eq!(fixture.cluster.values(&topic).await, even);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_source_partition_does_not_hold_up_another() {
    let mut fixture = Fixture::new("stuck", &[]).await;
    let topic = fixture.cluster.new_topic("free", 1).await;
    let missing = format!("missing-{}", fixture.cluster.next_number());
    let script = CountingScript::new(&[("b", &missing), ("a", &topic)], 30).install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 30).await;
    assert_eq!(fixture.stored_offset("b"), None);
    fixture.cluster.create_topic(&missing, 1).await;
    until("the other partition is committed", || script.told("b") == Some(30)).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&missing).await, numbered("b", 30));
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_behind_a_stuck_row_are_held_up_to_32_mib_and_polling_goes_on_when_it_is_settled() {
    const MIB: usize = 1 << 20;
    let mut fixture = Fixture::new("held", &[]).await;
    let topic = fixture.cluster.new_topic("flowing", 1).await;
    let missing = format!("missing-{}", fixture.cluster.next_number());
    let script = CountingScript::new(&[("b", &missing), ("a", &topic)], 40);
    let script = CountingScript { rows_per_poll: 1, offset_padding: MIB, ..script };
    let script = script.install(&mut fixture);
    fixture.start_task(0).await;
    let count = |is_so: fn(&Call) -> bool| script.calls().iter().filter(|call| is_so(call)).count();
    let polls = || count(|call| matches!(call, Call::Polled(..)));
    let commits = || count(|call| matches!(call, Call::Commit(_)));
    // Each poll brings a row of either partition, and each row an offset of a mebibyte.
    until("polling reaches the limit", || polls() == 16).await;
    let before = commits();
    until("the task goes on committing", || commits() >= before + 3).await;
    assert_eq!(polls(), 16, "and does not poll");
    told(&script, 16).await;
    assert_eq!(script.told("b"), None);
    fixture.cluster.create_topic(&missing, 1).await;
    told(&script, 40).await;
    until("the other partition is committed", || script.told("b") == Some(40)).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&missing).await, numbered("b", 40));
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 40));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_kafka_does_not_take_do_not_keep_a_stop_from_committing_the_others() {
    let settings =
        [("offset.flush.interval.ms", "3600000"), ("task.shutdown.graceful.timeout.ms", "4000")];
    let mut fixture = Fixture::new("unsettled", &settings).await;
    let topic = fixture.cluster.new_topic("settled", 1).await;
    let missing = format!("missing-{}", fixture.cluster.next_number());
    let script = CountingScript::new(&[("b", &missing), ("a", &topic)], 30).install(&mut fixture);
    fixture.start_task(0).await;
    let mut written = 0;
    while written < 30 {
        written = fixture.cluster.values(&topic).await.len();
    }
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    assert_eq!((script.told("a"), script.told("b")), (Some(30), None));
    assert_eq!((fixture.stored_offset("a"), fixture.stored_offset("b")), (Some(30), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_budget_of_bytes_in_flight_loses_and_reorders_nothing() {
    let mut fixture = Fixture::new("budget", &[]).await;
    let topic = fixture.cluster.new_topic("budget", 1).await;
    fixture.set(&[("task.inflight.bytes.max", "20000")]);
    let script = CountingScript::new(&[("a", &topic)], 5000);
    let script = CountingScript { rows_per_poll: 500, ..script }.install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 5000).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 5000));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_from_the_first_group_that_holds_them() {
    let mut fixture = Fixture::new("creating", &[]).await;
    let (one, other) = (
        format!("special-{}", fixture.cluster.next_number()),
        format!("usual-{}", fixture.cluster.next_number()),
    );
    fixture.set(&[
        ("topic.creation.groups", "special"),
        ("topic.creation.special.include", "special-.*"),
        ("topic.creation.special.partitions", "3"),
        ("topic.creation.special.retention.ms", "86400001"),
        ("topic.creation.default.partitions", "2"),
        ("topic.creation.default.replication.factor", "1"),
    ]);
    let script = CountingScript::new(&[("a", &one), ("b", &other)], 10).install(&mut fixture);
    fixture.start_task(0).await;
    told(&script, 10).await;
    fixture.stop_task(0).await;
    let admin = fixture.cluster.admin();
    let partitions = async |topic: &str| admin.topic(topic).await.unwrap().unwrap().partitions;
    assert_eq!((partitions(&one).await, partitions(&other).await), (3, 2));
    let settings = admin.topic_settings(&one).await.unwrap();
    assert!(settings.contains(&("retention.ms".to_owned(), "86400001".to_owned())));
    assert_eq!(fixture.cluster.read(&one).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_cannot_be_created_fails_the_task_with_kafkas_reason() {
    let mut fixture = Fixture::new("refused", &[]).await;
    let topic = format!("refused-{}", fixture.cluster.next_number());
    fixture.set(&[
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "3"),
    ]);
    CountingScript::new(&[("a", &topic)], 10).install(&mut fixture);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let first = trace.lines().next().unwrap();
    assert!(first.contains("Task failed to create new topic"), "{trace}");
    assert!(first.contains("eplication factor"), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_writes_to_more_topics_than_it_may_fails_and_names_the_setting() {
    let mut fixture = Fixture::new("many", &[("topic.tracking.enable", "false")]).await;
    let topics = [
        fixture.cluster.new_topic("many", 1).await,
        fixture.cluster.new_topic("many", 1).await,
        format!("many-{}", fixture.cluster.next_number()),
    ];
    fixture.set(&[("sandbox.topics.max", "2")]);
    let [one, other, above] = topics.each_ref().map(String::as_str);
    CountingScript::new(&[("a", one), ("b", other), ("c", above)], 10).install(&mut fixture);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let expected =
        format!("as many as it may (sandbox.topics.max), and a record is for one more, {above}");
    assert!(trace.contains(&expected), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_acknowledged_once_with_where_it_was_written() {
    let mut fixture = Fixture::new("acknowledged", &[]).await;
    let topic = fixture.cluster.new_topic("acknowledged", 1).await;
    fixture.set(&[("transforms", "m"), ("transforms.m.type", "Mark")]);
    let script = CountingScript::new(&[("a", &topic)], 100);
    let script = CountingScript { wants_acknowledgements: true, ..script }.install(&mut fixture);
    fixture.start_task(0).await;
    until("all rows are acknowledged", || script.acknowledged().len() >= 100).await;
    fixture.stop_task(0).await;
    let mut rows = script.acknowledged();
    rows.sort_by_key(|row| (row.batch, row.row));
    let polls = script.calls().into_iter().filter_map(|call| match call {
        Call::Polled(batch, rows) => Some((batch, rows)),
        _ => None,
    });
    let expected: Vec<Acknowledged> = polls
        .flat_map(|(batch, rows)| (0..rows).map(move |row| (batch, row)))
        .zip(0_i64..)
        .map(|((batch, row), n)| Acknowledged {
            batch,
            row,
            written: (n % 2 == 0).then_some((0, n / 2)),
        })
        .collect();
    assert_eq!(rows, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_fails_for_now_is_made_again() {
    let mut fixture = Fixture::new("retried", &[]).await;
    let topic = fixture.cluster.new_topic("retried", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 20).install(&mut fixture);
    let away = || Fault::retriable(Stage::TaskPoll, "away");
    script.faults.lock().unwrap().extend([away(), away()]);
    fixture.start_task(0).await;
    told(&script, 20).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_says_why_in_the_first_line_and_commits_what_is_settled() {
    let mut fixture = Fixture::new("failing", &[("offset.flush.interval.ms", "3600000")]).await;
    let topic = fixture.cluster.new_topic("failing", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 20).install(&mut fixture);
    fixture.start_task(0).await;
    until("all rows are polled", || {
        script.calls().iter().filter(|call| matches!(call, Call::Polled(..))).count() == 2
    })
    .await;
    let mut fault = Fault::fatal(Stage::TaskPoll, "the disk is gone");
    fault.class = Some("org.acme.DiskException".to_owned());
    fault.trace = Some("\tat org.acme.Disk".to_owned());
    script.faults.lock().unwrap().push(fault);
    let trace = fixture.failure(0).await;
    assert_eq!(trace, "org.acme.DiskException: the disk is gone\n\tat org.acme.Disk");
    assert_eq!((fixture.stored_offset("a"), script.told("a")), (Some(20), Some(20)));
    assert!(script.calls().contains(&Call::Stop));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_kafka_refuses_ends_the_task_or_is_skipped() {
    for (tolerance, expected) in [("none", None), ("all", Some(10))] {
        let mut fixture = Fixture::new("large", &[]).await;
        let topic = fixture.cluster.new_topic("large", 1).await;
        fixture.set(&[("errors.tolerance", tolerance)]);
        let script = CountingScript::new(&[("a", &topic)], 10);
        let value = Some(vec![b'x'; 2 << 20]);
        let script = CountingScript { value, rows_per_poll: 1, ..script }.install(&mut fixture);
        fixture.start_task(0).await;
        if let Some(count) = expected {
            told(&script, count).await;
            fixture.stop_task(0).await;
        } else {
            let trace = fixture.failure(0).await;
            let text = "Unrecoverable exception from producer send callback";
            assert!(trace.lines().next().unwrap().ends_with(text), "{trace}");
            assert_eq!(fixture.stored_offset("a"), None);
        }
        assert!(fixture.cluster.read(&topic).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_cannot_be_ends_the_task() {
    let mut fixture = Fixture::new("time", &[]).await;
    let topic = fixture.cluster.new_topic("time", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 10);
    CountingScript { timestamp: -5, ..script }.install(&mut fixture);
    fixture.start_task(0).await;
    let expected = "org.apache.kafka.common.InvalidRecordException: Invalid record timestamp -5";
    assert_eq!(fixture.failure(0).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_ends_the_task_after_those_before_it_or_is_skipped() {
    for tolerance in ["none", "all"] {
        let mut fixture = Fixture::new("bad", &[]).await;
        let topic = fixture.cluster.new_topic("bad", 1).await;
        fixture.set(&[("errors.tolerance", tolerance)]);
        let script = CountingScript::new(&[("a", &topic)], 10);
        let script =
            CountingScript { value: Some(b"bad".to_vec()), ..script }.install(&mut fixture);
        fixture.start_task(0).await;
        if tolerance == "all" {
            told(&script, 10).await;
            fixture.stop_task(0).await;
        } else {
            let trace = fixture.failure(0).await;
            assert_eq!(
                trace,
                "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
                 Caused by: a bad row"
            );
            assert_eq!(fixture.stored_offset("a"), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_that_cannot_be_stored_are_stored_later_and_the_source_is_told_then() {
    let mut fixture = Fixture::new("away", &[]).await;
    let topic = fixture.cluster.new_topic("away", 1).await;
    fixture.set_store_away(true);
    let script = CountingScript::new(&[("a", &topic)], 10).install(&mut fixture);
    fixture.start_task(0).await;
    let mut sent = 0;
    while sent < 10 {
        sent = fixture.cluster.values(&topic).await.len();
    }
    assert_eq!(script.told("a"), None);
    fixture.set_store_away(false);
    told(&script, 10).await;
    assert_eq!(fixture.stored_offset("a"), Some(10));
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_task_does_not_poll_and_goes_on_when_it_is_resumed() {
    let mut fixture = Fixture::new("paused", &[]).await;
    let topic = fixture.cluster.new_topic("paused", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 10).install(&mut fixture);
    fixture.start_task_as(0, TargetState::Paused).await;
    fixture.wait_for_state(0, State::Paused).await;
    assert!(script.calls().is_empty(), "a task that begins paused does not start");
    fixture.worker.set_target_state(&fixture.name, TargetState::Started);
    told(&script, 10).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Paused);
    fixture.wait_for_state(0, State::Paused).await;
    script.limit.store(20, Ordering::SeqCst);
    let commits = |script: &CountingScript| {
        script.calls().iter().filter(|call| matches!(call, Call::Commit(_))).count()
    };
    let before = commits(&script);
    until("it commits while it is paused", || commits(&script) > before + 2).await;
    assert_eq!(fixture.cluster.values(&topic).await.len(), 10);
    fixture.worker.set_target_state(&fixture.name, TargetState::Started);
    told(&script, 20).await;
    fixture.wait_for_state(0, State::Running).await;
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_passed_its_memory_mark_is_started_anew_and_nothing_is_lost_or_doubled() {
    let mut fixture = Fixture::new("recycled", &[]).await;
    let topic = fixture.cluster.new_topic("recycled", 1).await;
    let script = CountingScript::new(&[("a", &topic)], 50_000);
    let script = CountingScript { rows_per_poll: 100, ..script }.install(&mut fixture);
    fixture.start_task(0).await;
    until("it is at work", || script.calls().len() > 20).await;
    script.is_recycling_due.store(true, Ordering::SeqCst);
    let starts = |script: &Arc<CountingScript>| {
        script.calls().iter().filter(|call| **call == Call::Start).count()
    };
    until("it is started anew", || starts(&script) == 2).await;
    let at_once = script.told("a");
    assert!(at_once.is_some(), "offsets are stored and told before the new start");
    // While offsets cannot be stored it waits: a start from older ones would bring rows again.
    fixture.set_store_away(true);
    script.is_recycling_due.store(true, Ordering::SeqCst);
    let polled = |script: &Arc<CountingScript>| -> usize {
        let rows = |call: &Call| if let Call::Polled(_, rows) = call { *rows as usize } else { 0 };
        script.calls().iter().map(rows).sum()
    };
    let mut written = 0;
    while written == 0 || written != polled(&script) {
        written = fixture.cluster.values(&topic).await.len();
    }
    fixture.set_store_away(false);
    until("it is started anew again", || starts(&script) == 3).await;
    told(&script, 50_000).await;
    fixture.stop_task(0).await;
    assert_eq!(fixture.cluster.values(&topic).await, numbered("a", 50_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_used_fails_the_task_with_the_setting() {
    let check = async |settings: &[(&str, &str)], expected: &str| {
        let mut fixture = Fixture::new("wrong", &[]).await;
        CountingScript::new(&[("a", "none")], 1).install(&mut fixture);
        fixture.set(settings);
        fixture.start_task(0).await;
        assert_eq!(fixture.failure(0).await, expected);
    };
    check(&[("connector.class", "org.acme.Missing")], "no sink org.acme.Missing").await;
    check(&[("value.converter", "Missing")], "no converter Missing").await;
    let fixture = Fixture::new("wrong", &[("connector.client.config.override.policy", "None")]);
    let mut fixture = fixture.await;
    CountingScript::new(&[("a", "none")], 1).install(&mut fixture);
    fixture.set(&[("producer.override.acks", "1")]);
    fixture.start_task(0).await;
    assert_eq!(
        fixture.failure(0).await,
        "The 'None' policy does not allow 'acks' to be overridden in the connector configuration."
    );
}
