//! The sink: appends each record's value as a line. Not here: how a value prints (`tombolo_sdk::java`).

use std::io::{Error, Write};

use tombolo_sdk::columns::Columns;
use tombolo_sdk::connector::EveryTask;
use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::record::Records;
use tombolo_sdk::settings::SettingState;
use tombolo_sdk::sink::{Altered, PartitionOffset, Sink, SinkContext};

use crate::access;
use crate::settings::SinkSettings;
use crate::target::{Standing, Target};
use crate::torn;

/// How much is written at once: large enough that the call costs little per line, small against a sandbox's memory.
const CHUNK: usize = 256 * 1024;

/// Appends the text of each record's value to a file, or to standard output, as a line.
#[derive(Debug)]
pub struct FileStreamSink {
    settings: SinkSettings,
    output: Output,
    /// Bytes in the file, where this task alone decides about them.
    len: Option<u64>,
    /// Whether lines were written since the last commit.
    is_dirty: bool,
    /// Whole lines that are not yet written.
    lines: Vec<u8>,
}

/// Where lines go.
#[derive(Debug)]
enum Output {
    File(Target),
    /// The file lost its name; the next `put` opens the path anew.
    Closed,
    Stdout(std::io::Stdout),
}

impl Plugin for FileStreamSink {
    type Settings = SinkSettings;
    const CLASS: &'static str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Appends the value of each record to a file as a line.";
    const READS: Columns = Columns::VALUE;

    fn validate(settings: &SinkSettings) -> Result<Vec<SettingState>> {
        Ok(access::check(settings.file.as_deref()))
    }
}

impl Sink for FileStreamSink {
    type Connector = EveryTask<SinkSettings>;

    fn start(settings: SinkSettings) -> Result<Self> {
        let lines = Vec::with_capacity(CHUNK);
        let mut sink = Self { settings, output: Output::Closed, len: None, is_dirty: false, lines };
        sink.open()?;
        Ok(sink)
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        self.open()?;
        let before = self.len;
        self.write(records, context).map_err(|error| self.failed(before, &error))
    }

    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        _context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        // Every row is in the file when `put` returns; this makes sure that it stays there, and that somebody can read it.
        match &mut self.output {
            Output::File(target) => target.sync(),
            Output::Stdout(stdout) => stdout.flush(),
            Output::Closed => Ok(()),
        }
        .map_err(|error| self.fault(&error))?;
        let was_dirty = std::mem::take(&mut self.is_dirty);
        self.follow_name(was_dirty)?;
        // Others may have shortened the file meanwhile.
        self.len = self.measure()?;
        Ok(offsets.to_vec())
    }

    fn alter_offsets(_settings: &SinkSettings, _offsets: &[Altered]) -> Result<bool> {
        Ok(true)
    }
}

impl FileStreamSink {
    /// Opens the file, unless it is open.
    fn open(&mut self) -> Result<()> {
        if !matches!(self.output, Output::Closed) {
            return Ok(());
        }
        self.output = match &self.settings.file {
            None => {
                access::standard_streams()?;
                Output::Stdout(std::io::stdout())
            }
            Some(path) => {
                let target = access::open_to_append(path)?;
                if self.settings.alone {
                    torn::move_aside(&target, path)?;
                }
                Output::File(target)
            }
        };
        self.len = self.measure()?;
        Ok(())
    }

    /// Lets go of a file that lost its name, so that rows go where the path leads now.
    ///
    /// Errors: the file was deleted with rows that are not committed. Without this commit they come again.
    fn follow_name(&mut self, was_dirty: bool) -> Result<()> {
        let (Output::File(target), Some(path)) = (&self.output, &self.settings.file) else {
            return Ok(());
        };
        match target.standing().map_err(|error| self.fault(&error))? {
            Standing::Same => return Ok(()),
            Standing::Moved => {
                host::info(format_args!("{path} was renamed or replaced: opening it anew"));
            }
            Standing::Deleted if was_dirty => {
                let message = format!(
                    "{path} was deleted with lines that were not committed: they are written again, to a new file"
                );
                self.output = Output::Closed;
                return Err(Fault::retriable(message));
            }
            Standing::Deleted => {
                host::warn(format_args!("{path} was deleted: opening it anew"));
            }
        }
        self.output = Output::Closed;
        Ok(())
    }

    /// Writes a line per record, in as few calls as their size allows.
    fn write(&mut self, records: Records<'_>, context: &mut SinkContext) -> std::io::Result<()> {
        self.lines.clear();
        for record in records.iter() {
            let start = self.lines.len();
            if let Err(problem) = record.write_value_text(&mut self.lines) {
                self.lines.truncate(start);
                context.report(&record, problem);
                continue;
            }
            self.lines.push(b'\n');
            if self.lines.len() >= CHUNK {
                self.write_lines()?;
            }
        }
        self.write_lines()
    }

    fn write_lines(&mut self) -> std::io::Result<()> {
        match &mut self.output {
            Output::File(target) => target.append(&self.lines)?,
            Output::Stdout(stdout) => {
                stdout.write_all(&self.lines)?;
                stdout.flush()?;
            }
            Output::Closed => return Err(std::io::ErrorKind::NotConnected.into()),
        }
        self.is_dirty |= !self.lines.is_empty();
        self.len = self.len.map(|len| len + self.lines.len() as u64);
        self.lines.clear();
        Ok(())
    }

    /// Asks for the bytes in the file, where this task alone decides about them.
    ///
    /// Cost: the host takes the question to another thread and back, which for every `put` would cost as much as writing.
    fn measure(&self) -> Result<Option<u64>> {
        match &self.output {
            Output::File(target) if self.settings.alone => {
                target.len().map(Some).map_err(|error| self.fault(&error))
            }
            _ => Ok(None),
        }
    }

    /// Takes back what a failed `put` wrote, so that the same records can come again without a gap, a torn line, or one twice.
    fn failed(&mut self, before: Option<u64>, error: &Error) -> Fault {
        self.lines.clear();
        let fault = self.fault(error);
        let (Output::File(target), Some(path), Some(before)) =
            (&self.output, &self.settings.file, before)
        else {
            return fault;
        };
        match torn::take_back(target, path, before) {
            Ok(len) => self.len = Some(len),
            Err(error) => {
                return Fault::fatal(format_args!(
                    "{}; what was written of these records could not be taken back: {error}",
                    fault.problem()
                ));
            }
        }
        fault
    }

    fn fault(&self, error: &Error) -> Fault {
        let name = self.settings.file.as_deref().unwrap_or("standard output");
        let what = format!("Couldn't write to {name}: {error}");
        if access::is_passing(error) { Fault::retriable(what) } else { Fault::fatal(what) }
    }
}

#[cfg(test)]
mod tests;
