//! While plugins hang in each of their calls, every other request is answered.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tombolo_compat::kit;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Far longer than a plugin needs to come to the place where it hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Longest call of a plugin that hangs: longer than this test may take.
const CALL_TIMEOUT_MS: &str = "1200000";

/// How often each request that only looks is sent.
const ROUNDS: usize = 20;

/// Where plugins hang once they are created.
const PLACES: [&str; 4] =
    ["Connector::start", "Connector::taskConfigs", "Task::start", "SourceTask::poll"];

/// The name of a connector that hangs at a place.
fn named(place: &str) -> String {
    place.replace("::", "-")
}

fn hanging(worker: &Worker, place: &str) -> Value {
    json!({
        "connector.class": kit::SOURCE, "tasks.max": "1", "topic": "slow-plugins",
        "block": place, "events": worker.files().join(named(place)),
        "sandbox.call.timeout.ms": CALL_TIMEOUT_MS,
    })
}

/// Waits until a plugin hangs at this place.
fn wait_until_it_hangs(worker: &Worker, place: &str) {
    let events = worker.files().join(named(place));
    let hangs = || complete_lines(&events).iter().any(|line| line.contains("blocks"));
    let waited = wait_for(hangs, &format!("a plugin hangs in {place}"), DEADLINE);
    waited.unwrap_or_else(|error| panic!("{error}\n{}", worker.log()));
}

/// What the status of a connector's running task says beside its state, once that is so.
fn trace_of_task(worker: &Worker, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    trace_of_running(worker, &format!("{name}/tasks/0/status"), "", is_so)
}

fn trace_of_connector(worker: &Worker, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    trace_of_running(worker, &format!("{name}/status"), "/connector", is_so)
}

/// What is said of something that is `RUNNING`, once it is as wanted.
fn trace_of_running(
    worker: &Worker,
    path: &str,
    member: &str,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    let trace = || {
        let (status, answer) = worker.request("GET", &format!("/connectors/{path}"), None).unwrap();
        assert_eq!(status, 200, "{answer}");
        let of = answer.pointer(member).unwrap();
        assert_eq!(of["state"], "RUNNING", "{answer}");
        of["trace"].clone()
    };
    wait_for(|| is_so(&trace()), &format!("{path} says why"), DEADLINE).unwrap();
    trace()
}

/// Sends a request, which must be answered with this status.
fn ask(worker: &Worker, request: (&str, &str), body: Option<&Value>, expected: u16) {
    let (method, path) = request;
    let (status, answer) = worker.request(method, path, body).unwrap();
    assert_eq!(status, expected, "{method} {path}: {answer}");
}

/// Looks at something; answers how long that took. What hangs in its start has no status yet.
fn look(worker: &Worker, path: &str) -> Duration {
    let start = Instant::now();
    let (status, answer) = worker.request("GET", path, None).unwrap();
    let is_expected = status == 200 || (status == 404 && path.ends_with("/status"));
    assert!(is_expected, "{path}: {status} {answer}");
    start.elapsed()
}

/// Everything that can be asked about a connector, and about the worker.
fn looks(name: &str) -> Vec<String> {
    let of = |rest: &str| format!("/connectors/{name}{rest}");
    let mut all = vec![of(""), of("/config"), of("/status"), of("/tasks"), of("/topics")];
    all.extend(
        ["/", "/health", "/connectors", "/connector-plugins", "/admin/loggers"].map(String::from),
    );
    all.push("/connectors?expand=status&expand=info".to_owned());
    all.push(format!("/connector-plugins/{}/config", kit::SOURCE));
    all
}

/// Everything that can be done to a connector that does not hang.
fn change(worker: &Worker, config: &Value) {
    let put = |what: &str, status| {
        ask(worker, ("PUT", &format!("/connectors/well/{what}")), None, status);
    };
    let post = |what: &str, status| {
        ask(worker, ("POST", &format!("/connectors/well/{what}")), None, status);
    };
    put("pause", 202);
    worker.wait_for_state("well", "PAUSED").unwrap();
    put("resume", 202);
    worker.wait_for_state("well", "RUNNING").unwrap();
    post("restart", 204);
    post("restart?includeTasks=true", 202);
    worker.wait_for_state("well", "RUNNING").unwrap();
    post("tasks/0/restart", 204);
    ask(worker, ("PUT", "/connectors/well/config"), Some(config), 200);
    ask(worker, ("PATCH", "/connectors/well/config"), Some(&json!({"note": "n"})), 200);
    worker.wait_for_state("well", "RUNNING").unwrap();
    put("topics/reset", 202);
    put("stop", 204);
    let has_no_tasks = || {
        let (_, status) = worker.request("GET", "/connectors/well/status", None).unwrap();
        status["connector"]["state"] == "STOPPED" && status["tasks"] == json!([])
    };
    wait_for(has_no_tasks, "it is stopped", DEADLINE).unwrap();
    ask(worker, ("GET", "/connectors/well/offsets"), None, 200);
    ask(worker, ("DELETE", "/connectors/well/offsets"), None, 200);
    let validate = format!("/connector-plugins/{}/config/validate", "FileStreamSource");
    ask(worker, ("PUT", &validate), Some(config), 200);
    ask(worker, ("DELETE", "/connectors/well"), None, 204);
    worker.create("well", config).unwrap();
    worker.wait_for_state("well", "RUNNING").unwrap();
}

#[test]
fn no_request_waits_behind_a_plugin_that_hangs() {
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &[]).unwrap();
    let (status, uploaded) = worker.upload(kit::COMPONENT).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    let file = worker.files().join("lines.txt");
    std::fs::write(&file, "one\ntwo\n").unwrap();
    let config = json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": "slow-plugins",
        "name": "well",
    });
    worker.create("well", &config).unwrap();
    worker.wait_for_state("well", "RUNNING").unwrap();
    for place in PLACES {
        worker.create(&named(place), &hanging(&worker, place)).unwrap();
        wait_until_it_hangs(&worker, place);
    }
    for place in ["Connector::stop", "Task::stop"] {
        worker.create(&named(place), &hanging(&worker, place)).unwrap();
        worker.wait_for_state(&named(place), "RUNNING").unwrap();
        ask(&worker, ("DELETE", &format!("/connectors/{}", named(place))), None, 204);
        wait_until_it_hangs(&worker, place);
    }

    let path = format!("/connector-plugins/{}/config/validate", kit::SOURCE);
    let config_of_it = hanging(&worker, "Connector::validate");
    let body = json!({"name": "Connector-validate", "config": config_of_it});
    std::thread::scope(|scope| {
        // Two who ask for what hangs, and wait for it.
        let validated = scope.spawn(|| worker.request("PUT", &path, Some(&config_of_it)));
        let created = scope.spawn(|| worker.request("POST", "/connectors", Some(&body)));
        wait_until_it_hangs(&worker, "Connector::validate");

        let names = PLACES.map(named);
        let all = names.iter().map(String::as_str).chain(["well"]);
        let paths: Vec<String> = all.flat_map(looks).collect();
        let each = || paths.iter().map(|path| look(&worker, path));
        let mut times: Vec<Duration> = (0..ROUNDS).flat_map(|_| each()).collect();
        change(&worker, &config);
        let hangs = trace_of_task(&worker, &named("SourceTask::poll"), |trace| trace.is_string());
        let since = "the task's loop has not turned since ";
        assert!(hangs.as_str().unwrap().starts_with(since), "{hangs}");
        assert!(hangs.as_str().unwrap().ends_with(": TASK_POLL is under way"), "{hangs}");
        let connector = named("Connector::taskConfigs");
        let hangs = trace_of_connector(&worker, &connector, |trace| trace.is_string());
        let since = "the connector has not answered since ";
        assert!(hangs.as_str().unwrap().starts_with(since), "{hangs}");
        assert!(!validated.is_finished() && !created.is_finished(), "the plugin hangs no longer");

        times.sort();
        let at = |share: usize| times[(times.len() - 1) * share / 100];
        println!(
            "{} requests beside plugins that hang: p50 {:?}, p99 {:?}, the longest {:?}",
            times.len(),
            at(50),
            at(99),
            at(100),
        );
        // Whoever hangs goes on, and whoever waited is answered.
        for place in
            PLACES.into_iter().chain(["Connector::stop", "Task::stop", "Connector::validate"])
        {
            std::fs::write(worker.files().join(format!("{}.go", named(place))), "").unwrap();
        }
        assert_eq!(validated.join().unwrap().unwrap().0, 200);
        assert_eq!(created.join().unwrap().unwrap().0, 201);
    });
    for place in PLACES {
        worker.wait_for_state(&named(place), "RUNNING").unwrap();
    }
    trace_of_task(&worker, &named("SourceTask::poll"), Value::is_null);
    trace_of_connector(&worker, &named("Connector::taskConfigs"), Value::is_null);
}
