//! The smallest useful source: counts, and goes on counting where it was after a restart.

use serde::{Deserialize, Serialize};
use tombolo_sdk::connector::OneTask;
use tombolo_sdk::fault::Result;
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Importance, Key, Settings};
use tombolo_sdk::source::{Poll, Source};
use tombolo_sdk::source_batch::SourceBatch;

const TOPIC: Key<String> =
    Key::new("topic").importance(Importance::High).doc("The topic to write to.");

struct TicksSettings {
    topic: String,
}

impl Configuration for TicksSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TOPIC];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { topic: TOPIC.get(settings)? })
    }
}

#[derive(Serialize)]
struct Clock {
    clock: &'static str,
}

const CLOCK: Clock = Clock { clock: "main" };

#[derive(Serialize, Deserialize)]
struct Tick {
    tick: i64,
}

struct TicksSource {
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
