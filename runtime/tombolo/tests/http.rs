//! The HTTP connectors against a server on loopback that is busy, out of order and choosy: what arrives, and how often.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for rows to arrive.
const ARRIVAL: Duration = Duration::from_secs(120);

/// A request as it arrived. Names of headers are in lower case.
struct Asked {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Status, headers and body.
type Answer = (u16, &'static str, String);

/// Answers requests on loopback, and gives its address.
fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || converse(connection, answer.as_ref()));
        }
    });
    address
}

fn converse(connection: TcpStream, answer: &dyn Fn(&Asked) -> Answer) -> Option<()> {
    let mut from = BufReader::new(connection.try_clone().ok()?);
    let mut to = connection;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|&read| read > 0)?;
        let (method, rest) = line.split_once(' ')?;
        let target = rest.split_once(' ')?.0.to_owned();
        let mut asked = Asked {
            method: method.to_owned(),
            target,
            headers: BTreeMap::new(),
            body: String::new(),
        };
        loop {
            let mut line = String::new();
            from.read_line(&mut line).ok()?;
            let Some((name, value)) = line.split_once(':') else { break };
            asked.headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = asked.headers.get("content-length").map_or(0, |len| len.parse().unwrap());
        let mut body = vec![0; length];
        from.read_exact(&mut body).ok()?;
        asked.body = String::from_utf8(body).unwrap();
        let (status, headers, body) = answer(&asked);
        let length = body.len();
        write!(to, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
            .ok()?;
    }
}

/// A worker whose operator opens this address to plugins.
fn worker(address: &str) -> Worker {
    let allow = format!("http://{address}");
    let settings = [("sandbox.net.private", address), ("sandbox.net.allow", &allow)];
    Worker::start(env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap(), &settings).unwrap()
}

/// A connector's configuration with leave to connect to this address.
fn allowed(address: &str, config: Value) -> Value {
    let mut config = config;
    config["sandbox.net.allow"] = format!("http://{address}").into();
    config
}

/// What arrived at the sink's server: what it took, in order, and how often it refused each.
#[derive(Default)]
struct Arrived {
    taken: Vec<(String, String, String)>,
    refused: BTreeMap<String, u32>,
}

impl Arrived {
    /// Two of three are refused once, each for another reason, and one for ever.
    fn answer(&mut self, asked: &Asked) -> Answer {
        assert_eq!(asked.method, "PUT");
        assert_eq!(asked.headers.get("authorization").map(String::as_str), Some("Bearer secret"));
        assert_eq!(asked.headers.get("content-type").map(String::as_str), Some("application/json"));
        let id: u32 = asked.target.trim_start_matches("/in/").parse().unwrap();
        let refused = self.refused.entry(asked.target.clone()).or_default();
        *refused += 1;
        match (id, *refused) {
            (13, _) => (400, "", "unlucky".to_owned()),
            (_, 1) if id % 50 == 7 => (429, "retry-after: 0\r\n", String::new()),
            (_, 1..=2) if id % 50 == 9 => (503, "", String::new()),
            _ => {
                let place = asked.headers.get("x-place").cloned().unwrap_or_default();
                self.taken.push((asked.target.clone(), place, asked.body.clone()));
                (204, "", String::new())
            }
        }
    }
}

#[test]
fn a_sink_delivers_every_record_as_its_template_says_through_refusals() {
    let arrived = Arc::new(Mutex::new(Arrived::default()));
    let server = Arc::clone(&arrived);
    let address = serve(move |asked| server.lock().unwrap().answer(asked));
    let worker = worker(&address);
    let from = worker.files().join("from.json");
    let rows: String = (0..200).map(|id| format!("{{\"id\":{id},\"s\":\"ä\"}}\n")).collect();
    std::fs::write(&from, rows).unwrap();
    let topic = "http-sink";
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    worker.create("http-sink-source", &source).unwrap();
    let sink = json!({
        "connector.class": "io.tombolo.http.HttpSinkConnector",
        "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": false,
        "errors.tolerance": "all",
        "http.url": format!("http://{address}/in/${{value.id}}"),
        "request.method": "PUT",
        "http.headers.additional": "X-Place:${topic}-${partition}-${offset}",
        "retry.backoff.ms": 1,
        "sandbox.http.auth.api.origin": format!("http://{address}"),
        "sandbox.http.auth.api.header": "Authorization",
        "sandbox.http.auth.api.value": "Bearer secret",
    });
    worker.create("http-sink", &allowed(&address, sink)).unwrap();
    let expected: Vec<_> = (0..200)
        .filter(|&id| id != 13)
        .map(|id| {
            (format!("/in/{id}"), format!("{topic}-0-{id}"), format!("{{\"id\":{id},\"s\":\"ä\"}}"))
        })
        .collect();
    wait_for(|| arrived.lock().unwrap().taken.len() >= expected.len(), "the rows arrive", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
    worker.wait_for_state("http-sink", "RUNNING").unwrap();
    let arrived = arrived.lock().unwrap();
    assert_eq!(arrived.taken, expected);
    assert_eq!(arrived.refused.get("/in/13"), Some(&1));
    assert_eq!(arrived.refused.get("/in/7"), Some(&2));
    assert_eq!(arrived.refused.get("/in/59"), Some(&3));
}

#[test]
fn a_source_pages_through_a_thousand_records_and_a_killed_worker_leaves_no_gap() {
    let is_open = Arc::new(AtomicBool::new(false));
    let opened = Arc::clone(&is_open);
    let address = serve(move |asked| {
        let cursor = asked.target.split_once("after=").map_or("0", |(_, cursor)| cursor);
        let from: usize = cursor.parse().unwrap();
        if from >= 500 && !opened.load(Ordering::Relaxed) {
            return (503, "", "later".to_owned());
        }
        let to = (from + 37).min(1000);
        let items: Vec<Value> = (from..to).map(|id| json!({ "id": id })).collect();
        let next = (to < 1000).then(|| to.to_string());
        (200, "", json!({ "items": items, "next": next }).to_string())
    });
    let mut worker = worker(&address);
    let to = worker.files().join("to.txt");
    let topic = "http-source";
    let source = json!({
        "connector.class": "io.tombolo.http.HttpSourceConnector",
        "kafka.topic": topic,
        "http.request.url": format!("http://{address}/items"),
        "http.response.list.pointer": "/items",
        "http.record.format": "string",
        "http.paging.mode": "cursor",
        "http.paging.pointer": "/next",
        "http.paging.param": "after",
        "http.timer.interval.millis": 50,
        "max.retries": 1_000_000,
        "retry.backoff.ms": 50,
    });
    worker.create("http-source", &allowed(&address, source)).unwrap();
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": topic});
    worker.create("http-source-sink", &sink).unwrap();
    let arrive = |rows: usize, worker: &Worker| {
        wait_for(|| complete_lines(&to).len() >= rows, "the rows arrive", ARRIVAL).unwrap_or_else(
            |error| panic!("{error}: {}\n{}", complete_lines(&to).len(), worker.log()),
        );
    };
    arrive(500, &worker);
    worker.kill().unwrap();
    is_open.store(true, Ordering::Relaxed);
    worker.start_again().unwrap();
    let last = json!({"id": 999}).to_string();
    wait_for(|| complete_lines(&to).contains(&last), "the last row arrives", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", complete_lines(&to).len(), worker.log()));
    let mut next = 0;
    for line in complete_lines(&to) {
        let id = serde_json::from_str::<Value>(&line).unwrap()["id"].as_u64().unwrap();
        assert!(id <= next, "{next} is missing before {id}");
        next = next.max(id + 1);
    }
    assert_eq!(next, 1000);
}

#[test]
fn connectors_that_ship_are_listed_by_their_classes_and_short_names() {
    let worker = worker("127.0.0.1:1");
    let (_, listed) = worker.request("GET", "/connector-plugins", None).unwrap();
    let of = |plugin: &Value, key: &str| plugin[key].as_str().unwrap().to_owned();
    let listed: Vec<_> = listed.as_array().unwrap().iter().collect();
    let listed: Vec<_> = listed.iter().map(|one| (of(one, "class"), of(one, "type"))).collect();
    let expected = [
        ("io.tombolo.http.HttpSinkConnector", "sink"),
        ("io.tombolo.postgres.PostgresSinkConnector", "sink"),
        ("org.apache.kafka.connect.file.FileStreamSinkConnector", "sink"),
        ("io.tombolo.datagen.DatagenConnector", "source"),
        ("io.tombolo.http.HttpSourceConnector", "source"),
        ("org.apache.kafka.connect.file.FileStreamSourceConnector", "source"),
    ];
    assert_eq!(listed, expected.map(|(class, kind)| (class.to_owned(), kind.to_owned())));
    for (name, setting) in [
        ("HttpSink", "http.url"),
        ("HttpSource", "http.request.url"),
        ("PostgresSink", "connection.url"),
    ] {
        let path = format!("/connector-plugins/{name}/config");
        let (status, defined) = worker.request("GET", &path, None).unwrap();
        let defined = defined.as_array().unwrap_or_else(|| panic!("{status} {defined}"));
        assert!(defined.iter().any(|one| one["name"] == setting), "{name} has {setting}");
    }
}

#[test]
fn a_place_that_is_not_allowed_is_an_error_that_names_the_setting() {
    let address = serve(|_| panic!("nobody may ask"));
    let worker = worker(&address);
    let source = json!({
        "connector.class": "io.tombolo.http.HttpSourceConnector",
        "kafka.topic": "http-denied",
        "http.request.url": format!("http://{address}/"),
    });
    worker.create("http-denied", &source).unwrap();
    let failed = || {
        let (_, status) = worker.request("GET", "/connectors/http-denied/status", None).unwrap();
        let trace = status.pointer("/tasks/0/trace").and_then(Value::as_str);
        trace.is_some_and(|trace| trace.contains("sandbox.net.allow"))
    };
    wait_for(failed, "the task fails", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
}
