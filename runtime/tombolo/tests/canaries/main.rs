//! Secrets are planted wherever a value may come from; every route is asked, everything fails that may, and everything that can be read is searched.
//!
//! The routes are those of the worker's own document: one that is added needs a case here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up fails"
)]

mod planted;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use planted::{Planted, found_in};
use serde_json::{Value, json};
use tombolo_devbroker::{Broker, Config};
use tombolo_harness::{Worker, wait_for};

/// Longest wait for anything.
const SOON: Duration = Duration::from_secs(60);

/// The connectors that tell everything, with what becomes of their tasks.
const CONNECTORS: [(&str, &str); 6] = [
    ("runs", "RUNNING"),
    ("fails", "FAILED"),
    ("panics", "FAILED"),
    ("converts", "FAILED"),
    ("transforms", "FAILED"),
    ("holds", "FAILED"),
];

/// A worker on a broker of its own, whose every answer is kept.
struct Watched {
    worker: Worker,
    planted: Planted,
    answers: RefCell<String>,
}

impl Watched {
    fn start(bootstrap: String, offered: &Path) -> Self {
        let planted = Planted::new(offered);
        std::fs::write(offered.join("properties"), planted.properties.join("\n")).unwrap();
        let class =
            |name: &str| format!("org.apache.kafka.common.config.provider.{name}ConfigProvider");
        let settings = |files: &Path| {
            let key = files.parent().unwrap().join("secrets.key");
            std::fs::write(&key, "0123456789abcdef".repeat(4)).unwrap();
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
            let all: [(&str, String); 11] = [
                ("secrets.key.file", key.display().to_string()),
                ("config.providers", "file,dir,env".into()),
                ("config.providers.file.class", class("File")),
                ("config.providers.file.param.allowed.paths", offered.display().to_string()),
                ("config.providers.dir.class", class("Directory")),
                ("config.providers.dir.param.allowed.paths", offered.display().to_string()),
                ("config.providers.env.class", class("EnvVar")),
                ("config.providers.env.param.allowlist.pattern", "CANARY_.*".into()),
                ("value.converter.note", planted.of_worker.clone()),
                ("producer.ssl.key.password", planted.of_worker.clone()),
                ("ssl.truststore.password", planted.of_worker.clone()),
            ];
            all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let mut environment: Vec<(&str, &str)> =
            planted.environment.iter().map(|(name, value)| (&**name, &**value)).collect();
        let log = "debug,tombolo=trace,plugin=trace";
        environment.extend([("TOMBOLO_LOG", log), ("TOMBOLO_LOG_FORMAT", "json")]);
        let program = env!("CARGO_BIN_EXE_tombolo");
        let worker = Worker::start_at(program, bootstrap, settings, &environment).unwrap();
        Self { worker, planted, answers: RefCell::default() }
    }

    /// Asks, and keeps the answer.
    fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> (u16, Value) {
        let (status, answer) = self.worker.send(method, path, "application/json", body).unwrap();
        let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        writeln!(self.answers.borrow_mut(), "{method} {path}: {status} {text}").unwrap();
        (status, answer)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.send(method, path, Some(body.to_string().as_bytes()))
    }

    /// A configuration with every reference, and more.
    fn config(&self, class: &str, more: &Value) -> Value {
        let mut config = self.planted.settings.clone();
        config["connector.class"] = class.into();
        config["topic"] = "told".into();
        // What failed is looked at as it is.
        config["sandbox.restart.max"] = 0.into();
        for (name, value) in more.as_object().unwrap() {
            config[name.as_str()] = value.clone();
        }
        config
    }

    fn set_secrets(&self) {
        for (name, value) in &self.planted.secrets {
            let path = format!("/secrets/{name}");
            assert_eq!(self.send("PUT", &path, Some(value.as_bytes())).0, 201, "{name}");
        }
        let canary = self.planted.secrets[0].1.as_bytes();
        let broken = [canary, b"\xff"].concat();
        assert_eq!(self.send("PUT", "/secrets/broken", Some(&broken)).0, 400);
        assert_eq!(self.send("PUT", "/secrets/long", Some(&canary.repeat(20_000))).0, 413);
        assert_eq!(self.send("PUT", "/secrets/a%20b", Some(canary)).0, 400);
    }

    /// Connectors that tell everything while they run and where they fail, in each plugin that they have.
    fn run_connectors(&self) {
        let all = json!("${secret:s0} ${secret:s1} ${secret:halves} ${secret:within0}");
        let told =
            all.as_str().unwrap().replace("${secret:halves}", "${secret:first0}${secret:second0}");
        let more = [
            json!({}),
            json!({"fail": "start"}),
            json!({"fail": "panic"}),
            json!({"value.converter": "guest.TellsConverter", "value.converter.create.error": told}),
            json!({
                "transforms": "t", "transforms.t.type": "guest.TellsTransformation",
                "transforms.t.create.error": told,
            }),
            self.planted.holding(),
        ];
        for ((name, _), more) in CONNECTORS.iter().zip(&more) {
            let config = self.config("guest.TellsSource", more);
            let (status, answer) =
                self.ask("POST", "/connectors", &json!({"name": name, "config": config}));
            assert_eq!(status, 201, "{answer}");
        }
        for (name, expected) in CONNECTORS {
            self.task_becomes(name, expected);
        }
    }

    /// The status of a connector once its task has this state.
    fn task_becomes(&self, name: &str, expected: &str) -> Value {
        let mut last = Value::Null;
        let reached = || {
            last = self.send("GET", &format!("/connectors/{name}/status"), None).1;
            last["tasks"][0]["state"] == expected
        };
        self.wait_for(reached, &format!("a task of {name} is {expected}"));
        last
    }

    /// A sink that finds every record bad, and tells why in a dead letter queue.
    fn run_sink(&self) {
        let lines = self.worker.files().join("lines.txt");
        std::fs::write(&lines, "one\ntwo\n").unwrap();
        let source =
            json!({"connector.class": "FileStreamSource", "file": lines, "topic": "lines"});
        self.worker.create("lines", &source).unwrap();
        let more = json!({
            "topics": "lines", "errors.tolerance": "all", "errors.log.enable": true,
            "errors.log.include.messages": true,
            "errors.deadletterqueue.topic.name": "letters",
            "errors.deadletterqueue.topic.replication.factor": 1,
            "errors.deadletterqueue.context.headers.enable": true,
        });
        let mut sink = self.config("guest.TellsSink", &more);
        sink.as_object_mut().unwrap().remove("topic");
        let (status, answer) =
            self.ask("POST", "/connectors", &json!({"name": "rows", "config": sink}));
        assert_eq!(status, 201, "{answer}");
        let is_told = || self.worker.log().contains("Error encountered in task rows-0");
        self.wait_for(is_told, "a row is bad");
    }

    fn wait_for(&self, condition: impl FnMut() -> bool, what: &str) {
        let waited = wait_for(condition, what, SOON);
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.answers.borrow()));
    }

    /// Bodies for whatever reads JSON: good ones, and ones that are wrong in every way that is told.
    fn bodies(&self) -> Vec<Vec<u8>> {
        let good = self.config("guest.TellsSource", &json!({}));
        let secret = self.planted.secrets[0].1.as_str();
        let mut all = vec![
            good.clone(),
            self.config("guest.TellsSource", &json!({"name": "x", "refused": ""})),
            self.config("guest.TellsSource", &json!({"name": "x", "broken": ""})),
            json!({"name": "x", "config": good}),
            json!({"name": "y", "config": {"connector.class": "${secret:s0}", "a": "${secret:s1}"}}),
            json!({"connector.class": "${secret:s0}", "tasks.max": "${secret:s2}"}),
            json!({"a": "${secret:s0}", "b": "${secret:none}"}),
            json!({"name": ["x", secret], "config": {"a": [secret]}}),
            json!({"level": "DEBUG"}),
            json!({"offsets": [{"partition": {"p": 0}, "offset": {"o": 1}}]}),
            json!([secret]),
        ];
        for name in
            ["tasks.max", "errors.tolerance", "producer.override.acks", "transforms", "topics"]
        {
            all.push(self.config("guest.TellsSource", &json!({"name": "x", name: "${secret:s3}"})));
        }
        let mut bodies: Vec<Vec<u8>> =
            all.iter().map(|body| body.to_string().into_bytes()).collect();
        bodies.push(format!("{{\"name\": \"{secret}\" oops").into_bytes());
        bodies.push(secret.as_bytes().to_vec());
        bodies.push([b"{\"a\": \"".as_slice(), secret.as_bytes(), b"\xff\"}"].concat());
        bodies
    }

    /// Paths of a route with its places filled in.
    ///
    /// Fails for a route with a place that it does not know: it needs a case here.
    fn paths(route: &str, changes: bool) -> Vec<String> {
        let place = |part: &str| -> Vec<String> {
            let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
            match part {
                "{name}" if changes => texts(&["runs", "rows", "none"]),
                "{name}" => CONNECTORS
                    .iter()
                    .map(|(name, _)| *name)
                    .chain(["rows", "none"])
                    .map(str::to_owned)
                    .collect(),
                "{task}" => texts(&["0", "7"]),
                "{plugin}" => texts(&["guest.TellsSource", "guest.TellsSink", "none"]),
                "{logger}" => texts(&["plugin", "org.apache.kafka.connect"]),
                "{secret}" => texts(&["s0", "json", "none"]),
                part if part.starts_with('{') => panic!("{route} has no case"),
                part => texts(&[part]),
            }
        };
        let mut all = vec![String::new()];
        for part in route.split('/').skip(1) {
            let longer = |path: &String| -> Vec<String> {
                place(part).iter().map(|part| format!("{path}/{part}")).collect()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all
    }

    /// What is asked at each route, in this order: looks, changes, deletions.
    fn walk(&self, document: &Value) -> usize {
        const QUERIES: [&str; 3] = [
            "",
            "?expand=status&expand=info&lines=1000&connectorsOnly=false",
            "?lines=x&scope=cluster&restart=true&includeTasks=true",
        ];
        let routes: BTreeSet<(usize, &str, &str)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(move |method| {
                    let order = match method.as_str() {
                        "get" => 0,
                        "patch" | "post" | "put" => 1,
                        "delete" => 2,
                        other => panic!("{other} {path} has no case"),
                    };
                    (order, method.as_str(), path.as_str())
                })
            })
            .collect();
        let bodies = self.bodies();
        for (order, method, route) in &routes {
            let operation = &document["paths"][route][method];
            // A secret is what its body says: these would be no secrets.
            let reads = operation.get("requestBody").is_some() && !route.starts_with("/secrets");
            let of_route = if reads { &bodies[..] } else { &bodies[bodies.len() - 3..] };
            for path in Self::paths(route, *order == 1) {
                for query in QUERIES {
                    self.send(&method.to_uppercase(), &format!("{path}{query}"), None);
                }
                if *order == 1 && !route.starts_with("/secrets") {
                    let send =
                        |body: &Vec<u8>| drop(self.send(&method.to_uppercase(), &path, Some(body)));
                    of_route.iter().for_each(send);
                }
            }
        }
        routes.len()
    }
}

/// All bytes of files below a folder, but for those that hold what was planted there.
fn read(folder: &Path, is_left_out: &dyn Fn(&Path) -> bool, seen: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if is_left_out(&path) {
            continue;
        }
        if path.is_dir() {
            read(&path, is_left_out, seen);
        } else if let Ok(bytes) = std::fs::read(&path) {
            seen.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// Each form of a secret that a place holds, with its line.
fn leaks(seen: &[(String, String)], searched: &[[String; 6]]) -> Vec<String> {
    let mut leaks = Vec::new();
    for (place, text) in seen {
        for (form, line) in found_in(text, searched) {
            let line: String = line.chars().take(400).collect();
            leaks.push(format!("{form} in {place}: {line}"));
        }
    }
    leaks
}

#[test]
fn no_secret_is_seen_on_any_route_in_any_log_or_topic() {
    let folder = tempfile::tempdir().unwrap();
    let (offered, data) = (folder.path().join("offered"), folder.path().join("kafka"));
    std::fs::create_dir(&offered).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let broker = runtime.block_on(Broker::start(Config::dev(&data, listen))).unwrap();
    let watched = Watched::start(broker.address().to_string(), &offered);
    assert!(watched.planted.len() >= 50);

    watched.set_secrets();
    assert_eq!(watched.worker.upload(tombolo_guests::TELLS).unwrap().0, 201);
    watched.run_connectors();
    watched.run_sink();
    let (name, value) = &watched.planted.secrets[0];
    let again = format!("/secrets/{name}?restart=true");
    let (status, answer) = watched.send("PUT", &again, Some(value.as_bytes()));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["restarted"].as_array().unwrap().len(), 7, "{answer}");
    let of_holder = watched.task_becomes("holds", "FAILED");
    let (_, document) = watched.send("GET", "/openapi.json", None);
    let routes = watched.walk(&document);
    assert!(routes > 30, "{routes}");

    let mut seen = vec![
        ("answers".to_owned(), watched.answers.borrow().clone()),
        ("log".to_owned(), watched.worker.log()),
    ];
    let own = watched.worker.files().parent().unwrap().to_owned();
    // The file of the worker's settings holds what was planted in it.
    let is_planted =
        |path: &Path| path.ends_with("worker.properties") || path.ends_with("secrets.key");
    read(&own, &is_planted, &mut seen);
    read(&data, &|_| false, &mut seen);
    let held = |text: &str| seen.iter().any(|(_, seen)| seen.contains(text));
    for text in ["each whole.0 is [hidden]", "each basic.0 is Basic [hidden]", "secret-default-s0"]
    {
        assert!(held(text), "nothing was told: {text}");
    }
    let mut leaks = leaks(&seen, &watched.planted.searched());
    let told =
        [("log".to_owned(), watched.worker.log()), ("status".to_owned(), of_holder.to_string())];
    for (place, text) in &told {
        assert!(text.contains("transforms.t.typed is [hidden]"), "not told in {place}: {text}");
    }
    leaks.extend(self::leaks(&told, &watched.planted.searched_where_no_configuration_is()));
    assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks.join("\n"));
}
