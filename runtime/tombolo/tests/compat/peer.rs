//! The two workers, on one broker, each with topics and files of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tombolo_harness::{Guarded, Kafka, free_port, jars, wait_for};

use crate::answer::comparable;
use crate::steps::{Ask, Step};

/// Far longer than anything here takes; a Connect worker needs six seconds to its first answer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Both workers.
pub(crate) struct Peers {
    pub(crate) connect: Peer,
    pub(crate) tombolo: Peer,
}

impl Peers {
    /// The workers that all tests share.
    pub(crate) fn shared() -> &'static Self {
        static PEERS: OnceLock<Peers> = OnceLock::new();
        PEERS.get_or_init(|| {
            let kafka = Kafka::shared().unwrap();
            let mut java = jars::java(&["-Xmx512M"]).unwrap();
            java.arg("org.apache.kafka.connect.cli.ConnectDistributed");
            let mut ours = Command::new(env!("CARGO_BIN_EXE_tombolo"));
            ours.arg("worker");
            ours.env("XDG_CACHE_HOME", tombolo_harness::target_folder().join("test-cache"));
            let peers = Self {
                connect: Peer::start("connect", java, kafka),
                tombolo: Peer::start("tombolo", ours, kafka),
            };
            peers.connect.wait_until_ready();
            peers.tombolo.wait_until_ready();
            peers
        })
    }
}

/// A worker.
pub(crate) struct Peer {
    name: &'static str,
    port: u16,
    folder: PathBuf,
    agent: ureq::Agent,
    process: Guarded,
    /// Scenarios look at lists of all connectors: one plays at a time.
    playing: Mutex<()>,
}

impl Peer {
    fn start(name: &'static str, mut command: Command, kafka: &Kafka) -> Self {
        let folder = kafka.folder().join(format!("compat-{name}"));
        let files = folder.join("files");
        std::fs::create_dir_all(&files).unwrap();
        std::fs::write(files.join("lines.txt"), "one\ntwo\n").unwrap();
        let port = free_port().unwrap();
        let file = folder.join("worker.properties");
        std::fs::write(&file, worker_file(name, port, &files, kafka)).unwrap();
        command.arg(&file).current_dir(&folder);
        let process = Guarded::start(&command, &folder.join("log"), None).unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(DEADLINE))
            .allow_non_standard_methods(true)
            .build();
        let agent = config.into();
        Self { name, port, folder, agent, process, playing: Mutex::default() }
    }

    fn wait_until_ready(&self) {
        let is_ready = || self.process.has_ended() || self.look("/connectors").is_some();
        wait_for(is_ready, &format!("{} answers", self.name), DEADLINE).unwrap();
        assert!(!self.process.has_ended(), "{} has ended:\n{}", self.name, self.log_end());
    }

    /// The last lines of its log.
    pub(crate) fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Plays steps, and tells each request with its answer.
    pub(crate) fn play(&self, steps: &[Step]) -> Vec<String> {
        let _playing = self.playing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let told = steps.iter().filter_map(|step| match step {
            Step::Ask(ask) => {
                let mut told = self.ask(ask);
                // What Connect answers while its group is busy, and clients ask again about.
                let is_settled = || {
                    let is_busy = told.contains("Cannot complete request momentarily");
                    if is_busy {
                        told = self.ask(ask);
                    }
                    !is_busy
                };
                wait_for(is_settled, "the group is settled", DEADLINE).unwrap();
                Some(told)
            }
            Step::Wait { path, pointer, value } => {
                let value: Value = serde_json::from_str(&self.local(&value.to_string())).unwrap();
                let mut last = None;
                let is_so = || {
                    last = self.look(path);
                    let found = last.as_ref().and_then(|answer| answer.pointer(pointer));
                    found == Some(&value)
                };
                let what = format!("{}: {pointer} of {path} is {value}", self.name);
                if wait_for(is_so, &what, DEADLINE).is_err() {
                    panic!("in vain: {what}; last {last:?}\n{}", self.log_end());
                }
                None
            }
        });
        told.collect()
    }

    fn look(&self, path: &str) -> Option<Value> {
        let mut response = self.agent.get(self.url(path)).call().ok()?;
        if response.status() != 200 {
            return None;
        }
        response.body_mut().read_json().ok()
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Words that stand for what each has of its own.
    fn local(&self, text: &str) -> String {
        let files = self.folder.join("files");
        text.replace("FILES", &files.display().to_string())
            .replace("TOPIC", &format!("compat-{}-lines", self.name))
    }

    fn ask(&self, ask: &Ask) -> String {
        let mut request =
            ureq::http::Request::builder().method(ask.method.as_str()).uri(self.url(&ask.path));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let response = match &ask.body {
            Some(body) => self.agent.run(request.body(self.local(body)).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let body = ask.body.as_deref().unwrap_or_default();
        let headers =
            ask.headers.iter().filter(|(name, _)| name != "content-type" || body.is_empty());
        let headers: Vec<_> = headers.map(|(name, value)| format!(" {name}={value}")).collect();
        let told = format!("{} {}{} {body}", ask.method, ask.path, headers.concat());
        let mut response = match response {
            Ok(response) => response,
            Err(error) => return format!("{told} -> {error}"),
        };
        let status = response.status().as_u16();
        if ask.is_status_only {
            return format!("{told} -> {status}");
        }
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (media, location) = (header("content-type"), header("location"));
        let location = location.replace(&self.url(""), "http://WORKER");
        let body = response.body_mut().read_to_string().unwrap_or_default();
        let files = self.folder.join("files").display().to_string();
        let replace = [
            (files, "FILES"),
            (format!("127.0.0.1:{}", self.port), "WORKER"),
            (format!("compat-{}-lines", self.name), "TOPIC"),
        ];
        format!("{told} -> {status} [{media}] [{location}] {}", comparable(&body, &replace))
    }
}

fn worker_file(name: &str, port: u16, files: &Path, kafka: &Kafka) -> String {
    let settings = [
        ("bootstrap.servers", kafka.bootstrap()),
        ("group.id", format!("compat-{name}")),
        ("listeners", format!("http://127.0.0.1:{port}")),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ("value.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ("config.storage.topic", format!("compat-{name}-config")),
        ("offset.storage.topic", format!("compat-{name}-offset")),
        ("status.storage.topic", format!("compat-{name}-status")),
        ("config.storage.replication.factor", "1".to_owned()),
        ("offset.storage.replication.factor", "1".to_owned()),
        ("status.storage.replication.factor", "1".to_owned()),
        ("offset.flush.interval.ms", "500".to_owned()),
        ("plugin.discovery", "service_load".to_owned()),
        ("sandbox.fs.roots", files.display().to_string()),
    ];
    settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}
