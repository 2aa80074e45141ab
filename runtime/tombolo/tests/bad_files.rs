//! A file sink whose file cannot grow, or loses its name, through a real worker and a real Kafka: the reason is told, and no row is lost.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot be set up fails"
)]

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for, wait_for_some};

/// Longest wait for rows to arrive, or for a status to change.
const ARRIVAL: Duration = Duration::from_secs(60);
/// An interval within which no test ends.
const NEVER: &str = "3600000";

/// A worker that copies the lines of one file through Kafka to another.
struct Copying {
    worker: Worker,
    /// Name of the sink. A consumer group of Kafka has it, so each test has its own.
    sink: String,
    from: PathBuf,
    to: PathBuf,
    /// Lines written to the first file.
    written: usize,
}

impl Copying {
    fn start(name: &str, settings: &[(&str, &str)]) -> Self {
        let kafka = Kafka::shared().unwrap();
        let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, settings).unwrap();
        let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
        let mut copying = Self { worker, sink: name.to_owned(), from, to, written: 0 };
        copying.add(5);
        let (from, to) = (&copying.from, &copying.to);
        let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": name});
        let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": name});
        copying.worker.create("source", &source).unwrap();
        copying.worker.create(&copying.sink, &sink).unwrap();
        copying.wait_for_lines(0..5, &[&copying.to]);
        copying
    }

    /// Adds lines to the first file.
    fn add(&mut self, lines: usize) {
        let mut file = File::options().append(true).create(true).open(&self.from).unwrap();
        let numbers = self.written..self.written + lines;
        file.write_all(numbers.map(|number| line(number) + "\n").collect::<String>().as_bytes())
            .unwrap();
        self.written += lines;
    }

    /// Waits until these lines, each once and in order, and no others are in these files.
    fn wait_for_lines(&self, numbers: std::ops::Range<usize>, files: &[&Path]) {
        let expected: Vec<String> = numbers.clone().map(line).collect();
        let found = || files.iter().flat_map(|file| complete_lines(file)).collect::<Vec<_>>();
        let what = format!("lines {numbers:?} are in {files:?}");
        wait_for(|| found() == expected, &what, ARRIVAL).unwrap_or_else(|error| {
            let short = |line: &String| line.chars().take(12).collect::<String>();
            let found: Vec<_> = found().iter().map(short).collect();
            panic!("{error}: {} lines, {found:?}\n{}", found.len(), self.worker.log())
        });
    }

    fn task(&self) -> Value {
        let path = format!("/connectors/{}/tasks/0/status", self.sink);
        self.worker.request("GET", &path, None).unwrap().1
    }

    /// Waits until the sink's task is in this state, for a reason with these words, or without one.
    fn wait_for_task(&self, state: &str, reason: Option<&str>) -> Value {
        let reached = || {
            let task = self.task();
            let trace = task["trace"].as_str();
            let told = match reason {
                Some(reason) => trace.is_some_and(|trace| trace.contains(reason)),
                None => trace.is_none(),
            };
            (task["state"] == state && told).then_some(task)
        };
        wait_for_some(reached, &format!("the task is {state}: {reason:?}"), ARRIVAL)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.task(), self.worker.log()))
    }

    /// Asks something of the sink.
    fn ask(&self, method: &str, what: &str) {
        let path = format!("/connectors/{}{what}", self.sink);
        let (status, answer) = self.worker.request(method, &path, None).unwrap();
        assert!(matches!(status, 200..300), "{method} {path}: {status} {answer}");
    }

    /// Makes the sink commit now, whatever its interval: a task that is paused commits first.
    fn commit(&self) {
        self.ask("PUT", "/pause");
        self.worker.wait_for_state(&self.sink, "PAUSED").unwrap();
        self.ask("PUT", "/resume");
        self.worker.wait_for_state(&self.sink, "RUNNING").unwrap();
    }
}

/// A line of half a kilobyte.
fn line(number: usize) -> String {
    format!("{number:06} {}", "x".repeat(505))
}

fn len(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |data| data.len())
}

#[test]
fn a_file_that_cannot_grow_holds_the_sink_up_with_the_reason_and_every_line_is_there_once() {
    let mut copying = Copying::start("bad-files-full", &[]);
    for (lines, restart) in [(1_000, false), (2_000, true)] {
        // Ends within a line, and leaves the log room.
        let limit = len(&copying.to) + 300_000;
        copying.worker.limit_files(Some(limit)).unwrap();
        copying.add(lines - copying.written);
        let task = copying.wait_for_task("RUNNING", Some("file too large"));
        let trace = task["trace"].as_str().unwrap();
        let file = copying.to.display().to_string();
        assert!(trace.starts_with("put failed for now, and is tried again: "), "{trace}");
        assert!(trace.contains(&format!("Couldn't write to {file}")), "{trace}");
        // What a failed write left is taken back each time.
        let ends_whole = || std::fs::read(&copying.to).unwrap().ends_with(b"\n");
        wait_for(ends_whole, "the file ends with a whole line", ARRIVAL).unwrap();
        assert!(len(&copying.to) <= limit);
        if restart {
            copying.worker.stop().unwrap();
            copying.worker.start_again().unwrap();
        } else {
            copying.worker.limit_files(None).unwrap();
        }
        copying.wait_for_lines(0..lines, &[&copying.to]);
        copying.wait_for_task("RUNNING", None);
    }
}

#[test]
fn a_full_disk_is_told_and_the_sink_can_be_deleted_meanwhile() {
    let roots = format!("{},/dev", std::env::temp_dir().display());
    let mut copying = Copying::start("bad-files-device", &[("sandbox.fs.roots", &roots)]);
    copying.ask("DELETE", "");
    let topic = &copying.sink;
    let sink = json!({"connector.class": "FileStreamSink", "file": "/dev/full", "topics": topic});
    copying.worker.create(&copying.sink, &sink).unwrap();
    copying.add(5);
    copying.wait_for_task("RUNNING", Some("Couldn't write to /dev/full: no storage space"));
    copying.ask("DELETE", "");
    copying.worker.stop().unwrap();
}

#[test]
fn lines_in_a_deleted_file_that_were_not_committed_are_written_again() {
    let settings = [("offset.flush.interval.ms", NEVER)];
    let mut copying = Copying::start("bad-files-deleted", &settings);
    copying.commit();
    copying.add(5);
    copying.wait_for_lines(0..10, &[&copying.to]);
    std::fs::remove_file(&copying.to).unwrap();
    copying.add(5);
    copying.commit();
    copying.wait_for_lines(5..15, &[&copying.to]);
    assert!(copying.worker.log().contains("was deleted with lines that were not committed"));
    copying.add(5);
    copying.wait_for_lines(5..20, &[&copying.to]);
}

#[test]
fn a_renamed_file_keeps_its_lines_and_the_next_go_to_a_new_one() {
    let mut copying = Copying::start("bad-files-renamed", &[]);
    let rotated = copying.worker.files().join("to.txt.1");
    std::fs::rename(&copying.to, &rotated).unwrap();
    copying.add(5);
    wait_for(|| copying.to.exists(), "the file is there anew", ARRIVAL).unwrap();
    copying.add(5);
    copying.wait_for_lines(0..15, &[&rotated, &copying.to]);
    assert!(complete_lines(&copying.to).len() >= 5);
}

#[test]
fn a_file_that_is_emptied_gets_the_next_lines_from_its_start() {
    let mut copying = Copying::start("bad-files-emptied", &[]);
    File::options().write(true).truncate(true).open(&copying.to).unwrap();
    copying.add(5);
    copying.wait_for_lines(5..10, &[&copying.to]);
    assert_eq!(std::fs::read(&copying.to).unwrap()[..6], *b"000005");
}

#[test]
fn a_file_that_becomes_read_only_is_written_until_the_task_starts_anew() {
    let mut copying = Copying::start("bad-files-read-only", &[]);
    let file = copying.to.clone();
    let chmod = |mode: u32| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(0o444);
    copying.add(5);
    copying.wait_for_lines(0..10, &[&copying.to]);
    copying.ask("POST", "/tasks/0/restart");
    copying.add(5);
    // Permissions do not bind root.
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        copying.wait_for_task("FAILED", Some("ermission denied"));
        chmod(0o644);
        copying.ask("POST", "/tasks/0/restart");
    }
    copying.wait_for_lines(0..15, &[&copying.to]);
}

#[test]
fn a_path_that_cannot_be_opened_anew_fails_the_task_which_goes_on_after_a_restart() {
    let mut copying = Copying::start("bad-files-directory", &[]);
    let rotated = copying.worker.files().join("to.txt.1");
    std::fs::rename(&copying.to, &rotated).unwrap();
    std::fs::create_dir(&copying.to).unwrap();
    copying.wait_for_task("FAILED", Some("Couldn't find or create file"));
    std::fs::remove_dir(&copying.to).unwrap();
    copying.add(5);
    copying.ask("POST", "/tasks/0/restart");
    copying.wait_for_lines(0..10, &[&rotated, &copying.to]);
}
