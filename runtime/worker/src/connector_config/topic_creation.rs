//! Groups of topics that a source may create, and with which settings.
//!
//! Not here: creating them.

use tombolo_model::Settings;

use super::ConfigError;
use super::read::{int, list, pattern};
use crate::pattern::Pattern;

/// Topics that are created alike.
///
/// Follows `TopicCreationConfig` of Kafka Connect.
#[derive(Clone, Debug)]
pub struct TopicCreationGroup {
    /// Its name.
    pub name: String,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// Copies of each partition; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// Partitions; -1 leaves it to the broker.
    pub partitions: i32,
    /// Topic-level settings.
    pub settings: Settings,
}

/// Setting that lists the groups.
pub const GROUPS: &str = "topic.creation.groups";

/// The group that every other topic is in.
pub const DEFAULT_GROUP: &str = "default";

impl TopicCreationGroup {
    /// Whether a topic is in this group.
    pub fn holds(&self, topic: &str) -> bool {
        self.include.iter().any(|pattern| pattern.is_match(topic))
            && !self.exclude.iter().any(|pattern| pattern.is_match(topic))
    }
}

/// Reads the groups, the default one last; none where no `topic.creation.*` setting is given.
pub(crate) fn groups(settings: &Settings) -> Result<Vec<TopicCreationGroup>, ConfigError> {
    let names = list(settings, GROUPS);
    let wanted = settings.iter().any(|(name, _)| name.starts_with("topic.creation.default."));
    if names.is_empty() && !wanted {
        return Ok(Vec::new());
    }
    let default = group(settings, DEFAULT_GROUP, None)?;
    let mut groups = Vec::with_capacity(names.len() + 1);
    for name in names.iter().filter(|name| *name != DEFAULT_GROUP) {
        groups.push(group(settings, name, Some(&default))?);
    }
    groups.push(default);
    Ok(groups)
}

fn group(
    settings: &Settings,
    name: &str,
    default: Option<&TopicCreationGroup>,
) -> Result<TopicCreationGroup, ConfigError> {
    let prefix = format!("topic.creation.{name}.");
    let mut own = settings.with_prefix(&prefix);
    let patterns = |key: &str| -> Result<Vec<Pattern>, ConfigError> {
        let full = format!("{prefix}{key}");
        list(settings, &full).iter().map(|text| pattern(&full, text)).collect()
    };
    let (include, exclude) = match default {
        Some(_) => (patterns("include")?, patterns("exclude")?),
        None => (vec![pattern(&prefix, ".*")?], Vec::new()),
    };
    let replication_factor = match default {
        Some(default) if !own.contains("replication.factor") => default.replication_factor,
        _ => count(settings, &format!("{prefix}replication.factor"))?,
    };
    let partitions = match default {
        Some(default) if !own.contains("partitions") => default.partitions,
        _ => count(settings, &format!("{prefix}partitions"))?,
    };
    for key in ["include", "exclude", "replication.factor", "partitions"] {
        own.remove(key);
    }
    Ok(TopicCreationGroup {
        name: name.to_owned(),
        include,
        exclude,
        replication_factor,
        partitions,
        settings: own,
    })
}

/// A positive number, or -1.
fn count<N: TryFrom<i64>>(settings: &Settings, key: &str) -> Result<N, ConfigError> {
    let number = int(settings, key, None)?;
    N::try_from(number).ok().filter(|_| number >= 1 || number == -1).ok_or_else(|| ConfigError {
        key: key.to_owned(),
        message: format!(
            "Invalid value {number} for configuration {key}: Value must be positive, or -1 to use the broker's default"
        ),
    })
}
