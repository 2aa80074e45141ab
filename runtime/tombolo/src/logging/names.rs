//! Which of our modules log what a logger of Kafka Connect logs.
//!
//! Not here: levels.

/// A logger of Kafka Connect, and where we log the same: prefixes of module paths.
type Known = (&'static str, &'static [&'static str]);

/// Loggers that people set, each after those above it. The page `docs/logging.md` shows this table.
pub(super) const KNOWN: &[Known] = &[
    ("org.apache.kafka.clients", &["tombolo_kafka", "librdkafka", "rdkafka"]),
    ("org.apache.kafka.clients.admin", &["tombolo_kafka::admin"]),
    ("org.apache.kafka.clients.consumer", &["tombolo_kafka::consumer"]),
    ("org.apache.kafka.clients.producer", &["tombolo_kafka::producer"]),
    (
        "org.apache.kafka.connect",
        &[
            "tombolo::",
            "tombolo_herder",
            "tombolo_rest",
            "tombolo_sandbox",
            "tombolo_store",
            "tombolo_worker",
            PLUGINS,
        ],
    ),
    ("org.apache.kafka.connect.cli", &["tombolo::"]),
    (
        "org.apache.kafka.connect.runtime",
        &["tombolo_worker", "tombolo_herder", "tombolo_rest", "tombolo_sandbox"],
    ),
    ("org.apache.kafka.connect.runtime.AbstractHerder", &["tombolo_herder::validation"]),
    ("org.apache.kafka.connect.runtime.AbstractWorkerSourceTask", &["tombolo_worker::source_task"]),
    ("org.apache.kafka.connect.runtime.Worker", &["tombolo_worker::worker"]),
    ("org.apache.kafka.connect.runtime.WorkerConnector", &["tombolo_worker::connector"]),
    ("org.apache.kafka.connect.runtime.WorkerSinkTask", &["tombolo_worker::sink_task"]),
    ("org.apache.kafka.connect.runtime.WorkerSourceTask", &["tombolo_worker::source_task"]),
    ("org.apache.kafka.connect.runtime.distributed.DistributedHerder", &["tombolo_herder"]),
    ("org.apache.kafka.connect.runtime.errors", &["tombolo_worker::tolerance"]),
    ("org.apache.kafka.connect.runtime.isolation", &["tombolo_sandbox"]),
    ("org.apache.kafka.connect.runtime.rest", &["tombolo_rest"]),
    ("org.apache.kafka.connect.runtime.standalone.StandaloneHerder", &["tombolo_herder"]),
    ("org.apache.kafka.connect.storage", &["tombolo_store"]),
    ("org.apache.kafka.connect.storage.KafkaConfigBackingStore", &["tombolo_store::config_store"]),
    ("org.apache.kafka.connect.storage.KafkaOffsetBackingStore", &["tombolo_store::offset_store"]),
    ("org.apache.kafka.connect.storage.KafkaStatusBackingStore", &["tombolo_store::status_store"]),
    ("org.apache.kafka.connect.util.KafkaBasedLog", &["tombolo_kafka::log"]),
    ("org.apache.kafka.connect.util.TopicAdmin", &["tombolo_kafka::admin"]),
];

/// Where plugins log.
pub(super) const PLUGINS: &str = "plugin";

/// What is below these in Java is the worker's own, not a plugin's.
const OWN: [&str; 6] = [
    "org.apache.kafka.clients",
    "org.apache.kafka.common",
    "org.apache.kafka.connect.cli",
    "org.apache.kafka.connect.runtime",
    "org.apache.kafka.connect.storage",
    "org.apache.kafka.connect.util",
];

/// What a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// The root of all.
    Root,
    /// Modules of ours, by the name of a logger of Kafka Connect.
    Known(&'static [&'static str]),
    /// A module of ours, by its own name.
    Module(&'a str),
    /// A class of Kafka Connect that has no counterpart here.
    Nothing,
    /// A class that is not the worker's: a plugin's.
    Plugin,
}

/// What a logger's name stands for.
pub(super) fn meaning(name: &str) -> Meaning<'_> {
    if name.is_empty() || name.eq_ignore_ascii_case("root") {
        return Meaning::Root;
    }
    if let Some((_, targets)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Meaning::Known(targets);
    }
    if name.contains("::") || name.starts_with("tombolo") || name == PLUGINS {
        return Meaning::Module(name);
    }
    match OWN.iter().any(|own| is_below(name, own)) {
        true => Meaning::Nothing,
        false => Meaning::Plugin,
    }
}

/// Whether a logger is another one, or below it.
pub(super) fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_module_that_a_logger_stands_for_is_there() {
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (name, targets) in KNOWN {
            for target in targets.iter().filter(|target| target.starts_with("tombolo")) {
                let (krate, module) = target.split_once("::").unwrap_or((target, ""));
                let folder = krate.strip_prefix("tombolo_").unwrap_or(krate);
                let module = if module.is_empty() { "." } else { module };
                let source = runtime.join(folder).join("src");
                let is_there =
                    source.join(module).is_dir() || source.join(format!("{module}.rs")).is_file();
                assert!(is_there, "{name} stands for {target}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_the_workers_is_a_plugins() {
        let check =
            |name: &str, expected: Meaning<'_>| assert_eq!(meaning(name), expected, "{name}");
        check("ROOT", Meaning::Root);
        check("tombolo_worker::sink_task", Meaning::Module("tombolo_worker::sink_task"));
        check("org.apache.kafka.connect.runtime.Herder", Meaning::Nothing);
        check("org.apache.kafka.connect.file.FileStreamSinkTask", Meaning::Plugin);
        check("io.example", Meaning::Plugin);
        check(
            "org.apache.kafka.connect.util.TopicAdmin",
            Meaning::Known(&["tombolo_kafka::admin"]),
        );
    }
}
