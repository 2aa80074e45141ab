//! A source of the time of day, as fast or as often as it is told, and a sink that tells how long ago that was: what measures a neighbour.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tombolo_sdk::connector::OneTask;
use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::record::Records;
use tombolo_sdk::settings::{ConfigError, Configuration, Definition, Key, Settings};
use tombolo_sdk::sink::{Sink, SinkContext};
use tombolo_sdk::source::{Poll, Source};
use tombolo_sdk::source_batch::SourceBatch;

const TOPIC: Key<String> = Key::new("topic").doc("The topic to write to.");
const RATE: Key<i64> =
    Key::new("rate").default("0").doc("Rows a second; 0 for as many as possible.");
const WORK: Key<i64> =
    Key::new("work").default("0").doc("Steps that each poll computes before it looks for rows.");
const FILE: Key<String> = Key::new("file").doc("The file to write lines to.");

/// Rows of one poll, where no rate limits them.
const ROWS: usize = 500;

/// Microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

struct SourceSettings {
    topic: String,
    rate: i64,
    work: i64,
}

impl Configuration for SourceSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TOPIC, &RATE, &WORK];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        let (rate, work) = (RATE.get(settings)?, WORK.get(settings)?);
        Ok(Self { topic: TOPIC.get(settings)?, rate, work })
    }
}

#[derive(Serialize)]
struct Place {
    beat: i64,
}

struct PulseSource {
    settings: SourceSettings,
    sent: i64,
    since: Instant,
}

impl Plugin for PulseSource {
    type Settings = SourceSettings;
    const CLASS: &'static str = "test.pulse.PulseSource";
    const VERSION: &'static str = "1.0.0";
    const DOC: &'static str = "The time of day, again and again.";
}

impl Source for PulseSource {
    type Connector = OneTask<SourceSettings>;

    fn start(settings: SourceSettings) -> Result<Self> {
        Ok(Self { settings, sent: 0, since: Instant::now() })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        for step in 0..self.settings.work {
            black_box(step);
        }
        let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let most = i64::try_from(request.rows_max.min(ROWS)).unwrap_or(i64::MAX);
        let rows = match self.settings.rate {
            0 => most,
            rate => (elapsed.saturating_mul(rate) / 1_000 - self.sent).clamp(0, most),
        };
        if rows == 0 {
            host::wait(request.wait.min(Duration::from_millis(2)));
            return Ok(());
        }
        let from = batch.partition(&Place { beat: 0 })?;
        for _ in 0..rows {
            self.sent += 1;
            let record = batch.record(&self.settings.topic, from, &Place { beat: self.sent })?;
            record.value(&now().to_string())?;
        }
        Ok(())
    }
}

struct SinkSettings {
    file: String,
}

impl Configuration for SinkSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FILE];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { file: FILE.get(settings)? })
    }
}

/// Writes a line for each call: how many rows, and how many microseconds the oldest of them took.
struct PulseSink {
    file: File,
}

impl Plugin for PulseSink {
    type Settings = SinkSettings;
    const CLASS: &'static str = "test.pulse.PulseSink";
    const VERSION: &'static str = "1.0.0";
    const DOC: &'static str = "How long rows were on their way.";
}

impl Sink for PulseSink {
    type Connector = OneTask<SinkSettings>;

    fn start(settings: SinkSettings) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(&settings.file);
        Ok(Self { file: file.map_err(|err| Fault::fatal(format!("{}: {err}", settings.file)))? })
    }

    fn put(&mut self, records: Records<'_>, _context: &mut SinkContext) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let (mut rows, mut oldest) = (0_u64, i64::MAX);
        for record in records.iter() {
            let sent = record.value::<&str>().ok().and_then(|value| value.parse().ok());
            oldest = oldest.min(sent.unwrap_or(i64::MAX));
            rows += 1;
        }
        let line = format!("{rows} {}\n", now().saturating_sub(oldest));
        self.file.write_all(line.as_bytes()).map_err(|err| Fault::fatal(err.to_string()))
    }
}

tombolo_sdk::export! { source: [PulseSource], sink: [PulseSink] }
