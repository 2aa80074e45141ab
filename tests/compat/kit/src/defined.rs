//! A sink with a setting of each type, for what validation and the listing of settings say. Not here: anything that it does with them.

use tombolo_sdk::prelude::*;
use tombolo_sdk::settings::{SettingState, Width};

use crate::tasks;

const BOOLEAN: Key<bool> = Key::new("a.boolean")
    .default("true")
    .importance(Importance::High)
    .doc("A boolean.")
    .shown("First", 1, Width::Short, "Boolean");
const TEXT: Key<String> = Key::new("a.string")
    .importance(Importance::High)
    .doc("A string that is required.")
    .shown("First", 2, Width::Long, "String")
    .recommended(&["one", "two"])
    .dependents(&["a.list"]);
const INT: Key<i32> = Key::new("an.int")
    .default("7")
    .between(1, 100)
    .doc("An int from 1 to 100.")
    .shown("Second", 1, Width::Medium, "Int");
const SHORT: Key<i16> =
    Key::new("a.short").default("3").importance(Importance::Low).doc("A short.");
const LONG: Key<i64> = Key::new("a.long").default("5000000000").doc("A long.");
const DOUBLE: Key<f64> = Key::new("a.double").default("0.5").doc("A double.");
const LIST: Key<Vec<String>> = Key::new("a.list").default("x,y").doc("A list.");
const PASSWORD: Key<Option<Password>> = Key::new("a.password").doc("A password.");
const CHOICE: Key<String> =
    Key::new("a.choice").default("red").one_of(&["red", "green"]).doc("A choice.");

/// A setting of each type.
pub(crate) struct Defined;

impl Configuration for Defined {
    const KEYS: &'static [&'static dyn Definition] =
        &[&BOOLEAN, &TEXT, &INT, &SHORT, &LONG, &DOUBLE, &LIST, &PASSWORD, &CHOICE];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        BOOLEAN.get(settings)?;
        TEXT.get(settings)?;
        INT.get(settings)?;
        SHORT.get(settings)?;
        LONG.get(settings)?;
        DOUBLE.get(settings)?;
        LIST.get(settings)?;
        PASSWORD.get(settings)?;
        CHOICE.get(settings)?;
        Ok(Self)
    }
}

/// The sink.
pub(crate) struct DefinedSinkConnector;

impl Plugin for DefinedSinkConnector {
    type Settings = Defined;
    const CLASS: &'static str = "tombolo.kit.DefinedSinkConnector";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Has a setting of each type.";

    fn validate(_settings: &Defined) -> Result<Vec<SettingState>> {
        Ok(Vec::new())
    }
}

impl Sink for DefinedSinkConnector {
    type Connector = DefinedTasks;

    fn start(_settings: Defined) -> Result<Self> {
        Ok(Self)
    }

    fn put(&mut self, _records: Records<'_>, _context: &mut SinkContext) -> Result<()> {
        Ok(())
    }
}

/// The connector of [`DefinedSinkConnector`].
pub(crate) struct DefinedTasks(Settings);

impl Connector for DefinedTasks {
    type Settings = Defined;

    fn start(_settings: Defined, all: Settings) -> Result<Self> {
        Ok(Self(all))
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        Ok((0..tasks_max).map(|index| tasks::task(&self.0, index)).collect())
    }
}
