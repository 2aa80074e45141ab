//! What a component asks for is told before it runs: by `tombolo plugin check`, and by the answer to an upload, with what changed since the version before.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::process::Command;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker};

/// What `tombolo plugin check` prints.
fn check(arguments: &[&std::path::Path]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
    let output = command.args(["plugin", "check"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn plugin_check_tells_what_a_component_asks_for_and_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (folder.path().join("new.wasm"), folder.path().join("old.wasm"));
    std::fs::write(&new, tombolo_guests::FILES).unwrap();
    std::fs::write(&old, tombolo_guests::LOOPS).unwrap();
    let told = check(&[&new, "--before".as_ref(), &old]);
    println!("{told}");
    for expected in [
        "\nasks for\n",
        "  files: granted by sandbox.fs.roots alone (wasi:filesystem/",
        "  log: every plugin has it (wasi:cli/stderr@0.2.",
        "\nchanged since version ",
        "  asks for: ",
    ] {
        assert!(told.contains(expected), "{expected:?} is not in {told}");
    }
    assert!(!check(&[&new]).contains("changed since"));
}

#[test]
fn an_upload_is_answered_with_what_it_asks_for_and_what_changed() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (status, first) = worker.upload(tombolo_guests::FILES).unwrap();
    assert_eq!(status, 201, "{first}");
    assert_eq!(first["change"], Value::Null);
    let of = |name: &str| {
        let all = first["capabilities"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    // The worker of the tests has a directory to offer.
    assert_eq!(of("log")["granted"], json!(true));
    let files = of("files");
    println!("{first:#}");
    assert_eq!((&files["granted"], &files["setting"]), (&json!(true), &json!("sandbox.fs.roots")));

    // The same plugin in another component: a name for tools in it makes another digest.
    let mut again = tombolo_guests::FILES.to_vec();
    again.extend(*b"\0\x05\x04note");
    let (status, second) = worker.upload(&again).unwrap();
    assert_eq!(status, 201, "{second}");
    let change = &second["change"];
    assert_eq!(change["digest"], first["digest"], "{change}");
    for nothing in ["capabilities_added", "capabilities_removed", "imports_added"] {
        assert_eq!(change[nothing], json!([]), "{change}");
    }
}
