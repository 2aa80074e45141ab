//! Tests of the coordinator without a network.

use std::path::Path;

use super::transactions::ProducerKey;
use super::*;
use crate::clock;
use crate::log::testing::{Sender, append, batch_of, read_all};
use crate::topics::NewTopic;
use crate::topics::config::TopicConfig;
use kafka_protocol::records::Compression;

fn open(dir: &Path) -> Coordinator {
    let topics = Arc::new(Topics::open(dir.join("topics")).unwrap());
    Coordinator::open(dir.join("journal"), topics, Groups::new(Duration::ZERO)).unwrap()
}

/// A coordinator with the topic `t` of one partition.
fn begin(dir: &Path) -> Coordinator {
    let coordinator = open(dir);
    let new = NewTopic { name: "t", partitions: 1, config: TopicConfig::default() };
    coordinator.topics.create(new).unwrap();
    coordinator
}

fn offset(to: i64) -> Vec<OffsetChange> {
    let committed =
        offsets::Committed { offset: to, leader_epoch: -1, metadata: "note".to_owned() };
    vec![OffsetChange { topic: "t".to_owned(), partition: 0, committed: Some(committed) }]
}

fn committed(coordinator: &Coordinator, group: &str) -> Option<i64> {
    let key = ("t".to_owned(), 0);
    Some(coordinator.offsets().of(group)?.get(&key)?.offset)
}

fn write(coordinator: &Coordinator, producer: ProducerKey, sequence: i32, value: &str) {
    let sender = Sender { id: producer.id, epoch: producer.epoch, sequence, transactional: true };
    let batch = batch_of(&[(None, Some(value), 0)], sender, Compression::None);
    let partition = coordinator.topics.partition("t", 0).unwrap();
    append(&mut partition.log(), batch).unwrap();
}

fn state(coordinator: &Coordinator) -> &'static str {
    coordinator.transactions().get("x").unwrap().state_name()
}

fn partition() -> Vec<(String, i32)> {
    vec![("t".to_owned(), 0)]
}

#[test]
fn offsets_and_producers_are_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    coordinator.commit("g", offset(1)).unwrap();
    coordinator.commit("g", offset(5)).unwrap();
    coordinator.commit("gone", offset(1)).unwrap();
    coordinator.delete_group("gone").unwrap();
    let plain = coordinator.new_producer().unwrap();
    let first = coordinator.init_producer("x", 1_000, None).unwrap();
    drop(coordinator);
    let mut coordinator = open(dir.path());
    assert_eq!(committed(&coordinator, "g"), Some(5));
    assert_eq!(committed(&coordinator, "gone"), None);
    assert_eq!(coordinator.delete_group("gone"), Err(ResponseError::GroupIdNotFound));
    let again = coordinator.init_producer("x", 1_000, None).unwrap();
    assert_eq!((again.id, again.epoch), (first.id, first.epoch + 1));
    let other = coordinator.new_producer().unwrap();
    assert!(other.id > first.id && first.id > plain.id, "no id is given out twice");
    coordinator.topic_deleted("t").unwrap();
    assert_eq!(committed(&open(dir.path()), "g"), None);
}

#[test]
fn a_prepared_transaction_is_finished_after_a_crash() {
    for commit in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut coordinator = begin(dir.path());
        let producer = coordinator.init_producer("x", 60_000, None).unwrap();
        coordinator.add_partitions("x", producer, partition()).unwrap();
        write(&coordinator, producer, 0, "a");
        coordinator.add_offsets("x", producer, "g", Vec::new()).unwrap();
        coordinator.add_offsets("x", producer, "g", offset(7)).unwrap();
        let mut prepared = coordinator.transactions().get("x").unwrap().clone();
        prepared.prepare(commit, 0);
        let transaction = Box::new(prepared);
        coordinator.record(vec![Entry::Transaction { id: "x".to_owned(), transaction }]).unwrap();
        drop(coordinator);
        let coordinator = open(dir.path());
        let complete = if commit { "CompleteCommit" } else { "CompleteAbort" };
        assert_eq!(state(&coordinator), complete);
        assert_eq!(committed(&coordinator, "g"), commit.then_some(7));
        let partition = coordinator.topics.partition("t", 0).unwrap();
        let log = partition.log();
        assert_eq!((log.last_stable(), log.next()), (2, 2));
        assert_eq!(log.plan(0, 100, true).unwrap().aborted.is_empty(), commit);
    }
}

#[test]
fn a_transaction_that_only_the_log_knows_is_aborted_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    let producer = coordinator.init_producer("x", 60_000, None).unwrap();
    coordinator.add_partitions("x", producer, partition()).unwrap();
    write(&coordinator, producer, 0, "a");
    drop(coordinator);
    std::fs::remove_file(dir.path().join("journal")).unwrap();
    let coordinator = open(dir.path());
    let partition = coordinator.topics.partition("t", 0).unwrap();
    let log = partition.log();
    assert_eq!(log.last_stable(), log.next());
    assert_eq!(log.plan(0, 100, true).unwrap().aborted.len(), 1);
    assert_eq!(read_all(&log, 0).len(), 1);
}

#[test]
fn time_aborts_a_transaction_and_says_when_it_will() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    let producer = coordinator.init_producer("x", 5_000, None).unwrap();
    let (now, now_ms) = (Instant::now(), clock::now_ms());
    assert_eq!(coordinator.idle_for(now, now_ms), None);
    coordinator.add_partitions("x", producer, partition()).unwrap();
    write(&coordinator, producer, 0, "a");
    let idle = coordinator.idle_for(now, now_ms).unwrap();
    assert!(idle >= Duration::from_millis(5_000) && idle < Duration::from_secs(60), "{idle:?}");
    coordinator.tick(now, now_ms + 4_000);
    assert_eq!(state(&coordinator), "Ongoing");
    coordinator.tick(now, now_ms + 65_000);
    assert_eq!(state(&coordinator), "CompleteAbort");
    assert_eq!(coordinator.idle_for(now, now_ms), None);
    let ended = coordinator.end_transaction("x", producer, true);
    assert_eq!(ended, Err(ResponseError::ProducerFenced));
}

#[test]
fn epochs_that_are_used_up_bring_a_new_producer_id() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    let first = coordinator.init_producer("x", 1_000, None).unwrap();
    let mut worn = coordinator.transactions().get("x").unwrap().clone();
    worn.epoch = i16::MAX - 3;
    let transaction = Box::new(worn);
    coordinator.record(vec![Entry::Transaction { id: "x".to_owned(), transaction }]).unwrap();
    let last = coordinator.init_producer("x", 1_000, None).unwrap();
    assert_eq!((last.id, last.epoch), (first.id, i16::MAX - 2));
    let fresh = coordinator.init_producer("x", 1_000, None).unwrap();
    assert!(fresh.id > first.id);
    assert_eq!(fresh.epoch, 0);
}

#[test]
fn bad_requests_for_a_producer_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    let producer = coordinator.init_producer("x", 1_000, None).unwrap();
    let stranger = ProducerKey { id: producer.id + 1, epoch: 0 };
    for (outcome, error) in [
        (coordinator.init_producer("", 1_000, None), ResponseError::InvalidRequest),
        (coordinator.init_producer("x", 0, None), ResponseError::InvalidTransactionTimeout),
        (coordinator.init_producer("x", 900_001, None), ResponseError::InvalidTransactionTimeout),
        (coordinator.init_producer("x", 1_000, Some(stranger)), ResponseError::ProducerFenced),
    ] {
        assert_eq!(outcome, Err(error));
    }
    let unknown = Err(ResponseError::InvalidProducerIdMapping);
    assert_eq!(coordinator.end_transaction("y", producer, true), unknown);
    assert_eq!(coordinator.end_transaction("x", stranger, true), unknown);
    let nothing = coordinator.end_transaction("x", producer, true);
    assert_eq!(nothing, Err(ResponseError::InvalidTxnState));
}

#[test]
fn unused_ids_are_forgotten_and_a_long_journal_becomes_short() {
    let dir = tempfile::tempdir().unwrap();
    let mut coordinator = begin(dir.path());
    coordinator.init_producer("x", 1_000, None).unwrap();
    coordinator.clean(clock::now_ms()).unwrap();
    assert!(coordinator.transactions().get("x").is_some());
    for i in 0..10_000 {
        coordinator.commit("g", offset(i)).unwrap();
    }
    let length = || std::fs::metadata(dir.path().join("journal")).unwrap().len();
    let long = length();
    let month = clock::now_ms() + 30 * 86_400_000;
    coordinator.clean(month).unwrap();
    assert!(coordinator.transactions().get("x").is_none());
    assert!(length() < long / 1_000, "{} of {long}", length());
    drop(coordinator);
    assert_eq!(committed(&open(dir.path()), "g"), Some(9_999));
}
