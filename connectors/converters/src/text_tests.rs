//! The cases of `tests/vectors/text.jsonl`, taken from the real JVM: all converters but JSON's.

use serde_json::Value;

use crate::bytes::BytesFormat;
use crate::cases::{read_case, write_case};
use crate::number::{Boolean, Double, Float, Integer, Long, NumberFormat, Short};
use crate::rows::Format;
use crate::string::StringFormat;
use crate::vectors::{Vectors, check};

fn case_of<F: Format>(vectors: &Vectors, case: &Value) -> Option<String> {
    if case["class"] != F::CLASS {
        return None;
    }
    if case["to"] == "connect" {
        read_case::<F>(vectors, case)
    } else {
        write_case::<F>(vectors, case)
    }
}

#[test]
fn text_bytes_and_numbers_are_converted_as_kafka_connect_converts_them() {
    check(include_str!("../tests/vectors/text.jsonl"), |vectors, case| {
        None.or_else(|| case_of::<StringFormat>(vectors, case))
            .or_else(|| case_of::<BytesFormat>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Boolean>>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Short>>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Integer>>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Long>>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Float>>(vectors, case))
            .or_else(|| case_of::<NumberFormat<Double>>(vectors, case))
    });
}
