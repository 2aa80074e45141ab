//! The converters of Apache Kafka, under their class names, in one component.
//!
//! Each format is a [`rows::Format`]: what a row of bytes means, and which bytes mean a value. Most are converters and header converters at once, as
//! Apache's are. Read `rows`, then `string` for a small format and `json` for the large one. Not here: JSON, CBOR, Java's text and what text says without a schema, which the SDK has.

mod bytes;
#[cfg(test)]
mod cases;
mod charset;
mod header;
#[cfg(test)]
mod header_tests;
mod json;
mod number;
mod role;
mod rows;
mod string;
#[cfg(test)]
mod text_tests;
#[cfg(test)]
#[path = "../tests/vectors/reader.rs"]
mod vectors;

use self::bytes::BytesFormat;
use self::header::SimpleFormat;
use self::json::JsonFormat;
use self::number::{Boolean, Double, Float, Integer, Long, NumberFormat, Short};
use self::rows::ByRow;
use self::string::StringFormat;

tombolo_sdk::export! {
    converter: [
        ByRow<JsonFormat>,
        ByRow<StringFormat>,
        ByRow<BytesFormat>,
        ByRow<NumberFormat<Boolean>>,
        ByRow<NumberFormat<Short>>,
        ByRow<NumberFormat<Integer>>,
        ByRow<NumberFormat<Long>>,
        ByRow<NumberFormat<Float>>,
        ByRow<NumberFormat<Double>>,
    ],
    header_converter: [
        ByRow<SimpleFormat>,
        ByRow<JsonFormat>,
        ByRow<StringFormat>,
        ByRow<BytesFormat>,
        ByRow<NumberFormat<Boolean>>,
        ByRow<NumberFormat<Short>>,
        ByRow<NumberFormat<Integer>>,
        ByRow<NumberFormat<Long>>,
        ByRow<NumberFormat<Float>>,
        ByRow<NumberFormat<Double>>,
    ],
}
