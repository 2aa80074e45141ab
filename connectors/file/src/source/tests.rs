//! The source against files that are there, grow, are missing, or end within a line.

use std::io::Write;
use std::time::Duration;

use tombolo_sdk::settings::{Configuration, Settings};
use tombolo_sdk::testing::{self, Polled, SourceTask};

use super::*;

fn settings(file: &str) -> Settings {
    [("file", file), ("topic", "lines")].into()
}

fn lines(polled: &Polled) -> Vec<String> {
    polled.records().iter().map(|record| record.value::<String>().unwrap()).collect()
}

fn append(path: &str, text: &str) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().join("in.txt").to_str().unwrap().to_owned()
}

#[test]
fn every_line_is_a_record_with_the_offset_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, "naïve\nsecond\r\nthird");
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    let polled = task.poll(10).unwrap();
    assert_eq!(lines(&polled), ["naïve", "second"]);
    let offsets: Vec<i64> =
        (0..2).map(|row| polled.offset::<Position>(row).unwrap().position.unwrap()).collect();
    assert_eq!(offsets, [7, 15], "bytes, not characters");
    let first = polled.records().get(0).unwrap();
    assert_eq!(first.topic(), "lines");
    assert_eq!(first.value_schema().unwrap().type_, tombolo_sdk::schema::SchemaType::Text);
    assert!(first.key_bytes().is_none() && first.timestamp().is_some());
    let partition: std::collections::BTreeMap<String, String> = polled.partition(0).unwrap();
    assert_eq!(partition, [("filename".to_owned(), path)].into());
}

#[test]
fn a_growing_file_is_followed_and_a_line_is_taken_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, "one\ntw");
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    assert_eq!(lines(&task.poll(10).unwrap()), ["one"]);
    assert!(task.poll(10).unwrap().is_empty());
    append(&path, "o\r");
    assert!(task.poll(10).unwrap().is_empty());
    append(&path, "\nthree\n");
    assert_eq!(lines(&task.poll(10).unwrap()), ["two", "three"]);
}

#[test]
fn a_poll_that_waits_ends_with_the_line_that_comes_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, "one\n");
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    let patient = |task: &mut SourceTask| {
        lines(&task.poll_within(10, usize::MAX, Duration::from_secs(600)).unwrap())
    };
    assert_eq!(patient(&mut task), ["one"]);
    for line in ["two", "three"] {
        assert!(task.poll(10).unwrap().is_empty());
        let path = path.clone();
        let writer = std::thread::spawn(move || append(&path, &format!("{line}\n")));
        assert_eq!(patient(&mut task), [line]);
        writer.join().unwrap();
    }
    let impatient = task.poll_within(10, usize::MAX, Duration::from_millis(1)).unwrap();
    assert!(impatient.is_empty(), "it waits no longer than it may");
}

#[test]
fn a_missing_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    testing::reset();
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    assert!(task.poll(10).unwrap().is_empty());
    assert!(task.poll(10).unwrap().is_empty());
    let warned: Vec<String> = testing::logged().into_iter().map(|(_, line)| line).collect();
    assert_eq!(warned.len(), 1, "said once: {warned:?}");
    assert!(warned[0].contains(&path));
    append(&path, "here\n");
    assert_eq!(lines(&task.poll(10).unwrap()), ["here"]);
}

#[test]
fn a_restart_goes_on_behind_the_last_committed_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, "one\ntwo\nthree\n");
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    let polled = task.poll(2).unwrap();
    assert_eq!(lines(&polled), ["one", "two"]);
    task.commit(&polled).unwrap();
    task.poll(1).unwrap();
    let mut again = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    assert_eq!(lines(&again.poll(10).unwrap()), ["three"]);
}

#[test]
fn a_poll_keeps_to_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, &"0123456789\n".repeat(100));
    let mut task =
        SourceTask::start::<FileStreamSource>(&settings(&path).with("batch.size", 7)).unwrap();
    assert_eq!(task.poll(50).unwrap().len(), 7);
    assert_eq!(task.poll(3).unwrap().len(), 3);
    assert_eq!(
        task.poll_within(50, 1, Duration::ZERO).unwrap().len(),
        1,
        "a larger row passes alone"
    );
}

#[test]
fn an_offset_of_another_type_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = path(&folder);
    append(&path, "one\n");
    let position: std::collections::BTreeMap<_, _> = [("position", "1")].into();
    testing::set_committed_offset(&Partition { filename: Some(&path) }, &position).unwrap();
    let mut task = SourceTask::start::<FileStreamSource>(&settings(&path)).unwrap();
    let fault = task.poll(1).unwrap_err();
    assert_eq!(fault.problem().message, "Offset position is the incorrect type");
}

#[test]
fn altered_offsets_are_held_to_what_the_source_writes() {
    use std::collections::BTreeMap;
    let alter = |settings: Settings, partition: &[(&str, &str)], offset: Option<Vec<u8>>| {
        let partition: BTreeMap<_, _> = partition.iter().copied().collect();
        let mut altered = testing::source_offset::<_, ()>(&partition, None).unwrap();
        altered.offset = offset;
        let settings = SourceSettings::read(&settings).unwrap();
        FileStreamSource::alter_offsets(&settings, &[altered])
            .map_err(|fault| fault.problem().message.clone())
    };
    let map = |members: &[(&str, i64)]| {
        Some(cbor::to_vec(&members.iter().copied().collect::<BTreeMap<_, _>>()).unwrap())
    };
    let text = cbor::to_vec(&BTreeMap::from([("position", "x")])).unwrap();
    let named = [("filename", "f")];
    let file = || settings("f");
    assert_eq!(alter(file(), &named, map(&[("position", 10)])), Ok(true));
    assert_eq!(alter(file(), &[("other", "x")], None), Ok(true), "garbage can always be removed");
    let check = |outcome: std::result::Result<bool, String>, expected: &str| {
        assert_eq!(outcome.unwrap_err(), expected);
    };
    check(
        alter(file(), &named, map(&[("other", 1)])),
        "Offset objects should either be null or contain the key 'position'",
    );
    check(
        alter(file(), &named, Some(text)),
        "The value for the 'position' key in the offset is expected to be a Long value",
    );
    check(
        alter(file(), &named, map(&[("position", -1)])),
        "The value for the 'position' key in the offset should be a non-negative value",
    );
    check(
        alter(file(), &[("other", "x")], map(&[("position", 1)])),
        "Partition objects should contain the key 'filename'",
    );
    check(
        alter([("topic", "t")].into(), &named, None),
        "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not \
         tracked.",
    );
}

#[test]
fn settings_are_kafka_connects() {
    let read = |pairs: Settings| SourceSettings::read(&pairs).map_err(|error| error.to_string());
    assert_eq!(read([("topic", "t")].into()).unwrap().batch_size, 2000);
    assert!(read([("topic", "t"), ("file", "")].into()).unwrap().file.is_none());
    assert_eq!(
        read([("file", "f")].into()).unwrap_err(),
        "Missing required configuration \"topic\" which has no default value."
    );
    assert_eq!(
        read([("topic", "")].into()).unwrap_err(),
        "Invalid value  for configuration topic: String must be non-empty"
    );
}
