//! Settings of a worker that concern connectors and tasks.
//!
//! Not here: its group, its internal topics, its listeners (the program reads those), and a connector's settings (`connector_config`).

use std::time::Duration;

use tombolo_model::Settings;
use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, key};
use tombolo_model::egress::Destination;

use crate::connector_config::{Ceilings, ConfigError, PluginConfig, plugin};
use crate::metrics::Windows;
use crate::override_policy::OverridePolicy;
use crate::own_topics::OwnTopics;
use crate::validation::WorkerConverters;

/// Settings of a worker that concern connectors and tasks.
///
/// Follows `WorkerConfig` of Kafka Connect: names and defaults are its own.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Settings `key.converter`, `value.converter`, `header.converter` and what stands below them.
    pub converters: WorkerConverters,
    /// Setting `task.shutdown.graceful.timeout.ms`: for all tasks that are stopped together.
    pub graceful_timeout: Duration,
    /// Setting `offset.flush.interval.ms`: how often tasks commit.
    pub offset_flush_interval: Duration,
    /// Setting `offset.flush.timeout.ms`: after it, a commit counts as failed and is made again.
    pub offset_flush_timeout: Duration,
    /// Setting `topic.creation.enable`: whether `topic.creation.*` of sources counts.
    pub topic_creation_enable: bool,
    /// Setting `topic.tracking.enable`: whether the topics of a connector are told.
    pub topic_tracking_enable: bool,
    /// Settings `metrics.sample.window.ms` and `metrics.num.samples`: what averages, maxima and rates look back over.
    pub metrics: Windows,
    /// Setting `connector.client.config.override.policy`.
    pub override_policy: OverridePolicy,
    /// Where connectors may be allowed to connect to: `sandbox.net.allow` of the worker's file, which the program reads.
    pub(crate) net_allow: Vec<Destination>,
    /// Topics that the worker keeps its own state in, where it is one of a group: no connector may write to them.
    pub(crate) own_topics: OwnTopics,
    /// Settings `sandbox.*.ceiling`: what connectors may ask for.
    pub ceilings: Ceilings,
    /// All settings of the worker, for its clients.
    pub(crate) all: Settings,
}

const KEY_CONVERTER: &str = "key.converter";
const VALUE_CONVERTER: &str = "value.converter";
const HEADER_CONVERTER: &str = "header.converter";
const KEY_VERSION: &str = "key.converter.plugin.version";
const VALUE_VERSION: &str = "value.converter.plugin.version";
const HEADER_VERSION: &str = "header.converter.plugin.version";
const GRACEFUL_TIMEOUT: &str = "task.shutdown.graceful.timeout.ms";
const FLUSH_INTERVAL: &str = "offset.flush.interval.ms";
const FLUSH_TIMEOUT: &str = "offset.flush.timeout.ms";
const TOPIC_CREATION: &str = "topic.creation.enable";
const TOPIC_TRACKING: &str = "topic.tracking.enable";
const METRICS_WINDOW: &str = "metrics.sample.window.ms";
const METRICS_SAMPLES: &str = "metrics.num.samples";
/// Most windows of metrics, whatever `metrics.num.samples` says: each takes 40 bytes for each of a task's dozen statistics.
const METRICS_SAMPLES_MAX: usize = 1_000;
const OVERRIDE_POLICY: &str = "connector.client.config.override.policy";
const OVERRIDE_ALLOWLIST: &str = "connector.client.config.override.allowlist";

impl WorkerConfig {
    /// The settings read here. Settings below `producer.`, `consumer.`, `admin.` and below the converters belong to those.
    pub fn definitions() -> Vec<ConfigKey> {
        let mut keys = Self::own_definitions();
        keys.extend(Ceilings::definitions());
        keys
    }

    fn own_definitions() -> Vec<ConfigKey> {
        vec![
            key("bootstrap.servers", Type::List)
                .required()
                .check(Check::NonEmpty)
                .importance(Importance::High)
                .doc("Brokers to start from, as host:port with commas between."),
            key(KEY_CONVERTER, Type::Class)
                .required()
                .importance(Importance::High)
                .doc("Converter of keys for connectors that name none."),
            key(VALUE_CONVERTER, Type::Class)
                .required()
                .importance(Importance::High)
                .doc("Converter of values for connectors that name none."),
            key(HEADER_CONVERTER, Type::Class)
                .default("org.apache.kafka.connect.storage.SimpleHeaderConverter")
                .importance(Importance::Low)
                .doc("Converter of headers for connectors that name none."),
            version(
                KEY_VERSION,
                "Version of the key converter's plugin, or a range of versions as [1.0,2.0); the newest where none is given.",
            ),
            version(
                VALUE_VERSION,
                "Version of the value converter's plugin, or a range; the newest where none is given.",
            ),
            version(
                HEADER_VERSION,
                "Version of the header converter's plugin, or a range; the newest where none is given.",
            ),
            key(GRACEFUL_TIMEOUT, Type::Long)
                .default("5000")
                .check(Check::AtLeast(0))
                .importance(Importance::Low)
                .doc("Time for tasks to stop, all together, before they are cancelled."),
            key(FLUSH_INTERVAL, Type::Long)
                .default("60000")
                .check(Check::AtLeast(0))
                .importance(Importance::Low)
                .doc("How often tasks commit their offsets."),
            key(FLUSH_TIMEOUT, Type::Long)
                .default("5000")
                .check(Check::AtLeast(0))
                .importance(Importance::Low)
                .doc("Time for one commit before it counts as failed and is made again."),
            key(TOPIC_CREATION, Type::Boolean).default("true").importance(Importance::Low).doc(
                "Whether source connectors may create topics by their topic.creation settings.",
            ),
            key(TOPIC_TRACKING, Type::Boolean)
                .default("true")
                .importance(Importance::Low)
                .doc("Whether the topics that a connector uses are kept."),
            key(METRICS_WINDOW, Type::Long)
                .default("30000")
                .check(Check::AtLeast(0))
                .importance(Importance::Low)
                .doc("Length of one window that averages, maxima and rates of metrics look back over."),
            key(METRICS_SAMPLES, Type::Int)
                .default("2")
                .check(Check::AtLeast(1))
                .importance(Importance::Low)
                .doc("How many windows averages, maxima and rates of metrics look back over."),
            key(OVERRIDE_POLICY, Type::String).default("All").doc(
                "Which client settings connectors may override: All, None, Principal (who they are), Allowlist (those of connector.client.config.override.allowlist), Tuning (our own: nothing that says where a client connects, as whom, with which files, or in which group). A class of Kafka Connect's policies is its policy.",
            ),
            key(OVERRIDE_ALLOWLIST, Type::List)
                .default("")
                .doc("Client settings that the policy Allowlist lets connectors override."),
        ]
    }

    /// Reads a worker's settings.
    ///
    /// Errors: the first setting that is missing or cannot be used. Settings that are not ours are left alone.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut all = settings.clone();
        for key in Self::definitions() {
            let name = key.name.as_ref();
            match (settings.get(name), &key.default) {
                (Some(value), _) => {
                    if let Some(message) = key.error(value) {
                        return Err(wrong(name, message));
                    }
                }
                (None, Some(default)) => drop(all.insert(name, default.as_ref())),
                (None, None) if key.required => return Err(missing(name)),
                (None, None) => {}
            }
        }
        Ok(Self {
            converters: WorkerConverters {
                key: converter(&all, KEY_CONVERTER)?,
                value: converter(&all, VALUE_CONVERTER)?,
                header: converter(&all, HEADER_CONVERTER)?,
            },
            graceful_timeout: milliseconds(&all, GRACEFUL_TIMEOUT),
            offset_flush_interval: milliseconds(&all, FLUSH_INTERVAL),
            offset_flush_timeout: milliseconds(&all, FLUSH_TIMEOUT),
            topic_creation_enable: is_true(&all, TOPIC_CREATION),
            topic_tracking_enable: is_true(&all, TOPIC_TRACKING),
            metrics: Windows {
                window: milliseconds(&all, METRICS_WINDOW),
                count: count(&all, METRICS_SAMPLES).min(METRICS_SAMPLES_MAX),
            },
            ceilings: Ceilings::from_settings(&all),
            override_policy: OverridePolicy::from_settings(
                all.get(OVERRIDE_POLICY).unwrap_or_default(),
                all.get(OVERRIDE_ALLOWLIST).unwrap_or_default(),
            )
            .map_err(|message| wrong(OVERRIDE_POLICY, message))?,
            net_allow: Vec::new(),
            own_topics: OwnTopics::of(settings),
            all,
        })
    }

    /// The same where connectors may be allowed to connect to these places.
    #[must_use]
    pub fn offering(self, net_allow: Vec<Destination>) -> Self {
        Self { net_allow, ..self }
    }
}

fn version(name: &'static str, doc: &'static str) -> ConfigKey {
    key(name, Type::String).check(Check::PluginVersion).importance(Importance::Low).doc(doc)
}

fn converter(settings: &Settings, name: &str) -> Result<PluginConfig, ConfigError> {
    plugin(settings, name).ok_or_else(|| missing(name))
}

/// A number that was held to its definition.
fn milliseconds(settings: &Settings, name: &str) -> Duration {
    let number = settings.get(name).and_then(|text| text.trim().parse().ok());
    Duration::from_millis(number.unwrap_or_default())
}

/// A number that was held to its definition.
fn count(settings: &Settings, name: &str) -> usize {
    let number = settings.get(name).and_then(|text| text.trim().parse().ok());
    number.unwrap_or_default()
}

fn is_true(settings: &Settings, name: &str) -> bool {
    settings.get(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

fn missing(name: &str) -> ConfigError {
    let message = format!("Missing required configuration \"{name}\" which has no default value.");
    wrong(name, message)
}

fn wrong(name: &str, message: String) -> ConfigError {
    ConfigError { key: name.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required() -> Settings {
        [
            ("bootstrap.servers", "b:9092"),
            ("key.converter", "K"),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", "V"),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn what_is_not_given_has_kafka_connects_default() {
        let config = WorkerConfig::from_settings(&required()).unwrap();
        assert_eq!(config.graceful_timeout, Duration::from_secs(5));
        assert_eq!(config.offset_flush_interval, Duration::from_secs(60));
        assert_eq!(config.offset_flush_timeout, Duration::from_secs(5));
        assert!(config.topic_creation_enable && config.topic_tracking_enable);
        let windows = Windows { window: Duration::from_secs(30), count: 2 };
        assert_eq!(config.metrics, windows);
        assert_eq!(config.override_policy, OverridePolicy::All);
        assert_eq!(config.converters.key.settings.get("schemas.enable"), Some("false"));
        let header = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
        assert_eq!(config.converters.header.class, header);
    }

    #[test]
    fn every_setting_is_read() {
        let changes = [
            ("task.shutdown.graceful.timeout.ms", "1"),
            ("offset.flush.interval.ms", "2"),
            ("offset.flush.timeout.ms", "3"),
            ("topic.creation.enable", "false"),
            ("topic.tracking.enable", "FALSE"),
            ("header.converter", "H"),
            ("metrics.sample.window.ms", "4"),
            ("metrics.num.samples", "5"),
            ("key.converter.plugin.version", "1.0"),
            ("value.converter.plugin.version", "[1,2)"),
            ("header.converter.plugin.version", "latest"),
            ("connector.client.config.override.policy", "Allowlist"),
            ("connector.client.config.override.allowlist", "acks, linger.ms"),
            ("sandbox.memory.max.ceiling", "7"),
            ("sandbox.memory.total.max.ceiling", "6"),
            ("sandbox.cpu.max.ceiling", "0.25"),
            ("sandbox.cpu.burst.ms.ceiling", "8"),
            ("sandbox.cpu.weight.ceiling", "9"),
            ("sandbox.call.timeout.ms.ceiling", "10"),
            ("sandbox.batch.bytes.max.ceiling", "11"),
            ("sandbox.log.rate.ceiling", "12"),
            ("task.inflight.bytes.max.ceiling", "13"),
            ("sandbox.topics.max.ceiling", "14"),
        ];
        let mut settings = required();
        changes.iter().for_each(|(name, value)| drop(settings.insert(*name, *value)));
        let config = WorkerConfig::from_settings(&settings).unwrap();
        assert_eq!(config.graceful_timeout, Duration::from_millis(1));
        assert_eq!(config.offset_flush_interval, Duration::from_millis(2));
        assert_eq!(config.offset_flush_timeout, Duration::from_millis(3));
        assert!(!config.topic_creation_enable && !config.topic_tracking_enable);
        assert_eq!(config.converters.header.class, "H");
        let windows = Windows { window: Duration::from_millis(4), count: 5 };
        assert_eq!(config.metrics, windows);
        assert_eq!(config.converters.key.version.as_deref(), Some("1.0"));
        assert_eq!(config.converters.value.version.as_deref(), Some("[1,2)"));
        assert_eq!(config.converters.header.version, None);
        let allowed = vec!["acks".to_owned(), "linger.ms".to_owned()];
        assert_eq!(config.override_policy, OverridePolicy::Allowlist(allowed));
        let limits = config.ceilings.limits();
        assert_eq!((limits.memory_max, limits.memory_total_max), (7, Some(6)));
        assert_eq!(limits.cpu.max_millicores, Some(250));
        assert_eq!((limits.cpu.burst, limits.cpu.weight), (Duration::from_millis(8), 9));
        assert_eq!(limits.call_timeout, Duration::from_millis(10));
        assert_eq!((limits.batch_bytes_max, limits.log_bytes_per_second), (11, 12));
        let defined = WorkerConfig::definitions();
        let known = |key: &ConfigKey| settings.contains(&key.name);
        assert!(defined.iter().all(known), "a setting that this test does not change");
    }

    #[test]
    fn errors_name_the_setting() {
        let check = |change: (&str, Option<&str>), expected: &str| {
            let mut settings = required();
            match change.1 {
                Some(value) => drop(settings.insert(change.0, value)),
                None => drop(settings.remove(change.0)),
            }
            let error = WorkerConfig::from_settings(&settings).unwrap_err();
            assert_eq!((error.key.as_str(), error.message.as_str()), (change.0, expected));
        };
        check(
            ("value.converter", None),
            "Missing required configuration \"value.converter\" which has no default value.",
        );
        check(
            ("offset.flush.interval.ms", Some("soon")),
            "Invalid value soon for configuration offset.flush.interval.ms: Not a number of type LONG",
        );
        check(("key.converter.plugin.version", Some("[1")), "Unbounded range: [1");
        check(
            ("connector.client.config.override.policy", Some("Some")),
            "Invalid value Some for configuration connector.client.config.override.policy: expected All, None, Principal, Allowlist or Tuning",
        );
    }
}
