//! From text to a connector's configuration.
//!
//! Not here: complaints about every setting at once (`validation`).

use std::time::Duration;

use tombolo_model::config_def::Type;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{CpuLimits, Limits};
use tombolo_model::{ConnectorName, Settings};

use super::{
    ConfigError, ConnectorConfig, DeadLetterQueueConfig, ErrorsConfig, PluginConfig,
    PredicateConfig, RestartConfig, RoleConfig, SinkConfig, SinkTopics, SourceConfig, Tolerance,
    TransformationConfig, definitions, egress, topic_creation,
};
use crate::pattern::Pattern;

pub(super) fn connector(
    settings: &Settings,
    kind: PluginKind,
) -> Result<ConnectorConfig, ConfigError> {
    let role = match kind {
        PluginKind::Sink => RoleConfig::Sink(sink(settings)?),
        _ => RoleConfig::Source(SourceConfig {
            topic_creation: topic_creation::groups(settings)?,
            offsets_topic: settings.get("offsets.storage.topic").map(str::to_owned),
            dead_letter_queue: dead_letter_queue(settings)?,
            inflight_bytes_max: number(settings, definitions::INFLIGHT_BYTES_MAX)?,
            topics_max: number(settings, definitions::TOPICS_MAX)?,
        }),
    };
    Ok(ConnectorConfig {
        name: ConnectorName::new(required(settings, "name")?.trim()),
        class: required(settings, "connector.class")?.to_owned(),
        version: version(settings, "connector.plugin.version"),
        tasks_max: number(settings, "tasks.max")?,
        tasks_max_enforce: boolean(settings, "tasks.max.enforce", true)?,
        key_converter: plugin(settings, "key.converter"),
        value_converter: plugin(settings, "value.converter"),
        header_converter: plugin(settings, "header.converter"),
        transformations: transformations(settings)?,
        errors: errors(settings)?,
        limits: limits(settings)?,
        restart: restart(settings)?,
        egress: egress::read(settings)?,
        producer_override: settings.with_prefix("producer.override."),
        consumer_override: settings.with_prefix("consumer.override."),
        admin_override: settings.with_prefix("admin.override."),
        role,
    })
}

/// The plugin that the setting `key` names, with the settings below it; none where it is not set.
pub(crate) fn plugin(settings: &Settings, key: &str) -> Option<PluginConfig> {
    let class = settings.get(key).map(str::trim).filter(|class| !class.is_empty())?;
    let mut own = settings.with_prefix(&format!("{key}."));
    own.remove("plugin.version");
    Some(PluginConfig {
        class: class.to_owned(),
        version: version(settings, &format!("{key}.plugin.version")),
        settings: own,
    })
}

fn sink(settings: &Settings) -> Result<SinkConfig, ConfigError> {
    let names = list(settings, "topics");
    let topics = match settings.get("topics.regex").filter(|regex| !regex.is_empty()) {
        Some(_) if !names.is_empty() => {
            return Err(wrong("topics.regex", definitions::BOTH_TOPICS));
        }
        Some(regex) => SinkTopics::Pattern(pattern("topics.regex", regex)?),
        None if names.is_empty() => return Err(wrong("topics", definitions::NO_TOPICS)),
        None => SinkTopics::Names(names),
    };
    Ok(SinkConfig { topics, dead_letter_queue: dead_letter_queue(settings)? })
}

fn dead_letter_queue(settings: &Settings) -> Result<Option<DeadLetterQueueConfig>, ConfigError> {
    let queue = "errors.deadletterqueue";
    let factor = format!("{queue}.topic.replication.factor");
    Ok(match settings.get(&format!("{queue}.topic.name")) {
        Some(topic) if !topic.trim().is_empty() => Some(DeadLetterQueueConfig {
            topic: topic.trim().to_owned(),
            replication_factor: number(settings, &factor)?,
            context_headers: boolean(settings, &format!("{queue}.context.headers.enable"), false)?,
        }),
        _ => None,
    })
}

fn transformations(settings: &Settings) -> Result<Vec<TransformationConfig>, ConfigError> {
    list(settings, "transforms")
        .into_iter()
        .map(|alias| {
            let prefix = format!("transforms.{alias}.");
            let mut own = settings.with_prefix(&prefix);
            let class = required(settings, &format!("{prefix}type"))?.to_owned();
            let version = version(settings, &format!("{prefix}plugin.version"));
            let predicate = match own.get("predicate") {
                None => None,
                Some(predicate) => Some(self::predicate(settings, &prefix, predicate)?),
            };
            for key in ["type", "predicate", "negate", "plugin.version"] {
                own.remove(key);
            }
            let plugin = PluginConfig { class, version, settings: own };
            Ok(TransformationConfig { alias, plugin, predicate })
        })
        .collect()
}

fn predicate(
    settings: &Settings,
    transformation: &str,
    alias: &str,
) -> Result<PredicateConfig, ConfigError> {
    let prefix = format!("predicates.{alias}.");
    let mut own = settings.with_prefix(&prefix);
    let class = required(settings, &format!("{prefix}type"))?.to_owned();
    let version = version(settings, &format!("{prefix}plugin.version"));
    for key in ["type", "plugin.version"] {
        own.remove(key);
    }
    Ok(PredicateConfig {
        alias: alias.to_owned(),
        plugin: PluginConfig { class, version, settings: own },
        negate: boolean(settings, &format!("{transformation}negate"), false)?,
    })
}

fn errors(settings: &Settings) -> Result<ErrorsConfig, ConfigError> {
    let timeout = int(settings, "errors.retry.timeout", Some(0))?;
    let tolerance = match settings.get("errors.tolerance").unwrap_or("none") {
        "none" => Tolerance::None,
        "all" => Tolerance::All,
        other => {
            let why = "String must be one of: none, all";
            return Err(invalid("errors.tolerance", other, why));
        }
    };
    Ok(ErrorsConfig {
        retry_timeout: u64::try_from(timeout).ok().map(Duration::from_millis),
        retry_delay_max: Duration::from_millis(number(settings, "errors.retry.delay.max.ms")?),
        tolerance,
        poison_rows_max: number(settings, definitions::POISON_ROWS_MAX)?,
        log: boolean(settings, "errors.log.enable", false)?,
        log_messages: boolean(settings, "errors.log.include.messages", false)?,
    })
}

pub(super) fn limits(settings: &Settings) -> Result<Limits, ConfigError> {
    Ok(Limits {
        memory_max: number(settings, definitions::MEMORY_MAX)?,
        call_timeout: Duration::from_millis(number(settings, definitions::CALL_TIMEOUT)?),
        batch_bytes_max: number(settings, definitions::BATCH_BYTES_MAX)?,
        log_bytes_per_second: number::<u64>(settings, definitions::LOG_RATE)?
            .try_into()
            .unwrap_or(u32::MAX),
        memory_total_max: settings
            .contains(definitions::MEMORY_TOTAL_MAX)
            .then(|| number(settings, definitions::MEMORY_TOTAL_MAX))
            .transpose()?,
        recycle_percent: number(settings, definitions::MEMORY_RECYCLE)?,
        cpu: CpuLimits {
            max_millicores: cores(settings, definitions::CPU_MAX)?,
            burst: Duration::from_millis(number(settings, definitions::CPU_BURST)?),
            weight: number(settings, definitions::CPU_WEIGHT)?,
        },
    })
}

fn restart(settings: &Settings) -> Result<RestartConfig, ConfigError> {
    let time = |key| number(settings, key).map(Duration::from_millis);
    Ok(RestartConfig {
        max: number(settings, definitions::RESTART_MAX)?,
        window: time(definitions::RESTART_WINDOW)?,
        backoff: time(definitions::RESTART_BACKOFF)?,
        backoff_max: time(definitions::RESTART_BACKOFF_MAX)?,
    })
}

/// Thousandths of cores, of a setting with a definition of ours, held to it; none where it is not set.
fn cores(settings: &Settings, key: &str) -> Result<Option<u32>, ConfigError> {
    let Some(text) = settings.get(key) else { return Ok(None) };
    if let Some(message) = definitions::find(key).and_then(|definition| definition.error(text)) {
        return Err(ConfigError { key: key.to_owned(), message });
    }
    let cores: f64 = text.trim().parse().map_err(|_| invalid(key, text, "Not a number"))?;
    let millicores = (cores * 1_000.0).round().clamp(1.0, f64::from(u32::MAX));
    Ok(Some(millicores as u32))
}

/// Texts with commas between, trimmed.
pub(super) fn list(settings: &Settings, key: &str) -> Vec<String> {
    let text = settings.get(key).unwrap_or_default();
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

pub(super) fn pattern(key: &str, text: &str) -> Result<Pattern, ConfigError> {
    Pattern::new(text).map_err(|why| invalid(key, text, &why))
}

/// An integer; `default` where it is not set, and an error where there is none.
pub(super) fn int(
    settings: &Settings,
    key: &str,
    default: Option<i64>,
) -> Result<i64, ConfigError> {
    match (settings.get(key), default) {
        (None, Some(default)) => Ok(default),
        (None, None) => Err(missing(key)),
        (Some(text), _) => {
            text.trim().parse().map_err(|_| invalid(key, text, "Not a number of type LONG"))
        }
    }
}

/// A number of a setting with a definition of ours, held to it.
fn number<N: TryFrom<i64>>(settings: &Settings, key: &str) -> Result<N, ConfigError> {
    let definition = definitions::find(key);
    let default = definition.as_ref().and_then(|definition| definition.default.as_deref());
    let text = settings.get(key).or(default).unwrap_or_default();
    if let Some(message) = definition.as_ref().and_then(|definition| definition.error(text)) {
        return Err(ConfigError { key: key.to_owned(), message });
    }
    let number = text.trim().parse::<i64>().ok().and_then(|number| N::try_from(number).ok());
    number.ok_or_else(|| invalid(key, text, "Value is out of range"))
}

fn boolean(settings: &Settings, key: &str, default: bool) -> Result<bool, ConfigError> {
    let Some(text) = settings.get(key) else { return Ok(default) };
    Type::Boolean.check(text).map_err(|why| invalid(key, text, why))?;
    Ok(text.trim().eq_ignore_ascii_case("true"))
}

fn required<'a>(settings: &'a Settings, key: &str) -> Result<&'a str, ConfigError> {
    settings.get(key).ok_or_else(|| missing(key))
}

/// The version a setting asks for; none for the newest.
fn version(settings: &Settings, key: &str) -> Option<String> {
    settings.get(key).filter(|version| *version != "latest").map(str::to_owned)
}

pub(super) fn missing(key: &str) -> ConfigError {
    wrong(key, &format!("Missing required configuration \"{key}\" which has no default value."))
}

pub(super) fn invalid(key: &str, value: &str, why: &str) -> ConfigError {
    wrong(key, &format!("Invalid value {value} for configuration {key}: {why}"))
}

pub(super) fn wrong(key: &str, message: &str) -> ConfigError {
    ConfigError { key: key.to_owned(), message: message.to_owned() }
}
