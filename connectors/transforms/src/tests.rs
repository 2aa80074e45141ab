//! The cases of `tests/vectors/transforms.jsonl`, taken from the real JVM.

use serde_json::Value as Json;
use tombolo_sdk::bindings::transformation::Transformed;
use tombolo_sdk::columns::{Batch, Headers, SchemaNumber, Values};
use tombolo_sdk::fault::{Fault, Problem};
use tombolo_sdk::predicate::Predicate;
use tombolo_sdk::row::Row;
use tombolo_sdk::settings::{Configuration, Settings};
use tombolo_sdk::testing::Chain;
use tombolo_sdk::transformation::Transformation;

use super::*;
use crate::vectors::{Vectors, check, differs, same, settings};

const VECTORS: &str = include_str!("../tests/vectors/transforms.jsonl");

/// A batch of rows, all of them this record: what depends on the row before must not matter.
fn batch(vectors: &Vectors, record: &Json, rows: u32) -> Batch {
    let list = |name: &str| record[name].as_i64().map(|number| vec![number; rows as usize]);
    let values = |of: &Json| {
        let mut values = Values::new();
        for _ in 0..rows {
            values.push(Vectors::value(&of["value"]).as_deref(), vectors.schema(&of["schema"]));
        }
        values
    };
    let mut batch = Batch {
        rows,
        topics: vec![record["topic"].as_str().unwrap().to_owned()],
        partition: list("partition")
            .map(|all| all.iter().map(|&number| number.try_into().unwrap()).collect())
            .unwrap_or_default(),
        offset: list("offset").unwrap_or_default(),
        timestamp: list("timestamp").unwrap_or_default(),
        key: values(&record["key"]),
        value: values(&record["value"]),
        ..Batch::new()
    };
    for _ in 0..rows {
        for header in record["headers"].as_array().into_iter().flatten() {
            let value = Vectors::value(&header[2]);
            let schema = vectors.schema(&header[1]);
            batch.headers.push(header[0].as_str().unwrap(), value.as_deref(), schema);
        }
        batch.headers.ends.push(batch.headers.names.rows().try_into().unwrap());
    }
    batch
}

/// What came out of two equal rows, compared with what Connect makes of one.
fn outcome(vectors: &Vectors, case: &Json, input: &Batch, found: &Transformed) -> Option<String> {
    if !case["error"].is_null() {
        let wrong = found.faults.len() != 2
            || found.faults.iter().any(|fault| differs(&fault.problem, &case["error"]));
        return wrong.then(|| format!("{:?}", found.faults));
    }
    if case["result"].is_null() {
        let wrong = !found.origin.is_empty() || !found.faults.is_empty();
        return wrong.then(|| format!("{:?}", found.origin));
    }
    if found.origin != [0, 1] {
        return Some(format!("{:?}", found.faults));
    }
    let expected = &case["result"];
    let topic = |row: usize| match &found.topic {
        Some(new) => &new.topics[new.topic[row] as usize],
        None => &input.topics[0],
    };
    for row in 0..2 {
        let part = |new: &Option<Values>, old: &Values| -> (Option<Vec<u8>>, SchemaNumber) {
            let values = new.as_ref().unwrap_or(old);
            (values.bytes.get(row).map(<[u8]>::to_vec), values.schema(row))
        };
        let of = |name: &str| {
            let part = &expected[name];
            (Vectors::value(&part["value"]), vectors.schema(&part["schema"]))
        };
        let (key, value) = (part(&found.key, &input.key), part(&found.value, &input.value));
        if !same(key.clone(), of("key")) {
            return Some(format!("key {}", Vectors::show(key.0.as_deref(), key.1)));
        }
        if !same(value.clone(), of("value")) {
            return Some(format!("value {}", Vectors::show(value.0.as_deref(), value.1)));
        }
        if Some(topic(row).as_str()) != expected["topic"].as_str() {
            return Some(format!("topic {}", topic(row)));
        }
        let headers = found.headers.as_ref().unwrap_or(&input.headers);
        if !same_headers(vectors, headers, row, &expected["headers"]) {
            return Some(format!("headers {headers:?}"));
        }
    }
    None
}

/// Whether a row has these headers.
fn same_headers(vectors: &Vectors, found: &Headers, row: usize, expected: &Json) -> bool {
    let expected = expected.as_array().map_or([].as_slice(), Vec::as_slice);
    let found: Vec<_> = found.of(row).collect();
    let is = |(found, expected): (&(&str, Option<&[u8]>, SchemaNumber), &Json)| {
        let value = (Vectors::value(&expected[2]), vectors.schema(&expected[1]));
        found.0 == expected[0] && same((found.1.map(<[u8]>::to_vec), found.2), value)
    };
    found.len() == expected.len() && found.iter().zip(expected).all(is)
}

/// Whether a configuration is refused in other words than Connect's.
fn refused(found: &Problem, case: &Json) -> Option<String> {
    let expected = &case["config_error"];
    let words = expected["message"].as_str().unwrap_or_default();
    // Java names an object by its class here.
    let start = words.split_once("org.apache.kafka.connect.transforms.InsertField$InsertionSpec");
    let start = start.map(|(start, _)| start);
    let wrong = match start {
        Some(start) => !found.message.starts_with(start),
        None => differs(found, expected),
    };
    wrong.then(|| format!("{found:?}"))
}

fn transforms<T: Transformation>(vectors: &Vectors, case: &Json) -> Option<String> {
    if case["class"] != T::CLASS {
        return None;
    }
    let mut chain = match Chain::new().then::<T>(&settings(case)) {
        Ok(chain) => chain,
        Err(fault) => return refused(fault.problem(), case),
    };
    if !case["config_error"].is_null() {
        return Some("a configuration that Connect refuses".to_owned());
    }
    let input = batch(vectors, &case["record"], 2);
    let found = chain.apply(&input).unwrap();
    outcome(vectors, case, &input, &found)
}

fn tests<P: Predicate>(vectors: &Vectors, case: &Json) -> Option<String> {
    if case["class"] != P::CLASS {
        return None;
    }
    let create = || -> Result<P, Fault> { P::create(P::Settings::read(&settings(case))?) };
    let mut predicate = match create() {
        Ok(predicate) => predicate,
        Err(fault) => return refused(fault.problem(), case),
    };
    let input = batch(vectors, &case["record"], 1);
    let holds = predicate.test(&Row::new(&input)).unwrap();
    (case["holds"] != holds).then(|| format!("{holds}"))
}

#[test]
fn records_are_transformed_as_kafka_connect_transforms_them() {
    check(VECTORS, |vectors, case| {
        None.or_else(|| transforms::<On<Key, InsertField>>(vectors, case))
            .or_else(|| transforms::<On<Value, InsertField>>(vectors, case))
            .or_else(|| transforms::<On<Key, ReplaceField>>(vectors, case))
            .or_else(|| transforms::<On<Value, ReplaceField>>(vectors, case))
            .or_else(|| transforms::<On<Key, MaskField>>(vectors, case))
            .or_else(|| transforms::<On<Value, MaskField>>(vectors, case))
            .or_else(|| transforms::<On<Key, HoistField>>(vectors, case))
            .or_else(|| transforms::<On<Value, HoistField>>(vectors, case))
            .or_else(|| transforms::<On<Key, ExtractField>>(vectors, case))
            .or_else(|| transforms::<On<Value, ExtractField>>(vectors, case))
            .or_else(|| transforms::<On<Key, HeaderFrom>>(vectors, case))
            .or_else(|| transforms::<On<Value, HeaderFrom>>(vectors, case))
            .or_else(|| transforms::<On<Key, Cast>>(vectors, case))
            .or_else(|| transforms::<On<Value, Cast>>(vectors, case))
            .or_else(|| transforms::<On<Key, Flatten>>(vectors, case))
            .or_else(|| transforms::<On<Value, Flatten>>(vectors, case))
            .or_else(|| transforms::<On<Key, SetSchemaMetadata>>(vectors, case))
            .or_else(|| transforms::<On<Value, SetSchemaMetadata>>(vectors, case))
            .or_else(|| transforms::<On<Key, TimestampConverter>>(vectors, case))
            .or_else(|| transforms::<On<Value, TimestampConverter>>(vectors, case))
            .or_else(|| transforms::<TimestampRouter>(vectors, case))
            .or_else(|| transforms::<InsertHeader>(vectors, case))
            .or_else(|| transforms::<DropHeaders>(vectors, case))
            .or_else(|| transforms::<ValueToKey>(vectors, case))
            .or_else(|| transforms::<RegexRouter>(vectors, case))
            .or_else(|| transforms::<Filter>(vectors, case))
            .or_else(|| tests::<HasHeaderKey>(vectors, case))
            .or_else(|| tests::<RecordIsTombstone>(vectors, case))
            .or_else(|| tests::<TopicNameMatches>(vectors, case))
    });
}

#[test]
fn a_filter_with_a_predicate_drops_the_rows_that_it_chooses() {
    let mut input = Batch { rows: 3, topics: vec!["t".to_owned()], ..Batch::new() };
    for value in [Some([1].as_slice()), None, Some([2].as_slice())] {
        input.value.push(value, 0);
    }
    for (negate, left) in [(false, vec![0, 2]), (true, vec![1])] {
        let chain = Chain::new().then::<Filter>(&Settings::default()).unwrap();
        let chain = chain.when::<RecordIsTombstone>(&Settings::default(), negate);
        assert_eq!(chain.unwrap().apply(&input).unwrap().origin, left);
    }
}
