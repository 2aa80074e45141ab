//! Ceilings: how much of each limit the connectors of a worker may ask for, by settings of the worker.
//!
//! A ceiling is named as the connector's setting with `.ceiling` behind. Who asks for more is refused; who asks for nothing gets the default, or the
//! ceiling where that is lower. Not here: the limits themselves (`definitions`).

use std::cmp::Ordering;

use tombolo_model::Settings;
use tombolo_model::config_def::{ConfigKey, Importance, Type, key};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;

use super::definitions::{
    self, BATCH_BYTES_MAX, CALL_TIMEOUT, CPU_BURST, CPU_MAX, CPU_WEIGHT, INFLIGHT_BYTES_MAX,
    LOG_RATE, MEMORY_MAX, MEMORY_TOTAL_MAX, TOPICS_MAX,
};
use super::{ConfigError, ConnectorConfig, read};

/// Settings that may have a ceiling, each with the ceiling's name and what it does.
const CEILINGS: [(&str, &str, &str); 10] = [
    (
        MEMORY_MAX,
        "sandbox.memory.max.ceiling",
        "Our own: most bytes that a connector may set sandbox.memory.max to; also what a component may need to start with. No ceiling where none is given; for strangers, 134217728 is a good start.",
    ),
    (
        MEMORY_TOTAL_MAX,
        "sandbox.memory.total.max.ceiling",
        "Our own: most bytes that a connector may set sandbox.memory.total.max to, and that it gets where it sets none. No ceiling where none is given; for strangers, 536870912 is a good start.",
    ),
    (
        CPU_MAX,
        "sandbox.cpu.max.ceiling",
        "Our own: most cores that a connector may set sandbox.cpu.max to, and that it gets where it sets none. No ceiling where none is given; for strangers, 0.2 is a good start.",
    ),
    (
        CPU_BURST,
        "sandbox.cpu.burst.ms.ceiling",
        "Our own: most milliseconds that a connector may set sandbox.cpu.burst.ms to. No ceiling where none is given; for strangers, 1000 is a good start.",
    ),
    (
        CPU_WEIGHT,
        "sandbox.cpu.weight.ceiling",
        "Our own: most that a connector may set sandbox.cpu.weight to. No ceiling where none is given; for strangers, 100 is a good start.",
    ),
    (
        CALL_TIMEOUT,
        "sandbox.call.timeout.ms.ceiling",
        "Our own: most milliseconds that a connector may set sandbox.call.timeout.ms to; also how long a plugin may take to list its classes and to check a configuration, which is 30000 where none is given. No ceiling where none is given; for strangers, 30000 is a good start.",
    ),
    (
        BATCH_BYTES_MAX,
        "sandbox.batch.bytes.max.ceiling",
        "Our own: most bytes that a connector may set sandbox.batch.bytes.max to. No ceiling where none is given; for strangers, 8388608 is a good start.",
    ),
    (
        LOG_RATE,
        "sandbox.log.rate.ceiling",
        "Our own: most bytes a second that a connector may set sandbox.log.rate to. No ceiling where none is given; for strangers, 65536 is a good start.",
    ),
    (
        INFLIGHT_BYTES_MAX,
        "task.inflight.bytes.max.ceiling",
        "Our own: most bytes that a connector may set task.inflight.bytes.max to. No ceiling where none is given; for strangers, 8388608 is a good start.",
    ),
    (
        TOPICS_MAX,
        "sandbox.topics.max.ceiling",
        "Our own: most topics that a connector may set sandbox.topics.max to, and that one source task writes to where it sets none. No ceiling where none is given; for strangers, 100 is a good start.",
    ),
];

/// The ceilings of a worker.
#[derive(Clone, Debug, Default)]
pub struct Ceilings(Vec<Ceiling>);

#[derive(Clone, Debug)]
struct Ceiling {
    /// What a connector sets.
    limit: &'static str,
    /// What the worker sets.
    name: &'static str,
    /// As the worker's setting has it.
    text: String,
}

impl Ceilings {
    /// The settings of a worker that are read here: each of the type of the limit, and checked as it is.
    pub fn definitions() -> Vec<ConfigKey> {
        let of = |(limit, name, doc)| {
            let limit = definitions::find(limit).unwrap_or(key(limit, Type::Long));
            key(name, limit.r#type).check(limit.check).importance(Importance::Medium).doc(doc)
        };
        CEILINGS.into_iter().map(of).collect()
    }

    /// Reads a worker's settings, which were held to their definitions.
    pub(crate) fn from_settings(worker: &Settings) -> Self {
        let set = CEILINGS.into_iter().filter_map(|(limit, name, _)| {
            Some(Ceiling { limit, name, text: worker.get(name)?.trim().to_owned() })
        });
        Self(set.collect())
    }

    /// What of a connector's settings is above a ceiling.
    pub(crate) fn errors(&self, connector: &Settings) -> Vec<ConfigError> {
        let above = self.0.iter().filter_map(|ceiling| {
            let value = connector.get(ceiling.limit)?;
            let Ceiling { limit, name, text } = ceiling;
            (order(value, text) == Some(Ordering::Greater)).then(|| ConfigError {
                key: (*limit).to_owned(),
                message: format!(
                    "Invalid value {value} for configuration {limit}: Value must be no more than {text}, which the worker allows ({name})"
                ),
            })
        });
        above.collect()
    }

    /// A connector's settings with ceilings in place of defaults that are above them.
    pub(crate) fn lower(&self, mut connector: Settings) -> Settings {
        for Ceiling { limit, text, .. } in &self.0 {
            let default = definitions::find(limit).and_then(|definition| definition.default);
            let is_below = default.is_some_and(|default| {
                matches!(order(&default, text), Some(Ordering::Less | Ordering::Equal))
            });
            if !connector.contains(limit) && !is_below {
                connector.insert(*limit, text.as_str());
            }
        }
        connector
    }

    /// Limits of a connector, which it has though its configuration cannot be used any more: then they are those of one that sets none.
    pub(crate) fn limits_of(&self, connector: &Settings, kind: PluginKind) -> Limits {
        let config = ConnectorConfig::under(self, connector, kind);
        // Ceilings are held to the definitions of what they bound.
        let of_none = || read::limits(&self.lower(Settings::default())).unwrap_or_default();
        config.map_or_else(|_| of_none(), |config| config.limits)
    }

    /// Limits of what runs for no connector, a plugin's catalog and its look at a configuration: those of one that sets none, but with as much
    /// memory and time as any may have.
    pub fn limits(&self) -> Limits {
        let is_asked = |ceiling: &&Ceiling| [MEMORY_MAX, CALL_TIMEOUT].contains(&ceiling.limit);
        let asked = self.0.iter().filter(is_asked);
        let asked: Settings = asked.map(|ceiling| (ceiling.limit, ceiling.text.as_str())).collect();
        // Ceilings are held to the definitions of what they bound.
        read::limits(&self.lower(asked)).unwrap_or_default()
    }
}

/// How two numbers compare; none where one is no number, of which others complain.
fn order(value: &str, ceiling: &str) -> Option<Ordering> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    number(value)?.partial_cmp(&number(ceiling)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::RoleConfig;
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().copied().collect()
    }

    fn ceilings(pairs: &[(&str, &str)]) -> Ceilings {
        Ceilings::from_settings(&settings(pairs))
    }

    #[test]
    fn every_ceiling_is_named_after_a_limit_and_checked_like_it() {
        for ((limit, name, _), definition) in CEILINGS.into_iter().zip(Ceilings::definitions()) {
            assert_eq!(format!("{limit}.ceiling"), name);
            let of = definitions::find(limit).unwrap();
            assert_eq!((definition.r#type, definition.check), (of.r#type, of.check));
        }
    }

    #[test]
    fn who_asks_for_more_is_told_the_key_the_value_the_ceiling_and_its_setting() {
        let ceilings =
            ceilings(&[("sandbox.memory.max.ceiling", "1000"), ("sandbox.cpu.max.ceiling", "0.2")]);
        assert_eq!(
            ceilings
                .errors(&settings(&[("sandbox.memory.max", "1000"), ("sandbox.cpu.max", "0.15")])),
            []
        );
        let errors = ceilings
            .errors(&settings(&[("sandbox.memory.max", "1001"), ("sandbox.cpu.max", "1.5")]));
        let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Invalid value 1001 for configuration sandbox.memory.max: Value must be no more than 1000, which the worker allows (sandbox.memory.max.ceiling)",
                "Invalid value 1.5 for configuration sandbox.cpu.max: Value must be no more than 0.2, which the worker allows (sandbox.cpu.max.ceiling)",
            ]
        );
        assert_eq!(errors[0].key, "sandbox.memory.max");
    }

    #[test]
    fn who_asks_for_nothing_gets_the_default_or_a_lower_ceiling() {
        let ceilings = ceilings(&[
            ("sandbox.cpu.max.ceiling", "0.2"),
            ("sandbox.call.timeout.ms.ceiling", "3000"),
            ("sandbox.memory.max.ceiling", "1073741824"),
        ]);
        let limits = read::limits(&ceilings.lower(Settings::default())).unwrap();
        let default = Limits::default();
        assert_eq!(limits.cpu.max_millicores, Some(200));
        assert_eq!(limits.call_timeout, Duration::from_secs(3));
        assert_eq!(limits.memory_max, default.memory_max);
        assert_eq!(Ceilings::default().limits(), default);
    }

    #[test]
    fn a_configuration_that_is_refused_now_has_the_limits_of_one_that_sets_none() {
        let ceilings = ceilings(&[
            ("sandbox.cpu.max.ceiling", "0.2"),
            ("sandbox.memory.max.ceiling", "1073741824"),
        ]);
        let limits = |memory: &str| {
            let base = [("name", "c"), ("connector.class", "C"), ("topics", "t")];
            let mut connector = settings(&base);
            connector.insert("sandbox.memory.max", memory);
            ceilings.limits_of(&connector, PluginKind::Sink)
        };
        assert_eq!(limits("1073741824").memory_max, 1 << 30);
        for refused in ["1073741825", "much"] {
            let limits = limits(refused);
            assert_eq!(limits.memory_max, Limits::default().memory_max);
            assert_eq!(limits.cpu.max_millicores, Some(200));
        }
    }

    #[test]
    fn topics_of_a_source_have_a_ceiling_as_well() {
        let ceilings = ceilings(&[("sandbox.topics.max.ceiling", "100")]);
        let topics = |more: &[(&str, &str)]| {
            let mut connector = settings(&[("name", "c"), ("connector.class", "C")]);
            more.iter().for_each(|(name, value)| drop(connector.insert(*name, *value)));
            let config = ConnectorConfig::under(&ceilings, &connector, PluginKind::Source)?;
            let RoleConfig::Source(source) = config.role else { panic!("no source") };
            Ok::<_, ConfigError>(source.topics_max)
        };
        assert_eq!(topics(&[]), Ok(100));
        assert_eq!(topics(&[("sandbox.topics.max", "7")]), Ok(7));
        assert_eq!(topics(&[("sandbox.topics.max", "101")]).unwrap_err().key, "sandbox.topics.max");
    }

    #[test]
    fn what_runs_for_no_connector_gets_as_much_memory_and_time_as_any_may_have() {
        let limits = |memory, millis| {
            let memory = ("sandbox.memory.max.ceiling", memory);
            ceilings(&[memory, ("sandbox.call.timeout.ms.ceiling", millis)]).limits()
        };
        let more = limits("1073741824", "60000");
        assert_eq!((more.memory_max, more.call_timeout), (1 << 30, Duration::from_secs(60)));
        let less = limits("65536", "500");
        assert_eq!((less.memory_max, less.call_timeout), (1 << 16, Duration::from_millis(500)));
    }
}
