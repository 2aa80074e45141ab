//! A worker as its own process, and requests to it.
//!
//! Not here: building the program, which is the caller's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Guarded, Kafka, Signal, free_port, wait_for};

/// Longest time from start to the first answer: a cold start compiles the components that ship on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// Longest time for one request: uploads are compiled one after another, each for 90 seconds at most.
const REQUEST_MAX: Duration = Duration::from_secs(300);

/// A worker of a cluster of one, killed and forgotten on drop.
pub struct Worker {
    program: PathBuf,
    process: Option<Guarded>,
    folder: TempDir,
    port: u16,
    environment: Vec<(String, String)>,
}

impl Worker {
    /// Starts `program worker FILE` against this broker, with internal topics of its own, files below [`Worker::files`], and these settings on top.
    pub fn start(program: &str, kafka: &Kafka, settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_with(program, kafka, |_| settings_of(settings), &[])
    }

    /// The same with settings that depend on [`Worker::files`], and with variables in its environment.
    pub fn start_with(
        program: &str,
        kafka: &Kafka,
        settings: impl FnOnce(&Path) -> Vec<(String, String)>,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        Self::start_at(program, kafka.bootstrap(), settings, environment)
    }

    /// The same against the broker at this address.
    pub fn start_at(
        program: &str,
        bootstrap: String,
        settings: impl FnOnce(&Path) -> Vec<(String, String)>,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let worker = Self::launch_at(program, bootstrap, settings, environment)?;
        worker.wait_until_healthy()?;
        Ok(worker)
    }

    /// The same, and does not wait for it: the broker may be away.
    pub fn launch_at(
        program: &str,
        bootstrap: String,
        settings: impl FnOnce(&Path) -> Vec<(String, String)>,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tombolo-worker-").tempdir()?;
        let port = free_port()?;
        let id = folder.path().file_name().context("a folder has a name")?.to_string_lossy();
        let files = folder.path().join("files");
        std::fs::create_dir(&files)?;
        let mut all: BTreeMap<String, String> = [
            ("bootstrap.servers", bootstrap),
            ("group.id", id.to_string()),
            ("listeners", format!("http://127.0.0.1:{port}")),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            ("value.converter", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            ("config.storage.topic", format!("{id}-config")),
            ("offset.storage.topic", format!("{id}-offset")),
            ("status.storage.topic", format!("{id}-status")),
            ("config.storage.replication.factor", "1".to_owned()),
            ("offset.storage.replication.factor", "1".to_owned()),
            ("status.storage.replication.factor", "1".to_owned()),
            ("offset.flush.interval.ms", "1000".to_owned()),
            ("sandbox.fs.roots", files.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        all.extend(settings(&files));
        let lines: Vec<String> =
            all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        std::fs::write(folder.path().join("worker.properties"), lines.join("\n"))?;
        let (program, environment) = (PathBuf::from(program), settings_of(environment));
        let mut worker = Self { program, process: None, folder, port, environment };
        worker.launch()?;
        Ok(worker)
    }

    /// Starts the same worker again after it has ended, and waits until it is healthy.
    pub fn start_again(&mut self) -> Result<()> {
        self.launch()?;
        self.wait_until_healthy()
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("worker").arg(self.folder.path().join("worker.properties"));
        // Components that one worker compiled serve the others of this run.
        command.env("XDG_CACHE_HOME", crate::target_folder().join("test-cache"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.process = Some(Guarded::start(&command, &self.log_file(), None)?);
        Ok(())
    }

    /// Waits until it is healthy.
    ///
    /// Errors: it has ended, or takes too long; with its log.
    pub fn wait_until_healthy(&self) -> Result<()> {
        let healthy =
            || self.has_ended() || matches!(self.request("GET", "/health", None), Ok((200, _)));
        let waited = wait_for(healthy, "the worker is healthy", START_MAX);
        if waited.is_err() || self.has_ended() {
            anyhow::bail!("the worker does not start:\n{}", self.log());
        }
        Ok(())
    }

    /// Where its file connectors read and write.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// The address of its API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address as statuses show it.
    pub fn id(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("worker.log")
    }

    /// Whether its process has ended.
    pub fn has_ended(&self) -> bool {
        self.process.as_ref().is_none_or(Guarded::has_ended)
    }

    /// Its process, while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::id)
    }

    /// Lets no file that it writes grow beyond this many bytes, or lifts that limit.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        let id = self.process_id().context("the worker runs")?;
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let mut command = Command::new("prlimit");
        command.arg(format!("--pid={id}")).arg(format!("--fsize={limit}:"));
        let output = command.output().context("running prlimit, of the package util-linux")?;
        let words = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{command:?}: {words}");
        Ok(())
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.end(Signal::Kill).map(drop)
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Signal::Term).map(drop)
    }

    /// Sends it a signal that ends it, waits until it has ended, and returns the code that it ended with; none where the signal itself ended it.
    pub fn end(&mut self, signal: Signal) -> Result<Option<i32>> {
        let Some(mut process) = self.process.take() else { return Ok(None) };
        process.signal(signal)?;
        wait_for(|| process.has_ended(), "the worker ends", START_MAX)?;
        Ok(process.exit_code())
    }

    /// Sends a request with a JSON body, and returns status and body; the body is null where it is empty, and text where it is not JSON.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(u16, Value)> {
        let bytes = body.map(serde_json::to_vec).transpose()?;
        self.send(method, path, "application/json", bytes.as_deref())
    }

    /// Uploads a component.
    pub fn upload(&self, component: &[u8]) -> Result<(u16, Value)> {
        self.send("POST", "/connector-plugins", "application/wasm", Some(component))
    }

    /// Creates a connector, which must succeed.
    pub fn create(&self, name: &str, config: &Value) -> Result<Value> {
        let body = serde_json::json!({ "name": name, "config": config });
        let (status, answer) = self.request("POST", "/connectors", Some(&body))?;
        anyhow::ensure!(status == 201, "creating {name}: {status} {answer}");
        Ok(answer)
    }

    /// Waits until a connector and all its tasks, at least one, are in this state.
    pub fn wait_for_state(&self, name: &str, state: &str) -> Result<Value> {
        let mut last = Value::Null;
        let path = format!("/connectors/{name}/status");
        let reached = || {
            let Ok((200, status)) = self.request("GET", &path, None) else { return false };
            let of = |pointer: &str| status.pointer(pointer);
            let tasks = of("/tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let reached = of("/connector/state").is_some_and(|found| found == state)
                && !tasks.is_empty()
                && tasks.iter().all(|task| task.get("state").is_some_and(|found| found == state));
            last = status;
            reached
        };
        let waited = wait_for(reached, &format!("{name} is {state}"), START_MAX);
        waited.with_context(|| format!("last status: {last}\n{}", self.log()))?;
        Ok(last)
    }

    /// Sends a request with any body, and returns as [`Worker::request`].
    pub fn send(
        &self,
        method: &str,
        path: &str,
        media: &str,
        body: Option<&[u8]>,
    ) -> Result<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_MAX))
            .build()
            .into();
        let request = ureq::http::Request::builder().method(method).uri(self.url() + path);
        let mut response = match body {
            Some(body) => agent.run(request.header("content-type", media).body(body)?)?,
            None => agent.run(request.body(())?)?,
        };
        let text = response.body_mut().read_to_string()?;
        let value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        Ok((response.status().as_u16(), value))
    }
}

fn settings_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The lines of a file that end with a newline; none where it is not there yet.
pub fn complete_lines(file: &Path) -> Vec<String> {
    let text = std::fs::read(file).unwrap_or_default();
    let mut lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    lines.pop();
    lines.into_iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}
