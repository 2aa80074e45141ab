//! Compaction (`cleanup.policy=compact`): of the records with one key only the newest stays. Not here: when it runs
//! (`cleaner`).
//!
//! Works on closed segments and needs the log's lock only to begin and to put the result in place. Groups of small
//! segments become one, whose file takes the place of the first by a rename; the others are removed after. A crash in
//! between leaves files whose records are in the file before, and `Log::open` removes those. Every rewritten file
//! keeps its last batch, if only the header, so that this can be seen.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Log;
use super::batch::{self, Header};
use super::checkpoint::Checkpoint;
use super::producers::Aborted;
use super::records::{self, Records};
use super::scan::Scan;
use super::segment::Segment;

/// Extension of files that are not in place yet.
pub(crate) const UNFINISHED: &str = "cleaned";

/// When and how a topic is compacted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compaction {
    /// Uncompacted part of the log from which on it is worth it (`min.cleanable.dirty.ratio`).
    pub min_dirty_ratio: f64,
    /// Younger records stay (`min.compaction.lag.ms`).
    pub min_lag_ms: i64,
    /// How long tombstones stay for consumers to see (`delete.retention.ms`).
    pub delete_retention_ms: i64,
}

/// Segments to compact, with all that is to be known of them.
#[derive(Debug)]
pub(crate) struct Job {
    dir: PathBuf,
    /// Consecutive segments that together fit into one.
    groups: Vec<Vec<Source>>,
    aborted: Vec<Aborted>,
    /// Last offsets of batches whose headers must stay.
    keep: HashSet<i64>,
    now_ms: i64,
    delete_retention_ms: i64,
}

#[derive(Debug, Clone)]
struct Source {
    file: Arc<File>,
    base: i64,
    next: i64,
    size: u64,
}

/// A file that is to take the place of the segments from `first` to before `next`.
#[derive(Debug)]
pub(crate) struct Compacted {
    segment: Segment,
    first: i64,
    next: i64,
}

impl Log {
    /// Closes the active segment and lists what to compact; `None` when it is not worth it.
    pub(crate) fn plan_compaction(
        &mut self,
        compaction: Compaction,
        now_ms: i64,
    ) -> io::Result<Option<Job>> {
        let compacted_to = self.checkpoint.compacted_to;
        let dirty = |segment: &&Segment| segment.next() > compacted_to;
        let all = self.closed.iter().chain([&self.active]);
        let dirty_bytes: u64 = all.filter(dirty).map(Segment::size).sum();
        let size = self.size();
        if dirty_bytes == 0 || (dirty_bytes as f64) < compaction.min_dirty_ratio * size as f64 {
            return Ok(None);
        }
        self.roll()?;
        let stable = self.last_stable();
        let youngest = now_ms.saturating_sub(compaction.min_lag_ms.max(0));
        let is_ready = |segment: &&Segment| {
            segment.next() <= stable
                && (compaction.min_lag_ms <= 0 || segment.max_timestamp() <= youngest)
        };
        let source = |segment: &Segment| {
            let (base, next, size) = (segment.base(), segment.next(), segment.size());
            Some(Source { file: segment.file()?.clone(), base, next, size })
        };
        let sources: Vec<_> = self.closed.iter().take_while(is_ready).filter_map(source).collect();
        if sources.last().is_none_or(|last| last.next <= compacted_to) {
            return Ok(None);
        }
        Ok(Some(Job {
            dir: self.dir.clone(),
            groups: group(sources, self.segment_bytes),
            aborted: self.producers.aborted_in(self.start(), stable),
            keep: self.producers.last_offsets().collect(),
            now_ms,
            delete_retention_ms: compaction.delete_retention_ms.max(0),
        }))
    }

    /// Puts compacted segments in place, if the segments they came from are all still there.
    pub(crate) fn put_compacted(&mut self, compacted: Vec<Compacted>) -> io::Result<()> {
        let mut compacted_to = self.checkpoint.compacted_to;
        for Compacted { mut segment, first, next } in compacted {
            let begin = self.closed.partition_point(|old| old.base() < first);
            let end = self.closed.partition_point(|old| old.next() <= next);
            let old = self.closed.get(begin..end).unwrap_or_default();
            let unchanged = old.first().is_some_and(|old| old.base() == first)
                && old.last().is_some_and(|old| old.next() == next);
            if !unchanged || self.is_deleted {
                segment.remove()?;
                continue;
            }
            segment.rename(Segment::path_in(&self.dir, first))?;
            let replaced: Vec<_> = self.closed.splice(begin..end, [segment]).collect();
            for old in replaced.into_iter().skip(1) {
                old.remove()?;
            }
            compacted_to = next;
        }
        if !self.is_deleted {
            let new = Checkpoint { compacted_to, ..self.checkpoint };
            new.save(&self.dir)?;
            self.checkpoint = new;
        }
        Ok(())
    }
}

fn group(sources: Vec<Source>, bytes_max: u64) -> Vec<Vec<Source>> {
    let mut groups: Vec<Vec<Source>> = Vec::new();
    for source in sources {
        match groups.last_mut() {
            Some(group) if group.iter().map(|s| s.size).sum::<u64>() + source.size <= bytes_max => {
                group.push(source);
            }
            _ => groups.push(vec![source]),
        }
    }
    groups
}

impl Job {
    /// Reads every record twice: to learn the newest of each key, and to write what stays.
    pub(crate) fn run(&self) -> io::Result<Vec<Compacted>> {
        let newest = self.newest()?;
        self.groups.iter().filter_map(|group| self.compact(group, &newest).transpose()).collect()
    }

    fn newest(&self) -> io::Result<HashMap<Box<[u8]>, i64>> {
        let mut newest = HashMap::new();
        for source in self.groups.iter().flatten() {
            let mut scan = Scan::new(&source.file, 0, source.size);
            while let Some((at, header)) = scan.next()? {
                if header.is_control() || self.is_aborted(&header) {
                    continue;
                }
                let payload = records::payload(&header, scan.whole(at, &header)?)?;
                for record in Records::new(&payload) {
                    let record = record.map_err(io::Error::other)?;
                    if let Some(key) = record.key {
                        newest.insert(key.into(), header.base + record.offset_delta);
                    }
                }
            }
        }
        Ok(newest)
    }

    fn is_aborted(&self, header: &Header) -> bool {
        header.is_transactional()
            && self.aborted.iter().any(|aborted| {
                aborted.producer_id == header.producer_id
                    && (aborted.first..aborted.last).contains(&header.base)
            })
    }

    fn compact(
        &self,
        group: &[Source],
        newest: &HashMap<Box<[u8]>, i64>,
    ) -> io::Result<Option<Compacted>> {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return Ok(None) };
        let path = unfinished_path(&self.dir, first.base);
        let mut segment = Segment::create(path, first.base)?;
        for source in group {
            let mut scan = Scan::new(&source.file, 0, source.size);
            while let Some((at, header)) = scan.next()? {
                let must_stay = header.next() == last.next || self.keep.contains(&header.last());
                let kept = self.rewrite(&header, scan.whole(at, &header)?, must_stay, newest)?;
                if let Some((header, batch)) = kept {
                    segment.append(&header, &batch)?;
                }
            }
        }
        if let Some(file) = segment.take_unsynced() {
            file.sync_all()?;
        }
        Ok(Some(Compacted { segment, first: first.base, next: last.next }))
    }

    /// What stays of a batch.
    fn rewrite(
        &self,
        header: &Header,
        whole: &[u8],
        must_stay: bool,
        newest: &HashMap<Box<[u8]>, i64>,
    ) -> io::Result<Option<(Header, Vec<u8>)>> {
        let payload = match header.is_control() || self.is_aborted(header) {
            true => Default::default(),
            false => records::payload(header, whole)?,
        };
        let horizon_ms = match header.has_delete_horizon() {
            true => header.base_timestamp,
            false => self.now_ms.saturating_add(self.delete_retention_ms),
        };
        let mut kept = Vec::new();
        for record in Records::new(&payload) {
            let record = record.map_err(io::Error::other)?;
            let offset = header.base + record.offset_delta;
            let is_newest = record.key.and_then(|key| newest.get(key)) == Some(&offset);
            let is_over =
                record.is_tombstone && header.has_delete_horizon() && horizon_ms <= self.now_ms;
            if is_newest && !is_over {
                kept.push(record);
            }
        }
        if kept.is_empty() && !must_stay {
            return Ok(None);
        }
        let horizon_ms = kept.iter().any(|record| record.is_tombstone).then_some(horizon_ms);
        let base_timestamp = horizon_ms.unwrap_or(header.base_timestamp);
        let shift = header.base_timestamp.saturating_sub(base_timestamp);
        let mut records = Vec::with_capacity(payload.len());
        let mut max_timestamp = -1;
        for record in &kept {
            let timestamp = header.base_timestamp.saturating_add(record.timestamp_delta);
            max_timestamp = max_timestamp.max(timestamp);
            record.write(record.timestamp_delta.saturating_add(shift), &mut records);
        }
        if kept.is_empty() || header.has_log_append_time() {
            max_timestamp = header.max_timestamp;
        }
        let packed = if kept.is_empty() { records } else { records::pack(header, records)? };
        let batch = batch::rewrite(header, max_timestamp, horizon_ms, kept.len() as i32, &packed);
        let header = Header::parse(&batch).ok_or_else(|| io::Error::other("batch too large"))?;
        Ok(Some((header, batch)))
    }
}

fn unfinished_path(dir: &Path, base: i64) -> PathBuf {
    Segment::path_in(dir, base).with_extension(UNFINISHED)
}

#[cfg(test)]
mod tests;
