//! The smallest useful source: counts, and goes on counting where it was after a restart.

use serde::{Deserialize, Serialize};
use tombolo_sdk::prelude::*;

const TOPIC: Key<String> =
    Key::new("topic").importance(Importance::High).doc("The topic to write to.");

pub(crate) struct TicksSettings {
    topic: String,
}

impl Configuration for TicksSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TOPIC];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { topic: TOPIC.get(settings)? })
    }
}

/// What the source reads from: there is only one clock.
#[derive(Serialize)]
struct Clock {
    clock: &'static str,
}

const CLOCK: Clock = Clock { clock: "main" };

/// A record's value, and where to resume after it.
#[derive(Serialize, Deserialize)]
struct Tick {
    tick: i64,
}

pub(crate) struct TicksSource {
    topic: String,
    next: i64,
}

impl Plugin for TicksSource {
    type Settings = TicksSettings;
    const CLASS: &'static str = "example.TicksSource";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Counts.";
}

impl Source for TicksSource {
    type Connector = OneTask<TicksSettings>;

    fn start(settings: TicksSettings) -> Result<Self> {
        let last: Option<Tick> = host::committed_offset(&CLOCK)?;
        Ok(Self { topic: settings.topic, next: last.map_or(0, |last| last.tick + 1) })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let clock = batch.partition(&CLOCK)?;
        for _ in 0..request.rows_max.min(100) {
            let tick = Tick { tick: self.next };
            batch.record(&self.topic, clock, &tick)?.key(&self.next)?.value(&tick)?;
            self.next += 1;
        }
        Ok(())
    }
}

tombolo_sdk::export! { source: [TicksSource] }
