//! The sink: appends each record's value as a line. Not here: how a value prints (`tombolo_sdk::java`).

use std::fs::File;
use std::io::{Error, Read, Seek, SeekFrom, Write};

use tombolo_sdk::columns::Columns;
use tombolo_sdk::connector::EveryTask;
use tombolo_sdk::fault::{Fault, Result};
use tombolo_sdk::host;
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::record::Records;
use tombolo_sdk::settings::SettingState;
use tombolo_sdk::sink::{Altered, PartitionOffset, Sink, SinkContext};

use crate::access;
use crate::append::Appender;
use crate::settings::SinkSettings;

/// How much is written at once: large enough that the call costs little per line, small against a sandbox's memory.
const CHUNK: usize = 256 * 1024;

/// Appends the text of each record's value to a file, or to standard output, as a line.
#[derive(Debug)]
pub struct FileStreamSink {
    settings: SinkSettings,
    output: Output,
    /// Bytes in the file, where this task alone decides about them.
    len: Option<u64>,
    /// Whole lines that are not yet written.
    lines: Vec<u8>,
}

/// Where lines go.
#[derive(Debug)]
enum Output {
    /// The file, and what appends to it.
    File(File, Appender),
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
        let output = match &settings.file {
            None => {
                access::standard_streams()?;
                Output::Stdout(std::io::stdout())
            }
            Some(path) => {
                let file = access::open_to_append(path)?;
                if settings.alone {
                    mend(&file, path)?;
                }
                let appender = Appender::new(path, &file).map_err(Fault::fatal)?;
                Output::File(file, appender)
            }
        };
        let mut sink = Self { settings, output, len: None, lines: Vec::with_capacity(CHUNK) };
        sink.len = sink.measure()?;
        Ok(sink)
    }

    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        let before = self.len;
        self.write(records, context).map_err(|error| self.failed(before, &error))
    }

    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        _context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        // Every row is in the file when `put` returns; this makes sure that it stays there.
        match &mut self.output {
            Output::File(file, _) => file.sync_data(),
            Output::Stdout(stdout) => stdout.flush(),
        }
        .map_err(|error| self.fault(&error))?;
        // Others may have shortened the file meanwhile.
        self.len = self.measure()?;
        Ok(offsets.to_vec())
    }

    fn alter_offsets(_settings: &SinkSettings, _offsets: &[Altered]) -> Result<bool> {
        Ok(true)
    }
}

impl FileStreamSink {
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
            Output::File(_, appender) => appender.append(&self.lines)?,
            Output::Stdout(stdout) => {
                stdout.write_all(&self.lines)?;
                stdout.flush()?;
            }
        }
        self.len = self.len.map(|len| len + self.lines.len() as u64);
        self.lines.clear();
        Ok(())
    }

    /// Asks for the bytes in the file, where this task alone decides about them.
    ///
    /// Cost: the host takes the question to another thread and back, which for every `put` would cost as much as writing.
    fn measure(&self) -> Result<Option<u64>> {
        match &self.output {
            Output::File(file, _) if self.settings.alone => {
                let data = file.metadata().map_err(|error| self.fault(&error))?;
                Ok(Some(data.len()))
            }
            _ => Ok(None),
        }
    }

    /// Takes back what a failed `put` wrote, so that the same records can come again without a gap, a torn line, or one twice.
    fn failed(&mut self, before: Option<u64>, error: &Error) -> Fault {
        self.lines.clear();
        let fault = self.fault(error);
        self.len = before;
        if let (Output::File(file, _), Some(before)) = (&self.output, before)
            && let Err(error) = shorten(file, before)
        {
            return Fault::fatal(format_args!(
                "{}; what was written of these records could not be taken back: {error}",
                fault.problem()
            ));
        }
        fault
    }

    fn fault(&self, error: &Error) -> Fault {
        let name = self.settings.file.as_deref().unwrap_or("standard output");
        let what = format!("Couldn't write to {name}: {error}");
        if access::is_passing(error) { Fault::retriable(what) } else { Fault::fatal(what) }
    }
}

/// Takes a file back to this length; one that is shorter stays as it is.
fn shorten(file: &File, len: u64) -> std::io::Result<()> {
    if file.metadata()?.len() > len { file.set_len(len) } else { Ok(()) }
}

/// Makes a file end with a whole line: what stands behind the last line end, a write that a crash tore, goes to `<file>.torn`.
///
/// Its record comes again, as its offset was not committed. It is kept beside the file because it could be someone else's text.
fn mend(file: &File, path: &str) -> Result<()> {
    let failed =
        |error: Error| Fault::fatal(format_args!("Couldn't look at the end of {path}: {error}"));
    let end = file.metadata().map_err(failed)?.len();
    // Opened anew: a component cannot read back through what it appends to.
    let mut reader = File::open(path).map_err(failed)?;
    let whole = whole_lines(&mut reader, end).map_err(failed)?;
    if whole == end {
        return Ok(());
    }
    let mut torn = Vec::new();
    reader.seek(SeekFrom::Start(whole)).map_err(failed)?;
    reader.read_to_end(&mut torn).map_err(failed)?;
    let aside = format!("{path}.torn");
    torn.push(b'\n');
    access::open_to_append(&aside)?.write_all(&torn).map_err(failed)?;
    file.set_len(whole).map_err(failed)?;
    let bytes = end - whole;
    host::warn(format_args!("{path} ended within a line: moved its last {bytes} bytes to {aside}"));
    Ok(())
}

/// Where the last whole line ends.
fn whole_lines(file: &mut File, mut end: u64) -> std::io::Result<u64> {
    let mut piece = vec![0; 4096];
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        piece.truncate(usize::try_from(end - start).unwrap_or(0));
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece)?;
        if let Some(last) = memchr::memrchr(b'\n', &piece) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
