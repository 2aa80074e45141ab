//! All settings of a worker file: those that count, those that make no difference here, and what is neither.
//!
//! Not here: what they mean. The reference pages in `docs` are made of the same definitions, by a test.

#[cfg(test)]
mod pages;

use tombolo_herder::HerderConfig;
use tombolo_model::Settings;
use tombolo_model::config_def::ConfigKey;
use tombolo_store::InternalTopics;
use tombolo_worker::WorkerConfig;

use crate::{options, providers, secret_keys};

/// The settings of a worker file, but for those below a prefix: what they are about, and their definitions.
fn sections() -> [(&'static str, Vec<ConfigKey>); 7] {
    [
        ("Connectors and tasks", WorkerConfig::definitions()),
        ("The group", HerderConfig::definitions()),
        ("Internal topics", InternalTopics::definitions()),
        ("The REST API", tombolo_rest::definitions()),
        ("Config providers", providers::definitions()),
        ("Secrets", secret_keys::definitions()),
        ("Files", options::definitions()),
    ]
}

fn definitions() -> impl Iterator<Item = ConfigKey> {
    sections().into_iter().flat_map(|(_, keys)| keys)
}

/// Prefixes below which settings belong to something else: a converter, a client, a topic.
const PREFIXES: &[(&str, &str)] = &[
    ("key.converter.", "settings of the key converter"),
    ("value.converter.", "settings of the value converter"),
    ("header.converter.", "settings of the header converter"),
    ("producer.", "settings of the producers of all connectors"),
    ("consumer.", "settings of the consumers of all connectors"),
    ("admin.", "settings of the admin clients of all connectors, and of the worker's own"),
    (
        "listeners.https.",
        "settings `ssl.*` of the https listeners, instead of those without the prefix",
    ),
    ("admin.listeners.https.", "the same of the https listeners for /admin"),
    ("config.providers.", "settings of a config provider"),
    ("config.storage.", "settings of the topic for configurations"),
    ("offset.storage.", "settings of the topic for offsets"),
    ("status.storage.", "settings of the topic for statuses"),
    ("plugin.storage.", "settings of the topic for uploaded components"),
    ("secret.storage.", "settings of the topic for secrets"),
];

const PLUGIN_PATH: &str = "plugins are components, which ship with the program or are uploaded";
const ONE_WORKER: &str = "a group has one worker so far";

/// Settings of Kafka Connect that make no difference here, each with the value that asks for nothing, and the reason.
const WITHOUT_EFFECT: &[(&str, Option<&str>, &str)] = &[
    ("config.storage.partitions", Some("1"), "the topic for configurations has one partition"),
    ("connect.protocol", None, ONE_WORKER),
    ("exactly.once.source.support", Some("disabled"), "sources deliver at least once so far"),
    ("heartbeat.interval.ms", None, ONE_WORKER),
    ("inter.worker.key.generation.algorithm", None, ONE_WORKER),
    ("inter.worker.key.size", None, ONE_WORKER),
    ("inter.worker.key.ttl.ms", None, ONE_WORKER),
    ("inter.worker.signature.algorithm", None, ONE_WORKER),
    ("inter.worker.verification.algorithms", None, ONE_WORKER),
    (
        "internal.topics.automatic.creation.enable",
        Some("true"),
        "internal topics that are missing are created",
    ),
    (
        "metric.reporters",
        Some(""),
        "metrics are at `GET /metrics`, and not reported by Java classes",
    ),
    ("metrics.recording.level", Some("INFO"), "all metrics are recorded"),
    ("plugin.discovery", None, PLUGIN_PATH),
    ("plugin.path", Some(""), PLUGIN_PATH),
    ("rebalance.timeout.ms", None, ONE_WORKER),
    (
        "rest.extension.classes",
        Some(""),
        "extensions are Java classes, and there is no JVM to run them",
    ),
    ("scheduled.rebalance.max.delay.ms", None, ONE_WORKER),
    ("session.timeout.ms", None, ONE_WORKER),
    ("worker.sync.timeout.ms", None, ONE_WORKER),
    ("worker.unsync.backoff.ms", None, ONE_WORKER),
];

/// A family of such settings, and the reason.
const METRICS_CONTEXT: (&str, &str) = ("metrics.context.", "metrics have their own labels");

/// Refuses values that are not of their setting's type, or not allowed there, in the words of Kafka's `ConfigDef`.
///
/// Errors: the first. What a setting means, and whether it may be missing, who reads it says.
pub(crate) fn check(settings: &Settings) -> Result<(), String> {
    let wrong = |key: ConfigKey| settings.get(&key.name).and_then(|value| key.error(value));
    definitions().find_map(wrong).map_or(Ok(()), Err)
}

/// Says what of a worker file makes no difference, by name alone.
pub(crate) fn warn(settings: &Settings) {
    for (name, reason) in without_effect(settings) {
        tracing::warn!("setting {name} has no effect: {reason}");
    }
    let unknown = unknown(settings).join(", ");
    if !unknown.is_empty() {
        tracing::warn!("these settings are unknown, and have no effect: {unknown}");
    }
}

fn without_effect(settings: &Settings) -> Vec<(&str, &'static str)> {
    let reason = |name: &str, value: &str| {
        if name.starts_with(METRICS_CONTEXT.0) {
            return Some(METRICS_CONTEXT.1);
        }
        let known = WITHOUT_EFFECT.iter().find(|(known, ..)| *known == name);
        let (_, nothing, reason) = known?;
        (*nothing != Some(value.trim())).then_some(*reason)
    };
    settings.iter().filter_map(|(name, value)| Some((name, reason(name, value)?))).collect()
}

/// What neither we nor Kafka Connect knows, nor a Kafka client.
fn unknown(settings: &Settings) -> Vec<&str> {
    let defined: Vec<ConfigKey> = definitions().collect();
    let is_known = |name: &str| {
        defined.iter().any(|key| key.name == name)
            || PREFIXES.iter().any(|(prefix, _)| name.starts_with(prefix))
            || WITHOUT_EFFECT.iter().any(|(known, ..)| *known == name)
            || name.starts_with(METRICS_CONTEXT.0)
            || tombolo_kafka::settings::is_known(name)
    };
    settings.iter().map(|(name, _)| name).filter(|name| !is_known(name)).collect()
}
