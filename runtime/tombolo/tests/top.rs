//! `tombolo top` shows what connectors of a running worker use, and says what is wrong where it cannot.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for rows, on a busy machine.
const ARRIVAL: Duration = Duration::from_secs(60);

fn top(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tombolo")).arg("top").args(arguments).output().unwrap()
}

/// The cells of a line by the names of their columns.
fn cells<'a>(head: &'a str, line: &'a str) -> Vec<(&'a str, &'a str)> {
    head.split_whitespace().zip(line.split_whitespace()).collect()
}

fn cell<'a>(cells: &[(&str, &'a str)], name: &str) -> &'a str {
    cells.iter().find(|(column, _)| *column == name).unwrap().1
}

#[test]
fn tables_of_a_running_worker_show_what_its_tasks_use() {
    let worker =
        Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap();
    assert_eq!(worker.upload(tombolo_guests::PIPE).unwrap().0, 201);
    let topic = format!("top-{}", worker.id().replace(':', "-"));
    let source = json!({
        "connector.class": "test.pipe.NumbersSource",
        "topic": topic, "records": 100_000_000, "rate": 20_000,
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    let file = worker.files().join("lines.txt");
    let sink = json!({"connector.class": "test.pipe.LinesSink", "topics": topic, "file": file});
    worker.create("numbers", &source).unwrap();
    worker.create("lines", &sink).unwrap();
    wait_for(|| complete_lines(&file).len() > 1_000, "rows arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));

    let url = worker.url();
    let output = top(&["-b", "-n", "2", "-d", "1.5", "-o", "name", "--url", &url]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let tables: Vec<&str> =
        text.split_terminator("\n\n").filter(|table| !table.is_empty()).collect();
    let title = format!("tombolo top - {url} - 2 connectors, 2 tasks: 2 running");
    assert_eq!(text.matches(&title).count(), 2, "{text}");
    let last: Vec<&str> = tables.last().unwrap().lines().collect();
    let place = last.iter().position(|line| line.starts_with("CONNECTOR")).unwrap();
    let names: Vec<(&str, &str)> = last[place + 1..]
        .iter()
        .map(|line| cells(last[place], line))
        .map(|cells| (cell(&cells, "CONNECTOR"), cell(&cells, "TASK")))
        .collect();
    assert_eq!(names, [("lines", "-"), ("lines", "0"), ("numbers", "-"), ("numbers", "0")]);
    for task in [last[place + 2], last[place + 4]] {
        let cells = cells(last[place], task);
        let is_nothing = |name| ["-", "0", "0.0"].contains(&cell(&cells, name));
        for used in ["CPU%", "MEMORY", "REC/S", "CALLS/S"] {
            assert!(!is_nothing(used), "{used} of {task}\n{text}");
        }
        assert!(!is_nothing("IN/S") || !is_nothing("OUT/S"), "{task}");
        assert_eq!(cell(&cells, "STATE"), "RUNNING");
        assert_eq!(cell(&cells, "LIMIT"), "128.0M");
        assert_eq!((cell(&cells, "RESTARTS"), cell(&cells, "BREACHES")), ("0", "0"));
    }
}

#[test]
fn what_is_wrong_is_told() {
    let check = |arguments: &[&str], expected: &str| {
        let output = top(arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.starts_with(expected), "{told}");
    };
    let nobody = "tombolo: no worker answers at http://127.0.0.1:1 (--url says where to ask): ";
    check(&["-b", "-n", "1", "--url", "http://me:secret@127.0.0.1:1"], nobody);
    check(&["--url", "localhost:8083"], "tombolo: --url localhost:8083: expected http://HOST:PORT");
    check(&["-b", "-d", "0"], "tombolo: -d 0: expected a number of seconds above 0");
    check(&["-b", "-n", "0"], "error: invalid value '0'");
    check(&[], "tombolo: top needs a terminal; with -b it prints to anything");
}
