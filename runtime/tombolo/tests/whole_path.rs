//! A line of a file travels through sandboxed plugins and a real Kafka into another file.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for rows to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);

fn worker() -> Worker {
    Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &[]).unwrap()
}

#[test]
fn lines_of_a_growing_file_arrive_in_another_file_and_survive_a_restart() {
    let mut worker = worker();
    let (from, to) = (worker.files().join("from.txt"), worker.files().join("to.txt"));
    std::fs::write(&from, "one\ntwo\n").unwrap();
    let topic = "whole-path-lines";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": topic});
    worker.create("lines-source", &source).unwrap();
    worker.create("lines-sink", &sink).unwrap();
    let arrived = |expected: &[&str]| {
        let there = || complete_lines(&to) == expected;
        wait_for(there, "the lines arrive", ARRIVAL)
            .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", complete_lines(&to), worker.log()));
    };
    arrived(&["one", "two"]);
    // The source has been at the end of the file by then: nothing else is in it.
    std::fs::write(&from, "one\ntwo\nmore\n").unwrap();
    arrived(&["one", "two", "more"]);
    worker.wait_for_state("lines-source", "RUNNING").unwrap();
    worker.wait_for_state("lines-sink", "RUNNING").unwrap();
    worker.stop().unwrap();
    assert!(worker.log().contains("stopped"), "{}", worker.log());

    std::fs::write(&from, "one\ntwo\nmore\nthree\n").unwrap();
    worker.start_again().unwrap();
    let there = || complete_lines(&to) == ["one", "two", "more", "three"];
    wait_for(there, "the next line arrives, and no line twice", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", complete_lines(&to), worker.log()));
}

#[test]
fn json_goes_through_three_transformations() {
    let worker = worker();
    let (from, to) = (worker.files().join("in.json"), worker.files().join("out.txt"));
    let rows = "{\"id\":1,\"card\":\"4111\",\"note\":\"x\"}\n{\"id\":2,\"card\":\"4222\",\"note\":\"y\"}\n";
    std::fs::write(&from, rows).unwrap();
    let topic = "whole-path-json";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    worker.create("json-source", &source).unwrap();
    let sink = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "file": to,
        "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": false,
        "transforms": "insert,mask,drop",
        "transforms.insert.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.insert.topic.field": "topic",
        "transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value",
        "transforms.mask.fields": "card",
        "transforms.mask.replacement": "****",
        "transforms.drop.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.drop.exclude": "note",
    });
    worker.create("json-sink", &sink).unwrap();
    let expected = [
        format!("{{id=1, card=****, topic={topic}}}"),
        format!("{{id=2, card=****, topic={topic}}}"),
    ];
    wait_for(|| complete_lines(&to) == expected, "the rows arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", complete_lines(&to), worker.log()));
}

#[test]
fn a_file_outside_the_roots_is_a_configuration_error_that_names_the_setting() {
    let worker = worker();
    for file in ["/etc/hostname", "../../etc/hostname", "relative.txt"] {
        let config = json!({"connector.class": "FileStreamSource", "file": file, "topic": "t"});
        let body = json!({"name": "outside", "config": config});
        let (status, answer) = worker.request("POST", "/connectors", Some(&body)).unwrap();
        let message = answer["message"].as_str().unwrap_or_default();
        assert_eq!(status, 400, "{file}: {answer}");
        assert!(message.contains("sandbox.fs.roots"), "{message}");
    }
}

#[test]
fn json_goes_through_all_transformations_of_fields_headers_and_times() {
    let worker = worker();
    let (from, to) = (worker.files().join("times.json"), worker.files().join("times.txt"));
    let rows =
        "{\"order\":{\"id\":\"7\",\"at\":1600000000123}}\n{\"order\":{\"id\":\"8\",\"at\":-1}}\n";
    std::fs::write(&from, rows).unwrap();
    let topic = "whole-path-times";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    worker.create("times-source", &source).unwrap();
    let sink = json!({
        "connector.class": "FileStreamSink",
        "file": to,
        "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": false,
        "transforms": "extract,hoist,flatten,cast,time,copy,insert,drop,route",
        "transforms.extract.type": "org.apache.kafka.connect.transforms.ExtractField$Value",
        "transforms.extract.field": "order",
        "transforms.hoist.type": "org.apache.kafka.connect.transforms.HoistField$Value",
        "transforms.hoist.field": "o",
        "transforms.flatten.type": "org.apache.kafka.connect.transforms.Flatten$Value",
        "transforms.cast.type": "org.apache.kafka.connect.transforms.Cast$Value",
        "transforms.cast.spec": "o.id:float64",
        "transforms.time.type": "org.apache.kafka.connect.transforms.TimestampConverter$Value",
        "transforms.time.field": "o.at",
        "transforms.time.target.type": "string",
        "transforms.time.format": "EEE d MMM yyyy HH:mm:ss.SSS",
        "transforms.copy.type": "org.apache.kafka.connect.transforms.HeaderFrom$Value",
        "transforms.copy.fields": "o.id",
        "transforms.copy.headers": "id",
        "transforms.copy.operation": "copy",
        "transforms.insert.type": "org.apache.kafka.connect.transforms.InsertHeader",
        "transforms.insert.header": "by",
        "transforms.insert.value.literal": "5",
        "transforms.drop.type": "org.apache.kafka.connect.transforms.DropHeaders",
        "transforms.drop.headers": "id",
        "transforms.route.type": "org.apache.kafka.connect.transforms.TimestampRouter",
    });
    worker.create("times-sink", &sink).unwrap();
    let expected = [
        "{o.id=7.0, o.at=Sun 13 Sep 2020 12:26:40.123}",
        "{o.id=8.0, o.at=Wed 31 Dec 1969 23:59:59.999}",
    ];
    wait_for(|| complete_lines(&to) == expected, "the rows arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {:?}\n{}", complete_lines(&to), worker.log()));
}
