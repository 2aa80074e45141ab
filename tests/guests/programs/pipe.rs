//! A source of distinct numbers at a steady rate, and a sink that writes them as lines: what a stranger might upload.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
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
const RECORDS: Key<i64> = Key::new("records").doc("How many numbers there are.");
const RATE: Key<i64> = Key::new("rate").doc("Numbers a second.");
const FILE: Key<String> = Key::new("file").doc("The file to write lines to.");

struct NumbersSettings {
    topic: String,
    records: i64,
    rate: i64,
}

impl Configuration for NumbersSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&TOPIC, &RECORDS, &RATE];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            topic: TOPIC.get(settings)?,
            records: RECORDS.get(settings)?,
            rate: RATE.get(settings)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Next {
    next: i64,
}

#[derive(Serialize)]
struct Numbers {
    numbers: &'static str,
}

struct NumbersSource {
    settings: NumbersSettings,
    first: i64,
    next: i64,
    since: Instant,
}

impl Plugin for NumbersSource {
    type Settings = NumbersSettings;
    const CLASS: &'static str = "test.pipe.NumbersSource";
    const VERSION: &'static str = "1.0.0";
    const DOC: &'static str = "Distinct numbers at a steady rate.";
}

impl Source for NumbersSource {
    type Connector = OneTask<NumbersSettings>;

    fn start(settings: NumbersSettings) -> Result<Self> {
        let last: Option<Next> = host::committed_offset(&Numbers { numbers: "all" })?;
        let next = last.map_or(0, |last| last.next);
        Ok(Self { settings, first: next, next, since: Instant::now() })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let elapsed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let due = self.first.saturating_add(elapsed.saturating_mul(self.settings.rate) / 1_000);
        let rows = i64::try_from(request.rows_max).unwrap_or(i64::MAX);
        let end = due.min(self.settings.records).min(self.next.saturating_add(rows));
        if self.next >= end {
            host::wait(request.wait.min(Duration::from_millis(5)));
            return Ok(());
        }
        let from = batch.partition(&Numbers { numbers: "all" })?;
        for number in self.next..end {
            let next = Next { next: number + 1 };
            let partition = i32::from(number % 2 == 1);
            batch
                .record(&self.settings.topic, from, &next)?
                .kafka_partition(partition)
                .value(&format!("{number}"))?;
        }
        self.next = end;
        Ok(())
    }
}

struct LinesSettings {
    file: String,
}

impl Configuration for LinesSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&FILE];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { file: FILE.get(settings)? })
    }
}

struct LinesSink {
    file: File,
    lines: String,
}

impl Plugin for LinesSink {
    type Settings = LinesSettings;
    const CLASS: &'static str = "test.pipe.LinesSink";
    const VERSION: &'static str = "1.0.0";
    const DOC: &'static str = "Writes partition and value as lines.";
}

impl Sink for LinesSink {
    type Connector = OneTask<LinesSettings>;

    /// Cuts off what a crash left of a last line: it was never committed, and comes again.
    fn start(settings: LinesSettings) -> Result<Self> {
        let open = || -> std::io::Result<File> {
            let mut options = OpenOptions::new();
            let mut file =
                options.read(true).write(true).create(true).truncate(false).open(&settings.file)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(end as u64)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(|err| Fault::fatal(format!("{}: {err}", settings.file)))?;
        Ok(Self { file, lines: String::new() })
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        self.lines.clear();
        for record in records.iter() {
            match record.value::<&str>() {
                Ok(value) => self.lines.push_str(&format!("{} {value}\n", record.partition())),
                Err(problem) => context.report(&record, problem),
            }
        }
        self.file.write_all(self.lines.as_bytes()).map_err(|err| Fault::fatal(err.to_string()))
    }
}

tombolo_sdk::export! { source: [NumbersSource], sink: [LinesSink] }
