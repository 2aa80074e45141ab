//! The cases of `tests/vectors/patterns.jsonl`, taken from the real JVM.

use super::*;

const VECTORS: &str = include_str!("../tests/vectors/patterns.jsonl");

/// What Java reads and we do not, or the other way round; each with a reason in the module's documentation.
const DIFFERENT: [&str; 2] = [r"\p{InGreek}", r"\N{LATIN SMALL LETTER A}"];

#[test]
fn patterns_match_and_replace_as_on_the_jvm() {
    let mut wrong = Vec::new();
    for line in VECTORS.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| case[name].as_str().unwrap();
        if DIFFERENT.contains(&text("pattern")) {
            assert!(Pattern::new(text("pattern")).is_err());
            continue;
        }
        let pattern = Pattern::new(text("pattern"));
        if !case["invalid"].is_null() {
            let found = pattern.map(drop).map_err(|error| error.message);
            if found != Err(text("invalid").to_owned()) {
                wrong.push(format!("{line}\n    found {found:?}"));
            }
            continue;
        }
        let found = pattern.and_then(|pattern| {
            if !pattern.matches(text("input"))? {
                return Ok(None);
            }
            pattern.replace_first(text("input"), text("replacement")).map(Some)
        });
        let error = &case["error"];
        let expected = if error.is_null() {
            Ok(case["result"].as_str().map(str::to_owned))
        } else {
            Err((error["class"].as_str().unwrap(), error["message"].as_str().unwrap().to_owned()))
        };
        let found = found.map_err(|error| (error.class, error.message));
        if found != expected {
            wrong.push(format!("{line}\n    found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_pattern_that_runs_away_is_an_error_and_not_a_hang() {
    let pattern = Pattern::new(r"(?:(a)\1?)+b").unwrap();
    assert!(pattern.matches(&"a".repeat(64)).is_err());
}

#[test]
fn what_the_engine_lacks_is_refused_when_the_pattern_is_read() {
    for pattern in [r"\p{InGreek}", r"\N{LATIN SMALL LETTER A}"] {
        assert!(Pattern::new(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_pattern_with_huge_counts_is_refused_or_counted() {
    for (inner, is_read) in [("a", false), ("(?=a)a", true), (r"(a)\1", true)] {
        let pattern = format!("(?:(?:(?:{inner}){{1000}}){{1000}}){{1000}}");
        let read = Pattern::new(&pattern);
        assert_eq!(read.is_ok(), is_read, "{pattern}");
        // Whatever comes of it, it comes soon.
        assert!(read.is_err() || !read.unwrap().matches(&"a".repeat(249)).unwrap_or(false));
    }
}
