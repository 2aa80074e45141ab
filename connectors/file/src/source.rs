//! The source: follows a file and makes a record of each line. Not here: splitting lines (`lines`).

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tombolo_sdk::cbor::{self, write};
use tombolo_sdk::connector::{OneTask, Support};
use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::schema::{SchemaBuilder, SchemaNumber};
use tombolo_sdk::settings::SettingState;
use tombolo_sdk::source::{Poll, Source, SourceOffset};
use tombolo_sdk::source_batch::SourceBatch;
use tombolo_sdk::text;

use crate::access;
use crate::followed::Followed;
use crate::lines::Lines;
use crate::pace::Pace;
use crate::settings::SourceSettings;
use crate::stdin::Stdin;

const POSITION: &str = "position";
const FILENAME: &str = "filename";

/// Reads the lines of a file, or of standard input, and goes on when the file grows.
#[derive(Debug)]
pub struct FileStreamSource {
    settings: SourceSettings,
    schema: SchemaNumber,
    input: Input,
    lines: Lines,
    pace: Pace,
    /// Bytes of the file before the next line.
    position: i64,
}

/// Where lines come from.
#[derive(Debug)]
enum Input {
    /// The file is not there yet; whether that was said.
    Missing {
        said: bool,
    },
    File(Followed),
    Stdin(Stdin),
}

/// The source partition. Standard input has no name.
#[derive(Serialize)]
struct Partition<'a> {
    filename: Option<&'a str>,
}

/// The offset of a file.
#[derive(Deserialize)]
struct Position {
    position: Option<i64>,
}

impl Plugin for FileStreamSource {
    type Settings = SourceSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Reads the lines of a file and goes on when the file grows.";

    fn validate(settings: &SourceSettings) -> Result<Vec<SettingState>> {
        Ok(access::check(settings.file.as_deref()))
    }
}

impl Source for FileStreamSource {
    type Connector = OneTask<SourceSettings>;

    fn start(settings: SourceSettings) -> Result<Self> {
        let input = if settings.file.is_some() {
            Input::Missing { said: false }
        } else {
            access::standard_streams()?;
            Input::Stdin(Stdin::new())
        };
        let schema = SchemaBuilder::string().define()?;
        let (lines, pace) = (Lines::default(), Pace::default());
        Ok(Self { settings, schema, input, lines, pace, position: 0 })
    }

    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let mut left = request.wait;
        loop {
            // Whoever does not let it wait wants what is there now.
            if request.wait.is_zero() || self.pace.wait(Instant::now()).is_zero() {
                match self.is_open()? && self.read(request, batch)? {
                    true => self.pace.found(),
                    false => self.pace.found_nothing(Instant::now()),
                }
            }
            if !batch.is_empty() || left.is_zero() {
                return Ok(());
            }
            let pause = left.min(self.pace.wait(Instant::now()));
            host::wait(pause);
            left = left.saturating_sub(pause);
        }
    }

    fn exactly_once_support(settings: &SourceSettings) -> Support {
        // A file that only grows can be read again from any position; standard input cannot.
        if settings.file.is_some() { Support::Supported } else { Support::Unsupported }
    }

    fn alter_offsets(settings: &SourceSettings, offsets: &[SourceOffset]) -> Result<bool> {
        if settings.file.is_none() {
            return Err(Fault::fatal(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and \
                 offsets are not tracked.",
            ));
        }
        for altered in offsets {
            if let Some(offset) = &altered.offset {
                check_offset(&altered.partition, offset).map_err(Fault::fatal)?;
            }
        }
        Ok(true)
    }
}

impl FileStreamSource {
    /// Opens the file if it is there by now, behind what was read before.
    fn is_open(&mut self) -> Result<bool> {
        let (Input::Missing { said }, Some(path)) = (&mut self.input, &self.settings.file) else {
            return Ok(true);
        };
        let Some(file) = access::open_to_read(path)? else {
            if !std::mem::replace(said, true) {
                host::warn(format_args!(
                    "Couldn't find file {path} for FileStreamSourceTask, waiting for it to be created"
                ));
            }
            return Ok(false);
        };
        self.position = committed(path)?;
        let start = u64::try_from(self.position).unwrap_or(0);
        self.input = Input::File(Followed::from(file, start).map_err(Fault::fatal)?);
        Ok(true)
    }

    /// Reads what is there, up to the limits of the poll. Answers whether anything was.
    fn read(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<bool> {
        let rows_max = request.rows_max.min(self.settings.batch_size);
        let name = self.settings.file.as_deref();
        let partition = batch.partition(&Partition { filename: name })?;
        let (now, mut is_any) = (now(), false);
        while batch.len() < rows_max && batch.byte_count() < request.bytes_max {
            let Some(line) = self.lines.next() else {
                let read = match &mut self.input {
                    Input::File(file) => file.fill(&mut self.lines),
                    Input::Stdin(stdin) => self.lines.fill(stdin),
                    Input::Missing { .. } => Ok(0),
                };
                if read.map_err(Fault::fatal)? == 0 {
                    break;
                }
                is_any = true;
                continue;
            };
            self.position += i64::try_from(line.taken).unwrap_or(0);
            let position = name.is_some().then_some(self.position);
            batch
                .record_with(&self.settings.topic, partition, |out| write_offset(out, position))
                .value_with(self.schema, |out| {
                    let text = text::utf8(line.text);
                    write::text_head(out, text.len());
                    out.extend_from_slice(&text);
                })
                .timestamp(now);
        }
        Ok(is_any || !batch.is_empty())
    }
}

/// `{"position": n}`; null for standard input.
fn write_offset(out: &mut Vec<u8>, position: Option<i64>) {
    write::map(out, 1);
    write::text(out, POSITION);
    match position {
        Some(position) => write::int(out, position),
        None => write::null(out),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(-1)
}

/// The position up to which the file was read.
fn committed(path: &str) -> Result<i64> {
    let partition = cbor::to_vec(&Partition { filename: Some(path) })?;
    let found = host::committed_offsets(&[partition]).into_iter().flatten().next();
    let Some(offset) = found else { return Ok(0) };
    let position = cbor::from_slice::<Position>(&offset);
    let position = position.map_err(|_| Fault::fatal("Offset position is the incorrect type"))?;
    Ok(position.position.unwrap_or(0))
}

/// Whether a user may set this offset, in Kafka Connect's words.
fn check_offset(partition: &[u8], offset: &[u8]) -> std::result::Result<(), String> {
    let Some(position) = member(offset, POSITION) else {
        return Err(format!(
            "Offset objects should either be null or contain the key '{POSITION}'"
        ));
    };
    let Ok(position) = cbor::from_slice::<i64>(position) else {
        return Err(format!(
            "The value for the '{POSITION}' key in the offset is expected to be a Long value"
        ));
    };
    if position < 0 {
        return Err(format!(
            "The value for the '{POSITION}' key in the offset should be a non-negative value"
        ));
    }
    if member(partition, FILENAME).is_none() {
        return Err(format!("Partition objects should contain the key '{FILENAME}'"));
    }
    Ok(())
}

/// The value of a map's member.
fn member<'a>(map: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut cursor = cbor::Cursor::new(map);
    for _ in 0..cursor.map().ok()?? {
        let key = cursor.text_bytes().ok()??;
        let value = cursor.item().ok()?;
        if key == name.as_bytes() {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
