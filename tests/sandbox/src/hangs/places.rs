//! The exported functions, and what makes a worker call each.
//!
//! Not here: watching what comes of it.

use serde_json::{Value, json};

use crate::attack::Pairs;
use crate::field::CALL_TIMEOUT;

/// Topic of rows with headers, for what only sinks do.
pub(super) const FEED: &str = "hangs-feed";

/// Where it shows that a function hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// In the status: the connector or its task is failed.
    Failed,
    /// In the status, after the connector was stopped: it has no tasks any more.
    Stopped,
}

/// An exported function that a running connector calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its name, as `sink.put`.
    pub(super) name: &'static str,
    /// What the class of the connector ends in.
    noun: &'static str,
    /// Before the settings that say where and how to hang.
    prefix: &'static str,
    /// Settings beside.
    more: Pairs,
    /// Where it shows.
    pub(super) seen: Seen,
    /// Whether the function answers with something that may be huge.
    pub(super) has_answer: bool,
}

const SOURCE: Pairs = &[("topic", "hangs")];
const SINK: Pairs = &[("topics", FEED)];
const CONVERTER: &str = "guest.HangsConverter";
const HEADER_CONVERTER: &str = "guest.HangsHeaderConverter";
const TRANSFORMATION: Pairs =
    &[("topic", "hangs"), ("transforms", "t"), ("transforms.t.type", "guest.HangsTransformation")];
/// A predicate of another component than its transformation's is asked by itself.
const PREDICATE: Pairs = &[
    ("topic", "hangs"),
    ("transforms", "t"),
    ("transforms.t.type", "org.apache.kafka.connect.transforms.Filter"),
    ("transforms.t.predicate", "p"),
    ("predicates", "p"),
    ("predicates.p.type", "guest.HangsPredicate"),
];

const fn place(name: &'static str, noun: &'static str, more: Pairs) -> Place {
    Place { name, noun, prefix: "", more, seen: Seen::Failed, has_answer: true }
}

const fn of_role(
    name: &'static str,
    noun: &'static str,
    prefix: &'static str,
    more: Pairs,
) -> Place {
    Place { name, noun, prefix, more, seen: Seen::Failed, has_answer: true }
}

/// A function that is called when the connector is stopped.
const fn stopped(place: Place, has_answer: bool) -> Place {
    Place { seen: Seen::Stopped, has_answer, ..place }
}

const VALUE: &str = "value.converter.";
const HEADER: &str = "header.converter.";
const STEP: &str = "transforms.t.";
const CHOICE: &str = "predicates.p.";

const FROM_VALUE: Pairs = &[("topic", "hangs"), ("value.converter", CONVERTER)];
const TO_VALUE: Pairs = &[("topics", FEED), ("value.converter", CONVERTER)];
const FROM_HEADER: Pairs = &[("topic", "hangs"), ("header.converter", HEADER_CONVERTER)];
const TO_HEADER: Pairs = &[("topics", FEED), ("header.converter", HEADER_CONVERTER)];

/// All that a running connector calls.
pub(super) const PLACES: &[Place] = &[
    place("connector.start", "Source", SOURCE),
    place("connector.task-settings", "Source", SOURCE),
    place("connector.watch", "Source", SOURCE),
    stopped(place("connector.stop", "Source", SOURCE), false),
    place("source.start", "Source", SOURCE),
    place("source.poll", "Source", SOURCE),
    place("source.commit", "Source", SOURCE),
    place("source-acknowledgement.acknowledge", "Source", SOURCE),
    stopped(place("source.stop", "Source", SOURCE), false),
    place("sink.start", "Sink", SINK),
    place("sink.open", "Sink", SINK),
    place("sink.put", "Sink", SINK),
    place("sink.pre-commit", "Sink", SINK),
    stopped(place("sink.close", "Sink", SINK), true),
    stopped(place("sink.stop", "Sink", SINK), false),
    of_role("converter.create", "Source", VALUE, FROM_VALUE),
    of_role("converter.from-connect-data", "Source", VALUE, FROM_VALUE),
    of_role("converter.to-connect-data", "Sink", VALUE, TO_VALUE),
    stopped(of_role("converter.close", "Source", VALUE, FROM_VALUE), false),
    of_role("header-converter.create", "Source", HEADER, FROM_HEADER),
    of_role("header-converter.from-connect-data", "Source", HEADER, FROM_HEADER),
    of_role("header-converter.to-connect-data", "Sink", HEADER, TO_HEADER),
    stopped(of_role("header-converter.close", "Source", HEADER, FROM_HEADER), false),
    of_role("transformation.create", "Source", STEP, TRANSFORMATION),
    of_role("transformation.apply", "Source", STEP, TRANSFORMATION),
    stopped(of_role("transformation.close", "Source", STEP, TRANSFORMATION), false),
    of_role("predicate.create", "Source", CHOICE, PREDICATE),
    of_role("predicate.test", "Source", CHOICE, PREDICATE),
    stopped(of_role("predicate.close", "Source", CHOICE, PREDICATE), false),
];

impl Place {
    /// The configuration of a connector that hangs there.
    pub(super) fn config(&self, way: &str) -> Value {
        let mut config = config(self.noun, self.more);
        if let Some(all) = config.as_object_mut() {
            all.insert(format!("{}hang.at", self.prefix), json!(self.name));
            all.insert(format!("{}hang.how", self.prefix), json!(way));
        }
        config
    }
}

/// A connector of the guest `hangs` that does not.
pub(super) fn config(noun: &str, more: Pairs) -> Value {
    let mut config = json!({
        "connector.class": format!("guest.Hangs{noun}"),
        "tasks.max": "1",
        "sandbox.restart.max": "0",
        "sandbox.call.timeout.ms": CALL_TIMEOUT.as_millis().to_string(),
        "consumer.override.auto.offset.reset": "latest",
    });
    if let Some(all) = config.as_object_mut() {
        if noun == "Source" {
            all.remove("consumer.override.auto.offset.reset");
        }
        all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    }
    config
}
