//! The sink: what lines look like, and what is left of a crash.

use std::collections::BTreeMap;
use std::fs::File;

use tombolo_sdk::schema::SchemaBuilder;
use tombolo_sdk::settings::Settings;
use tombolo_sdk::testing::{self, SinkRecords, SinkTask};

use super::*;

fn start(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> (SinkTask, String) {
    let path = folder.path().join("out.txt").to_str().unwrap().to_owned();
    let mut settings: Settings = [("file", path.as_str())].into();
    more.iter().for_each(|(name, value)| settings.set(name, value));
    (SinkTask::start::<FileStreamSink>(&settings).unwrap(), path)
}

#[test]
fn values_print_as_javas_to_string() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, path) = start(&folder, &[]);
    let point = SchemaBuilder::structure("point")
        .field("x", SchemaBuilder::int32())
        .field("y", SchemaBuilder::int32().optional())
        .field("tags", SchemaBuilder::array(SchemaBuilder::string()))
        .define()
        .unwrap();
    #[derive(serde::Serialize)]
    struct Point {
        x: i32,
        y: Option<i32>,
        tags: Vec<&'static str>,
    }
    let mut records = SinkRecords::new();
    records.record("t", 0, 0).value("text").unwrap();
    records.record("t", 0, 1);
    records
        .record("t", 0, 2)
        .value_as(&Point { x: 1, y: None, tags: vec!["a", "b"] }, point)
        .unwrap();
    records.record("t", 0, 3).value(&BTreeMap::from([("b", 1.0), ("c", 1e10)])).unwrap();
    records.record("t", 0, 4).value(&tombolo_sdk::logical::Timestamp(0)).unwrap();
    records.record("t", 0, 5).value(&tombolo_sdk::logical::Decimal("1.50".into())).unwrap();
    records.record("t", 0, 6).value(&0.1_f32).unwrap();
    assert!(task.put(records).unwrap().faults.is_empty());
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "text\nnull\nStruct{x=1,tags=[a, b]}\n{b=1.0, c=1.0E10}\nThu Jan 01 00:00:00 UTC 1970\n1.50\n0.1\n"
    );
}

#[test]
fn a_value_that_cannot_be_read_is_reported_and_the_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, path) = start(&folder, &[]);
    let mut records = SinkRecords::new();
    records.record("t", 0, 0).value("good").unwrap();
    records.record("t", 0, 1).value_with(0, |out| out.push(0xff));
    records.record("t", 0, 2).value("too").unwrap();
    let faults = task.put(records).unwrap().faults;
    assert_eq!(faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [1]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "good\ntoo\n");
}

#[test]
fn a_torn_last_line_is_moved_aside_on_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let long = "x".repeat(10_000);
    for (before, kept, torn) in [
        ("one\ntw", "one\n", Some("tw\n".to_owned())),
        ("one\n", "one\n", None),
        ("", "", None),
        ("tw", "", Some("tw\n".to_owned())),
        (&format!("one\n{long}"), "one\n", Some(format!("{long}\n"))),
    ] {
        std::fs::write(&path, before).unwrap();
        let (mut task, path) = start(&folder, &[]);
        let mut records = SinkRecords::new();
        records.record("t", 0, 0).value("next").unwrap();
        task.put(records).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{kept}next\n"));
        let aside = std::fs::read_to_string(format!("{path}.torn")).ok();
        assert_eq!(aside, torn);
        std::fs::remove_file(format!("{path}.torn")).ok();
    }
}

#[test]
fn a_task_that_shares_its_file_leaves_the_end_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("out.txt"), "one\ntw").unwrap();
    let (mut task, path) = start(&folder, &[("tasks.max", "2")]);
    let mut records = SinkRecords::new();
    records.record("t", 0, 0).value("o").unwrap();
    task.put(records).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "one\ntwo\n");
}

#[test]
fn a_commit_answers_what_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, _) = start(&folder, &[]);
    let answer = task.pre_commit(&[("t", 0, 7)]).unwrap();
    assert_eq!(answer.offsets[0].offset, 7);
    assert!(answer.requests.is_none());
}

#[test]
fn a_device_which_cannot_be_synced_is_committed() {
    let settings: Settings = [("file", "/dev/null")].into();
    let mut task = SinkTask::start::<FileStreamSink>(&settings).unwrap();
    put(&mut task, "one");
    assert_eq!(task.pre_commit(&[("t", 0, 1)]).unwrap().offsets[0].offset, 1);
}

#[test]
fn a_full_disk_takes_back_what_was_written_and_asks_for_a_retry() {
    // Linux: every write to it fails for want of space.
    let settings: Settings = [("file", "/dev/full"), ("tasks.max", "2")].into();
    let mut task = SinkTask::start::<FileStreamSink>(&settings).unwrap();
    let mut records = SinkRecords::new();
    records.record("t", 0, 0).value("x").unwrap();
    let fault = task.put(records).unwrap_err();
    assert!(matches!(fault, Fault::Retriable(_)), "{fault:?}");
    assert!(fault.problem().message.starts_with("Couldn't write to /dev/full: "), "{fault:?}");
}

#[test]
fn what_a_failed_put_wrote_is_taken_back() {
    let full = Error::from(std::io::ErrorKind::StorageFull);
    // Others may shorten the file between commits, to a whole line or not.
    for (shortened, kept) in [(None, "kept\n"), (Some(0), ""), (Some(2), ""), (Some(5), "kept\n")] {
        testing::reset();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.txt").to_str().unwrap().to_owned();
        std::fs::write(&path, "kept\n").unwrap();
        let settings = SinkSettings { file: Some(path.clone()), alone: true };
        let mut sink = FileStreamSink::start(settings).unwrap();
        if let Some(len) = shortened {
            File::options().write(true).open(&path).unwrap().set_len(len).unwrap();
        }
        let before = sink.len;
        sink.lines.extend_from_slice(b"half");
        sink.write_lines().unwrap();
        let fault = sink.failed(before, &full);
        assert!(matches!(fault, Fault::Retriable(_)));
        assert_eq!(std::fs::read_to_string(path).unwrap(), kept, "shortened to {shortened:?}");
        assert_eq!(sink.len, Some(kept.len() as u64));
    }
}

/// A sink that has written `one` and committed it, then written `two`.
fn two_lines(folder: &tempfile::TempDir) -> (SinkTask, String) {
    let (mut task, path) = start(folder, &[]);
    put(&mut task, "one");
    task.pre_commit(&[("t", 0, 1)]).unwrap();
    put(&mut task, "two");
    (task, path)
}

fn put(task: &mut SinkTask, line: &str) {
    let mut records = SinkRecords::new();
    records.record("t", 0, 0).value(line).unwrap();
    task.put(records).unwrap();
}

#[test]
fn lines_in_a_deleted_file_are_not_committed_and_the_next_go_to_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, path) = two_lines(&folder);
    std::fs::remove_file(&path).unwrap();
    let fault = task.pre_commit(&[("t", 0, 2)]).unwrap_err();
    assert!(matches!(fault, Fault::Retriable(_)), "{fault:?}");
    assert!(fault.problem().message.contains("was deleted"), "{fault:?}");
    put(&mut task, "two");
    task.pre_commit(&[("t", 0, 2)]).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
    // Nothing is lost with a file whose lines are all committed.
    std::fs::remove_file(&path).unwrap();
    task.pre_commit(&[("t", 0, 2)]).unwrap();
    put(&mut task, "three");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
}

#[test]
fn lines_in_a_renamed_file_are_committed_and_the_next_go_to_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, path) = two_lines(&folder);
    let rotated = format!("{path}.1");
    std::fs::rename(&path, &rotated).unwrap();
    assert_eq!(task.pre_commit(&[("t", 0, 2)]).unwrap().offsets[0].offset, 2);
    put(&mut task, "three");
    assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "one\ntwo\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
}

#[test]
fn a_path_that_cannot_be_opened_anew_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (mut task, path) = two_lines(&folder);
    std::fs::rename(&path, format!("{path}.1")).unwrap();
    std::fs::create_dir(&path).unwrap();
    task.pre_commit(&[("t", 0, 2)]).unwrap();
    let fault = task.put(SinkRecords::new()).unwrap_err();
    assert!(matches!(fault, Fault::Fatal(_)), "{fault:?}");
    assert!(fault.problem().message.contains(&path), "{fault:?}");
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let settings: Settings = [("file", "/proc/nowhere/out.txt")].into();
    let fault = SinkTask::start::<FileStreamSink>(&settings).err().unwrap();
    let message = &fault.problem().message;
    assert!(
        message.starts_with("Couldn't find or create file '/proc/nowhere/out.txt'"),
        "{message}"
    );
}
