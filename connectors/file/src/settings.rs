//! Settings of both connectors, as Kafka Connect's FileStream connectors have them.

use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

/// Name of the setting that names the file.
pub(crate) const FILE: &str = "file";

const SOURCE_FILE: Key<Option<String>> = Key::new(FILE)
    .importance(Importance::High)
    .doc("Source filename. If not specified, the standard input will be used");

const TOPIC: Key<String> =
    Key::new("topic").non_empty().importance(Importance::High).doc("The topic to publish data to");

const BATCH_SIZE: Key<i32> = Key::new("batch.size")
    .default("2000")
    .importance(Importance::Low)
    .doc("The maximum number of records the source task can read from the file each time it is polled");

const SINK_FILE: Key<Option<String>> = Key::new(FILE)
    .importance(Importance::High)
    .doc("Destination filename. If not specified, the standard output will be used");

/// Of all tasks: whether this one is alone with its file.
const TASKS: Key<u32> = Key::new("tasks.max").default("1");

/// Settings of the source.
#[derive(Debug)]
pub struct SourceSettings {
    /// The file; none for standard input.
    pub(crate) file: Option<String>,
    pub(crate) topic: String,
    /// Most records of a poll.
    pub(crate) batch_size: usize,
}

impl Configuration for SourceSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&SOURCE_FILE, &TOPIC, &BATCH_SIZE];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let batch_size = BATCH_SIZE.get(settings)?;
        Ok(Self {
            file: SOURCE_FILE.get(settings)?.filter(|file| !file.is_empty()),
            topic: TOPIC.get(settings)?,
            // Kafka Connect takes any number here; below 1 it still reads line by line.
            batch_size: usize::try_from(batch_size).unwrap_or(1).max(1),
        })
    }
}

/// Settings of the sink.
#[derive(Debug)]
pub struct SinkSettings {
    /// The file; none for standard output.
    pub(crate) file: Option<String>,
    /// Whether no other task writes to the file.
    pub(crate) alone: bool,
}

impl Configuration for SinkSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&SINK_FILE];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let file = SINK_FILE.get(settings)?;
        Ok(Self { file, alone: TASKS.get(settings).unwrap_or(1) == 1 })
    }
}
