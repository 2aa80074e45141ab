//! The connector of the kit's source: fails, hangs and changes its number of tasks on demand. Not here: its tasks.

use std::path::Path;
use std::time::Duration;

use tombolo_sdk::prelude::*;

use crate::block;
use crate::events::{EVENTS, Events};
use crate::settings::Undefined;
use crate::tasks::task;

/// The connector.
pub(crate) struct SourceTasks {
    settings: Undefined,
    events: Events,
    /// What the file of `num.tasks.file` said.
    tasks: Option<u32>,
}

impl SourceTasks {
    /// The number of tasks that a file asks for, if a file is named and holds one.
    fn asked_by_file(&self) -> Option<u32> {
        let file = self.settings.text("num.tasks.file")?;
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }
}

/// Whether what fails does so no longer: the events' file has a neighbour with the ending `.well`.
fn is_well(settings: &Undefined) -> bool {
    settings.text(EVENTS).is_some_and(|file| Path::new(&format!("{file}.well")).exists())
}

impl Connector for SourceTasks {
    type Settings = Undefined;

    fn start(settings: Undefined, _all: Settings) -> Result<Self> {
        let mut events = Events::of(&settings, "connector")?;
        events.tell("start", &[]);
        block::here(&settings, &mut events, "Connector::start");
        if settings.is("connector.start.inject.error") && !is_well(&settings) {
            return Err(Fault::fatal("Injecting errors during connector start"));
        }
        Ok(Self { settings, events, tasks: None })
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        block::here(&self.settings, &mut self.events, "Connector::taskConfigs");
        self.tasks = self.asked_by_file();
        let tasks = self.tasks.unwrap_or_else(|| self.settings.or("num.tasks", tasks_max));
        Ok((0..tasks).map(|index| task(&self.settings.0, index)).collect())
    }

    fn watch(&mut self, wait: Duration) -> Result<bool> {
        let changed = self.asked_by_file() != self.tasks;
        if !changed {
            host::wait(wait.min(Duration::from_millis(100)));
        }
        Ok(changed)
    }

    #[expect(
        clippy::panic,
        reason = "the contract has no error of a stop: a trap is the only failure"
    )]
    fn stop(&mut self) {
        block::here(&self.settings, &mut self.events, "Connector::stop");
        self.events.tell("stop", &[]);
        if self.settings.is("connector.stop.inject.error") {
            panic!("Injecting errors during connector stop");
        }
    }
}
