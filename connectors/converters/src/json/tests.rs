//! The cases of `tests/vectors/json.jsonl`, taken from the real JVM.

use super::*;
use crate::cases::{read_case, write_case};
use crate::vectors::check;

const VECTORS: &str = include_str!("../../tests/vectors/json.jsonl");

/// Bytes that are not UTF-8 but that Jackson reads all the same: an overlong form, and a character beyond Unicode. Refused here.
const NOT_UTF8: [&str; 2] = ["22c08022", "22f490808022"];

#[test]
fn json_is_read_as_kafka_connect_reads_it() {
    check(VECTORS, |vectors, case| {
        if case["to"] != "connect" {
            return None;
        }
        let wrong = read_case::<JsonFormat>(vectors, case);
        if NOT_UTF8.iter().any(|bytes| case["bytes"] == *bytes) {
            assert!(wrong.unwrap().contains(UNREADABLE));
            return None;
        }
        wrong
    });
}

#[test]
fn values_are_written_as_kafka_connect_writes_them() {
    check(VECTORS, |vectors, case| {
        if case["to"] == "json" { write_case::<JsonFormat>(vectors, case) } else { None }
    });
}
