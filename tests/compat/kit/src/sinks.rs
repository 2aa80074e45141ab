//! Sinks that tell what they get. Follow `MonitorableSinkConnector` and its relatives of Kafka Connect's tests. Not here: their connector (`tasks`).

use tombolo_sdk::prelude::*;
use tombolo_sdk::settings::SettingState;
use tombolo_sdk::sink::Altered;

use crate::block;
use crate::events::Events;
use crate::settings::Undefined;
use crate::tasks::{NamedTasks, TASK_ID};

/// A partition's name.
fn name(at: &TopicPartition) -> String {
    format!("{}-{}", at.topic, at.partition)
}

/// Key or value as text; these sinks are fed by `StringConverter`.
fn text(read: std::result::Result<Option<String>, Problem>) -> String {
    read.ok().flatten().unwrap_or_else(|| "null".to_owned())
}

/// What the sinks share: a task that tells.
struct Told {
    settings: Undefined,
    events: Events,
}

impl Told {
    fn start(settings: Undefined) -> Result<Self> {
        let id = settings.text(TASK_ID).unwrap_or("task").to_owned();
        let mut events = Events::of(&settings, &id)?;
        events.tell("start", &[]);
        block::here(&settings, &mut events, "Task::start");
        Ok(Self { settings, events })
    }

    fn tell_partitions(&mut self, what: &str, partitions: impl Iterator<Item = String>) {
        let mut names: Vec<String> = partitions.collect();
        names.sort();
        self.events.tell(what, &[&names.join(",")]);
    }

    fn put(&mut self, records: Records<'_>) {
        if records.is_empty() {
            return;
        }
        self.events.tell("put", &[&records.len().to_string()]);
        for record in records.iter() {
            let origin = record.origin();
            self.events.tell(
                "row",
                &[
                    record.topic(),
                    &record.partition().to_string(),
                    &origin.offset.to_string(),
                    &text(record.key()),
                    &text(record.value()),
                ],
            );
        }
    }

    fn stop(&mut self) {
        block::here(&self.settings, &mut self.events, "Task::stop");
        self.events.tell("stop", &[]);
    }
}

/// Takes all it gets, and tells.
pub(crate) struct MonitorableSinkConnector {
    told: Told,
    fails: bool,
}

impl Plugin for MonitorableSinkConnector {
    type Settings = Undefined;
    const CLASS: &'static str = "tombolo.kit.MonitorableSinkConnector";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Tells what it gets.";

    fn validate(settings: &Undefined) -> Result<Vec<SettingState>> {
        block::here(settings, &mut Events::of(settings, "validation")?, "Connector::validate");
        Ok(Vec::new())
    }
}

impl Sink for MonitorableSinkConnector {
    type Connector = NamedTasks;

    fn start(settings: Undefined) -> Result<Self> {
        let fails = settings.is("task.put.inject.error");
        Ok(Self { told: Told::start(settings)?, fails })
    }

    fn open(&mut self, partitions: &[PartitionOffset], _context: &mut SinkContext) -> Result<()> {
        self.told.tell_partitions("open", partitions.iter().map(|one| name(&one.at)));
        Ok(())
    }

    fn put(&mut self, records: Records<'_>, _context: &mut SinkContext) -> Result<()> {
        if self.fails && !records.is_empty() {
            return Err(Fault::fatal("Injecting errors during put"));
        }
        self.told.put(records);
        Ok(())
    }

    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        _context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        let told = offsets.iter().map(|one| format!("{}={}", name(&one.at), one.offset));
        self.told.tell_partitions("commit", told);
        Ok(offsets.to_vec())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.told.tell_partitions("close", partitions.iter().map(name));
        Ok(())
    }

    fn stop(&mut self) {
        self.told.stop();
    }

    fn alter_offsets(settings: &Undefined, _offsets: &[Altered]) -> Result<bool> {
        Ok(settings.is("alter.offsets.result"))
    }
}

/// Reports every record as bad: those with an even offset at once, the others late.
pub(crate) struct ErrantRecordSinkConnector {
    told: Told,
}

impl Plugin for ErrantRecordSinkConnector {
    type Settings = Undefined;
    const CLASS: &'static str = "tombolo.kit.ErrantRecordSinkConnector";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Takes every record for bad.";
}

impl Sink for ErrantRecordSinkConnector {
    type Connector = NamedTasks;

    fn start(settings: Undefined) -> Result<Self> {
        Ok(Self { told: Told::start(settings)? })
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        self.told.put(records);
        for record in records.iter() {
            let problem = Problem::of("java.lang.Throwable", "errant");
            let origin = record.origin();
            match origin.offset % 2 {
                0 => context.report(&record, problem),
                _ => context.report_late(origin, problem),
            }
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.told.stop();
    }
}

/// Gives its tasks no settings, and takes all they get.
pub(crate) struct EmptyTaskConfigsConnector;

impl Plugin for EmptyTaskConfigsConnector {
    type Settings = Undefined;
    const CLASS: &'static str = "tombolo.kit.EmptyTaskConfigsConnector";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Gives its tasks no settings.";
}

impl Sink for EmptyTaskConfigsConnector {
    type Connector = EmptyTasks;

    fn start(_settings: Undefined) -> Result<Self> {
        Ok(Self)
    }

    fn put(&mut self, _records: Records<'_>, _context: &mut SinkContext) -> Result<()> {
        Ok(())
    }
}

/// The connector of [`EmptyTaskConfigsConnector`].
pub(crate) struct EmptyTasks;

impl Connector for EmptyTasks {
    type Settings = Undefined;

    fn start(_settings: Undefined, _all: Settings) -> Result<Self> {
        Ok(Self)
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        Ok(vec![Settings::default(); tasks_max as usize])
    }
}
