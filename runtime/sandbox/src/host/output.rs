//! A guest's standard output and error: lines for the log, the last of them kept for the fault that may follow.
//!
//! Not here: the streams themselves where the operator grants them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::host::log::{Confided, LINE_MAX, Log, cut, escaped};
use crate::v0::tombolo::connect::log::Level;

/// Lines kept: a panic's message and what led to it.
const LINES_KEPT: usize = 16;

/// Most bytes kept of one store: the lines begun on both streams, and the last lines of standard error.
pub(crate) const KEPT_BYTES_MAX: usize = (LINES_KEPT + 2) * BEGUN_MAX;

/// Most bytes kept of a line that has begun: with a letter beyond the cut, so that it is known for one.
const BEGUN_MAX: usize = LINE_MAX + char::MAX.len_utf8();

/// Bytes taken in one write.
const WRITE_MAX: usize = 64 << 10;

/// The last lines that a guest wrote, as it wrote them: most are never read, so that what they must not tell is hidden when they are.
#[derive(Clone, Default)]
pub(crate) struct LastLines(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl LastLines {
    /// Keeps a line of at most [`BEGUN_MAX`] bytes.
    fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line.to_vec());
    }

    /// The lines, one under the other, without what must not be told; none if there are none.
    pub(crate) fn text(&self, confided: &Confided) -> Option<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |line: &Vec<u8>| {
            // Escaping makes a line longer.
            cut(&escaped(&confided.hide(&String::from_utf8_lossy(line)))).to_owned()
        };
        (!lines.is_empty()).then(|| lines.iter().map(shown).collect::<Vec<_>>().join("\n"))
    }
}

/// Standard output or error of one store.
#[derive(Clone)]
pub(crate) struct Output {
    log: Log,
    level: Level,
    /// Where the last lines are kept, if they are.
    last: Option<LastLines>,
    /// The line begun. All streams of a guest write to the same.
    line: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    pub(crate) fn new(log: Log, level: Level, last: Option<LastLines>) -> Self {
        Self { log, level, last, line: Arc::default() }
    }

    fn write_lines(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let ended = piece.strip_suffix(b"\n");
            let piece = ended.unwrap_or(piece);
            let room = BEGUN_MAX.saturating_sub(line.len()).min(piece.len());
            line.extend_from_slice(piece.get(..room).unwrap_or_default());
            if ended.is_some() {
                self.write_line(&line);
                line.clear();
            }
        }
    }

    fn write_line(&self, line: &[u8]) {
        self.log.write(self.level, &String::from_utf8_lossy(line));
        if let Some(last) = &self.last {
            last.push(line);
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    /// Written at once, not by a task beside: what a guest says before it traps must be there when the trap is.
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    /// Errors: a trap, for more than [`OutputStream::check_write`] allowed.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_MAX {
            let why = format!("a write of {} bytes, of {WRITE_MAX} allowed", bytes.len());
            return Err(StreamError::Trap(wasmtime::Error::msg(why)));
        }
        self.write_lines(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_MAX)
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}
