//! Dependencies are built once: the program alone gets the same features of them as all packages and their tests together.
//!
//! Cargo unites the features of the packages that it is asked for. Not here: what a single package asks for (`-p`), which is less.

#![expect(clippy::unwrap_used, reason = "a test that cannot ask cargo fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use tombolo_tidy::root;

/// The sets of features with which each dependency is built: more than one where build scripts and macros have it too.
fn features(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--prefix=none", "--format={p}|{f}"]).args(arguments);
    let output = cargo.current_dir(root()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{cargo:?} failed:\n{errors}");
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Some((package, of)) = line.split_once('|') else { continue };
        let of = of.trim_end_matches(" (*)").to_owned();
        features.entry(package.to_owned()).or_default().insert(of);
    }
    features
}

#[test]
fn the_program_and_the_tests_are_built_with_the_same_features_of_every_dependency() {
    let program = features(&["--edges=normal,build"]);
    let everything = ["--workspace", "--exclude=tombolo-guest-programs"];
    let tests = features(&[&everything[..], &["--edges=normal,build,dev"]].concat());
    assert!(program.len() > 100, "a tree was read");
    let differing: Vec<_> = program
        .iter()
        .filter(|(package, of)| !tests.get(*package).is_some_and(|all| of.is_subset(all)))
        .map(|(package, of)| (package, of, tests.get(package)))
        .collect();
    assert!(differing.is_empty(), "built twice (program, tests): {differing:#?}");
}
