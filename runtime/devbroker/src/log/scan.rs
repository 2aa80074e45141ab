//! Walking over the batches of a segment file in order. Not here: what is done with them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::batch::{HEADER_BYTES, Header};

/// Read at once. Small batches share one read, large ones are skipped over by their length.
const CHUNK_BYTES: usize = 64 * 1024;

/// Walks over the headers in a part of a file that holds whole batches, or a torn one at its end.
pub(crate) struct Scan<'a> {
    file: &'a File,
    /// Where the next batch begins.
    at: u64,
    end: u64,
    chunk: Vec<u8>,
    chunk_at: u64,
}

impl<'a> Scan<'a> {
    /// A walk from the batch at `from` to before `end`.
    pub(crate) fn new(file: &'a File, from: u64, end: u64) -> Self {
        Self { file, at: from, end, chunk: Vec::new(), chunk_at: from }
    }

    /// The next batch and its position. `None` at the end, and where no whole batch follows.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Header)>> {
        if self.at + HEADER_BYTES as u64 > self.end {
            return Ok(None);
        }
        let Some(header) = Header::parse(self.chunk_from(HEADER_BYTES)?) else { return Ok(None) };
        let next = self.at + u64::from(header.bytes);
        if next > self.end {
            return Ok(None);
        }
        Ok(Some((std::mem::replace(&mut self.at, next), header)))
    }

    /// The whole batch that `next` just gave.
    pub(crate) fn whole(&mut self, at: u64, header: &Header) -> io::Result<&[u8]> {
        let bytes = header.bytes as usize;
        let after = std::mem::replace(&mut self.at, at);
        self.load(bytes)?;
        self.at = after;
        let from = (at - self.chunk_at) as usize;
        Ok(self.chunk.get(from..from + bytes).unwrap_or_default())
    }

    fn chunk_from(&mut self, bytes: usize) -> io::Result<&[u8]> {
        self.load(bytes)?;
        Ok(self.chunk.get((self.at - self.chunk_at) as usize..).unwrap_or_default())
    }

    /// Makes the chunk hold `bytes` bytes from `at` on.
    fn load(&mut self, bytes: usize) -> io::Result<()> {
        let held = self.chunk_at..self.chunk_at + self.chunk.len() as u64;
        if held.contains(&self.at) && self.at + bytes as u64 <= held.end {
            return Ok(());
        }
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        self.chunk.resize(bytes.max(CHUNK_BYTES).min(left), 0);
        self.chunk_at = self.at;
        self.file.read_exact_at(&mut self.chunk, self.at)
    }
}
