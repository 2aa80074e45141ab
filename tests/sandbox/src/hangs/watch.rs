//! Has functions hang beside each other, and watches when that shows.
//!
//! A hang begins with the line that its guest writes into the log. Not here: which functions.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use tombolo_harness::wait_for;

use super::Shown;
use super::places::{FEED, PLACES, Place, Seen, config};
use crate::component::replaced;
use crate::field::{Field, PATIENCE};

/// Hangs that are watched at the same time.
const BESIDE: usize = 10;

/// Starts what sinks read.
pub(super) fn feed(field: &Field) -> Result<()> {
    field.upload(tombolo_guests::HANGS)?;
    field.worker.create("hangs-feed", &config("Source", &[("topic", FEED)]))?;
    field.worker.wait_for_state("hangs-feed", "RUNNING")?;
    Ok(())
}

/// What is watched of one hang.
struct Watched {
    place: &'static Place,
    name: String,
    began: Option<Instant>,
    showed: Option<Instant>,
}

/// Has each function hang that a running connector calls, and waits until the statuses tell.
pub(super) fn statuses(field: &Field, way: &'static str) -> Result<Vec<Shown>> {
    let places: Vec<&Place> =
        PLACES.iter().filter(|place| place.has_answer || way != "huge return").collect();
    let mut shown = Vec::new();
    for batch in places.chunks(BESIDE) {
        shown.extend(batch_of(field, way, batch)?);
    }
    Ok(shown)
}

fn batch_of(field: &Field, way: &'static str, places: &[&'static Place]) -> Result<Vec<Shown>> {
    let name = |place: &Place| format!("{}-{way}", place.name).replace(['.', ' '], "-");
    let watched =
        |place: &&'static Place| Watched { place, name: name(place), began: None, showed: None };
    let mut all: Vec<Watched> = places.iter().map(watched).collect();
    for one in &all {
        field.worker.create(&one.name, &one.place.config(way))?;
    }
    for one in all.iter().filter(|one| one.place.seen == Seen::Stopped) {
        field.worker.wait_for_state(&one.name, "RUNNING")?;
        let path = format!("/connectors/{}/stop", one.name);
        let (status, answer) = field.worker.request("PUT", &path, None)?;
        ensure!(status == 204, "a stop is answered with {status}: {answer}");
    }
    let told = || look(field, way, &mut all).is_ok() && all.iter().all(|one| one.showed.is_some());
    // Who is missing is told below.
    wait_for(told, "all hangs show", PATIENCE).ok();
    // What began and ended between the look at the log and that at the statuses is in the log now.
    look(field, way, &mut all).ok();
    for one in &all {
        field.delete(&one.name)?;
    }
    Ok(all.into_iter().map(|one| one.shown(way)).collect())
}

/// One look at the log and at all statuses.
fn look(field: &Field, way: &str, all: &mut [Watched]) -> Result<()> {
    let log = field.worker.log();
    let now = Instant::now();
    for one in all.iter_mut().filter(|one| one.began.is_none()) {
        let line = format!("hangs at {} by {way}", one.place.name);
        one.began = log.contains(&line).then_some(now);
    }
    let (_, statuses) = field.worker.request("GET", "/connectors?expand=status", None)?;
    let now = Instant::now();
    for one in all.iter_mut().filter(|one| one.showed.is_none()) {
        let status = statuses.pointer(&format!("/{}/status", one.name));
        one.showed = status.is_some_and(|status| shows(status, one.place.seen)).then_some(now);
    }
    Ok(())
}

fn shows(status: &Value, seen: Seen) -> bool {
    let tasks = status.get("tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let connector = status.get("connector");
    let is = |one: &Value, state: &str| one.get("state").is_some_and(|of| of == state);
    match seen {
        Seen::Failed => connector.into_iter().chain(tasks).any(|one| is(one, "FAILED")),
        Seen::Stopped => connector.is_some_and(|one| is(one, "STOPPED")) && tasks.is_empty(),
    }
}

impl Watched {
    fn shown(&self, way: &'static str) -> Shown {
        let seen = match (self.began, self.showed, self.place.seen) {
            (Some(began), Some(showed), _) => Ok(Some(showed.saturating_duration_since(began))),
            // It was stopped without that call: there was nothing to hang.
            (None, Some(_), Seen::Stopped) => Ok(None),
            (None, ..) => Err(anyhow!("it was not called")),
            (_, None, _) => Err(anyhow!("it does not show")),
        };
        Shown::new(self.place.name, way, seen)
    }
}

/// Has each function hang that a request about a stopped connector waits for.
pub(super) fn answers(field: &Field, way: &'static str) -> [Shown; 2] {
    let name = format!("altered-{way}").replace(' ', "-");
    let asks: [(&'static str, Ask); 2] = [
        ("source-connector.alter-offsets", alter_source),
        ("sink-connector.alter-offsets", alter_sink),
    ];
    asks.map(|(place, ask)| Shown::new(place, way, ask(field, way, &name).map(Some)))
}

/// Sends a request that calls the function; says how long the answer took.
type Ask = fn(&Field, &str, &str) -> Result<Duration>;

fn hanging(noun: &str, place: &str, way: &str) -> Value {
    let topic = if noun == "Sink" { ("topics", FEED) } else { ("topic", "hangs") };
    let mut config = config(noun, &[]);
    if let Some(all) = config.as_object_mut() {
        all.insert(topic.0.to_owned(), json!(topic.1));
        all.insert("hang.at".to_owned(), json!(place));
        all.insert("hang.how".to_owned(), json!(way));
    }
    config
}

/// A validation that hangs: how long it takes until it is answered.
pub(super) fn validate(field: &Field, way: &str) -> Result<Duration> {
    let start = Instant::now();
    let path = "/connector-plugins/guest.HangsSource/config/validate";
    let mut config = hanging("Source", "catalog.validate", way);
    if let Some(all) = config.as_object_mut() {
        all.insert("name".to_owned(), json!("validated"));
    }
    let (status, answer) = field.worker.request("PUT", path, Some(&config))?;
    let told = answer.to_string().contains("the plugin") || status >= 400;
    ensure!(told, "the answer is {status}: {answer:.300}");
    Ok(start.elapsed())
}

fn alter_source(field: &Field, way: &str, name: &str) -> Result<Duration> {
    let offsets = json!({"offsets": [{"partition": {"p": 0}, "offset": {"o": 1}}]});
    alter(field, name, &hanging("Source", "source-connector.alter-offsets", way), &offsets)
}

fn alter_sink(field: &Field, way: &str, name: &str) -> Result<Duration> {
    let at = json!({"kafka_topic": FEED, "kafka_partition": 0});
    let offsets = json!({"offsets": [{"partition": at, "offset": {"kafka_offset": 0}}]});
    alter(field, name, &hanging("Sink", "sink-connector.alter-offsets", way), &offsets)
}

fn alter(field: &Field, name: &str, config: &Value, offsets: &Value) -> Result<Duration> {
    field.worker.create(name, config)?;
    field.worker.wait_for_state(name, "RUNNING")?;
    let (status, answer) =
        field.worker.request("PUT", &format!("/connectors/{name}/stop"), None)?;
    ensure!(status == 204, "a stop is answered with {status}: {answer}");
    let path = format!("/connectors/{name}/status");
    let stopped = || {
        let Ok((200, status)) = field.worker.request("GET", &path, None) else { return false };
        shows(&status, Seen::Stopped)
    };
    wait_for(stopped, "it is stopped", PATIENCE)?;
    let start = Instant::now();
    let (status, answer) =
        field.worker.request("PATCH", &format!("/connectors/{name}/offsets"), Some(offsets))?;
    let took = start.elapsed();
    field.delete(name)?;
    ensure!(status >= 400, "the answer is {status}: {answer:.300}");
    Ok(took)
}

/// A component that hangs when it is asked for its catalog: how long it takes until its upload is refused.
///
/// Its deadline is the worker's own, not that of a connector.
pub(super) fn catalog(field: &Field, way: &str) -> Result<Duration> {
    let told = format!("catalog hangs by: {way:14}");
    let component =
        replaced(tombolo_guests::HANGS, b"catalog hangs by: nothing       ", told.as_bytes());
    let start = Instant::now();
    let (status, answer) = field.worker.upload(&component)?;
    let took = start.elapsed();
    ensure!(status == 400, "the answer is {status}: {answer:.300}");
    let message = answer.get("message").and_then(Value::as_str).context("there is a message")?;
    ensure!(message.contains("catalog"), "{message:.300}");
    Ok(took)
}
