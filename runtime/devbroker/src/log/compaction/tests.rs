//! Tests of compaction.

use std::collections::BTreeMap;

use kafka_protocol::records::Compression;
use proptest::prelude::*;

use super::*;
use crate::log::testing::*;

const NOW: Compaction =
    Compaction { min_dirty_ratio: 0.0, min_lag_ms: 0, delete_retention_ms: 1_000 };

fn open(dir: &Path) -> Log {
    Log::open(dir.to_owned(), 300, 0).unwrap()
}

fn keyed(rows: &[(&str, Option<&str>)]) -> bytes::Bytes {
    let rows: Vec<Row<'_>> = rows.iter().map(|(key, value)| (Some(*key), *value, 0)).collect();
    batch_of(&rows, PLAIN, Compression::None)
}

fn compact(log: &mut Log, now_ms: i64) -> bool {
    let Some(job) = log.plan_compaction(NOW, now_ms).unwrap() else { return false };
    let compacted = job.run().unwrap();
    log.put_compacted(compacted).unwrap();
    true
}

fn seen(log: &Log) -> Vec<(i64, String, Option<String>)> {
    read_all(log, 0).into_iter().map(|(o, k, v)| (o, k.unwrap_or_default(), v)).collect()
}

fn row(offset: i64, key: &str, value: &str) -> (i64, String, Option<String>) {
    (offset, key.to_owned(), Some(value.to_owned()))
}

#[test]
fn the_newest_record_of_each_key_stays_with_its_offset() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    append(&mut log, keyed(&[("a", Some("1")), ("b", Some("1")), ("a", Some("2"))])).unwrap();
    append(&mut log, keyed(&[("c", Some("1"))])).unwrap();
    append(&mut log, keyed(&[("b", Some("2"))])).unwrap();
    assert!(compact(&mut log, 0));
    let expected = [row(2, "a", "2"), row(3, "c", "1"), row(4, "b", "2")];
    assert_eq!(seen(&log), expected);
    assert!(!compact(&mut log, 0), "nothing new");
    drop(log);
    let mut log = open(dir.path());
    assert_eq!(seen(&log), expected);
    assert_eq!(log.next(), 5);
    assert!(!compact(&mut log, 0), "known after a restart, too");
    append(&mut log, keyed(&[("a", Some("3"))])).unwrap();
    assert!(compact(&mut log, 0));
    assert_eq!(seen(&log), [row(3, "c", "1"), row(4, "b", "2"), row(5, "a", "3")]);
}

#[test]
fn every_codec_is_kept() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path());
        let rows =
            [(Some("a"), Some("1"), 5), (Some("b"), Some("2"), 6), (Some("a"), Some("3"), 7)];
        append(&mut log, batch_of(&rows, PLAIN, codec)).unwrap();
        assert!(compact(&mut log, 0));
        assert_eq!(seen(&log), [row(1, "b", "2"), row(2, "a", "3")], "{codec:?}");
        let first = log.plan(0, 1_000, false).unwrap().read(1_000, true).unwrap();
        assert_eq!(Header::parse(&first).unwrap().codec(), codec as i16);
    }
}

#[test]
fn tombstones_stay_for_a_time_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    append(&mut log, keyed(&[("a", Some("1")), ("b", Some("1"))])).unwrap();
    append(&mut log, keyed(&[("a", None)])).unwrap();
    compact(&mut log, 10_000);
    assert_eq!(seen(&log), [row(1, "b", "1"), (2, "a".into(), None)]);
    append(&mut log, keyed(&[("x", Some("1"))])).unwrap();
    compact(&mut log, 10_999);
    assert_eq!(seen(&log).len(), 3, "not yet");
    append(&mut log, keyed(&[("y", Some("1"))])).unwrap();
    compact(&mut log, 11_000);
    assert_eq!(seen(&log), [row(1, "b", "1"), row(3, "x", "1"), row(4, "y", "1")]);
}

#[test]
fn timestamps_survive_though_a_horizon_is_written_over_their_base() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let rows = [(Some("a"), None, 500), (Some("b"), Some("1"), 700), (Some("c"), Some("1"), 600)];
    append(&mut log, batch_of(&rows, PLAIN, Compression::None)).unwrap();
    append(&mut log, keyed(&[("c", Some("2"))])).unwrap();
    compact(&mut log, 1_000_000);
    let at = |timestamp| log.plan_search(timestamp).iter().find_map(|plan| plan.find().unwrap());
    assert_eq!(at(1).map(|found| (found.offset, found.timestamp)), Some((0, 500)));
    assert_eq!(at(501).map(|found| (found.offset, found.timestamp)), Some((1, 700)));
    assert_eq!(log.max_timestamp(), 700);
}

#[test]
fn aborted_records_go_committed_ones_stay_and_open_ones_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let in_transaction = |id, value| {
        let sender = Sender { id, epoch: 0, sequence: 0, transactional: true };
        batch_of(&[(Some("k"), Some(value), 0)], sender, Compression::None)
    };
    for (id, value) in [(1, "committed"), (2, "aborted"), (3, "open")] {
        log.producers().admit(id, 0);
        append(&mut log, in_transaction(id, value)).unwrap();
        if id < 3 {
            log.end_transaction(id, 0, id == 1, 0).unwrap();
        }
    }
    append(&mut log, keyed(&[("k", Some("after"))])).unwrap();
    assert!(compact(&mut log, 0));
    let expected = [row(0, "k", "committed"), row(4, "k", "open"), row(5, "k", "after")];
    assert_eq!(seen(&log), expected);
    assert_eq!(log.last_stable(), 4);
    log.end_transaction(3, 0, false, 0).unwrap();
    assert!(compact(&mut log, 0));
    assert_eq!(seen(&log), [row(5, "k", "after")]);
    drop(log);
    let log = open(dir.path());
    assert_eq!(seen(&log), [row(5, "k", "after")]);
    assert_eq!(log.last_stable(), log.next(), "no transaction is left open by a lost marker");
}

#[test]
fn a_producer_is_known_after_compaction_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let from = |sequence, value| {
        let sender = Sender { id: 9, epoch: 2, sequence, transactional: false };
        batch_of(&[(Some("k"), Some(value), 0)], sender, Compression::None)
    };
    append(&mut log, from(0, "1")).unwrap();
    append(&mut log, from(1, "2")).unwrap();
    append(&mut log, keyed(&[("k", Some("3"))])).unwrap();
    assert!(compact(&mut log, 0));
    assert_eq!(seen(&log), [row(2, "k", "3")]);
    drop(log);
    let mut log = open(dir.path());
    assert_eq!(append(&mut log, from(1, "2")).unwrap().base, 1, "recognised");
    assert!(append(&mut log, from(5, "6")).is_err());
    assert_eq!(append(&mut log, from(2, "3")).unwrap().base, 3);
}

#[test]
fn it_waits_until_it_is_worth_it_and_records_are_old_enough() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    let rows = [(Some("a"), Some("1"), 100), (Some("a"), Some("2"), 200)];
    append(&mut log, batch_of(&rows, PLAIN, Compression::None)).unwrap();
    let lag = Compaction { min_lag_ms: 50, ..NOW };
    assert!(log.plan_compaction(lag, 249).unwrap().is_none());
    assert!(log.plan_compaction(lag, 250).unwrap().is_some());
    assert!(compact(&mut log, 250));
    append(&mut log, keyed(&[("a", Some("3"))])).unwrap();
    let dirty = Compaction { min_dirty_ratio: 0.9, ..NOW };
    assert!(log.plan_compaction(dirty, 250).unwrap().is_none());
}

#[test]
fn small_segments_become_one_and_a_crash_in_between_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path().to_owned(), 70, 0).unwrap();
    for i in 0..6 {
        append(&mut log, keyed(&[(["a", "b"][i % 2], Some("v"))])).unwrap();
    }
    let logs = || {
        let all = std::fs::read_dir(dir.path()).unwrap();
        let all = all.map(|entry| entry.unwrap().path());
        let mut logs: Vec<_> =
            all.filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
        logs.sort();
        logs
    };
    let before: Vec<_> =
        logs().into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    assert_eq!(before.len(), 6);
    log.set_segment_bytes(100_000);
    assert!(compact(&mut log, 0));
    assert_eq!(logs().len(), 2, "one with everything, one to write to");
    let expected = [row(4, "a", "v"), row(5, "b", "v")];
    assert_eq!(seen(&log), expected);
    drop(log);
    // As if the crash had come after the rename, and before the other segments were removed.
    for (path, content) in &before[1..] {
        std::fs::write(path, content).unwrap();
    }
    std::fs::write(dir.path().join("00000000000000000000.cleaned"), b"half").unwrap();
    let log = open(dir.path());
    assert_eq!(seen(&log), expected);
    assert_eq!(logs().len(), 2);
}

#[test]
fn a_result_is_thrown_away_when_its_segments_are_gone_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    append(&mut log, keyed(&[("a", Some("1")), ("a", Some("2"))])).unwrap();
    let job = log.plan_compaction(NOW, 0).unwrap().unwrap();
    let compacted = job.run().unwrap();
    log.delete_before(2).unwrap();
    log.put_compacted(compacted).unwrap();
    assert_eq!((log.start(), log.next()), (2, 2));
    assert!(seen(&log).is_empty());
}

#[test]
fn readers_finish_with_the_files_they_began_with() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path());
    append(&mut log, keyed(&[("a", Some("1")), ("a", Some("2"))])).unwrap();
    let plan = log.plan(0, 1_000, false).unwrap();
    assert!(compact(&mut log, 0));
    assert_eq!(Header::parse(&plan.read(1_000, true).unwrap()).unwrap().count, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_reader_from_the_beginning_ends_with_the_same_table(
        batches in proptest::collection::vec(
            proptest::collection::vec((0u8..6, proptest::option::of(0u32..1_000)), 1..5),
            1..30,
        ),
        every in 1usize..10,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path());
        let mut table: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut count = 0;
        for (i, batch) in batches.iter().enumerate() {
            let rows: Vec<(String, Option<String>)> =
                batch.iter().map(|(k, v)| (k.to_string(), v.map(|v| v.to_string()))).collect();
            let texts: Vec<(&str, Option<&str>)> =
                rows.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
            append(&mut log, keyed(&texts)).unwrap();
            count += rows.len() as i64;
            table.extend(rows);
            if i % every == 0 {
                compact(&mut log, i as i64 * 400);
            }
        }
        for _ in 0..2 {
            let mut read: BTreeMap<String, Option<String>> = BTreeMap::new();
            let records = seen(&log);
            prop_assert!(records.is_sorted_by_key(|record| record.0));
            for (_, key, value) in records {
                read.insert(key, value);
            }
            let live = |table: &BTreeMap<String, Option<String>>| -> Vec<(String, String)> {
                table.iter().filter_map(|(k, v)| Some((k.clone(), v.clone()?))).collect()
            };
            prop_assert_eq!(live(&read), live(&table));
            prop_assert_eq!(log.next(), count);
            log = open(dir.path());
        }
    }
}
