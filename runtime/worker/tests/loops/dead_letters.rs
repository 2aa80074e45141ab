//! Dead letter queues of sinks: what is written there, and that no offset is committed before it is.

use std::sync::Arc;

use tombolo_harness::wait_until;
use tombolo_kafka::ProduceRows;
use tombolo_model::Column;
use tombolo_model::Fault;
use tombolo_model::Stage;
use tombolo_model::fault::{Problem, RowFault};
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::{RecordFault, SinkRequests};
use tombolo_model::status::State;
use tombolo_worker::ErrorCounts;

use crate::support::cluster::Read;
use crate::support::sink::{Answer, Call, SinkScript};
use crate::support::source::CountingScript;
use crate::support::{Fixture, SOON, until};

const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";

fn problem(message: &str) -> Problem {
    let class = Some("org.acme.Bad".to_owned());
    Problem { message: message.to_owned(), class, trace: Some("\tat org.acme.Sink".to_owned()) }
}

/// A fixture whose bad records go to a queue that is not there yet, and the names of topic and queue.
pub(crate) async fn fixture(name: &str, settings: &[(&str, &str)]) -> (Fixture, String, String) {
    let mut fixture = Fixture::new(name, &[]).await;
    let topic = fixture.cluster.new_topic(name, 1).await;
    let queue = format!("{topic}-dead");
    fixture.set(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &queue),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    fixture.set(settings);
    (fixture, topic, queue)
}

pub(crate) async fn committed(fixture: &Fixture, topic: &str, offset: i64) {
    let group = fixture.group();
    let is_committed = async || fixture.cluster.committed(&group, topic, 0).await == Some(offset);
    wait_until(is_committed, &format!("{offset} is committed"), SOON).await.unwrap();
}

pub(crate) fn counts(fixture: &Fixture) -> ErrorCounts {
    fixture.worker.error_counters()[0].1.read()
}

/// The headers that say why a record is in the queue.
fn reasons(read: &Read) -> Vec<(&str, Option<&str>)> {
    let of = |(name, value): &'_ (String, Option<String>)| {
        name.starts_with("__connect.errors.").then_some(value.is_some())
    };
    let named = read.headers.iter().filter(|header| of(header).is_some());
    named.map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

fn at(topic: &str, offset: i64) -> PartitionOffset {
    PartitionOffset { at: TopicPartition::new(topic, 0), offset }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_converted_goes_there_as_it_was_with_why() {
    let (mut fixture, topic, queue) = fixture("letter", &[]).await;
    let column = |rows: &[Option<&str>]| {
        let mut column = Column::default();
        rows.iter().for_each(|row| column.push_option(row.map(str::as_bytes)));
        column
    };
    let keys = column(&[Some("k0"), None, Some("bad"), Some("k3")]);
    let values = column(&[Some("a"), Some("bad"), None, Some("b")]);
    let names = column(&[Some("h"), Some("n"), Some("h")]);
    let header_values = column(&[Some("1"), None, Some("2")]);
    let rows = ProduceRows {
        rows: 4,
        topics: std::slice::from_ref(&topic),
        topic: &[],
        partition: &[0; 4],
        timestamp: &[10, 20, 30, 40],
        key: &keys,
        value: &values,
        header_ends: &[0, 2, 2, 3],
        header_names: &names,
        header_values: &header_values,
    };
    fixture.cluster.produce_rows(&rows).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    committed(&fixture, &topic, 4).await;
    assert_eq!(script.values(), ["a", "b"]);
    let counted = ErrorCounts { last_error_ms: 0, ..counts(&fixture) };
    let expected = ErrorCounts {
        record_failures: 2,
        record_errors: 2,
        records_skipped: 2,
        dead_letter_requests: 2,
        ..ErrorCounts::default()
    };
    assert_eq!(counted, expected);
    fixture.stop_task(0).await;

    let info = fixture.cluster.admin().topic(&queue).await.unwrap().unwrap();
    assert_eq!(info.partitions, 1);
    let letters = fixture.cluster.read(&queue).await;
    let of = |letter: &Read| (letter.key.clone(), letter.value.clone(), letter.timestamp);
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_eq!(of(&letters[0]), (None, Some("bad".to_owned()), 20));
    assert_eq!(of(&letters[1]), (Some("bad".to_owned()), None, 30));
    let own = [("h".to_owned(), Some("1".to_owned())), ("n".to_owned(), None)];
    assert_eq!(letters[0].headers[..2], own);
    let connector = fixture.name.to_string();
    let trace = format!("{DATA_EXCEPTION}: a bad row\n");
    assert_eq!(
        reasons(&letters[0]),
        [
            ("__connect.errors.topic", Some(topic.as_str())),
            ("__connect.errors.partition", Some("0")),
            ("__connect.errors.offset", Some("1")),
            ("__connect.errors.connector.name", Some(connector.as_str())),
            ("__connect.errors.task.id", Some("0")),
            ("__connect.errors.stage", Some("VALUE_CONVERTER")),
            ("__connect.errors.class.name", Some("Bytes")),
            ("__connect.errors.exception.class.name", Some(DATA_EXCEPTION)),
            ("__connect.errors.exception.message", Some("a bad row")),
            ("__connect.errors.exception.stacktrace", Some(trace.as_str())),
        ]
    );
    assert_eq!(letters[1].header("__connect.errors.stage"), Some("KEY_CONVERTER"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_context_headers_a_letter_is_the_record_alone() {
    let settings = [("errors.deadletterqueue.context.headers.enable", "false")];
    let (mut fixture, topic, queue) = fixture("alone", &settings).await;
    fixture.cluster.produce(&topic, 0, &[Some("bad")]).await;
    SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    committed(&fixture, &topic, 1).await;
    fixture.stop_task(0).await;
    let letters = fixture.cluster.read(&queue).await;
    assert_eq!((letters.len(), letters[0].headers.len()), (1, 0));
    assert_eq!(letters[0].key.as_deref(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_sink_refuses_goes_there_as_consumed_also_when_put_was_tried_again() {
    let transforms =
        [("transforms", "m"), ("transforms.m.type", "Mark"), ("transforms.m.topic", "renamed")];
    let (mut fixture, topic, queue) = fixture("put", &transforms).await;
    // The transformation drops odd ones, so rows of the sink are not those of Kafka.
    fixture.cluster.produce_numbered(&topic, 0, 6).await;
    let mut failures = 2;
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let mut answer = Answer::default();
        let Call::Put(rows) = call else { return Ok(answer) };
        let Some(row) = rows.iter().position(|row| row.value.as_deref() == Some("v0-4")) else {
            return Ok(answer);
        };
        if failures > 0 {
            failures -= 1;
            return Err(Fault::retriable(Stage::TaskPut, "away"));
        }
        let row = u32::try_from(row).unwrap();
        answer.faults.push(RowFault { row, problem: problem("refused") });
        Ok(answer)
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 6).await;
    let counted = counts(&fixture);
    assert_eq!((counted.dead_letter_requests, counted.records_skipped), (1, 0));
    fixture.stop_task(0).await;
    assert_eq!(script.count(|call| matches!(call, Call::Put(rows) if !rows.is_empty())), 3);
    let letters = fixture.cluster.read(&queue).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some("4"), Some("v0-4")));
    let header = |name: &str| letter.header(&format!("__connect.errors.{name}"));
    assert_eq!((header("topic"), header("offset")), (Some(topic.as_str()), Some("4")));
    assert_eq!(header("stage"), Some("TASK_PUT"));
    assert_eq!(header("class.name"), Some("org.apache.kafka.connect.sink.SinkTask"));
    assert_eq!(header("exception.stacktrace"), Some("org.acme.Bad: refused\n\tat org.acme.Sink\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_found_bad_later_is_read_again_once_and_others_than_its_own_are_not() {
    let (mut fixture, topic, queue) = fixture("late", &[]).await;
    let foreign = fixture.cluster.new_topic("foreign", 1).await;
    fixture.cluster.produce(&foreign, 0, &[Some("secret")]).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let (of, mut is_told) = (topic.clone(), false);
    SinkScript::install(&mut fixture, &topic, move |call| {
        let mut answer = Answer::default();
        if let Call::PreCommit(offsets) = call
            && offsets[0].offset == 10
            && !std::mem::replace(&mut is_told, true)
        {
            let late = [at(&of, 3), at(&foreign, 0), at(&of, 10), at(&of, 3)];
            let fault = |at| RecordFault { at, problem: problem("late") };
            let faults = late.map(fault).to_vec();
            answer.requests = SinkRequests { faults, ..SinkRequests::default() };
        }
        Ok(answer)
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 10).await;
    fixture.stop_task(0).await;
    let letters = fixture.cluster.read(&queue).await;
    let values: Vec<_> = letters.iter().map(|letter| letter.value.as_deref()).collect();
    assert_eq!(values, [Some("v0-3")]);
    assert_eq!(letters[0].header("__connect.errors.offset"), Some("3"));
    assert_eq!(letters[0].header("__connect.errors.stage"), Some("TASK_PUT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_late_records_than_an_answer_may_have_end_the_task() {
    let (mut fixture, topic, queue) = fixture("flood", &[("sandbox.restart.max", "0")]).await;
    fixture.cluster.produce_numbered(&topic, 0, 1001).await;
    let of = topic.clone();
    SinkScript::install(&mut fixture, &topic, move |call| {
        let mut answer = Answer::default();
        if let Call::PreCommit(offsets) = call
            && offsets[0].offset == 1001
        {
            let fault = |offset| RecordFault { at: at(&of, offset), problem: problem("late") };
            answer.requests.faults = (0..1001).map(fault).collect();
        }
        Ok(answer)
    });
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    assert!(trace.contains("requests.faults: more than 1000 records"), "{trace}");
    assert!(fixture.cluster.values(&queue).await.is_empty(), "none was read again");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_more_bytes_than_may_wait_go_there_in_order_each_record_once() {
    let (mut fixture, topic, queue) = fixture("many", &[]).await;
    let values: Vec<String> = (0..40).map(|n| format!("{n}-{}", "x".repeat(100_000))).collect();
    let rows: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    fixture.cluster.produce(&topic, 0, &rows).await;
    SinkScript::install(&mut fixture, &topic, |call| {
        let mut answer = Answer::default();
        if let Call::Put(rows) = call {
            let count = u32::try_from(rows.len()).unwrap();
            let fault = |row| RowFault { row, problem: problem("refused") };
            answer.faults.extend((0..count).chain(0..count).map(fault));
        }
        Ok(answer)
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 40).await;
    let counted = counts(&fixture);
    assert_eq!((counted.dead_letter_requests, counted.dead_letter_failures), (40, 0));
    fixture.stop_task(0).await;
    let letters = fixture.cluster.values(&queue).await;
    assert!(letters == values, "{} letters", letters.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_offset_is_committed_past_a_record_that_is_not_in_the_queue_yet() {
    let (mut fixture, topic, queue) = fixture("open", &[]).await;
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    fixture.wait_for_state(0, State::Running).await;
    // What is written to a topic that is gone waits.
    assert!(fixture.cluster.admin().delete_topic(&queue).await.unwrap());
    let values = [Some("a"), Some("b"), Some("bad"), Some("c")];
    fixture.cluster.produce(&topic, 0, &values).await;
    committed(&fixture, &topic, 2).await;
    until("rows behind it are put all the same", || script.values() == ["a", "b", "c"]).await;
    fixture.cluster.produce(&topic, 0, &[Some("d")]).await;
    until("and more", || script.values().len() == 4).await;
    let commits = || script.count(|call| matches!(call, Call::PreCommit(_)));
    let before = commits();
    until("the sink is asked for more commits", || commits() >= before + 3).await;
    let group = fixture.group();
    assert_eq!(fixture.cluster.committed(&group, &topic, 0).await, Some(2));
    // A stop does not wait for ever, and loses nothing.
    fixture.stop_task(0).await;
    fixture.wait_for_state(0, State::Unassigned).await;
    assert_eq!(fixture.cluster.committed(&group, &topic, 0).await, Some(2));

    // The next start creates the topic anew.
    fixture.start_task(0).await;
    committed(&fixture, &topic, 5).await;
    fixture.stop_task(0).await;
    let letters = fixture.cluster.values(&queue).await;
    assert!(!letters.is_empty() && letters.iter().all(|letter| letter == "bad"), "{letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_too_large_with_its_headers_is_written_without_them() {
    let (mut fixture, topic, queue) = fixture("large", &[]).await;
    fixture.cluster.create_topic_with(&queue, 1, &[("max.message.bytes", "700")]).await;
    fixture.cluster.produce(&topic, 0, &[Some(&"x".repeat(400))]).await;
    SinkScript::install(&mut fixture, &topic, |call| {
        let mut answer = Answer::default();
        if matches!(call, Call::Put(rows) if !rows.is_empty()) {
            answer.faults.push(RowFault { row: 0, problem: problem(&"y".repeat(400)) });
        }
        Ok(answer)
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 1).await;
    assert_eq!(counts(&fixture).dead_letter_failures, 0);
    fixture.stop_task(0).await;
    let letters = fixture.cluster.read(&queue).await;
    assert_eq!((letters.len(), letters[0].headers.len()), (1, 0));
    assert_eq!(letters[0].value.as_deref(), Some("x".repeat(400).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_kafka_refuses_ends_the_task_before_its_record_is_committed() {
    let (mut fixture, topic, queue) = fixture("lost", &[]).await;
    fixture.cluster.create_topic_with(&queue, 1, &[("max.message.bytes", "300")]).await;
    fixture.cluster.produce(&topic, 0, &[Some("a"), Some(&"x".repeat(900)), Some("b")]).await;
    SinkScript::install(&mut fixture, &topic, |call| {
        let mut answer = Answer::default();
        if let Call::Put(rows) = call
            && let Some(row) = rows.iter().position(|row| row.offset == 1)
        {
            let row = u32::try_from(row).unwrap();
            answer.faults.push(RowFault { row, problem: problem("refused") });
        }
        Ok(answer)
    });
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let text = format!("Could not produce message to dead letter queue. topic={queue}");
    assert!(trace.contains(&text), "{trace}");
    let counted = counts(&fixture);
    assert_eq!((counted.dead_letter_requests, counted.dead_letter_failures), (1, 1));
    let group = fixture.group();
    assert_eq!(fixture.cluster.committed(&group, &topic, 0).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tolerance_the_record_that_ends_the_task_is_in_the_queue_too() {
    let (mut fixture, topic, queue) = fixture("strict", &[("errors.tolerance", "none")]).await;
    fixture.cluster.produce(&topic, 0, &[Some("a"), Some("bad"), Some("bad")]).await;
    SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
    let letters = fixture.cluster.read(&queue).await;
    let offsets: Vec<_> =
        letters.iter().map(|letter| letter.header("__connect.errors.offset")).collect();
    assert_eq!(offsets, [Some("1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_be_created_fails_the_task() {
    let settings = [("errors.deadletterqueue.topic.replication.factor", "3")];
    let (mut fixture, topic, queue) = fixture("refused", &settings).await;
    let script: Arc<SinkScript> = SinkScript::willing(&mut fixture, &topic);
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let text = format!("Could not initialize dead letter queue with topic={queue}");
    assert!(trace.lines().next().unwrap().contains(&text), "{trace}");
    assert!(trace.contains("eplication factor"), "{trace}");
    assert!(script.calls().is_empty(), "the sink is not started");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_task_starts_that_would_write_its_letters_or_offsets_where_the_worker_keeps_its_state() {
    let own = [
        ("config.storage.topic", "own-c"),
        ("offset.storage.topic", "own-o"),
        ("status.storage.topic", "own-s"),
    ];
    let refused = |topic: &str, setting: &str| {
        format!("Invalid value {topic} for configuration {setting}: it is an internal topic")
    };
    let queue = "errors.deadletterqueue.topic.name";
    for topic in
        ["own-c", "own-o", "own-s", "own-c-plugins", "own-c-plugins-chunks", "own-c-secrets"]
    {
        let mut fixture = Fixture::new("own-sink", &own).await;
        let script = SinkScript::willing(&mut fixture, "none");
        fixture.set(&[("errors.tolerance", "all"), (queue, topic)]);
        fixture.start_task(0).await;
        let trace = fixture.failure(0).await;
        assert!(trace.starts_with(&refused(topic, queue)), "{trace}");
        assert!(script.calls().is_empty(), "the sink is not started");

        for setting in [queue, "offsets.storage.topic"] {
            // The worker's own topic for offsets is the worker's store.
            if (setting, topic) == ("offsets.storage.topic", "own-o") {
                continue;
            }
            let mut fixture = Fixture::new("own-source", &own).await;
            CountingScript::new(&[("a", "none")], 1).install(&mut fixture);
            fixture.set(&[(setting, topic)]);
            fixture.start_task(0).await;
            let trace = fixture.failure(0).await;
            assert!(trace.starts_with(&refused(topic, setting)), "{trace}");
            assert!(fixture.worker.source_offsets(fixture.settings()).await.is_err(), "{topic}");
        }
        let is_there = fixture.cluster.admin().topic(topic).await.unwrap().is_some();
        assert!(!is_there, "{topic} was made");
    }
}

/// A fixture whose source makes two rows of this value, and the names of topic and queue.
async fn source(name: &str, value: &[u8], settings: &[(&str, &str)]) -> (Fixture, String, String) {
    let (mut fixture, topic, queue) = fixture(name, settings).await;
    let script = CountingScript::new(&[("a", &topic)], 2);
    CountingScript { value: Some(value.to_vec()), ..script }.install(&mut fixture);
    (fixture, topic, queue)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sources_bad_records_go_there_as_json_with_where_they_were_read() {
    let (fixture, topic, queue) = source("source", b"bad", &[]).await;
    fixture.start_task(0).await;
    until("the offsets are stored", || fixture.stored_offset("a") == Some(2)).await;
    let counted = counts(&fixture);
    assert_eq!((counted.dead_letter_requests, counted.dead_letter_failures), (2, 0));
    fixture.stop_task(0).await;
    assert!(fixture.cluster.values(&topic).await.is_empty());
    let letters = fixture.cluster.read(&queue).await;
    let values: Vec<_> = letters.iter().map(|letter| letter.value.as_deref()).collect();
    assert_eq!(values, [Some("\"bad\""); 2]);
    let header = |name: &str| letters[1].header(&format!("__connect.errors.{name}"));
    assert_eq!((header("topic"), header("offset")), (Some(topic.as_str()), None));
    assert_eq!((header("stage"), header("class.name")), (Some("VALUE_CONVERTER"), Some("Bytes")));
    assert_eq!(header("source.partition"), Some("{\"p\":\"a\"}"));
    assert_eq!(header("source.offset"), Some("{\"n\":2}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_json_cannot_say_of_a_sources_record_goes_there_as_the_source_made_it() {
    let (fixture, _, queue) = source("raw", b"bad\xff", &[]).await;
    fixture.start_task(0).await;
    until("the offsets are stored", || fixture.stored_offset("a") == Some(2)).await;
    fixture.stop_task(0).await;
    let letters = fixture.cluster.read(&queue).await;
    let values: Vec<_> = letters.iter().map(|letter| letter.value.as_deref()).collect();
    assert_eq!(values, [Some("bad\u{fffd}"); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sources_offset_waits_for_its_dead_letter() {
    let (fixture, _, queue) = source("waits", b"bad", &[]).await;
    fixture.cluster.create_topic_with(&queue, 1, &[("max.message.bytes", "70")]).await;
    fixture.start_task(0).await;
    let trace = fixture.failure(0).await;
    let text = format!("Could not produce message to dead letter queue. topic={queue}");
    assert!(trace.contains(&text), "{trace}");
    assert_eq!(fixture.stored_offset("a"), None);
}
