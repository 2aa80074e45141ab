//! The connector of the kit's sinks: as many tasks as it may have, each with a name. Not here: the source's, which fails on demand.

use tombolo_sdk::prelude::*;

use crate::block;
use crate::events::Events;
use crate::settings::Undefined;

/// Setting in which a task finds its name.
pub(crate) const TASK_ID: &str = "task.id";

/// The settings of task number `index`.
pub(crate) fn task(all: &Settings, index: u32) -> Settings {
    let connector = all.get("name").unwrap_or_default().to_owned();
    let id = format!("{connector}-{index}");
    all.clone().with("connector.name", connector).with(TASK_ID, id)
}

/// A connector that tells of its start and its stop, and may hang in both.
pub(crate) struct NamedTasks {
    settings: Undefined,
    events: Events,
}

impl Connector for NamedTasks {
    type Settings = Undefined;

    fn start(settings: Undefined, _all: Settings) -> Result<Self> {
        let mut events = Events::of(&settings, "connector")?;
        events.tell("start", &[]);
        block::here(&settings, &mut events, "Connector::start");
        Ok(Self { settings, events })
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        block::here(&self.settings, &mut self.events, "Connector::taskConfigs");
        Ok((0..tasks_max).map(|index| task(&self.settings.0, index)).collect())
    }

    fn stop(&mut self) {
        block::here(&self.settings, &mut self.events, "Connector::stop");
        self.events.tell("stop", &[]);
    }
}
