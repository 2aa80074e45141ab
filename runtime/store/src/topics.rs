//! The internal topics: their names and settings, and opening them on Kafka.
//!
//! Not here: what is in them. Follows `TopicAdmin` and `DistributedConfig` of Kafka Connect.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tombolo_kafka::admin::{Admin, NewTopic};
use tombolo_kafka::log::{Log, LogClients};
use tombolo_model::Settings;
use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, key};

use crate::error::{Error, Result};
use crate::journal::{Entry, Journal, Journals, Reader};

/// Longest wait for a write or a read to the end, as `READ_WRITE_TOTAL_TIMEOUT_MS` of Kafka Connect.
pub const READ_WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Kafka's default for the partitions of the offset topic.
const OFFSET_PARTITIONS: i32 = 25;
/// Kafka's default for the partitions of the status topic.
const STATUS_PARTITIONS: i32 = 5;
/// Kafka's default for the replication factor of internal topics.
const REPLICATION_FACTOR: i16 = 3;

/// One internal topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopic {
    /// Its name.
    pub name: String,
    /// The setting that names it, for errors.
    pub setting: &'static str,
    /// What is kept in it, for errors, as "connector configurations".
    pub contents: &'static str,
    /// Partitions to create it with; -1 for the broker's default.
    pub partitions: i32,
    /// Replication factor to create it with; -1 for the broker's default.
    pub replication_factor: i16,
    /// The setting that decides the replication factor, for errors.
    pub replication_setting: String,
    /// Whether its order matters as a whole, so that one partition is required.
    pub is_single: bool,
    /// More topic settings to create it with.
    pub settings: Vec<(String, String)>,
}

impl InternalTopic {
    /// What stands for a topic where there is none.
    pub(crate) fn nowhere(contents: &'static str) -> Self {
        Self {
            name: contents.to_owned(),
            setting: "",
            contents,
            partitions: 1,
            replication_factor: 1,
            replication_setting: String::new(),
            is_single: true,
            settings: Vec::new(),
        }
    }
}

/// All internal topics of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalTopics {
    /// Configurations, task configurations, target states.
    pub config: InternalTopic,
    /// Source offsets.
    pub offset: InternalTopic,
    /// Statuses of connectors and tasks, and the topics they use.
    pub status: InternalTopic,
    /// Which components were uploaded.
    pub plugin: InternalTopic,
    /// Their bytes.
    pub plugin_chunks: InternalTopic,
    /// Secrets, sealed.
    pub secret: InternalTopic,
}

impl InternalTopics {
    /// The settings read here. Any other setting of a topic may stand below the same prefixes.
    pub fn definitions() -> Vec<ConfigKey> {
        let topic = |name, doc| {
            key(name, Type::String)
                .required()
                .importance(Importance::High)
                .check(Check::NonEmpty)
                .doc(doc)
        };
        let factor = |name, doc| {
            key(name, Type::Short)
                .default("3")
                .importance(Importance::Low)
                .check(Check::AtLeast(-1))
                .doc(doc)
        };
        let partitions = |name, default, doc| {
            key(name, Type::Int)
                .default(default)
                .importance(Importance::Low)
                .check(Check::AtLeast(-1))
                .doc(doc)
        };
        vec![
            topic("config.storage.topic", "Compacted topic of one partition for configurations; the same for all workers of a group."),
            factor("config.storage.replication.factor", "Replication factor it is created with; -1 for the broker's default."),
            topic("offset.storage.topic", "Compacted topic for offsets of sources; the same for all workers of a group."),
            partitions("offset.storage.partitions", "25", "Partitions it is created with; -1 for the broker's default."),
            factor("offset.storage.replication.factor", "Replication factor it is created with; -1 for the broker's default."),
            topic("status.storage.topic", "Compacted topic for statuses; the same for all workers of a group."),
            partitions("status.storage.partitions", "5", "Partitions it is created with; -1 for the broker's default."),
            factor("status.storage.replication.factor", "Replication factor it is created with; -1 for the broker's default."),
            key("plugin.storage.topic", Type::String)
                .importance(Importance::Low)
                .doc("Our own: compacted topic of one partition for uploaded components, beside one of the same name with `-chunks`. Where none is given, the topic for configurations with `-plugins`."),
            key("plugin.storage.replication.factor", Type::Short)
                .importance(Importance::Low)
                .check(Check::AtLeast(-1))
                .doc("Our own: replication factor it is created with; that of the topic for configurations where none is given."),
            key("secret.storage.topic", Type::String)
                .importance(Importance::Low)
                .doc("Our own: compacted topic of one partition for secrets, which are sealed; only where `secrets.key.file` is given. Where none is given, the topic for configurations with `-secrets`."),
            key("secret.storage.replication.factor", Type::Short)
                .importance(Importance::Low)
                .check(Check::AtLeast(-1))
                .doc("Our own: replication factor it is created with; that of the topic for configurations where none is given."),
        ]
    }

    /// Reads the settings `{config,offset,status,plugin,secret}.storage.*` of a worker.
    ///
    /// Errors: `Config`, in the words of Kafka's `ConfigDef`.
    pub fn from_settings(settings: &Settings) -> Result<Self> {
        let config = Store { settings, prefix: "config.storage.", setting: "config.storage.topic" };
        let offset = Store { settings, prefix: "offset.storage.", setting: "offset.storage.topic" };
        let status = Store { settings, prefix: "status.storage.", setting: "status.storage.topic" };
        let config = config.topic("connector configurations", Partitions::One)?;
        let plugin = Store { settings, prefix: "plugin.storage.", setting: "plugin.storage.topic" };
        let plugin = plugin.beside(&config, "-plugins", "uploaded components")?;
        let plugin_chunks =
            InternalTopic { name: format!("{}-chunks", plugin.name), ..plugin.clone() };
        let secret = Store { settings, prefix: "secret.storage.", setting: "secret.storage.topic" };
        Ok(Self {
            secret: secret.beside(&config, "-secrets", "secrets")?,
            config,
            offset: offset.topic("source connector offsets", Partitions::Or(OFFSET_PARTITIONS))?,
            status: status.topic("statuses", Partitions::Or(STATUS_PARTITIONS))?,
            plugin,
            plugin_chunks,
        })
    }

    /// Names of all of them.
    pub fn names(&self) -> Vec<&str> {
        let Self { config, offset, status, plugin, plugin_chunks, secret } = self;
        let all = [config, offset, status, plugin, plugin_chunks, secret];
        all.map(|topic| topic.name.as_str()).to_vec()
    }
}

enum Partitions {
    One,
    Or(i32),
}

struct Store<'a> {
    settings: &'a Settings,
    prefix: &'static str,
    setting: &'static str,
}

impl Store<'_> {
    fn topic(&self, contents: &'static str, partitions: Partitions) -> Result<InternalTopic> {
        let name = self.settings.get(self.setting).map(str::trim).unwrap_or_default();
        if name.is_empty() {
            let setting = self.setting;
            return Err(Error::Config(format!(
                "Missing required configuration \"{setting}\" which has no default value."
            )));
        }
        self.named(name.to_owned(), contents, partitions)
    }

    /// One that a file written for Kafka Connect does not name: what suits the topic for configurations suits it.
    fn beside(
        &self,
        config: &InternalTopic,
        suffix: &str,
        contents: &'static str,
    ) -> Result<InternalTopic> {
        let own = self.settings.get(self.setting).map(str::to_owned);
        let name = own.unwrap_or_else(|| format!("{}{suffix}", config.name));
        let mut topic = self.named(name, contents, Partitions::One)?;
        if self.settings.get(&topic.replication_setting).is_none() {
            topic.replication_factor = config.replication_factor;
            topic.replication_setting.clone_from(&config.replication_setting);
        }
        Ok(topic)
    }

    fn named(
        &self,
        name: String,
        contents: &'static str,
        partitions: Partitions,
    ) -> Result<InternalTopic> {
        let own = ["topic", "partitions", "replication.factor", "cleanup.policy"];
        let settings = self.settings.with_prefix(self.prefix);
        let is_single = matches!(partitions, Partitions::One);
        Ok(InternalTopic {
            name,
            setting: self.setting,
            contents,
            partitions: match partitions {
                Partitions::One => 1,
                Partitions::Or(default) => self.count("partitions", default)?,
            },
            replication_factor: self.count("replication.factor", REPLICATION_FACTOR)?,
            replication_setting: format!("{}replication.factor", self.prefix),
            is_single,
            settings: settings
                .iter()
                .filter(|(name, _)| !own.contains(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .chain([("cleanup.policy".to_owned(), "compact".to_owned())])
                .collect(),
        })
    }

    /// A positive number, or -1 for the broker's default.
    fn count<N>(&self, setting: &str, default: N) -> Result<N>
    where
        N: std::str::FromStr + PartialOrd + From<i8> + Copy,
    {
        let name = format!("{}{setting}", self.prefix);
        let Some(text) = self.settings.get(&name) else { return Ok(default) };
        let invalid =
            |why| Error::Config(format!("Invalid value {text} for configuration {name}: {why}"));
        let count = text.trim().parse::<N>().map_err(|_| invalid("Not a number of type INT"))?;
        if count == N::from(-1) || count >= N::from(1) {
            return Ok(count);
        }
        Err(invalid(
            "Value must be -1 to use the broker's default, or a positive number greater than 0",
        ))
    }
}

/// Opens the internal topics on Kafka.
#[derive(Clone)]
pub struct KafkaJournals {
    clients: LogClients,
    admin: Admin,
}

impl KafkaJournals {
    /// With these clients.
    pub fn new(clients: LogClients, admin: Admin) -> Self {
        Self { clients, admin }
    }

    /// Checks a topic, its partitions and that it is compacted.
    async fn verify(&self, topic: &InternalTopic, partitions: i32) -> Result<()> {
        if topic.is_single && partitions != 1 {
            return Err(Error::Config(format!(
                "Topic '{}' supplied via the '{}' property is required to have a single partition in order to guarantee consistency of {}, but found {partitions} partitions.",
                topic.name, topic.setting, topic.contents
            )));
        }
        let settings = match self.admin.topic_settings(&topic.name).await {
            Ok(settings) => settings,
            // A broker may forbid describing what it lets one write: Kafka Connect goes on, and so do we.
            Err(
                error @ (tombolo_kafka::Error::Authorization { .. }
                | tombolo_kafka::Error::Refused { .. }),
            ) => {
                tracing::info!(topic = topic.name, %error, "cannot check the topic's cleanup.policy; it must be 'compact'");
                return Ok(());
            }
            // It was read just now: another broker has not heard yet that it was made, and with which settings is known.
            Err(tombolo_kafka::Error::UnknownTopic { .. }) => return Ok(()),
            Err(error) => return Err(failed("describing", topic, error)),
        };
        let policy = settings.iter().find(|(name, _)| name == "cleanup.policy");
        match policy {
            Some((_, policy)) if policy.trim() != "compact" => Err(Error::Config(format!(
                "Topic '{}' supplied via the '{}' property is required to have 'cleanup.policy=compact' to guarantee consistency and durability of {}, but found the topic currently has 'cleanup.policy={policy}'. Continuing would likely result in eventually losing {} and problems restarting this Connect cluster in the future. Change the '{}' property in the Connect worker configurations to use a topic with 'cleanup.policy=compact'.",
                topic.name, topic.setting, topic.contents, topic.contents, topic.setting
            ))),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Journals for KafkaJournals {
    async fn open(&self, topic: &InternalTopic, reader: Reader) -> Result<Arc<dyn Journal>> {
        let new = NewTopic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            settings: topic.settings.clone(),
        };
        let log =
            Log::open(&self.clients, &new, reader).await.map_err(|error| creation(topic, error))?;
        self.verify(topic, log.partitions()).await?;
        Ok(Arc::new(KafkaJournal { log, topic: topic.clone() }))
    }
}

/// A replication factor above the number of brokers is the usual reason for a topic that cannot be created: say what to change.
fn creation(topic: &InternalTopic, error: tombolo_kafka::Error) -> Error {
    match &error {
        tombolo_kafka::Error::Refused { code, reason } if code == "INVALID_REPLICATION_FACTOR" => {
            Error::Config(format!(
                "Unable to create topic '{}' with replication factor {}: {reason}. Set '{}' to at most the number of brokers, or to -1 for the broker's default.",
                topic.name, topic.replication_factor, topic.replication_setting
            ))
        }
        _ => failed("opening", topic, error),
    }
}

fn failed(doing: &'static str, topic: &InternalTopic, error: tombolo_kafka::Error) -> Error {
    Error::Topic { doing, topic: topic.name.clone(), source: error.into() }
}

struct KafkaJournal {
    log: Log,
    topic: InternalTopic,
}

impl KafkaJournal {
    async fn within<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = std::result::Result<T, tombolo_kafka::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(READ_WRITE_TIMEOUT, work).await {
            Ok(done) => done.map_err(|error| failed(doing, &self.topic, error)),
            Err(_) => Err(Error::Timeout {
                doing,
                topic: self.topic.name.clone(),
                waited: READ_WRITE_TIMEOUT,
            }),
        }
    }
}

#[async_trait]
impl Journal for KafkaJournal {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let records: Vec<_> =
            entries.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        self.within("writing to", self.log.append(&records)).await
    }

    async fn read_to_end(&self) -> Result<()> {
        self.within("reading to the end of", self.log.read_to_end()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_definitions() {
        let mut settings: Settings = ["config", "offset", "status"]
            .map(|kind| (format!("{kind}.storage.topic"), kind.to_owned()))
            .into_iter()
            .collect();
        let plain = InternalTopics::from_settings(&settings).unwrap();
        for key in InternalTopics::definitions() {
            if let Some(default) = key.default {
                settings.insert(key.name, default);
            }
        }
        assert_eq!(InternalTopics::from_settings(&settings).unwrap(), plain);
    }
}
