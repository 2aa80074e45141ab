//! Tests of a log: appending, reading, opening again.

use std::sync::Arc;

use kafka_protocol::records::Compression;
use proptest::prelude::*;
use tokio::sync::Notify;

use super::testing::*;
use super::*;

fn open(dir: &Path, segment_bytes: u64) -> Log {
    Log::open(dir.to_owned(), segment_bytes, 0).unwrap()
}

fn files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_empty_log_has_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("0");
    let log = open(&path, 1_000);
    assert_eq!((log.start(), log.next(), log.last_stable()), (0, 0, 0));
    assert!(log.plan(0, 100, false).is_none());
    assert_eq!(log.available(0, false), 0);
    assert!(!path.exists());
}

#[test]
fn a_torn_end_is_cut_wherever_it_was_torn() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 1_000_000);
    append(&mut log, plain(&["a"])).unwrap();
    let whole = log.size();
    append(&mut log, plain(&["b", "c"])).unwrap();
    drop(log);
    let path = dir.path().join("00000000000000000000.log");
    let bytes = std::fs::read(&path).unwrap();
    for length in whole as usize..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let mut log = open(dir.path(), 1_000_000);
        assert_eq!((log.next(), log.size()), (1, whole), "{length} bytes left");
        assert_eq!(append(&mut log, plain(&["d"])).unwrap().base, 1);
        assert_eq!(read_all(&log, 0).len(), 2);
    }
    let mut damaged = bytes;
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&path, damaged).unwrap();
    assert_eq!(open(dir.path(), 1_000_000).next(), 1, "a wrong checksum");
}

#[test]
fn a_full_disk_is_an_error_and_nothing_was_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("00000000000000000000.log");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let mut log = open(dir.path(), 1_000_000);
    let sender = Sender { id: 7, epoch: 0, sequence: 0, transactional: false };
    let batch = batch_of(&[(None, Some("x"), 0)], sender, Compression::None);
    let full = append(&mut log, batch.clone()).unwrap_err();
    assert_eq!(full, ResponseError::KafkaStorageError);
    assert_eq!((log.next(), log.size()), (0, 0));
    assert!(log.plan(0, 100, false).is_none());
    // The producer sends it again, when there is room.
    std::fs::remove_file(&path).unwrap();
    let mut log = open(dir.path(), 1_000_000);
    assert_eq!(append(&mut log, batch).unwrap().base, 0);
}

#[test]
fn records_before_an_offset_can_be_deleted_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 60);
    for _ in 0..5 {
        append(&mut log, plain(&["a", "b"])).unwrap();
    }
    assert_eq!(files(dir.path()).len(), 5);
    assert_eq!(log.delete_before(5).unwrap(), 5);
    assert_eq!(log.delete_before(3).unwrap(), 5, "never backwards");
    assert_eq!(files(dir.path()).len(), 4, "three segments and the checkpoint");
    assert_eq!(read_all(&log, 5).len(), 5);
    drop(log);
    let mut log = open(dir.path(), 60);
    assert_eq!((log.start(), log.next()), (5, 10));
    assert_eq!(log.delete_before(100).unwrap(), 10);
    drop(log);
    let mut log = open(dir.path(), 60);
    assert_eq!((log.start(), log.next()), (10, 10));
    assert_eq!(append(&mut log, plain(&["c"])).unwrap().base, 10);
}

#[test]
fn retention_gives_up_old_segments_and_keeps_young_ones() {
    use retention::Retention;
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 60);
    for timestamp in [10, 20, 100, 30] {
        append(&mut log, batch_of(&[(None, Some("x"), timestamp)], PLAIN, Compression::None))
            .unwrap();
    }
    let for_ever = Retention { ms: -1, bytes: -1 };
    log.retain(for_ever, i64::MAX).unwrap();
    assert_eq!(log.start(), 0);
    log.retain(Retention { ms: 50, ..for_ever }, 110).unwrap();
    assert_eq!(log.start(), 2, "an old segment behind a young one stays");
    let one = log.size() / 2;
    log.retain(Retention { bytes: one as i64, ..for_ever }, 0).unwrap();
    assert_eq!(log.start(), 3);
    log.retain(Retention { ms: 0, ..for_ever }, 1_000).unwrap();
    assert_eq!((log.start(), log.next()), (4, 4), "the newest segment too, when it is old");
    drop(log);
    assert_eq!(open(dir.path(), 60).next(), 4);
}

#[test]
fn an_open_transaction_outlives_retention() {
    use retention::Retention;
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 60);
    let sender = Sender { id: 1, epoch: 0, sequence: 0, transactional: true };
    append(&mut log, plain(&["a"])).unwrap();
    log.producers().admit(1, 0);
    append(&mut log, batch_of(&[(None, Some("x"), 0)], sender, Compression::None)).unwrap();
    log.retain(Retention { ms: 0, bytes: 0 }, 1_000).unwrap();
    assert_eq!(log.start(), 1);
}

#[test]
fn an_append_wakes_who_waits_and_a_deletion_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 1_000);
    let fetch = Arc::new(Notify::new());
    let is_woken = || {
        let mut notified = std::pin::pin!(fetch.notified());
        notified.as_mut().enable()
    };
    log.wait(&fetch);
    assert!(!is_woken());
    append(&mut log, plain(&["a"])).unwrap();
    assert!(is_woken());
    append(&mut log, plain(&["b"])).unwrap();
    assert!(!is_woken(), "it has to wait again");
    log.wait(&fetch);
    log.delete();
    assert!(is_woken());
    assert_eq!(
        append(&mut log, plain(&["c"])).unwrap_err(),
        ResponseError::UnknownTopicOrPartition
    );
}

#[test]
fn a_search_by_time_reads_from_the_right_place_in_many_segments() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), 20_000);
    for i in 0..2_000 {
        let row = [(None, Some("some value that takes a few bytes"), 1_000 + 10 * i)];
        append(&mut log, batch_of(&row, PLAIN, Compression::None)).unwrap();
    }
    assert!(files(dir.path()).len() > 10);
    for (timestamp, offset) in [(0, 0), (1_000, 0), (1_001, 1), (11_005, 1_001), (20_990, 1_999)] {
        let found = log.plan_search(timestamp).iter().find_map(|plan| plan.find().unwrap());
        assert_eq!(found.map(|found| found.offset), Some(offset), "{timestamp}");
    }
    assert!(log.plan_search(20_991).is_empty());
    assert_eq!(log.max_timestamp(), 20_990);
}

/// What may be done to a log.
#[derive(Debug, Clone)]
enum Step {
    Append { values: usize, bytes: usize },
    Reopen,
    Tear(u64),
    DeleteBefore(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..5, 0usize..3_000).prop_map(|(values, bytes)| Step::Append { values, bytes }),
        1 => Just(Step::Reopen),
        1 => (1u64..40).prop_map(Step::Tear),
        1 => (0usize..40).prop_map(Step::DeleteBefore),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_what_was_appended(steps in proptest::collection::vec(step(), 1..40), segment_bytes in 200u64..20_000) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path(), segment_bytes);
        let mut model: Vec<String> = vec![];
        let mut start = 0;
        for step in steps {
            match step {
                Step::Append { values, bytes } => {
                    let new: Vec<String> =
                        (0..values).map(|i| format!("{}{}", model.len() + i, "x".repeat(bytes))).collect();
                    let new_texts: Vec<&str> = new.iter().map(String::as_str).collect();
                    let base = append(&mut log, plain(&new_texts)).unwrap().base;
                    prop_assert_eq!(base, model.len() as i64);
                    model.extend(new);
                }
                Step::Reopen => log = open(dir.path(), segment_bytes),
                Step::Tear(bytes) => {
                    // A crash in the middle of a write leaves the beginning of a batch.
                    let name = files(dir.path()).into_iter().rfind(|name| name.ends_with(".log"));
                    if let Some(name) = name {
                        let path = dir.path().join(name);
                        let mut content = std::fs::read(&path).unwrap();
                        content.extend(&plain(&["torn"])[..bytes as usize]);
                        std::fs::write(&path, content).unwrap();
                    }
                    log = open(dir.path(), segment_bytes);
                }
                Step::DeleteBefore(offset) => {
                    let deleted = log.delete_before(offset as i64).unwrap();
                    start = start.max(offset.min(model.len()));
                    prop_assert_eq!(deleted, start as i64);
                }
            }
            prop_assert_eq!((log.start(), log.next()), (start as i64, model.len() as i64));
        }
        for from in [start, (start + model.len()) / 2, model.len()] {
            let seen: Vec<_> = read_all(&log, from as i64).into_iter().map(|(offset, _, value)| (offset as usize, value.unwrap())).collect();
            let expected: Vec<_> = model.iter().cloned().enumerate().skip(from).collect();
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_file_of_any_bytes_opens(bytes in proptest::collection::vec(any::<u8>(), 0..500), good in 0usize..3) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path(), 1_000_000);
        for _ in 0..good {
            append(&mut log, plain(&["a"])).unwrap();
        }
        drop(log);
        let path = dir.path().join("00000000000000000000.log");
        let mut content = std::fs::read(&path).unwrap_or_default();
        content.extend(bytes);
        std::fs::write(&path, content).unwrap();
        prop_assert_eq!(open(dir.path(), 1_000_000).next(), good as i64);
    }
}
