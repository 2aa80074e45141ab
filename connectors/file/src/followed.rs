//! A file that is read to its end, and further when it grows. Not here: lines (`lines`), and how often it is looked at (`pace`).

use std::fs::File;
use std::io::{Result, Seek as _, SeekFrom};

use crate::lines::Lines;

/// A file, and how much of it was read.
#[derive(Debug)]
pub(crate) struct Followed {
    file: File,
    /// Where reading goes on.
    at: u64,
    /// Whether nothing was there when it was last read.
    is_at_end: bool,
}

impl Followed {
    /// Reads on from this place.
    pub(crate) fn from(mut file: File, at: u64) -> Result<Self> {
        file.seek(SeekFrom::Start(at))?;
        Ok(Self { file, at, is_at_end: false })
    }

    /// Reads more, and says how much; 0 at the end of what is there.
    pub(crate) fn fill(&mut self, lines: &mut Lines) -> Result<usize> {
        if self.is_at_end && !self.has_grown()? {
            return Ok(0);
        }
        let read = lines.fill(&mut self.file)?;
        self.at += read as u64;
        self.is_at_end = read == 0;
        if self.is_at_end {
            // A component reads through a stream that ends for good at the file's end; going to this place begins another.
            self.file.seek(SeekFrom::Start(self.at))?;
        }
        Ok(read)
    }

    /// Whether there may be more: to ask for its size costs much less than to begin a stream that ends at once.
    fn has_grown(&self) -> Result<bool> {
        let metadata = self.file.metadata()?;
        Ok(!metadata.is_file() || metadata.len() > self.at)
    }
}
