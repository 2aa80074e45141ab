//! Settings of topics: which there are, their defaults, and what this broker makes of them. Those it has no use for
//! (replication, flushing) are accepted and kept, as clients send them along.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::log::compaction::Compaction;
use crate::log::produced::Demands;
use crate::log::retention::Retention;

/// A setting's type, with the code that the protocol has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// A setting of topics.
#[derive(Debug)]
pub(crate) struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub kind: Kind,
    /// Values allowed, where there are few.
    allowed: &'static [&'static str],
}

const fn setting(name: &'static str, default: &'static str, kind: Kind) -> Setting {
    Setting { name, default, kind, allowed: &[] }
}

const fn choice(name: &'static str, kind: Kind, allowed: &'static [&'static str]) -> Setting {
    let default = match allowed {
        [default, ..] => default,
        [] => "",
    };
    Setting { name, default, kind, allowed }
}

const FOR_EVER: &str = "9223372036854775807";

/// All settings with Kafka's defaults, in Kafka's alphabetical order.
pub(crate) const SETTINGS: &[Setting] = &[
    choice("cleanup.policy", Kind::List, &["delete", "compact"]),
    choice(
        "compression.type",
        Kind::Text,
        &["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"],
    ),
    setting("delete.retention.ms", "86400000", Kind::Long),
    setting("file.delete.delay.ms", "60000", Kind::Long),
    setting("flush.messages", FOR_EVER, Kind::Long),
    setting("flush.ms", FOR_EVER, Kind::Long),
    setting("index.interval.bytes", "4096", Kind::Int),
    setting("max.compaction.lag.ms", FOR_EVER, Kind::Long),
    setting("max.message.bytes", "1048588", Kind::Int),
    setting("message.timestamp.after.max.ms", "3600000", Kind::Long),
    setting("message.timestamp.before.max.ms", FOR_EVER, Kind::Long),
    choice("message.timestamp.type", Kind::Text, &["CreateTime", "LogAppendTime"]),
    setting("min.cleanable.dirty.ratio", "0.5", Kind::Double),
    setting("min.compaction.lag.ms", "0", Kind::Long),
    setting("min.insync.replicas", "1", Kind::Int),
    choice("preallocate", Kind::Boolean, &["false", "true"]),
    setting("retention.bytes", "-1", Kind::Long),
    setting("retention.ms", "604800000", Kind::Long),
    setting("segment.bytes", "1073741824", Kind::Int),
    setting("segment.index.bytes", "10485760", Kind::Int),
    setting("segment.jitter.ms", "0", Kind::Long),
    setting("segment.ms", "604800000", Kind::Long),
    choice("unclean.leader.election.enable", Kind::Boolean, &["false", "true"]),
];

/// The smallest segment, so that a mistaken setting does not make a file of every batch. Kafka's is 1 MiB since 4.0.
const SEGMENT_BYTES_MIN: i64 = 64 * 1024;

/// Settings of one topic that differ from the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TopicConfig(BTreeMap<String, String>);

/// A setting that is not one, or a value it cannot have. Clients read it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Invalid {
    #[error("Unknown topic config name: {0}")]
    Name(String),
    #[error("Invalid value {value} for configuration {name}")]
    Value { name: String, value: String },
}

impl TopicConfig {
    /// Takes settings from a client.
    pub(crate) fn new(settings: BTreeMap<String, String>) -> Result<Self, Invalid> {
        for (name, value) in &settings {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
                return Err(Invalid::Name(name.clone()));
            };
            if !setting.allows(value) {
                return Err(Invalid::Value { name: name.clone(), value: value.clone() });
            }
        }
        Ok(Self(settings))
    }

    /// The settings that were made.
    pub(crate) fn made(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The value of a setting, made or default. Empty for an unknown name.
    pub(crate) fn get(&self, name: &str) -> &str {
        let default = || SETTINGS.iter().find(|s| s.name == name).map_or("", |s| s.default);
        self.0.get(name).map_or_else(default, String::as_str)
    }

    /// `new` has seen to it that it is a number.
    fn long(&self, name: &str) -> i64 {
        self.get(name).trim().parse().unwrap_or(-1)
    }

    pub(crate) fn demands(&self) -> Demands {
        Demands {
            bytes_max: usize::try_from(self.long("max.message.bytes")).unwrap_or(0),
            keys: self.compaction().is_some(),
            log_append_time: self.get("message.timestamp.type") == "LogAppendTime",
        }
    }

    pub(crate) fn segment_bytes(&self) -> u64 {
        self.long("segment.bytes").max(SEGMENT_BYTES_MIN).unsigned_abs()
    }

    /// `None` when the cleanup policy does not delete.
    pub(crate) fn retention(&self) -> Option<Retention> {
        self.has_policy("delete").then(|| Retention {
            ms: self.long("retention.ms"),
            bytes: self.long("retention.bytes"),
        })
    }

    /// `None` when the cleanup policy does not compact.
    pub(crate) fn compaction(&self) -> Option<Compaction> {
        self.has_policy("compact").then(|| Compaction {
            min_dirty_ratio: self.get("min.cleanable.dirty.ratio").trim().parse().unwrap_or(0.5),
            min_lag_ms: self.long("min.compaction.lag.ms"),
            delete_retention_ms: self.long("delete.retention.ms"),
        })
    }

    fn has_policy(&self, policy: &str) -> bool {
        self.get("cleanup.policy").split(',').any(|one| one.trim() == policy)
    }
}

impl Setting {
    fn allows(&self, value: &str) -> bool {
        let value = value.trim();
        match self.kind {
            Kind::List => value.split(',').all(|one| self.allowed.contains(&one.trim())),
            Kind::Boolean | Kind::Text => self.allowed.contains(&value),
            Kind::Int => value.parse::<i32>().is_ok(),
            Kind::Long => value.parse::<i64>().is_ok(),
            Kind::Double => value.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Result<TopicConfig, Invalid> {
        TopicConfig::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn every_default_is_allowed_and_the_table_is_sorted() {
        for setting in SETTINGS {
            assert!(setting.allows(setting.default), "{}", setting.name);
        }
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
    }

    #[test]
    fn wrong_names_and_values_are_refused() {
        assert_eq!(config(&[("nonsense", "1")]), Err(Invalid::Name("nonsense".into())));
        for (name, value) in [
            ("retention.ms", "soon"),
            ("cleanup.policy", "shred"),
            ("cleanup.policy", ""),
            ("min.cleanable.dirty.ratio", "2"),
            ("max.message.bytes", "99999999999"),
            ("preallocate", "maybe"),
        ] {
            assert!(config(&[(name, value)]).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn policies_decide_what_happens_to_old_records() {
        let policy = |policy| {
            let config = config(&[("cleanup.policy", policy)]).unwrap();
            (config.retention().is_some(), config.compaction().is_some(), config.demands().keys)
        };
        assert_eq!(policy("delete"), (true, false, false));
        assert_eq!(policy("compact"), (false, true, true));
        assert_eq!(policy("compact, delete"), (true, true, true));
    }
}
