//! Patterns against vectors taken from the real JVM.

use serde_json::Value as Json;

use super::*;

const VECTORS: &str = include_str!("../../../tests/vectors/java_dates.jsonl");

/// A moment in 2026, as good as any later one in this century.
const NOW: i64 = 1_780_000_000_000;

/// What is wrong with a case, if anything.
fn wrong(case: &Json) -> Option<String> {
    let format = match DateFormat::new(case["pattern"].as_str().unwrap(), NOW) {
        Ok(format) => format,
        Err(bad) => {
            let expected = case["error"].as_str() == Some(&bad.0);
            return (!expected).then(|| format!("{bad}"));
        }
    };
    if !case["error"].is_null() {
        return Some("a pattern that Java refuses".to_owned());
    }
    if let Some(text) = case["text"].as_str() {
        let found = format.read(text);
        return (found != case["millis"].as_i64()).then(|| format!("{found:?}"));
    }
    let found = format.format(case["millis"].as_i64().unwrap());
    (case["formatted"].as_str() != Some(&found)).then_some(found)
}

#[test]
fn moments_are_written_and_read_as_java_does() {
    let cases: Vec<Json> =
        VECTORS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() > 1_000);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| wrong(case).map(|found| format!("{case}\n    found {found}")))
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn years_in_two_digits_are_within_a_century_from_eighty_years_ago() {
    let now = DateFormat::new("yyyy-MM-dd", NOW).unwrap().read("2026-05-28").unwrap();
    let format = DateFormat::new("yy-MM-dd", now).unwrap();
    let year_of = |text: &str| {
        let year = DateFormat::new("yyyy", NOW).unwrap();
        year.format(format.read(text).unwrap())
    };
    for (text, year) in [
        ("45-01-01", "2045"),
        ("47-01-01", "1947"),
        ("46-05-27", "2046"),
        ("46-05-28", "1946"),
        ("046-05-28", "0046"),
        ("-4-05-28", "0005"),
    ] {
        assert_eq!(year_of(text), year, "{text}");
    }
}
