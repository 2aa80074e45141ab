//! Values that configurations only refer to reach plugins, and nobody else: no answer, no log, no topic, however much a plugin tells.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot be set up fails"
)]

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};

/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(60);

/// What must be seen nowhere. The last is the worker's own.
const CANARIES: [&str; 4] = [
    "canary-in-file-Ux7q",
    "canary-in-folder-9fKe",
    "canary-in-environment-b3Zw",
    "canary-of-worker-Q8nc",
];

/// The routes of the API, as the server has them: what is added there is walked here.
const ROUTES: &str = include_str!("../../rest/src/routes.rs");

/// A worker that offers a file, a folder and variables of its environment; the references are written as it offers them.
fn worker() -> Worker {
    let settings = |files: &Path| {
        let offered = files.parent().unwrap().join("offered");
        std::fs::create_dir(&offered).unwrap();
        let lines = format!(
            "password={}\nworker={}\nfrom={}\n",
            CANARIES[0],
            CANARIES[3],
            files.join("from.txt").display()
        );
        std::fs::write(offered.join("secrets.properties"), lines).unwrap();
        std::fs::write(offered.join("token"), format!("{}\n", CANARIES[1])).unwrap();
        let class =
            |name: &str| format!("org.apache.kafka.common.config.provider.{name}ConfigProvider");
        let offered = offered.display().to_string();
        let own = format!("${{file:{offered}/secrets.properties:worker}}");
        let all: [(&str, String); 8] = [
            ("config.providers", "file,dir,env".into()),
            ("config.providers.file.class", class("File")),
            ("config.providers.file.param.allowed.paths", offered.clone()),
            ("config.providers.dir.class", class("Directory")),
            ("config.providers.dir.param.allowed.paths", offered),
            ("config.providers.env.class", class("EnvVar")),
            ("config.providers.env.param.allowlist.pattern", "CANARY_.*".into()),
            ("value.converter.note", own),
        ];
        all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    let environment = [("CANARY_TOKEN", CANARIES[2]), ("OTHER", "not-offered-value")];
    let (program, kafka) = (env!("CARGO_BIN_EXE_tombolo"), Kafka::shared().unwrap());
    Worker::start_with(program, kafka, settings, &environment).unwrap()
}

/// A worker whose every answer is looked through.
struct Watched {
    worker: Worker,
    seen: RefCell<Vec<String>>,
}

impl Watched {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, answer) = self.worker.request(method, path, body).unwrap();
        let text = answer.to_string();
        if CANARIES.iter().any(|canary| text.contains(canary)) {
            self.seen.borrow_mut().push(format!("{method} {path}: {text}"));
        }
        (status, answer)
    }

    fn reference(&self, provider: &str, path: &str, key: &str) -> String {
        let offered = self.worker.files().parent().unwrap().join("offered");
        format!("${{{provider}:{}:{key}}}", offered.join(path).display())
    }

    /// A configuration with every kind of reference.
    fn config(&self, class: &str, more: &Value) -> Value {
        let password = self.reference("file", "secrets.properties", "password");
        let mut config = json!({
            "connector.class": class,
            "password": password,
            "token": self.reference("dir", "", "token"),
            "variable": "${env:CANARY_TOKEN}",
            "url": format!("db://me:{password}@host/?token=${{env:CANARY_TOKEN}}"),
        });
        for (name, value) in more.as_object().unwrap() {
            config[name.as_str()] = value.clone();
        }
        config
    }

    fn wait_for_state(&self, connector: &str, state: &str) {
        let reached = || {
            let (_, status) = self.ask("GET", &format!("/connectors/{connector}/status"), None);
            let of = |pointer: &str| status.pointer(pointer).cloned().unwrap_or_default();
            of("/connector/state") == "RUNNING" && of("/tasks/0/state") == state
        };
        self.wait_for(reached, &format!("a task of {connector} is {state}"));
    }

    fn wait_for(&self, condition: impl FnMut() -> bool, what: &str) {
        let waited = wait_for(condition, what, SOON);
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.worker.log()));
    }

    /// Asks every route for everything, about this connector.
    fn walk(&self, connector: &str, config: &Value) {
        let named = |path: &str| {
            let known = path.replace("{name}", connector).replace("{task}", "0");
            let known = known.replace("{plugin}", "guest.TellsSource");
            known
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect::<Vec<_>>()
                .join("/")
        };
        let paths: Vec<String> = ROUTES
            .split("Route::new(\"")
            .skip(1)
            .map(|rest| named(rest.split('"').next().unwrap()))
            .collect();
        assert!(paths.len() > 15, "{paths:?}");
        for path in &paths {
            self.ask("GET", path, None);
            self.ask("GET", &format!("{path}?expand=status&expand=info"), None);
        }
        let bodies = [config.clone(), json!({}), json!({"name": "other", "config": config})];
        for method in ["PUT", "PATCH", "POST"] {
            for path in &paths {
                bodies.iter().for_each(|body| drop(self.ask(method, path, Some(body))));
            }
        }
        paths.iter().rev().for_each(|path| drop(self.ask("DELETE", path, None)));
    }
}

/// The files of topics that hold a canary.
fn segments_with_canaries(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            segments_with_canaries(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let canaries = CANARIES.iter().filter(|canary| text.contains(**canary));
            found.extend(canaries.map(|canary| format!("{canary} in {}", path.display())));
        }
    }
}

/// The value reaches a plugin: it finds its file, and its line arrives in `topic`.
fn a_plugin_gets_a_value(watched: &Watched, topic: &str) {
    let worker = &watched.worker;
    std::fs::write(worker.files().join("from.txt"), "one\n").unwrap();
    let from = watched.reference("file", "secrets.properties", "from");
    let to = worker.files().join("to.txt");
    let source = json!({"connector.class": "FileStreamSource", "file": from, "topic": topic});
    worker.create("lines", &source).unwrap();
    let sink = json!({"connector.class": "FileStreamSink", "file": to, "topics": topic});
    worker.create("copy", &sink).unwrap();
    watched.wait_for(|| complete_lines(&to) == ["one"], "the line arrives");
}

/// A plugin tells everything while it runs, and when it fails. Answers the configuration of the connector `teller`.
fn a_source_tells(watched: &Watched) -> Value {
    let runs = watched.config("guest.TellsSource", &json!({}));
    let body = json!({"name": "teller", "config": runs});
    let (status, created) = watched.ask("POST", "/connectors", Some(&body));
    assert_eq!(status, 201, "{created}");
    watched.wait_for_state("teller", "RUNNING");
    let (_, tasks) = watched.ask("GET", "/connectors/teller/tasks", None);
    let of_task = |name: &str| tasks.pointer(&format!("/0/config/{name}")).cloned().unwrap();
    assert_eq!(of_task("url"), runs["url"], "a reference is stored as it was");
    assert!(of_task("told").as_str().unwrap().contains("password is ${file:"), "{tasks}");

    let fails = watched.config("guest.TellsSource", &json!({"fail": "start"}));
    watched.ask("PUT", "/connectors/teller/config", Some(&fails));
    watched.wait_for_state("teller", "FAILED");
    let (_, status) = watched.ask("GET", "/connectors/teller/status", None);
    let trace = status.pointer("/tasks/0/trace").and_then(Value::as_str).unwrap();
    assert!(trace.contains("password is [hidden]"), "{trace}");
    fails
}

/// A plugin tells everything of every row, in the log and in a dead letter queue. Answers the configuration of the connector `rows`.
fn a_sink_tells(watched: &Watched, topic: &str) -> Value {
    let rows = json!({
        "topics": topic, "errors.tolerance": "all", "errors.log.enable": true,
        "errors.deadletterqueue.topic.name": "secrets-letters",
        "errors.deadletterqueue.topic.replication.factor": 1,
        "errors.deadletterqueue.context.headers.enable": true,
    });
    let sink = watched.config("guest.TellsSink", &rows);
    watched.ask("POST", "/connectors", Some(&json!({"name": "rows", "config": sink})));
    let line = "Error encountered in task rows-0";
    watched.wait_for(|| watched.worker.log().contains(line), "a row is bad");
    sink
}

/// Configurations that a plugin refuses, for which it breaks, and that the worker refuses in Kafka's words.
fn validation_tells(watched: &Watched) {
    let path = "/connector-plugins/guest.TellsSource/config/validate";
    let config = |more: &Value| watched.config("guest.TellsSource", more);
    let refused = config(&json!({"name": "x", "refused": ""}));
    let (status, answer) = watched.ask("PUT", path, Some(&refused));
    assert_eq!(status, 200, "{answer}");
    assert!(answer.to_string().contains("failed validation"), "{answer}");
    watched.ask("PUT", path, Some(&config(&json!({"name": "x", "broken": ""}))));
    for name in
        ["connector.class", "tasks.max", "errors.tolerance", "producer.override.acks", "transforms"]
    {
        let wrong = config(&json!({"name": "x", name: "${env:CANARY_TOKEN}"}));
        watched.ask("PUT", path, Some(&wrong));
        watched.ask("PUT", "/connectors/wrong/config", Some(&wrong));
    }
    // What is not offered stays a reference.
    let outside =
        config(&json!({"name": "outside", "a": "${env:OTHER}", "b": "${file:/etc/passwd:root}"}));
    watched.ask("PUT", "/connectors/outside/config", Some(&outside));
    let log = || watched.worker.log();
    watched.wait_for(|| log().contains("a is ${env:OTHER}"), "it stays a reference");
    assert!(!log().contains("not-offered-value"));
}

#[test]
fn what_configurations_refer_to_reaches_plugins_and_is_seen_nowhere() {
    let watched = Watched { worker: worker(), seen: RefCell::default() };
    assert_eq!(watched.worker.upload(tombolo_guests::TELLS).unwrap().0, 201);
    let topic = "secrets-lines";
    a_plugin_gets_a_value(&watched, topic);
    let source = a_source_tells(&watched);
    let sink = a_sink_tells(&watched, topic);
    validation_tells(&watched);
    for connector in ["teller", "rows"] {
        let (_, kept) =
            watched.ask("GET", &format!("/connectors/{connector}/logs?lines=1000"), None);
        assert!(kept.to_string().contains("password is [hidden]"), "{kept}");
    }
    watched.walk("teller", &source);
    watched.walk("rows", &sink);

    assert_eq!(watched.seen.take(), [""; 0]);
    let log = watched.worker.log();
    assert!(log.contains("password is [hidden]"), "the plugin's own lines are there:\n{log}");
    let lines: Vec<&str> =
        log.lines().filter(|line| CANARIES.iter().any(|canary| line.contains(canary))).collect();
    assert_eq!(lines, [""; 0]);
    let mut found = Vec::new();
    segments_with_canaries(Kafka::shared().unwrap().folder(), &mut found);
    assert_eq!(found, [""; 0]);
}

/// What may be at most of this, at first and at the utmost, in the process of this id.
fn limits(process: &str, of: &str) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let rest = limits.lines().find_map(|line| line.strip_prefix(of)).unwrap();
    let mut words = rest.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

#[test]
fn a_worker_leaves_no_dump_of_its_memory_and_may_open_as_many_files_as_there_may_be() {
    const CORE: &str = "Max core file size";
    let (core, files) = (limits("self", CORE), limits("self", "Max open files"));
    let program = env!("CARGO_BIN_EXE_tombolo");
    let none = if core.1 == "0" { "0" } else { "1" };
    for (wanted, soft) in [("false", none), ("true", core.0.as_str())] {
        let environment = [("TOMBOLO_CORE_DUMPS", wanted)];
        let kafka = Kafka::shared().unwrap();
        let worker = Worker::start_with(program, kafka, |_| vec![], &environment).unwrap();
        let id = worker.process_id().unwrap().to_string();
        assert_eq!(limits(&id, CORE), (soft.to_owned(), core.1.clone()));
        assert_eq!(limits(&id, "Max open files"), (files.1.clone(), files.1.clone()));
    }
}
