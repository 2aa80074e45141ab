//! A connector's configuration, read once into types.
//!
//! Not here: complaints for people (`validation`), and what a plugin's own settings mean.

pub mod ceilings;
pub mod definitions;
mod egress;
mod read;
pub(crate) use egress::read as egress;
pub(crate) use read::plugin;
pub mod topic_creation;

use std::time::Duration;

use tombolo_model::egress::Egress;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::{ConnectorName, Settings};

pub use ceilings::Ceilings;
pub use topic_creation::TopicCreationGroup;

use crate::pattern::Pattern;

/// A setting that cannot be used. Completes "failed to read the configuration: …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// The setting.
    pub key: String,
    /// What is wrong with it, in Kafka's words where Kafka has some.
    pub message: String,
}

/// A connector's configuration.
///
/// Follows `ConnectorConfig`, `SourceConnectorConfig` and `SinkConnectorConfig` of Kafka Connect.
#[derive(Clone, Debug)]
pub struct ConnectorConfig {
    /// Setting `name`.
    pub name: ConnectorName,
    /// Setting `connector.class`: a class or an alias.
    pub class: String,
    /// Setting `connector.plugin.version`; none means the newest.
    pub version: Option<String>,
    /// Setting `tasks.max`.
    pub tasks_max: u32,
    /// Setting `tasks.max.enforce`.
    pub tasks_max_enforce: bool,
    /// Settings `key.converter` and `key.converter.*`; none means the worker's.
    pub key_converter: Option<PluginConfig>,
    /// Settings `value.converter` and `value.converter.*`; none means the worker's.
    pub value_converter: Option<PluginConfig>,
    /// Settings `header.converter` and `header.converter.*`; none means the worker's.
    pub header_converter: Option<PluginConfig>,
    /// Settings `transforms` and `transforms.*`, in order.
    pub transformations: Vec<TransformationConfig>,
    /// Settings `errors.*`.
    pub errors: ErrorsConfig,
    /// Settings `sandbox.*`.
    pub limits: Limits,
    /// Settings `sandbox.restart.*`.
    pub restart: RestartConfig,
    /// Settings `sandbox.net.allow`, `sandbox.http.auth.*` and `sandbox.tls.client.*`.
    pub egress: Egress,
    /// Settings `producer.override.*`, without prefix.
    pub producer_override: Settings,
    /// Settings `consumer.override.*`, without prefix.
    pub consumer_override: Settings,
    /// Settings `admin.override.*`, without prefix.
    pub admin_override: Settings,
    /// What only sources or only sinks have.
    pub role: RoleConfig,
}

/// What only sources or only sinks have.
#[derive(Clone, Debug)]
pub enum RoleConfig {
    /// Of a source.
    Source(SourceConfig),
    /// Of a sink.
    Sink(SinkConfig),
}

/// Settings of sources.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Groups of `topic.creation.*` in order, the default group last; empty leaves topics to the broker.
    pub topic_creation: Vec<TopicCreationGroup>,
    /// Setting `offsets.storage.topic`: a topic of the connector's own.
    pub offsets_topic: Option<String>,
    /// Settings `errors.deadletterqueue.*`, which Kafka Connect has for sinks only; none without a topic.
    pub dead_letter_queue: Option<DeadLetterQueueConfig>,
    /// Setting `task.inflight.bytes.max`: bytes of a task that Kafka has not acknowledged.
    pub inflight_bytes_max: u64,
    /// Setting `sandbox.topics.max`: topics that one task writes to.
    pub topics_max: usize,
}

/// Settings of sinks.
#[derive(Clone, Debug)]
pub struct SinkConfig {
    /// Settings `topics` or `topics.regex`.
    pub topics: SinkTopics,
    /// Settings `errors.deadletterqueue.*`; none without a topic.
    pub dead_letter_queue: Option<DeadLetterQueueConfig>,
}

/// Where a sink reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkTopics {
    /// Setting `topics`.
    Names(Vec<String>),
    /// Setting `topics.regex`.
    Pattern(Pattern),
}

/// Where a connector's bad records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterQueueConfig {
    /// The topic.
    pub topic: String,
    /// Its replication factor where it is created.
    pub replication_factor: i16,
    /// Whether to tell in headers what went wrong.
    pub context_headers: bool,
}

/// A plugin by name, with the settings below its prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// Its class or alias.
    pub class: String,
    /// Its version; none means the newest.
    pub version: Option<String>,
    /// Its settings, without prefix.
    pub settings: Settings,
}

/// A transformation of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformationConfig {
    /// Its alias in `transforms`.
    pub alias: String,
    /// The transformation.
    pub plugin: PluginConfig,
    /// The predicate that chooses its rows.
    pub predicate: Option<PredicateConfig>,
}

/// The predicate of a transformation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredicateConfig {
    /// Its alias in `predicates`.
    pub alias: String,
    /// The predicate.
    pub plugin: PluginConfig,
    /// Whether to choose the rows for which it does not hold.
    pub negate: bool,
}

/// What to do about bad records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorsConfig {
    /// Setting `errors.retry.timeout`; none means for ever.
    pub retry_timeout: Option<Duration>,
    /// Setting `errors.retry.delay.max.ms`.
    pub retry_delay_max: Duration,
    /// Setting `errors.tolerance`.
    pub tolerance: Tolerance,
    /// Setting `errors.poison.rows.max`.
    pub poison_rows_max: u32,
    /// Setting `errors.log.enable`.
    pub log: bool,
    /// Setting `errors.log.include.messages`.
    pub log_messages: bool,
}

/// When what failed is started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartConfig {
    /// Setting `sandbox.restart.max`; 0 for never.
    pub max: u32,
    /// Setting `sandbox.restart.window.ms`.
    pub window: Duration,
    /// Setting `sandbox.restart.backoff.ms`.
    pub backoff: Duration,
    /// Setting `sandbox.restart.backoff.max.ms`.
    pub backoff_max: Duration,
}

/// Whether bad records are skipped.
///
/// Follows `ToleranceType` of Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// The first one fails the task.
    None,
    /// They are skipped.
    All,
}

impl ConnectorConfig {
    /// Reads a configuration of a connector of this kind.
    ///
    /// Errors: the first setting that cannot be used. Unknown settings are the plugin's.
    pub fn from_settings(settings: &Settings, kind: PluginKind) -> Result<Self, ConfigError> {
        read::connector(settings, kind)
    }

    /// Reads a configuration under a worker's ceilings.
    ///
    /// Errors: the first setting that cannot be used, or is above its ceiling.
    pub fn under(
        ceilings: &Ceilings,
        settings: &Settings,
        kind: PluginKind,
    ) -> Result<Self, ConfigError> {
        match ceilings.errors(settings).into_iter().next() {
            Some(error) => Err(error),
            None => Self::from_settings(&ceilings.lower(settings.clone()), kind),
        }
    }
}

#[cfg(test)]
mod tests;
