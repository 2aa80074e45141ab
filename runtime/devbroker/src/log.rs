//! One partition: segments of record batches, stored as clients sent them. Not here: which client may write what
//! (`api`), and settings of topics (`topics`).
//!
//! Readers get a [`ReadPlan`] and read without the lock that guards a log; compaction likewise works on closed segments
//! without it. So the lock is held for one write at most.

pub(crate) mod batch;
pub(crate) mod checkpoint;
pub(crate) mod compaction;
pub(crate) mod produced;
pub(crate) mod producers;
pub(crate) mod read;
pub(crate) mod records;
pub(crate) mod retention;
mod scan;
mod segment;
#[cfg(test)]
pub(crate) mod testing;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::Notify;

use batch::Header;
use checkpoint::Checkpoint;
use produced::Produced;
use producers::{Check, Producers};
use segment::{Found, Segment};

/// A partition's records on disk and what must be known to serve them.
///
/// Offsets below the checkpoint's start do not exist for clients, though a file may still hold them.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    /// In order of offsets, never written to again.
    closed: Vec<Segment>,
    active: Segment,
    checkpoint: Checkpoint,
    producers: Producers,
    /// Fetches that wait for an append.
    waiting: Vec<Weak<Notify>>,
    is_deleted: bool,
    /// Size at which a new segment begins (`segment.bytes`).
    segment_bytes: u64,
}

/// Where an appended batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub base: i64,
    /// Set where the broker's clock replaced the producer's.
    pub log_append_time_ms: Option<i64>,
}

impl Log {
    /// Opens what an earlier run left in `dir`; nothing need be there. Cuts a torn end off, and throws away what an
    /// interrupted compaction had not put in place.
    ///
    /// Cost: reads the newest segment whole, of older ones the headers.
    pub(crate) fn open(dir: PathBuf, segment_bytes: u64, now_ms: i64) -> io::Result<Self> {
        let checkpoint = Checkpoint::load(&dir)?;
        let mut producers = Producers::default();
        let mut closed: Vec<Segment> = Vec::new();
        let files = segment_files(&dir)?;
        let newest = files.last().map(|(base, _)| *base);
        for (base, path) in files {
            if closed.last().is_some_and(|before| base < before.next()) {
                // Compaction had put its records into the file before.
                std::fs::remove_file(&path)?;
                continue;
            }
            let note = |found: Found| producers.apply(&found.header, found.commits, now_ms);
            closed.push(Segment::open(path, base, newest == Some(base), note)?);
        }
        let active = closed.pop().unwrap_or_else(|| Segment::absent(Segment::path_in(&dir, 0), 0));
        let mut log = Self {
            dir,
            closed,
            active,
            checkpoint,
            producers,
            waiting: Vec::new(),
            is_deleted: false,
            segment_bytes,
        };
        let first = log.closed.first().unwrap_or(&log.active).base();
        let start = log.checkpoint.start.clamp(first, log.next());
        log.checkpoint.start = start;
        log.producers.forget_aborted_below(start);
        Ok(log)
    }

    /// Offset of the oldest record that clients may read.
    pub(crate) fn start(&self) -> i64 {
        self.checkpoint.start
    }

    /// Offset of the record to come; Kafka's high watermark, for there are no replicas to wait for.
    pub(crate) fn next(&self) -> i64 {
        self.active.next()
    }

    /// Where `read_committed` consumers stop: the first offset of the oldest open transaction.
    pub(crate) fn last_stable(&self) -> i64 {
        self.producers.first_open().unwrap_or(self.next())
    }

    pub(crate) fn producers(&mut self) -> &mut Producers {
        &mut self.producers
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.is_deleted
    }

    pub(crate) fn set_segment_bytes(&mut self, bytes: u64) {
        self.segment_bytes = bytes;
    }

    /// Appends a batch from a client, unless the producer sent it before.
    pub(crate) fn append(
        &mut self,
        produced: &Produced,
        now_ms: i64,
    ) -> Result<Appended, ResponseError> {
        if self.is_deleted {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        let stamp = produced.log_append_time.then_some(now_ms);
        if let Check::Duplicate(base) = self.producers.check(&produced.header)? {
            return Ok(Appended { base, log_append_time_ms: stamp });
        }
        let mut bytes = produced.bytes.to_vec();
        if let Some(now_ms) = stamp {
            batch::stamp(&mut bytes, &produced.header, now_ms);
        }
        let base = self.write(bytes, None, now_ms).map_err(|error| self.storage_error(&error))?;
        Ok(Appended { base, log_append_time_ms: stamp })
    }

    /// Ends the transaction of a producer here, whether it wrote anything or not.
    pub(crate) fn end_transaction(
        &mut self,
        producer_id: i64,
        epoch: i16,
        commit: bool,
        now_ms: i64,
    ) -> io::Result<()> {
        if self.is_deleted {
            return Ok(());
        }
        let marker: Bytes = batch::end_marker(producer_id, epoch, commit, now_ms);
        self.write(marker.to_vec(), Some(commit), now_ms).map(drop)
    }

    fn write(&mut self, mut bytes: Vec<u8>, commits: Option<bool>, now_ms: i64) -> io::Result<i64> {
        if self.active.size() >= self.segment_bytes {
            self.roll()?;
        }
        let base = self.next();
        batch::assign_offset(&mut bytes, base);
        let Some(header) = Header::parse(&bytes) else {
            return Err(io::Error::other("the partition is full"));
        };
        self.active.append(&header, &bytes)?;
        self.producers.apply(&header, commits, now_ms);
        self.wake();
        Ok(base)
    }

    /// Begins a new segment, so that the old one may be compacted or deleted.
    fn roll(&mut self) -> io::Result<()> {
        if self.active.size() == 0 {
            return Ok(());
        }
        let base = self.next();
        let new = Segment::create(Segment::path_in(&self.dir, base), base)?;
        self.closed.push(std::mem::replace(&mut self.active, new));
        Ok(())
    }

    /// Deletes records before `offset` for clients, and files with nothing else in them. Answers the new start.
    pub(crate) fn delete_before(&mut self, offset: i64) -> io::Result<i64> {
        if offset > self.checkpoint.start {
            let new = Checkpoint { start: offset.min(self.next()), ..self.checkpoint };
            new.save(&self.dir)?;
            self.checkpoint = new;
        }
        while self.closed.first().is_some_and(|first| first.next() <= self.checkpoint.start) {
            self.closed.remove(0).remove()?;
        }
        self.producers.forget_aborted_below(self.checkpoint.start);
        Ok(self.checkpoint.start)
    }

    /// Wakes `fetch` at the next append, or deletion.
    pub(crate) fn wait(&mut self, fetch: &Arc<Notify>) {
        let is_other = |waiting: &Weak<Notify>| waiting.as_ptr() != Arc::as_ptr(fetch);
        self.waiting.retain(|waiting| waiting.strong_count() > 0 && is_other(waiting));
        self.waiting.push(Arc::downgrade(fetch));
    }

    fn wake(&mut self) {
        for fetch in self.waiting.drain(..).filter_map(|waiting| waiting.upgrade()) {
            fetch.notify_one();
        }
    }

    /// Refuses all further use; the caller removes the files.
    pub(crate) fn delete(&mut self) {
        self.is_deleted = true;
        self.wake();
    }

    /// Files that were appended to since the last call, for the caller to sync to the disk without the log's lock.
    pub(crate) fn take_unsynced(&mut self) -> Vec<Arc<File>> {
        if self.is_deleted {
            return Vec::new();
        }
        let all = self.closed.iter_mut().chain([&mut self.active]);
        all.filter_map(Segment::take_unsynced).collect()
    }

    /// Logs why a file cannot be used, and gives what clients are told.
    pub(crate) fn storage_error(&self, error: &io::Error) -> ResponseError {
        tracing::error!(path = %self.dir.display(), %error, "cannot use a partition's files");
        ResponseError::KafkaStorageError
    }

    /// Bytes of all segments.
    pub(crate) fn size(&self) -> u64 {
        self.closed.iter().map(Segment::size).sum::<u64>() + self.active.size()
    }
}

/// The segments in a partition's directory, by base offset. Removes what an interrupted compaction left.
fn segment_files(dir: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let base = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        match (extension, base) {
            (Some("log"), Some(base)) => files.push((base, path)),
            (Some(compaction::UNFINISHED), _) => std::fs::remove_file(&path)?,
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
