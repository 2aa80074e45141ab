//! The topics that the worker keeps its own state in, and what no connector may do with them.
//!
//! What a connector wrote there would be taken for what the worker wrote: connectors, offsets, statuses, components, secrets. Names count, whichever
//! cluster a connector's clients are in. Not here: what is in them (`store`), and a source's records, which are looked at one batch after another
//! (`source_task`).
//!
//! Kafka Connect has nothing like it.

use tombolo_model::Settings;
use tombolo_store::InternalTopics;

use crate::connector_config::{ConfigError, ConnectorConfig, RoleConfig, SinkTopics};

/// What a connector does with a topic that one of its settings names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It writes what it cannot process.
    DeadLetters,
    /// It keeps its offsets as a source.
    Offsets,
    /// It reads its records as a sink.
    Records,
}

impl Use {
    /// The setting that names the topic.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Self::DeadLetters => "errors.deadletterqueue.topic.name",
            Self::Offsets => "offsets.storage.topic",
            Self::Records => "topics",
        }
    }

    /// What is expected instead.
    fn expected(self) -> &'static str {
        match self {
            Self::DeadLetters => {
                "it is an internal topic of the worker, to which no connector may write; expected any other topic"
            }
            Self::Offsets => {
                "it is an internal topic of the worker, to which no connector may write; expected the worker's topic for offsets, or any other topic"
            }
            Self::Records => {
                "it is the worker's internal topic for secrets, which no connector may read; expected any other topic"
            }
        }
    }
}

/// The topics that a worker keeps its own state in; none of a worker that stands alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnTopics {
    offset: Option<String>,
    secret: Option<String>,
    /// Configurations, statuses, components.
    others: Vec<String>,
}

impl OwnTopics {
    /// Those that a worker's settings name.
    pub(crate) fn of(worker: &Settings) -> Self {
        let Ok(topics) = InternalTopics::from_settings(worker) else { return Self::default() };
        let InternalTopics { config, offset, status, plugin, plugin_chunks, secret } = topics;
        Self {
            offset: Some(offset.name),
            secret: Some(secret.name),
            others: [config, status, plugin, plugin_chunks].map(|topic| topic.name).into(),
        }
    }

    /// Whether a topic is one of them.
    ///
    /// Cost: a comparison for each of them.
    pub(crate) fn has(&self, topic: &str) -> bool {
        self.offset.as_deref() == Some(topic) || self.has_more_than_offsets_in(topic)
    }

    /// Whether a topic is the one for secrets. They are sealed there, but how many there are, and when which of them changed, is nobody's business.
    pub(crate) fn is_for_secrets(&self, topic: &str) -> bool {
        self.secret.as_deref() == Some(topic)
    }

    /// Why a connector may not use a topic so; none where it may.
    ///
    /// A source that names the worker's own topic for offsets has the worker's store, as in Kafka Connect.
    pub(crate) fn refusal(&self, how: Use, topic: &str) -> Option<ConfigError> {
        let topic = topic.trim();
        let is_refused = match how {
            Use::DeadLetters => self.has(topic),
            Use::Offsets => self.has_more_than_offsets_in(topic),
            Use::Records => self.is_for_secrets(topic),
        };
        let (setting, expected) = (how.setting(), how.expected());
        is_refused.then(|| ConfigError {
            key: setting.to_owned(),
            message: format!("Invalid value {topic} for configuration {setting}: {expected}"),
        })
    }

    /// Holds a connector's settings to all of it.
    ///
    /// Errors: the first setting that names a topic which it may not.
    pub(crate) fn check(&self, config: &ConnectorConfig) -> Result<(), ConfigError> {
        let mut used: Vec<(Use, &str)> = Vec::new();
        let queue = match &config.role {
            RoleConfig::Sink(sink) => {
                if let SinkTopics::Names(names) = &sink.topics {
                    used.extend(names.iter().map(|name| (Use::Records, name.as_str())));
                }
                &sink.dead_letter_queue
            }
            RoleConfig::Source(source) => {
                used.extend(source.offsets_topic.iter().map(|name| (Use::Offsets, name.as_str())));
                &source.dead_letter_queue
            }
        };
        used.extend(queue.iter().map(|queue| (Use::DeadLetters, queue.topic.as_str())));
        let refused = used.into_iter().find_map(|(how, topic)| self.refusal(how, topic));
        refused.map_or(Ok(()), Err)
    }

    fn has_more_than_offsets_in(&self, topic: &str) -> bool {
        self.is_for_secrets(topic) || self.others.iter().any(|own| own == topic)
    }
}

#[cfg(test)]
mod tests {
    use tombolo_model::plugin::PluginKind;

    use super::*;

    /// Where each kind of state is.
    const OWN: [&str; 6] = ["c", "o", "s", "p", "p-chunks", "c-secrets"];

    fn own() -> OwnTopics {
        let settings = [
            ("config.storage.topic", "c"),
            ("offset.storage.topic", "o"),
            ("status.storage.topic", "s"),
            ("plugin.storage.topic", "p"),
        ];
        OwnTopics::of(&settings.into_iter().collect())
    }

    #[test]
    fn every_topic_that_the_worker_keeps_its_state_in_is_known() {
        let settings: Settings = ["config", "offset", "status"]
            .map(|of| (format!("{of}.storage.topic"), of))
            .into_iter()
            .collect();
        let own = OwnTopics::of(&settings);
        let topics = InternalTopics::from_settings(&settings).unwrap();
        assert!(topics.names().into_iter().all(|name| own.has(name)), "{own:?}");
        assert!(!own.has("orders") && !OwnTopics::of(&Settings::default()).has("config"));
    }

    #[test]
    fn each_use_of_each_topic_is_refused_or_allowed() {
        let check = |how: Use, allowed: &[&str]| {
            let own = own();
            let free = OWN.into_iter().filter(|topic| own.refusal(how, topic).is_none());
            assert_eq!(free.collect::<Vec<_>>(), allowed, "{how:?}");
            assert_eq!(own.refusal(how, "orders"), None, "{how:?}");
        };
        check(Use::DeadLetters, &[]);
        check(Use::Offsets, &["o"]);
        check(Use::Records, &["c", "o", "s", "p", "p-chunks"]);
    }

    #[test]
    fn a_connector_is_told_the_first_setting_that_names_a_topic_which_it_may_not() {
        let check = |kind: PluginKind, settings: &[(&str, &str)], wrong: Option<&str>| {
            let named = [("name", "x"), ("connector.class", "X")];
            let config: Settings = named.iter().chain(settings).copied().collect();
            let config = ConnectorConfig::from_settings(&config, kind).unwrap();
            let refused = own().check(&config).err().map(|error| error.key);
            assert_eq!(refused.as_deref(), wrong, "{settings:?}");
        };
        let [dead, offsets, records] =
            [Use::DeadLetters, Use::Offsets, Use::Records].map(Use::setting);
        check(PluginKind::Sink, &[(records, "a"), (dead, " c ")], Some(dead));
        check(PluginKind::Sink, &[(records, "a, c-secrets")], Some(records));
        check(PluginKind::Sink, &[(records, "a, c"), (dead, "b")], None);
        check(PluginKind::Sink, &[("topics.regex", ".*")], None);
        check(PluginKind::Source, &[(dead, "o")], Some(dead));
        check(PluginKind::Source, &[(offsets, "s")], Some(offsets));
        check(PluginKind::Source, &[(offsets, "o"), (dead, "b")], None);
    }
}
