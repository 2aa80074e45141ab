//! The cases of `tests/vectors/headers.jsonl`, taken from the real JVM.

use tombolo_sdk::values::{self, Unparsed, parse};

use crate::vectors::{Vectors, check};

#[test]
fn text_says_what_kafka_connect_infers() {
    check(include_str!("../tests/vectors/headers.jsonl"), |vectors, case| {
        if case["to"] != "connect" {
            return None;
        }
        let found = match parse(case["text"].as_str().unwrap()) {
            Ok(None) => (None, 0),
            Ok(Some(typed)) => {
                let mut out = Vec::new();
                typed.append(&mut out);
                (Some(out), typed.schema().unwrap())
            }
            Err(error) => return Some(format!("{error:?}")),
        };
        let expected = (Vectors::value(&case["value"]), vectors.schema(&case["schema"]));
        (found != expected).then(|| Vectors::show(found.0.as_deref(), found.1))
    });
}

#[test]
fn values_print_as_kafka_connect_prints_them() {
    check(include_str!("../tests/vectors/headers.jsonl"), |vectors, case| {
        if case["to"] != "bytes" {
            return None;
        }
        let schema = vectors.schema(&case["schema"]);
        let found = Vectors::value(&case["value"]).map(|value| {
            let mut out = Vec::new();
            values::write(&mut out, &value, schema).unwrap();
            String::from_utf8(out).unwrap()
        });
        (found.as_deref() != case["text"].as_str()).then(|| format!("{found:?}"))
    });
}

#[test]
fn text_nested_without_end_is_passed_on_as_bytes() {
    assert_eq!(parse(&"[".repeat(100_000)), Err(Unparsed::Other));
}
