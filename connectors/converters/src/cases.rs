//! Runs a case of the vectors on a format. Not here: which cases (`json/tests.rs`, `text_tests.rs`).

use serde_json::Value;
use tombolo_sdk::columns::Written;
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::settings::Configuration;

use crate::rows::Format;
use crate::vectors::{Vectors, differs, same, settings};

/// A format with the settings of a case.
fn format_of<F: Format>(case: &Value) -> Result<F, Fault> {
    F::new(F::Settings::read(&settings(case))?)
}

fn problem(failure: &Failure) -> &Problem {
    match failure {
        Failure::Row(problem) => problem,
        Failure::Call(fault) => fault.problem(),
    }
}

/// Reads the bytes of a case twice, as a converter meets them in two rows: caches must not matter.
pub(crate) fn read_case<F: Format>(vectors: &Vectors, case: &Value) -> Option<String> {
    let mut format = match format_of::<F>(case) {
        Ok(format) => format,
        Err(fault) if differs(fault.problem(), &case["config_error"]) => {
            return Some(format!("{fault:?}"));
        }
        Err(_) => return None,
    };
    let bytes = match case["text"].as_str() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => Vectors::value(&case["bytes"]),
    };
    for _ in 0..2 {
        let mut out = b"before".to_vec();
        match format.read(bytes.as_deref(), &mut out) {
            Ok((written, schema)) => {
                let item = out.split_off(6);
                let value = (written == Written::Item).then_some(item);
                let expected = (Vectors::value(&case["value"]), vectors.schema(&case["schema"]));
                if !case["error"].is_null() || !same((value.clone(), schema), expected) {
                    return Some(Vectors::show(value.as_deref(), schema));
                }
            }
            Err(failure) if differs(problem(&failure), &case["error"]) => {
                return Some(format!("{failure:?}"));
            }
            Err(_) => {}
        }
    }
    None
}

/// Writes the value of a case twice.
pub(crate) fn write_case<F: Format>(vectors: &Vectors, case: &Value) -> Option<String> {
    let mut format = format_of::<F>(case).unwrap();
    let expected = match case["text"].as_str() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => Vectors::value(&case["bytes"]),
    };
    let schema = vectors.schema(&case["schema"]);
    for _ in 0..2 {
        let mut out = Vec::new();
        match format.write(Vectors::value(&case["value"]).as_deref(), schema, &mut out) {
            Ok(written) => {
                let found = (written == Written::Item).then_some(out);
                if !case["error"].is_null() || found != expected {
                    return Some(format!(
                        "{:?}",
                        found.map(|found| String::from_utf8_lossy(&found).into_owned())
                    ));
                }
            }
            Err(failure) if differs(problem(&failure), &case["error"]) => {
                return Some(format!("{failure:?}"));
            }
            Err(_) => {}
        }
    }
    None
}
