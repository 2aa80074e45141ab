//! The tree keeps to the house's rules. An exception stands in a list with its reason, and goes when it is no longer needed.

use std::collections::BTreeSet;

use tombolo_tidy::{lines_and_tests, root, sources};

/// Longest source file, without its tests.
const FILE_LINES_MAX: usize = 500;
/// Longest test module inside a file; a longer one stands beside it.
const TESTS_LINES_MAX: usize = 150;
/// Longest `lib.rs`.
const LIB_LINES_MAX: usize = 80;

/// Files that may be longer than the rule, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Whether a file holds tests alone.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

fn is_excepted(path: &str) -> bool {
    LONG_FILES.iter().any(|(file, _)| *file == path)
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for source in sources(&[".rs"]) {
        let (lines, tests) = lines_and_tests(&source.text);
        let over = !is_test(&source.path) && (lines > FILE_LINES_MAX || tests > TESTS_LINES_MAX);
        let lib = source.path.ends_with("/lib.rs") && source.path.starts_with("runtime/");
        if over || (lib && lines > LIB_LINES_MAX) {
            long.push((source.path, lines, tests));
        }
    }
    let unexpected: Vec<_> = long.iter().filter(|(path, ..)| !is_excepted(path)).collect();
    assert!(unexpected.is_empty(), "too long (lines, lines of tests): {unexpected:?}");
    for (path, _) in LONG_FILES {
        assert!(long.iter().any(|(file, ..)| file == path), "{path} needs no exception any more");
    }
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    let silent: Vec<_> = sources(&[".rs"])
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert!(silent.is_empty(), "these files do not begin with //!: {silent:?}");
}

#[test]
fn nothing_is_left_for_later_in_code() {
    // Put together here, so that this file does not hold them.
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["todo", "!("].concat(),
        ["unimple", "mented!("].concat(),
        ["#[ig", "nore"].concat(),
    ];
    for source in sources(&[".rs", ".wit", ".py", ".toml"]) {
        for word in &words {
            assert!(!source.text.contains(word.as_str()), "{} holds {word}", source.path);
        }
    }
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    let places = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat()];
    for source in
        sources(&[".rs", ".md", ".wit", ".toml", ".py", ".sh", "run", ".json", ".properties"])
    {
        for place in &places {
            assert!(!source.text.contains(place.as_str()), "{} holds {place}", source.path);
        }
    }
}

#[test]
fn every_dependency_has_a_reason() {
    let readme = std::fs::read_to_string(root().join("runtime/README.md")).unwrap();
    let reasons = readme.split("## Dependencies, and what each is for").nth(1).unwrap();
    let reasons = reasons.split("\n## ").next().unwrap();
    // The first cell of each row names crates between backticks.
    let cells = reasons.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let listed: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').step_by(2)).collect();
    assert!(listed.len() > 30, "the table was read: {listed:?}");

    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let entries = table.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
    let names = entries.filter_map(|line| line.split(['=', ' ']).next());
    let theirs: BTreeSet<&str> = names.filter(|name| !name.starts_with("tombolo-")).collect();
    let unsaid: Vec<_> = theirs.difference(&listed).collect();
    assert!(unsaid.is_empty(), "runtime/README.md does not say what these are for: {unsaid:?}");

    let mut used = BTreeSet::new();
    for manifest in sources(&["Cargo.toml"]) {
        if manifest.path != "Cargo.toml" {
            let names = manifest.text.lines().filter_map(|line| line.split(['.', '=', ' ']).next());
            used.extend(names.map(str::to_owned));
        }
    }
    let idle: Vec<_> =
        listed.iter().filter(|name| !theirs.contains(*name) || !used.contains(**name)).collect();
    assert!(
        idle.is_empty(),
        "runtime/README.md says what these are for, and no crate uses them: {idle:?}"
    );
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in sources(&[".md"]) {
        let folder = root().join(&page.path);
        let folder = folder.parent().unwrap();
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let outside = file.contains("://") || file.is_empty() || file.contains(' ');
            assert!(outside || folder.join(file).exists(), "{} links to {link}", page.path);
        }
    }
}

#[test]
fn every_promise_names_tests_that_are_there() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let promises = page.split("## Promises").nth(1).unwrap();
    let promises = promises.split("\n## ").next().unwrap();
    let rows = promises
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter(|line| !line.ends_with("| test |"));
    let mut count = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(tests.contains(".rs`: `"), "no test: {row}");
        for of_file in tests.split("; ") {
            let (file, names) = of_file.split_once(": ").unwrap();
            let text = std::fs::read_to_string(root().join(file.trim_matches('`'))).unwrap();
            for name in names.split(", ") {
                let function = format!("fn {}(", name.trim_matches('`'));
                assert!(text.contains(&function), "{file} has no test {name}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}
