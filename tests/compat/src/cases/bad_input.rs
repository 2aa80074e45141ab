//! Malformed inputs: the class of error that Kafka Connect gives, and nobody harmed. Not here: the inputs (`malformed`).

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::complete_lines;

use crate::case::{Case, Settings};
use crate::connector::Connector;
use crate::golden::statuses;
use crate::http::Answer;
use crate::malformed;
use crate::peer::Peer;
use crate::scene::Scene;

/// A worker that nobody else uses: what it has and logs in the end is looked at.
const ALONE: Settings = &[("offset.flush.interval.ms", "300")];

pub(super) const CASES: &[Case] = &[Case::new(
    "bad_input/a_thousand_malformed_inputs_harm_nobody",
    "ConnectExceptionMapper",
    harm_nobody,
)
.with(ALONE)];

/// How many inputs there are at least.
const INPUTS_MIN: usize = 1_000;

/// Inputs whose class of answer differs, by parts of what they are, each with the reason that `docs/differences.md` gives.
const KNOWN: &[(&[&str], &str)] = &[
    (&["/topics", "with a%2Fb"], TAKEN),
    (&["/topics", "with %2F"], TAKEN),
    (&["/topics", "with %2e%2e"], TAKEN),
    (&["/topics", "with a%5Cb"], TAKEN),
    (&["/topics", "with \u{e9}"], TAKEN),
    (&["/topics", "with %25"], TAKEN),
    (&["/topics", "with {}"], TAKEN),
    (&["/topics", "with aaaa"], TAKEN),
    (&["POST", "q=none"], PASSED_OVER),
    (&["POST", "expect: a miracle"], PASSED_OVER),
    (&["/connectors?\u{fffd}"], "a target has characters of ASCII alone"),
];

/// Of topics, neither asks whether the connector is there.
const TAKEN: &str = "every name that a connector may have is found in a path";

/// The 500 is Kafka Connect's own for that body.
const PASSED_OVER: &str = "a header that says nothing is passed over, and the body counts";

fn harm_nobody(scene: &Scene<'_>) -> Result<()> {
    let pipe = Pipe::start(scene)?;
    let (mut played, mut wrong) = (Vec::new(), Vec::new());
    for input in malformed::all() {
        pipe.write(played.len())?;
        let answer = scene.client().send_bytes(&input.bytes)?;
        if scene.peer() == Peer::Tombolo && !is_told(&answer) {
            wrong.push(format!("{} -> {} {:?}", input.what, answer.status, answer.text));
        }
        played.push((input.what, answer.status));
    }
    ensure!(played.len() >= INPUTS_MIN, "there are {} inputs", played.len());
    let stored = statuses(scene, "malformed", &played)?;
    for ((what, own), theirs) in played.iter().zip(stored) {
        if !is_right(scene.peer(), what, *own, theirs) {
            wrong.push(format!("{what} -> {own}; stored of Connect: {theirs}"));
        }
    }
    ensure!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), played.len(), wrong.join("\n"));
    pipe.expect(played.len())?;
    ensure!(!scene.log().contains("panicked"), "a thread has panicked:\n{}", scene.log());
    let mut names = scene.client().look("/connectors")?;
    names.as_array_mut().context("names are listed")?.sort_by_key(Value::to_string);
    ensure!(names == json!([pipe.source.name(), pipe.sink.name()]), "there are {names}");
    Ok(())
}

/// Whether a status is of the class that it has to be. What is the client's mistake may be called so where Kafka Connect blames itself.
fn is_right(peer: Peer, what: &str, own: u16, theirs: u16) -> bool {
    if peer == Peer::Connect {
        return own == theirs;
    }
    let is_known = KNOWN.iter().any(|(parts, _)| parts.iter().all(|part| what.contains(part)));
    let is_alike =
        own / 100 == theirs / 100 || (own / 100 == 4 && (theirs / 100 == 5 || theirs == 0));
    is_alike != is_known
}

/// Whether an error says what it is as Kafka Connect's errors do. Those of the protocol itself have no body.
fn is_told(answer: &Answer) -> bool {
    if answer.status < 400 || answer.text.is_empty() {
        return true;
    }
    let body = answer.json();
    body["error_code"] == answer.status && body["message"].as_str().is_some_and(|it| !it.is_empty())
}

/// Lines that go through a topic from file to file, and of which none may be lost.
struct Pipe<'s> {
    source: Connector<'s>,
    sink: Connector<'s>,
    from: PathBuf,
    to: PathBuf,
    scene: &'s Scene<'s>,
}

impl<'s> Pipe<'s> {
    fn start(scene: &'s Scene<'s>) -> Result<Self> {
        let topic = scene.make_topic("t")?;
        let (from, to) = (scene.file("from"), scene.file("to"));
        std::fs::write(&from, "")?;
        let source = scene.connector_named("1");
        source.put(&json!({
            "connector.class": "FileStreamSource", "tasks.max": "1", "topic": topic, "file": from,
        }))?;
        let sink = scene.connector_named("2");
        sink.put(&json!({
            "connector.class": "FileStreamSink", "tasks.max": "1", "topics": topic, "file": to,
        }))?;
        source.wait_until_running(1)?;
        sink.wait_until_running(1)?;
        Ok(Self { source, sink, from, to, scene })
    }

    fn write(&self, number: usize) -> Result<()> {
        let mut file = std::fs::File::options().append(true).open(&self.from)?;
        Ok(writeln!(file, "{number}")?)
    }

    /// Errors: not exactly the numbers below this arrive, or not all runs any more.
    fn expect(&self, count: usize) -> Result<()> {
        let arrived = || complete_lines(&self.to).len() >= count;
        self.scene.wait("all lines arrive", arrived)?;
        let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        ensure!(complete_lines(&self.to) == numbers, "lines were lost, or came twice");
        self.source.wait_until_running(1)?;
        self.sink.wait_until_running(1)
    }
}
