//! One file of a partition: batches in order, and a sparse index of them in memory. Not here: which file an offset is
//! in, and who may append (`log`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::{self, Header};
use super::records;
use super::scan::Scan;

/// Bytes of a file that one index entry stands for, as Kafka's `index.interval.bytes`: a reader scans at most so much
/// in vain, and 1 GB of small batches costs 6 MB of index.
const INDEX_INTERVAL_BYTES: u64 = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IndexEntry {
    /// Base offset of the batch at `position`.
    offset: i64,
    position: u64,
    /// Largest timestamp of all batches before this one.
    timestamp_before: i64,
}

/// A file of batches. Appending needs `&mut`; what was appended never changes.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    /// Shared with readers that are still reading while compaction or deletion takes the segment away. Absent until the
    /// first append: most partitions of most topics stay empty, and files that are not there cost no descriptors.
    file: Option<Arc<File>>,
    base: i64,
    next: i64,
    size: u64,
    index: Vec<IndexEntry>,
    /// Largest timestamp. -1 without batches.
    max_timestamp: i64,
    has_unsynced: bool,
}

/// A batch that `Segment::open` found, for whoever rebuilds the state of producers.
pub(crate) struct Found {
    pub header: Header,
    /// For the end of a transaction: whether it committed.
    pub commits: Option<bool>,
}

impl Segment {
    /// The path of the segment with this base offset.
    pub(crate) fn path_in(dir: &Path, base: i64) -> PathBuf {
        dir.join(format!("{base:020}.log"))
    }

    /// An empty segment that gets its file by its first append.
    pub(crate) fn absent(path: PathBuf, base: i64) -> Self {
        Self {
            path,
            file: None,
            base,
            next: base,
            size: 0,
            index: Vec::new(),
            max_timestamp: -1,
            has_unsynced: false,
        }
    }

    /// An empty segment with a file, so that its base offset survives a restart. Replaces what a crash left there.
    pub(crate) fn create(path: PathBuf, base: i64) -> io::Result<Self> {
        let mut segment = Self::absent(path, base);
        segment.create_file()?;
        Ok(segment)
    }

    fn create_file(&mut self) -> io::Result<Arc<File>> {
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(&self.path)?;
        Ok(self.file.insert(Arc::new(file)).clone())
    }

    /// Reads a file from an earlier run and cuts a torn end off. `check` compares checksums, which the newest segment
    /// needs: a crash can only have torn that one.
    pub(crate) fn open(
        path: PathBuf,
        base: i64,
        check: bool,
        mut found: impl FnMut(Found),
    ) -> io::Result<Self> {
        let file = Arc::new(File::options().read(true).write(true).open(&path)?);
        let length = file.metadata()?.len();
        let mut segment = Self { file: Some(file.clone()), ..Self::absent(path, base) };
        let mut scan = Scan::new(&file, 0, length);
        while let Some((at, header)) = scan.next()? {
            if header.base < segment.next {
                break;
            }
            let mut commits = None;
            if check || header.is_control() {
                let whole = scan.whole(at, &header)?;
                if !batch::checksum_matches(whole) {
                    break;
                }
                commits = header.is_control().then(|| records::marker_commits(whole)).flatten();
            }
            segment.note(&header);
            found(Found { header, commits });
        }
        if segment.size < length {
            tracing::warn!(
                path = %segment.path.display(),
                bytes = length - segment.size,
                "cut an unfinished end off a log file"
            );
            file.set_len(segment.size)?;
        }
        Ok(segment)
    }

    /// Appends batches whose offsets are assigned and follow what is there. On an error nothing was appended.
    pub(crate) fn append(&mut self, header: &Header, batch: &[u8]) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => self.create_file()?,
        };
        file.write_all_at(batch, self.size)?;
        self.has_unsynced = true;
        self.note(header);
        Ok(())
    }

    fn note(&mut self, header: &Header) {
        let indexed = self.index.last().map(|entry| entry.position);
        if indexed.is_none_or(|position| self.size - position >= INDEX_INTERVAL_BYTES) {
            self.index.push(IndexEntry {
                offset: header.base,
                position: self.size,
                timestamp_before: self.max_timestamp,
            });
        }
        self.size += u64::from(header.bytes);
        self.next = header.next();
        self.max_timestamp = self.max_timestamp.max(header.max_timestamp);
    }

    /// Where a scan for the batch with `offset` begins: at or before it.
    pub(crate) fn floor(&self, offset: i64) -> u64 {
        let after = self.index.partition_point(|entry| entry.offset <= offset);
        self.index.get(after.saturating_sub(1)).map_or(0, |entry| entry.position)
    }

    /// An offset that no batch which begins before `position` reaches. Exact to one index entry.
    pub(crate) fn offset_beyond(&self, position: u64) -> i64 {
        let after = self.index.partition_point(|entry| entry.position < position);
        self.index.get(after).map_or(self.next, |entry| entry.offset)
    }

    /// Where a scan for the first batch with a timestamp of at least `timestamp` begins.
    pub(crate) fn floor_of_timestamp(&self, timestamp: i64) -> u64 {
        let after = self.index.partition_point(|entry| entry.timestamp_before < timestamp);
        self.index.get(after.saturating_sub(1)).map_or(0, |entry| entry.position)
    }

    /// The file, if something was appended since the last call, for the caller to sync to the disk.
    pub(crate) fn take_unsynced(&mut self) -> Option<Arc<File>> {
        std::mem::take(&mut self.has_unsynced).then(|| self.file.clone()).flatten()
    }

    /// Takes the place of the file of another segment, at once and for good.
    pub(crate) fn rename(&mut self, to: PathBuf) -> io::Result<()> {
        std::fs::rename(&self.path, &to)?;
        self.path = to;
        Ok(())
    }

    /// Removes the file. Readers that hold it go on reading.
    pub(crate) fn remove(self) -> io::Result<()> {
        match self.file {
            Some(_) => std::fs::remove_file(&self.path),
            None => Ok(()),
        }
    }

    /// `None` while nothing was appended.
    pub(crate) fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    /// The offset its name says; none of its batches is below it.
    pub(crate) fn base(&self) -> i64 {
        self.base
    }

    /// The offset after its last batch; `base` when empty.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }
}
