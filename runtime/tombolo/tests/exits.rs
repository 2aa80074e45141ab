//! How `tombolo worker` ends: by a signal with 0, and where it cannot start with the code and the words that say why.
//!
//! Not here: a worker that stands alone (`standalone`), and `tombolo dev` (`dev`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tombolo_harness::{Guarded, Kafka, Signal, Worker, free_port, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tombolo");

/// Longest wait for a word or an end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_worker_that_is_asked_to_stop_stops_in_order_and_ends_with_0() {
    let mut worker = Worker::start(PROGRAM, Kafka::shared().unwrap(), &[]).unwrap();
    for (signal, name) in [(Signal::Interrupt, "SIGINT"), (Signal::Term, "SIGTERM")] {
        if worker.has_ended() {
            worker.start_again().unwrap();
        }
        let before = worker.log().len();
        let code = worker.end(signal).unwrap();
        let said = worker.log().split_off(before);
        assert_eq!(code, Some(0), "{said}");
        let (_, stopped) = said.split_once("stopping").unwrap_or_default();
        assert!(stopped.contains("stopped") && said.contains(name), "{said}");
        assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    }
}

#[test]
fn a_worker_that_waits_for_kafka_can_be_stopped() {
    let nobody = format!("127.0.0.1:{}", free_port().unwrap());
    for signal in [Signal::Interrupt, Signal::Term] {
        let mut worker = Worker::launch_at(PROGRAM, nobody.clone(), |_| Vec::new(), &[]).unwrap();
        let says = || worker.log().contains("no broker answers yet") || worker.has_ended();
        wait_for(says, "the worker says that it waits", PATIENCE)
            .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
        assert!(!worker.has_ended(), "{}", worker.log());
        assert_eq!(worker.end(signal).unwrap(), Some(0), "{}", worker.log());
        assert!(worker.log().contains("stopped before the worker had started"), "{}", worker.log());
    }
}

/// A worker file that could be used, but for the broker, which is not asked.
fn good(port: u16) -> Vec<(&'static str, String)> {
    let string = "org.apache.kafka.connect.storage.StringConverter";
    vec![
        ("bootstrap.servers", "127.0.0.1:1".to_owned()),
        ("group.id", "exits".to_owned()),
        ("listeners", format!("http://127.0.0.1:{port}")),
        ("key.converter", string.to_owned()),
        ("value.converter", string.to_owned()),
        ("config.storage.topic", "exits-config".to_owned()),
        ("offset.storage.topic", "exits-offset".to_owned()),
        ("status.storage.topic", "exits-status".to_owned()),
        ("offset.flush.interval.ms", "1000".to_owned()),
    ]
}

/// What a worker with this file ends with, and what it says.
fn end_of(folder: &Path, file: &Path) -> (Option<i32>, String) {
    let log = folder.join("log");
    // What is said goes to the end of the file.
    std::fs::write(&log, "").unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("worker").arg(file);
    command.env("XDG_CACHE_HOME", tombolo_harness::target_folder().join("test-cache"));
    let mut process = Guarded::start(&command, &log, None).unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    wait_for(|| process.has_ended(), "it ends", PATIENCE)
        .unwrap_or_else(|error| panic!("{error}\n{}", said()));
    (process.exit_code(), said())
}

#[test]
fn a_wrong_worker_file_ends_the_worker_with_2_and_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker.properties");
    let end = || end_of(folder.path(), &file);
    let (code, said) = end();
    assert_eq!(code, Some(2), "{said}");
    let unread = format!("tombolo: cannot read the worker file {}: ", file.display());
    assert!(said.contains(&unread), "{said}");

    let check = |name: &str, value: Option<&str>, expected: &str| {
        let mut settings = good(0);
        settings.retain(|(other, _)| *other != name);
        let mut lines: Vec<String> =
            settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        lines.extend(value.map(|value| format!("{name}={value}\n")));
        std::fs::write(&file, lines.concat()).unwrap();
        let (code, said) = end();
        assert_eq!(code, Some(2), "{said}");
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("tombolo: ") && last.contains(expected), "{said}");
    };
    for missing in ["bootstrap.servers", "group.id", "value.converter", "offset.storage.topic"] {
        let expected =
            format!("Missing required configuration \"{missing}\" which has no default value.");
        check(missing, None, &expected);
    }
    let flush = "offset.flush.interval.ms";
    let expected =
        format!("Invalid value soon for configuration {flush}: Not a number of type LONG");
    check(flush, Some("soon"), &expected);
    let expected = "Invalid value later for configuration sandbox.compile.timeout.ms: ";
    check(
        "sandbox.compile.timeout.ms",
        Some("later"),
        &format!("{expected}expected a whole number of at least 1"),
    );
    let roots = folder.path().join("none");
    let roots = roots.to_str().unwrap();
    let expected = format!(
        "Invalid value {roots} for configuration sandbox.fs.roots: it cannot be opened: No such file or directory"
    );
    check("sandbox.fs.roots", Some(roots), &expected);
}

#[test]
fn an_address_that_another_has_ends_the_worker_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("worker.properties");
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let lines = good(address.port()).into_iter().map(|(name, value)| format!("{name}={value}\n"));
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let (code, said) = end_of(folder.path(), &file);
    assert_eq!(code, Some(3), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with(&format!("tombolo: cannot listen at {address}: ")), "{said}");
}
