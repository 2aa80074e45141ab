//! Settings of the generator.

use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};

use crate::quickstart::Quickstart;

const TOPIC: Key<String> =
    Key::new("topic").non_empty().importance(Importance::High).doc("The topic to write to.");

const QUICKSTART: Key<String> = Key::new("quickstart")
    .default("orders")
    .one_of(Quickstart::NAMES)
    .importance(Importance::High)
    .doc("What to make: orders, users or clicks.");

const SEED: Key<i64> = Key::new("seed")
    .default("1")
    .doc("The same seed makes the same records; another one makes others.");

const RATE: Key<f64> = Key::new("rate")
    .default("10")
    .at_least(0)
    .doc("Records per second of all tasks together; 0 for as many as possible.");

const SCHEMA: Key<bool> = Key::new("schema").default("false").doc("Whether records have a schema.");

const RECORDS_MAX: Key<Option<u64>> = Key::new("records.max")
    .doc("How many records all tasks together make; without it they do not end.");

/// This task's number, from 0, and the number of tasks. Set by the connector.
const TASK: Key<u64> = Key::new(TASK_NAME).default("0");
const TASKS: Key<u64> = Key::new(TASKS_NAME).default("1").at_least(1);
/// Name of the setting by which a task knows its number.
pub(crate) const TASK_NAME: &str = "task.number";
/// Name of the setting by which a task knows how many there are.
pub(crate) const TASKS_NAME: &str = "task.count";

/// Settings of the connector, and of a task.
#[derive(Clone, Debug)]
pub struct DatagenSettings {
    pub(crate) topic: String,
    pub(crate) quickstart: Quickstart,
    pub(crate) seed: i64,
    /// Records per second of all tasks together; none for as many as possible.
    pub(crate) rate: Option<f64>,
    pub(crate) schema: bool,
    pub(crate) records_max: Option<u64>,
    pub(crate) task: u64,
    pub(crate) tasks: u64,
}

impl Configuration for DatagenSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&TOPIC, &QUICKSTART, &SEED, &RATE, &SCHEMA, &RECORDS_MAX];

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let rate = RATE.get(settings)?;
        if !rate.is_finite() {
            return Err(ConfigError::invalid(RATE.name(), rate, "Value must be a finite number"));
        }
        Ok(Self {
            topic: TOPIC.get(settings)?,
            quickstart: Quickstart::of(&QUICKSTART.get(settings)?),
            seed: SEED.get(settings)?,
            rate: (rate > 0.0).then_some(rate),
            schema: SCHEMA.get(settings)?,
            records_max: RECORDS_MAX.get(settings)?,
            task: TASK.get(settings)?,
            tasks: TASKS.get(settings)?,
        })
    }
}
