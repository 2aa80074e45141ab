//! A line of a file travels through sandboxed plugins and a real Kafka into another file.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::os::unix::fs::symlink;
use std::time::Duration;

use serde_json::{Value, json};
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

/// Why a connector cannot be made, which must be its settings.
fn refusal(worker: &Worker, config: &Value) -> String {
    let body = json!({"name": "refused", "config": config});
    let (status, answer) = worker.request("POST", "/connectors", Some(&body)).unwrap();
    assert_eq!(status, 400, "{config}: {answer}");
    answer.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[test]
fn without_roots_files_and_standard_streams_are_refused_by_what_to_add() {
    let roots = [("sandbox.fs.roots", "")];
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &roots).unwrap();
    let file = worker.files().join("lines.txt");
    std::fs::write(&file, "one\n").unwrap();
    for mut config in [
        json!({"connector.class": "FileStreamSource", "topic": "whole-path-refused"}),
        json!({"connector.class": "FileStreamSink", "topics": "whole-path-refused"}),
    ] {
        let message = refusal(&worker, &config);
        let expected = "Missing configuration \"file\": standard input and output are only used under `tombolo dev`; \
                        name a file below one of the directories of `sandbox.fs.roots` in the worker's properties";
        assert!(message.contains(expected), "{message}");

        config["file"] = json!(file);
        let message = refusal(&worker, &config);
        let wrong = format!("Invalid value {} for configuration file: ", file.display());
        let line = format!("`sandbox.fs.roots={}`", worker.files().display());
        assert!(message.contains(&wrong), "{message}");
        assert!(message.contains(&line), "{message}");
    }
    assert_eq!(worker.request("GET", "/connectors", None).unwrap(), (200, json!([])));
    assert_eq!(complete_lines(&file), ["one"]);
}

#[test]
fn a_link_that_leads_out_of_the_roots_is_a_configuration_error() {
    let worker = worker();
    let outside = worker.files().with_file_name("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("there.txt"), "secret\n").unwrap();
    let link = |name: &str| worker.files().join(name);
    symlink(outside.join("there.txt"), link("absolute")).unwrap();
    symlink("../outside/there.txt", link("relative")).unwrap();
    symlink("../outside/new.txt", link("not-there")).unwrap();
    symlink(&outside, link("folder")).unwrap();
    for name in ["absolute", "relative", "not-there", "folder/there.txt", "folder/new.txt"] {
        for mut config in [
            json!({"connector.class": "FileStreamSource", "topic": "whole-path-links"}),
            json!({"connector.class": "FileStreamSink", "topics": "whole-path-links"}),
        ] {
            config["file"] = json!(link(name));
            let message = refusal(&worker, &config);
            let expected = format!(
                "Invalid value {} for configuration file: The file is not below a directory that this worker offers to plugins.",
                link(name).display()
            );
            assert!(message.contains(&expected), "{message}");
            assert!(message.contains("`sandbox.fs.roots="), "{message}");
        }
    }
    let there: Vec<_> =
        std::fs::read_dir(&outside).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(there, ["there.txt"]);
    assert_eq!(complete_lines(&outside.join("there.txt")), ["secret"]);
    // One that stays inside is followed.
    std::fs::write(link("inside.txt"), "one\n").unwrap();
    symlink("inside.txt", link("inside")).unwrap();
    let source = json!({"connector.class": "FileStreamSource", "file": link("inside"), "topic": "whole-path-links"});
    worker.create("inside", &source).unwrap();
    worker.wait_for_state("inside", "RUNNING").unwrap();
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
