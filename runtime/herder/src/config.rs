//! Settings of the herder.
//!
//! Not here: settings of the worker, of the internal topics, of the REST API.

use tombolo_model::Settings;
use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, key};

/// Settings of the herder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HerderConfig {
    /// Whether the worker is one of a group.
    pub mode: Mode,
    /// Whether to keep which topics a connector uses. Setting `topic.tracking.enable`.
    pub is_tracking_topics: bool,
    /// Whether that may be forgotten on request. Setting `topic.tracking.allow.reset`.
    pub is_topic_reset_allowed: bool,
}

/// Whether a worker is one of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is. A change is answered once it is written and read back. Follows `DistributedHerder` of Kafka Connect.
    Distributed {
        /// The workers' own group. Setting `group.id`.
        group_id: String,
    },
    /// It stands alone. A new configuration is answered once its connector runs and has its tasks. Follows `StandaloneHerder`.
    Standalone,
}

impl HerderConfig {
    /// The settings read here; `topic.tracking.enable` is the worker's too, and defined there.
    pub fn definitions() -> Vec<ConfigKey> {
        vec![
            key("group.id", Type::String)
                .required()
                .check(Check::NonEmpty)
                .importance(Importance::High)
                .doc("Name of the group of workers. No sink's consumer group may have it. Not needed by a worker that stands alone."),
            key("topic.tracking.allow.reset", Type::Boolean)
                .default("true")
                .importance(Importance::Low)
                .doc("Whether the topics that a connector has used may be forgotten on request."),
        ]
    }

    /// Reads them from the settings of a worker in a group.
    ///
    /// Errors: a message in the words of Kafka's `ConfigDef`.
    pub fn distributed(settings: &Settings) -> Result<Self, String> {
        let group_id = settings.get("group.id").map(str::trim).unwrap_or_default();
        if group_id.is_empty() {
            return Err("Missing required configuration \"group.id\" which has no default value."
                .to_owned());
        }
        Self::read(settings, Mode::Distributed { group_id: group_id.to_owned() })
    }

    /// Reads them from the settings of a worker that stands alone.
    ///
    /// Errors: a message in the words of Kafka's `ConfigDef`.
    pub fn standalone(settings: &Settings) -> Result<Self, String> {
        Self::read(settings, Mode::Standalone)
    }

    fn read(settings: &Settings, mode: Mode) -> Result<Self, String> {
        let flag = |name: &str| match settings.get(name).map(str::trim) {
            None => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(format!(
                "Invalid value {text} for configuration {name}: Expected value to be either true or false"
            )),
        };
        Ok(Self {
            mode,
            is_tracking_topics: flag("topic.tracking.enable")?,
            is_topic_reset_allowed: flag("topic.tracking.allow.reset")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_definitions() {
        let mut settings: Settings = [("group.id", "g")].into_iter().collect();
        let plain = HerderConfig::distributed(&settings).unwrap();
        for key in HerderConfig::definitions() {
            if let Some(default) = key.default {
                settings.insert(key.name, default);
            }
        }
        assert_eq!(HerderConfig::distributed(&settings).unwrap(), plain);
    }
}
