//! Topics that a connector's settings name: which a sink reads, and which are the worker's own.
//!
//! Not here: groups of topics to create, and the same for a connector that starts (`own_topics`).

use tombolo_model::Settings;
use tombolo_model::plugin::PluginKind;

use super::listed;
use super::section::Section;
use crate::connector_config::definitions;
use crate::own_topics::{OwnTopics, Use};
use crate::pattern::Pattern;

/// No connector writes to the topics that the worker keeps its own state in, and none reads its secrets: a complaint for each setting.
pub(super) fn own(all: &mut Section, own: &OwnTopics, kind: PluginKind, config: &Settings) {
    let uses = match kind {
        PluginKind::Sink => [Use::DeadLetters, Use::Records],
        _ => [Use::DeadLetters, Use::Offsets],
    };
    for how in uses {
        let setting = how.setting();
        let refused = match how {
            Use::Records => listed(config, setting).find_map(|topic| own.refusal(how, topic)),
            _ => config.get(setting).and_then(|topic| own.refusal(how, topic)),
        };
        if let Some(error) = refused {
            all.error(&error.key, error.message);
        }
    }
}

/// A sink reads topics or a pattern, and not its own dead letters. Follows `SinkConnectorConfig.validate` of Kafka Connect.
pub(super) fn of_sink(all: &mut Section, config: &Settings) {
    let mut names: Vec<&str> = Vec::new();
    for name in listed(config, "topics") {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let regex = config.get("topics.regex").filter(|regex| !regex.trim().is_empty());
    let both = match (names.is_empty(), regex) {
        (true, None) => Some(definitions::NO_TOPICS),
        (false, Some(_)) => Some(definitions::BOTH_TOPICS),
        _ => None,
    };
    if let Some(message) = both {
        all.error("topics", message);
        all.error("topics.regex", message);
    }
    let queue = config.get("errors.deadletterqueue.topic.name").map(str::trim);
    let queue = queue.filter(|topic| !topic.is_empty());
    if let Some(topic) = queue.filter(|topic| names.contains(topic)) {
        all.error("topics", format!(
            "The DLQ topic '{topic}' may not be included in the list of topics ('topics=[{}]') consumed by the connector",
            names.join(", ")
        ));
    }
    let Some(regex) = regex else { return };
    match (Pattern::new(regex), queue) {
        (Err(why), _) => all.error(
            "topics.regex",
            format!("Invalid value {regex} for configuration topics.regex: {why}"),
        ),
        (Ok(pattern), Some(topic)) if pattern.is_match(topic) => all.error("topics.regex", format!(
            "The DLQ topic '{topic}' may not be matched by the regex for the topics ('topics.regex={regex}') consumed by the connector"
        )),
        _ => {}
    }
}
