//! The source: makes records at a rate, each task every so manieth of one sequence. Not here: what they hold (`quickstart`).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tombolo_sdk::connector::Connector;
use tombolo_sdk::fault::Result;
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::settings::Settings;
use tombolo_sdk::source::{Poll, Source};
use tombolo_sdk::source_batch::SourceBatch;

use crate::quickstart::Schemas;
use crate::settings::{DatagenSettings, TASK_NAME, TASKS_NAME};

/// A task that was held up makes up for at most so much time, so that no flood follows a pause.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
/// A task that has made all its records waits this long within a poll.
const IDLE: Duration = Duration::from_secs(1);

/// Makes the same records from the same seed.
#[derive(Debug)]
pub struct DatagenSource {
    settings: DatagenSettings,
    schemas: Schemas,
    /// How many records this task has made in all its life.
    made: u64,
    pace: Option<Pace>,
}

/// The sequence that a task makes. Another seed or number of tasks is another sequence, and begins anew.
#[derive(Serialize)]
struct Partition {
    quickstart: &'static str,
    seed: i64,
    task: u64,
    tasks: u64,
}

#[derive(Serialize, Deserialize)]
struct Offset {
    made: u64,
}

impl Plugin for DatagenSource {
    type Settings = DatagenSettings;
    const CLASS: &'static str = "io.tombolo.datagen.DatagenConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Makes up orders, users or clicks, the same from the same seed.";
}

impl Source for DatagenSource {
    type Connector = DatagenConnector;

    fn start(settings: DatagenSettings) -> Result<Self> {
        let schemas =
            if settings.schema { settings.quickstart.define()? } else { Schemas::default() };
        let last: Option<Offset> = host::committed_offset(&partition(&settings))?;
        let pace = settings.rate.map(|rate| Pace::new(rate / settings.tasks as f64));
        Ok(Self { settings, schemas, made: last.map_or(0, |last| last.made), pace })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let left = self.left();
        if left == 0 {
            host::wait(request.wait.min(IDLE));
            return Ok(());
        }
        let due = self.pace.as_mut().map_or(u64::MAX, |pace| pace.due(request.wait));
        let rows = due.min(left).min(request.rows_max as u64);
        let partition = batch.partition(&partition(&self.settings))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(-1);
        let mut made = 0;
        while made < rows && batch.byte_count() < request.bytes_max {
            let record = self.made * self.settings.tasks + self.settings.task;
            self.made += 1;
            made += 1;
            let offset = Offset { made: self.made };
            let to = batch.record(&self.settings.topic, partition, &offset)?.timestamp(now);
            self.settings.quickstart.write(to, self.settings.seed, record, self.schemas)?;
        }
        if let Some(pace) = &mut self.pace {
            pace.spend(made);
        }
        Ok(())
    }
}

impl DatagenSource {
    /// How many records this task has still to make.
    fn left(&self) -> u64 {
        let DatagenSettings { records_max, task, tasks, .. } = self.settings;
        let Some(most) = records_max else { return u64::MAX };
        let mine = most.saturating_sub(task).div_ceil(tasks);
        mine.saturating_sub(self.made)
    }
}

fn partition(settings: &DatagenSettings) -> Partition {
    let DatagenSettings { quickstart, seed, task, tasks, .. } = *settings;
    Partition { quickstart: quickstart.name(), seed, task, tasks }
}

/// Tells when records are due.
#[derive(Debug)]
struct Pace {
    /// Records per second.
    rate: f64,
    /// Until when records were given out.
    from: Instant,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self { rate, from: Instant::now() }
    }

    /// How many records are due, after waiting for the first at most this long.
    fn due(&mut self, wait: Duration) -> u64 {
        let first = self.time_of(1).saturating_sub(self.from.elapsed());
        if !first.is_zero() {
            host::wait(first.min(wait));
        }
        let late = self.from.elapsed();
        if late > CATCH_UP_MAX + self.time_of(1) {
            self.from += late - CATCH_UP_MAX - self.time_of(1);
        }
        (self.from.elapsed().as_secs_f64() * self.rate) as u64
    }

    /// Takes note that so many were made.
    fn spend(&mut self, records: u64) {
        self.from += self.time_of(records);
    }

    /// How long so many records take. A rate near 0 counts as one record a year.
    fn time_of(&self, records: u64) -> Duration {
        const YEAR: f64 = 365.0 * 86_400.0;
        Duration::from_secs_f64((records as f64 / self.rate).min(YEAR))
    }
}

/// The connector: as many tasks as it may have, each with its number.
#[derive(Debug)]
pub struct DatagenConnector {
    all: Settings,
}

impl Connector for DatagenConnector {
    type Settings = DatagenSettings;

    fn start(_settings: DatagenSettings, all: Settings) -> Result<Self> {
        Ok(Self { all })
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        let numbered =
            |task: u32| self.all.clone().with(TASK_NAME, task).with(TASKS_NAME, tasks_max);
        Ok((0..tasks_max).map(numbered).collect())
    }
}

#[cfg(test)]
mod tests;
