//! `tombolo dev` ends without a word of complaint, whenever it is asked to.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tombolo_harness::{Guarded, Signal, target_folder, wait_for};

/// Longest wait for anything: a start compiles components on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of `tombolo dev` with a folder and ports of its own.
struct Dev {
    process: Guarded,
    folder: TempDir,
}

impl Dev {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
        // Port 0 is free to no one, so that another is taken.
        command.args(["dev", "--port", "0", "--broker-port", "0", "--data-dir"]);
        command.arg(folder.path().join("data")).current_dir(folder.path());
        command.env("XDG_CACHE_HOME", target_folder().join("test-cache"));
        let process = Guarded::start(&command, &folder.path().join("output"), None).unwrap();
        Self { process, folder }
    }

    /// What it said and logged so far.
    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    fn wait_for(&self, condition: impl Fn() -> bool, what: &str) {
        let ended = || self.process.has_ended();
        wait_for(|| condition() || ended(), what, PATIENCE).unwrap();
        assert!(!ended(), "{}", self.output());
    }

    /// Asks it to end, and answers with what it said from then on.
    fn end(self) -> String {
        let before = self.output().len();
        self.process.signal(Signal::Term).unwrap();
        wait_for(|| self.process.has_ended(), "it ends", PATIENCE)
            .unwrap_or_else(|error| panic!("{error}: {}", self.output()));
        self.output().split_off(before)
    }
}

#[test]
fn it_stops_silently_while_the_demo_runs() {
    let dev = Dev::start();
    dev.wait_for(|| dev.output().contains("Try next"), "the demo shows its first rows");
    let said = dev.output();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "it complains:\n{said}");
    assert_eq!(dev.end(), "");
}

#[test]
fn it_stops_with_one_line_while_it_starts() {
    let dev = Dev::start();
    dev.wait_for(|| dev.data("kafka").is_dir(), "the broker is there");
    let said = dev.end();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("WARN")).collect();
    let expected = |line: &&str| line.contains("stopped before the worker had started");
    assert!(warnings.iter().all(expected), "{said}");
}

#[test]
fn it_stops_silently_while_it_creates_the_demo() {
    let dev = Dev::start();
    dev.wait_for(|| dev.output().contains("REST API"), "the worker has started");
    let said = dev.end();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
}
