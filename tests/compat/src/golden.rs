//! Answers of a real Kafka Connect, stored with its version, and requests whose answers are held to them, field by field.
//!
//! A script is a case: on Connect it shows that what is stored is true, on Tombolo that it answers alike. Not here: the scripts (`cases`).

mod exchange;
mod normal;
mod step;
mod store;

pub use exchange::Exchange;
pub use step::{Ask, Step, ask, wait};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::peer::Peer;
use crate::scene::Scene;

/// Differences that we want: script, request, and the reason that `docs/differences.md` gives. One that is gone must be taken out.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "plugins",
        "PUT /connector-plugins/FileStreamSource/config/validate {\"name\":\"wrong\"}",
        "Connect answers 500 here and 400 to the same configuration elsewhere: it is the client's mistake",
    ),
    ("plugins", "GET /connector-plugins/StringConverter/config", CONVERTER_TYPE),
    (
        "shipped",
        "GET /connector-plugins/org.apache.kafka.connect.json.JsonConverter/config",
        CONVERTER_TYPE,
    ),
    (
        "shipped",
        "GET /connector-plugins/org.apache.kafka.connect.converters.ByteArrayConverter/config",
        CONVERTER_TYPE,
    ),
    (
        "bodies",
        "PATCH /connectors/wrong/offsets",
        "Connect answers 500 to no body: it is the client's mistake",
    ),
    (
        "scalars",
        "PUT /connector-plugins/FileStreamSource/config/validate {\"connector.class\":\"FileStreamSource\",\"name\":\"x\",\"tasks.max\":2,\"file\":true,\"topic\":7}",
        "a file that the connector may not reach is found here",
    ),
    (
        "validation",
        "PUT /connector-plugins/FileStreamSource/config/validate {\"connector.class\":\"FileStreamSource\",\"tasks.max\":\"1\",\"file\":\"FILES/lines.txt\",\"topic\":\"TOPIC\",\"name\":\"x\",\"topic.creation.groups\":\"g\",\"topic.creation.g.include\":\"[\",\"topic.creation.g.partitions\":\"0\",\"topic.creation.default.replication.factor\":\"-2\"}",
        "Connect finds a wrong group when the connector starts: earlier is better",
    ),
    (
        "validation",
        "PUT /connector-plugins/FileStreamSource/config/validate {\"connector.class\":\"FileStreamSource\",\"tasks.max\":\"1\",\"file\":\"FILES/lines.txt\",\"topic\":\"TOPIC\",\"name\":\"x\",\"producer.override.linger.ms\":\"soon\",\"producer.override.acks\":\"all\"}",
        "Connect answers 500: it is the client's mistake",
    ),
    ("validation-testConnectorHasAbstractConverter", "errors by setting", NO_CLASS),
    ("validation-testConnectorHasAbstractHeaderConverter", "errors by setting", NO_CLASS),
    (
        "validation-testConnectorHasConverterWithNoSuitableConstructor",
        "errors by setting",
        NO_CLASS,
    ),
    (
        "validation-testConnectorHasHeaderConverterWithNoSuitableConstructor",
        "errors by setting",
        NO_CLASS,
    ),
    (
        "validation-testConnectorHasConverterThatThrowsExceptionOnInstantiation",
        "errors by setting",
        OWN_WORDS,
    ),
    (
        "validation-testConnectorHasHeaderConverterThatThrowsExceptionOnInstantiation",
        "errors by setting",
        OWN_WORDS,
    ),
    (
        "loggers",
        "PUT /admin/loggers/org.apache.kafka.connect.runtime.WorkerSinkTask {\"level\":\"\"}",
        NO_LEVEL,
    ),
    (
        "types",
        "PUT /connector-plugins/DefinedSinkConnector/config/validate {\"connector.class\":\"DefinedSinkConnector\",\"name\":\"x\",\"topics\":\"t\",\"a.string\":\"one\",\"an.int\":\"1.5\"}",
        "a plugin's own range is not asked about what is no number: Connect says twice that it is none",
    ),
    ("missing", "GET /connectors/a%2Fb/status", AMBIGUOUS),
    ("missing", "GET /connectors//status", AMBIGUOUS),
    ("missing", "GET //connectors", AMBIGUOUS),
];

const CONVERTER_TYPE: &str = "Connect requires converter.type, which only the worker can set";
const NO_CLASS: &str =
    "a component has a plugin or has it not: there are no classes that cannot be made";
const OWN_WORDS: &str =
    "a plugin is asked what is wrong before it is made, and says it in its own words";
const NO_LEVEL: &str = "Connect answers 500 here and 404 to every other level that is none: it is the client's mistake";
const AMBIGUOUS: &str =
    "Connect's HTTP server refuses the path with a page of HTML; nothing is found there";

/// Plays a script, and holds each answer to the stored one; or stores them, if that is what the stage is for.
///
/// Errors: all answers that differ.
pub fn hold(scene: &Scene<'_>, script: &str, steps: &[Step]) -> Result<()> {
    compare(scene, script, &exchange::play(scene, steps)?)
}

/// Holds something else that a worker said to what Kafka Connect says there.
pub fn hold_value(scene: &Scene<'_>, script: &str, what: &str, value: &Value) -> Result<()> {
    let said = exchange::common(scene, &value.to_string());
    let answer = serde_json::from_str(&said)?;
    compare(scene, script, &[Exchange { request: what.to_owned(), answer }])
}

/// The statuses that Kafka Connect answered to these requests, in order, or these, which are stored then.
///
/// Errors: what is stored is of other requests.
pub fn statuses(scene: &Scene<'_>, script: &str, played: &[(String, u16)]) -> Result<Vec<u16>> {
    if scene.stage().records() {
        let all: Map<String, Value> =
            played.iter().map(|(what, status)| (what.clone(), json!(status))).collect();
        store::write_content(script, &all.into())?;
    }
    let stored = store::content(script)?;
    let stored = stored.as_object().context("the file holds an object")?;
    ensure!(
        stored.keys().eq(played.iter().map(|(what, _)| what)),
        "the stored statuses are of other requests: record them anew"
    );
    Ok(stored.values().filter_map(|status| status.as_u64()?.try_into().ok()).collect())
}

fn compare(scene: &Scene<'_>, script: &str, played: &[Exchange]) -> Result<()> {
    if scene.stage().records() {
        return store::write(script, played);
    }
    let stored = store::read(script)?;
    ensure!(
        stored.iter().map(|one| &one.request).eq(played.iter().map(|one| &one.request)),
        "the stored answers are to other requests: record them anew"
    );
    let mut differences = Vec::new();
    for (stored, played) in stored.iter().zip(played) {
        let is_known = scene.peer() == Peer::Tombolo
            && KNOWN.iter().any(|(name, request, _)| *name == script && *request == stored.request);
        match (stored.is_same(played), is_known) {
            (true, true) => {
                differences.push(format!("{}: is known to differ and does not", stored.request));
            }
            (false, false) => differences.push(stored.difference(played)),
            _ => {}
        }
    }
    if !differences.is_empty() {
        bail!("{}\n{}", differences.join("\n"), scene.log_end());
    }
    Ok(())
}
