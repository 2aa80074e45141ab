//! A source of distinct numbers at a steady rate, and a sink that writes them as lines: what a stranger might upload. Both may leak, and the sink crash.

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
use tombolo_sdk::sink::{PartitionOffset, Sink, SinkContext};
use tombolo_sdk::source::{Poll, Source, SourceOffset};
use tombolo_sdk::source_batch::SourceBatch;

const TOPIC: Key<String> = Key::new("topic").doc("The topic to write to.");
const RECORDS: Key<i64> = Key::new("records").doc("How many numbers there are.");
const RATE: Key<i64> = Key::new("rate").doc("Numbers a second.");
const FILE: Key<String> = Key::new("file").doc("The file to write lines to.");
const BUFFERS: Key<bool> = Key::new("buffers")
    .default("false")
    .doc("Whether lines stay in memory until the sink is asked what is durable.");
const LEAKS_AFTER: Key<Option<i64>> = Key::new("leaks.after.ms").doc(
    "How long after its start a task begins to keep memory that it does not need; never by default.",
);
const CRASHES_AT: Key<Option<String>> =
    Key::new("crashes.at").doc("A value at which the sink crashes; never by default.");
const STARTS: Key<Option<String>> =
    Key::new("starts").doc("A file that gets a line with each start of a task.");

/// Bytes that a leaking task keeps with each call that has rows: some calls pass the mark of a small sandbox, none of them its limit.
const LEAKED: usize = 4 << 20;

/// How a task leaks, and where it says that it has started.
struct Leak {
    after: Option<i64>,
    starts: Option<String>,
}

impl Leak {
    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { after: LEAKS_AFTER.get(settings)?, starts: STARTS.get(settings)? })
    }

    fn tell_start(&self) -> Result<()> {
        let Some(file) = &self.starts else { return Ok(()) };
        let file = OpenOptions::new().append(true).create(true).open(file);
        let told = file.and_then(|mut file| file.write_all(b"started\n"));
        told.map_err(|err| Fault::fatal(format!("{:?}: {err}", self.starts)))
    }

    fn keep(&self, elapsed: Duration) {
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        if self.after.is_some_and(|after| elapsed >= after) {
            std::mem::forget(std::hint::black_box(vec![1_u8; LEAKED]));
        }
    }
}

struct NumbersSettings {
    topic: String,
    records: i64,
    rate: i64,
    leak: Leak,
}

impl Configuration for NumbersSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&TOPIC, &RECORDS, &RATE, &LEAKS_AFTER, &STARTS];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            topic: TOPIC.get(settings)?,
            records: RECORDS.get(settings)?,
            rate: RATE.get(settings)?,
            leak: Leak::read(settings)?,
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
    /// Up to where it was told that offsets are stored.
    committed: i64,
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
        settings.leak.tell_start()?;
        Ok(Self { settings, first: next, next, committed: next, since: Instant::now() })
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
        self.settings.leak.keep(self.since.elapsed());
        Ok(())
    }

    fn commit(&mut self, offsets: &[SourceOffset]) -> Result<()> {
        for offset in offsets {
            self.committed = offset.offset::<Next>()?.map_or(self.committed, |last| last.next);
        }
        Ok(())
    }

    fn stop(&mut self) {
        let left = self.next - self.committed;
        if left > 0 {
            host::error(format_args!("stopped before {left} rows were committed"));
        }
    }
}

struct LinesSettings {
    file: String,
    buffers: bool,
    crashes_at: Option<String>,
    leak: Leak,
}

impl Configuration for LinesSettings {
    const KEYS: &'static [&'static dyn Definition] =
        &[&FILE, &BUFFERS, &CRASHES_AT, &LEAKS_AFTER, &STARTS];

    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self {
            file: FILE.get(settings)?,
            buffers: BUFFERS.get(settings)?,
            crashes_at: CRASHES_AT.get(settings)?,
            leak: Leak::read(settings)?,
        })
    }
}

struct LinesSink {
    settings: LinesSettings,
    file: File,
    /// Not in the file yet.
    lines: String,
    since: Instant,
}

impl LinesSink {
    fn write(&mut self) -> Result<()> {
        let written = self.file.write_all(self.lines.as_bytes());
        self.lines.clear();
        written.map_err(|err| Fault::fatal(err.to_string()))
    }
}

#[expect(clippy::panic, reason = "what it is for")]
fn crash(value: &str) {
    panic!("no line for {value}")
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
        settings.leak.tell_start()?;
        Ok(Self { settings, file, lines: String::new(), since: Instant::now() })
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        for record in records.iter() {
            match record.value::<&str>() {
                Ok(value) if self.settings.crashes_at.as_deref() == Some(value) => crash(value),
                Ok(value) => self.lines.push_str(&format!("{} {value}\n", record.partition())),
                Err(problem) => context.report(&record, problem),
            }
        }
        if !records.is_empty() {
            self.settings.leak.keep(self.since.elapsed());
        }
        if self.settings.buffers { Ok(()) } else { self.write() }
    }

    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        _context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        self.write()?;
        Ok(offsets.to_vec())
    }
}

tombolo_sdk::export! { source: [NumbersSource], sink: [LinesSink] }
