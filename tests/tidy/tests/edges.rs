//! Who may import whom: the table of the architecture page, held against what cargo says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tombolo_tidy::root;

/// Crate, siblings it may use, and outside crates that it alone may name.
const EDGES: &[(&str, &[&str], &[&str])] = &[
    ("tombolo-model", &[], &[]),
    ("tombolo-kafka", &["tombolo-model"], &["rdkafka", "rdkafka-sys"]),
    ("tombolo-sandbox", &["tombolo-model"], &["wasmtime", "wasmtime-wasi", "wasmparser"]),
    ("tombolo-store", &["tombolo-model", "tombolo-kafka"], &[]),
    (
        "tombolo-worker",
        &["tombolo-model", "tombolo-kafka", "tombolo-store", "tombolo-java-regex"],
        &[],
    ),
    // Knows neither side of the wall, so that both may use it, as they use a crate of strangers.
    ("tombolo-java-regex", &[], &["fancy-regex"]),
    ("tombolo-herder", &["tombolo-model", "tombolo-kafka", "tombolo-store", "tombolo-worker"], &[]),
    ("tombolo-rest", &["tombolo-model", "tombolo-herder", "tombolo-java-regex"], &["axum"]),
    ("tombolo-devbroker", &[], &["kafka-protocol"]),
    (
        "tombolo",
        &[
            "tombolo-model",
            "tombolo-kafka",
            "tombolo-sandbox",
            "tombolo-store",
            "tombolo-worker",
            "tombolo-herder",
            "tombolo-devbroker",
            "tombolo-rest",
        ],
        &["clap", "mimalloc"],
    ),
    ("tombolo-sdk", &[], &["wit-bindgen"]),
    ("tombolo-file", &["tombolo-sdk"], &[]),
    ("tombolo-datagen", &["tombolo-sdk"], &[]),
    ("tombolo-http", &["tombolo-sdk"], &[]),
    ("tombolo-postgres", &["tombolo-sdk"], &[]),
    ("tombolo-converters", &["tombolo-sdk"], &[]),
    ("tombolo-transforms", &["tombolo-sdk", "tombolo-java-regex"], &[]),
];

/// Crates of tests, which may use anything.
const TESTS: [&str; 8] = [
    "tombolo-harness",
    "tombolo-tidy",
    "tombolo-guests",
    "tombolo-guest-programs",
    "tombolo-bench",
    "tombolo-compat",
    "tombolo-compat-kit",
    "tombolo-sandbox-tests",
];

/// What the vocabulary must never see.
const NOT_IN_MODEL: [&str; 4] = ["tokio", "serde", "serde_json", "tracing"];

/// Dependencies that are built into each crate, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let normal = |dependency: &&Value| dependency["kind"].is_null();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap();
            let names = dependencies.iter().filter(normal).map(|one| text(&one["name"])).collect();
            (text(&package["name"]), names)
        })
        .collect()
}

#[test]
fn crates_import_only_whom_they_may() {
    let all = dependencies();
    for (name, siblings, _) in EDGES {
        let used: Vec<_> = all[*name].iter().filter(|one| one.starts_with("tombolo")).collect();
        let odd: Vec<_> = used.iter().filter(|one| !siblings.contains(&one.as_str())).collect();
        assert!(odd.is_empty(), "{name} may not use {odd:?}");
    }
    let listed: BTreeSet<_> = EDGES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let known = |name: &String| listed.contains(name) || TESTS.contains(&name.as_str());
    let unlisted: Vec<_> = all.keys().filter(|name| !known(name)).collect();
    assert!(unlisted.is_empty(), "not in the table of edges: {unlisted:?}");
}

#[test]
fn a_heavy_dependency_is_held_in_one_place() {
    let all = dependencies();
    for (owner, _, alone) in EDGES {
        for dependency in *alone {
            let also: Vec<_> = all
                .iter()
                .filter(|(name, used)| {
                    let is_test = TESTS.contains(&name.as_str());
                    name != owner && !is_test && used.contains(*dependency)
                })
                .map(|(name, _)| name)
                .collect();
            assert!(also.is_empty(), "only {owner} may name {dependency}, but {also:?} do");
        }
    }
    for dependency in NOT_IN_MODEL {
        assert!(!all["tombolo-model"].contains(dependency), "model must not see {dependency}");
    }
}
