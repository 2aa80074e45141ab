//! A source of numbered records, one source partition per task. Follows `MonitorableSourceConnector` of Kafka Connect's tests.
//!
//! Not here: its connector (`source_connector`).

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tombolo_sdk::prelude::*;

use crate::block;
use crate::events::Events;
use crate::settings::Undefined;
use crate::source_connector::SourceTasks;
use crate::tasks::TASK_ID;

/// Longest pause while a throttled source has nothing to give.
const PAUSE: Duration = Duration::from_millis(20);

/// A source partition.
#[derive(Serialize)]
struct Task<'a> {
    #[serde(rename = "task.id")]
    id: &'a str,
}

/// Where to resume.
#[derive(Serialize, Deserialize)]
struct Saved {
    saved: i64,
}

/// The source.
pub(crate) struct MonitorableSourceConnector {
    settings: Undefined,
    events: Events,
    id: String,
    topic: String,
    per_poll: i64,
    /// Records a second; none for as many as are wanted.
    rate: Option<i64>,
    max: i64,
    first: i64,
    number: i64,
    since: Instant,
    has_polled: bool,
    has_ended: bool,
}

impl Plugin for MonitorableSourceConnector {
    type Settings = Undefined;
    const CLASS: &'static str = "tombolo.kit.MonitorableSourceConnector";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Numbered records.";

    fn validate(settings: &Undefined) -> Result<Vec<tombolo_sdk::settings::SettingState>> {
        block::here(settings, &mut Events::of(settings, "validation")?, "Connector::validate");
        Ok(Vec::new())
    }
}

impl Source for MonitorableSourceConnector {
    type Connector = SourceTasks;

    fn start(settings: Undefined) -> Result<Self> {
        let id = settings.text(TASK_ID).unwrap_or_default().to_owned();
        let mut events = Events::of(&settings, &id)?;
        events.tell("start", &[]);
        block::here(&settings, &mut events, "Task::start");
        if settings.is(&format!("task-{id}.start.inject.error")) {
            return Err(Fault::fatal("Injecting errors during task start"));
        }
        let saved: Option<Saved> = host::committed_offset(&Task { id: &id })?;
        let first = saved.map_or(0, |saved| saved.saved);
        Ok(Self {
            topic: settings.text("topic").unwrap_or("sequential-topic").to_owned(),
            per_poll: settings.or("messages.per.poll", 1),
            rate: Some(settings.or("throughput", -1)).filter(|&rate| rate > 0),
            max: settings.or("max.messages", i64::MAX),
            first,
            number: first,
            since: Instant::now(),
            has_polled: false,
            has_ended: false,
            settings,
            events,
            id,
        })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        if !self.has_polled {
            self.has_polled = true;
            self.events.tell("poll", &[]);
        }
        block::here(&self.settings, &mut self.events, "SourceTask::poll");
        let due = self.rate.map_or(i64::MAX, |rate| {
            let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
            self.first
                .saturating_add(elapsed.saturating_mul(rate) / 1_000)
                .saturating_add(self.per_poll)
        });
        let rows = i64::try_from(request.rows_max).unwrap_or(i64::MAX).min(self.per_poll);
        let end = self.number.saturating_add(rows).min(self.max);
        if self.number >= self.max && !self.has_ended {
            self.has_ended = true;
            self.events.tell("end", &[]);
        }
        if self.number >= end || end > due {
            host::wait(request.wait.min(PAUSE));
            return Ok(());
        }
        let text = SchemaBuilder::string().define()?;
        let long = SchemaBuilder::int64().define()?;
        let from = batch.partition(&Task { id: &self.id })?;
        for number in self.number + 1..=end {
            batch
                .record(&self.topic, from, &Saved { saved: number })?
                .key_as(&format!("key-{}-{number}", self.id), text)?
                .value_as(&format!("value-{}-{number}", self.id), text)?
                .header_as(&format!("header-{number}"), &number, long)?;
        }
        self.number = end;
        Ok(())
    }

    fn commit(&mut self, _offsets: &[SourceOffset]) -> Result<()> {
        self.events.tell("commit", &[]);
        Ok(())
    }

    fn stop(&mut self) {
        block::here(&self.settings, &mut self.events, "Task::stop");
        self.events.tell("stop", &[]);
    }

    fn exactly_once_support(settings: &Undefined) -> Support {
        match settings.text("custom.exactly.once.support") {
            Some("supported") => Support::Supported,
            Some("unsupported") => Support::Unsupported,
            _ => Support::Unknown,
        }
    }

    fn can_define_transaction_boundaries(settings: &Undefined) -> bool {
        settings.text("custom.transaction.boundaries") == Some("supported")
    }

    fn alter_offsets(settings: &Undefined, _offsets: &[SourceOffset]) -> Result<bool> {
        Ok(settings.is("alter.offsets.result"))
    }
}
