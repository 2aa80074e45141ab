//! Reading a log: for fetches, and by timestamp. Plans are made under the log's lock and carried out without it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::batch::Header;
use super::producers::Aborted;
use super::records::{self, Records};
use super::scan::Scan;
use super::segment::Segment;
use super::{Log, batch};

/// Added to what a reader asks for, so that one read holds it though it begins at an index entry before.
const INDEX_SLACK_BYTES: usize = 4096;

/// A part of one segment that holds what a fetch asks for.
#[derive(Debug)]
pub(crate) struct ReadPlan {
    file: Arc<File>,
    from: u64,
    end: u64,
    offset: i64,
    limit: i64,
    /// Aborted transactions with records in the answer, for `read_committed` consumers.
    pub aborted: Vec<Aborted>,
}

/// A record that a search by timestamp found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dated {
    pub offset: i64,
    pub timestamp: i64,
}

impl Log {
    /// Plans to read batches from the one with `offset` on, below the last stable offset if `committed`. `None` when
    /// there are none. `bytes_max` is the most that will be read.
    pub(crate) fn plan(&self, offset: i64, bytes_max: usize, committed: bool) -> Option<ReadPlan> {
        let limit = if committed { self.last_stable() } else { self.next() };
        if offset >= limit {
            return None;
        }
        let segment = self.segments_from(offset).find(|segment| segment.size() > 0)?;
        let from = segment.floor(offset);
        let beyond = segment.offset_beyond(from + (bytes_max + INDEX_SLACK_BYTES) as u64);
        Some(ReadPlan {
            file: segment.file()?.clone(),
            from,
            end: segment.size(),
            offset,
            limit,
            aborted: if committed { self.producers.aborted_in(offset, beyond) } else { vec![] },
        })
    }

    /// At least how many bytes a fetch from `offset` could get; exact to some 4 KiB, never too few.
    pub(crate) fn available(&self, offset: i64, committed: bool) -> u64 {
        let limit = if committed { self.last_stable() } else { self.next() };
        if offset >= limit {
            return 0;
        }
        let of = |segment: &Segment| segment.size() - segment.floor(offset);
        self.segments_from(offset).map(of).sum()
    }

    /// Plans a search for the first record with a timestamp of at least `timestamp`.
    pub(crate) fn plan_search(&self, timestamp: i64) -> Vec<SearchPlan> {
        let plan = |segment: &Segment| {
            Some(SearchPlan {
                file: segment.file()?.clone(),
                from: segment.floor_of_timestamp(timestamp),
                end: segment.size(),
                start: self.start(),
                timestamp,
            })
        };
        let hit = |segment: &&Segment| segment.max_timestamp() >= timestamp;
        self.segments_from(self.start()).filter(hit).filter_map(plan).collect()
    }

    /// The largest timestamp of the records that clients may read. -1 when there are none.
    pub(crate) fn max_timestamp(&self) -> i64 {
        self.segments_from(self.start()).map(Segment::max_timestamp).max().unwrap_or(-1)
    }

    fn segments_from(&self, offset: i64) -> impl Iterator<Item = &Segment> {
        let first = self.closed.partition_point(|segment| segment.next() <= offset);
        self.closed.get(first..).unwrap_or_default().iter().chain([&self.active])
    }
}

impl ReadPlan {
    /// Reads whole batches of together at most `bytes_max`; the first also if it is larger, when `at_least_one`.
    pub(crate) fn read(&self, bytes_max: usize, at_least_one: bool) -> io::Result<Bytes> {
        let left = usize::try_from(self.end - self.from).unwrap_or(usize::MAX);
        let bytes = self.read_at(self.from, left.min(bytes_max + INDEX_SLACK_BYTES))?;
        let mut position = self.from;
        let mut headers = headers(&bytes);
        let in_memory = loop {
            match headers.next() {
                Some(header) if header.last() >= self.offset => break Some((position, header)),
                Some(header) => position += u64::from(header.bytes),
                None => break None,
            }
        };
        // What was read ends before the batch asked for when a large one stands before it.
        let first = if in_memory.is_some() { in_memory } else { self.first(position)? };
        let Some((at, first)) = first else { return Ok(Bytes::new()) };
        let size = first.bytes as usize;
        if first.base >= self.limit || (size > bytes_max && !at_least_one) {
            return Ok(Bytes::new());
        }
        let begin = usize::try_from(at - self.from).unwrap_or(usize::MAX);
        match bytes.get(begin..) {
            Some(rest) if rest.len() >= size => {
                Ok(bytes.slice(begin..begin + self.whole_batches(rest, size, bytes_max)))
            }
            _ => {
                let left = usize::try_from(self.end - at).unwrap_or(usize::MAX);
                let bytes = self.read_at(at, left.min(bytes_max.max(size)))?;
                let end = self.whole_batches(&bytes, size, bytes_max);
                Ok(bytes.slice(..end))
            }
        }
    }

    /// The batch with the offset asked for, or the first after it, and its position. Looks from `position` on.
    fn first(&self, position: u64) -> io::Result<Option<(u64, Header)>> {
        let mut scan = Scan::new(&self.file, position, self.end);
        while let Some((at, header)) = scan.next()? {
            if header.last() >= self.offset {
                return Ok(Some((at, header)));
            }
        }
        Ok(None)
    }

    /// How many of `bytes`, which begin with a batch of `first` bytes, are whole batches that may be answered.
    fn whole_batches(&self, bytes: &[u8], first: usize, bytes_max: usize) -> usize {
        let mut end = first;
        for header in headers(bytes.get(first..).unwrap_or_default()) {
            let next = end + header.bytes as usize;
            if header.base >= self.limit || next > bytes_max || next > bytes.len() {
                break;
            }
            end = next;
        }
        end
    }

    fn read_at(&self, position: u64, bytes: usize) -> io::Result<Bytes> {
        let mut buffer = vec![0; bytes];
        self.file.read_exact_at(&mut buffer, position)?;
        Ok(buffer.into())
    }
}

/// The headers of batches in memory, of which the last may be cut.
pub(super) fn headers(bytes: &[u8]) -> impl Iterator<Item = Header> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let header = Header::parse(rest)?;
        rest = rest.get(header.bytes as usize..).unwrap_or_default();
        Some(header)
    })
}

/// A part of one segment in which to look for a timestamp.
#[derive(Debug)]
pub(crate) struct SearchPlan {
    file: Arc<File>,
    from: u64,
    end: u64,
    start: i64,
    timestamp: i64,
}

impl SearchPlan {
    pub(crate) fn find(&self) -> io::Result<Option<Dated>> {
        let mut scan = Scan::new(&self.file, self.from, self.end);
        while let Some((at, header)) = scan.next()? {
            if header.max_timestamp < self.timestamp
                || header.is_control()
                || header.last() < self.start
            {
                continue;
            }
            let found = self.find_in(&header, scan.whole(at, &header)?)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn find_in(&self, header: &batch::Header, whole: &[u8]) -> io::Result<Option<Dated>> {
        let payload = records::payload(header, whole)?;
        for record in Records::new(&payload) {
            let record = record.map_err(io::Error::other)?;
            let offset = header.base + record.offset_delta;
            let timestamp = match header.has_log_append_time() {
                true => header.max_timestamp,
                false => header.base_timestamp + record.timestamp_delta,
            };
            if timestamp >= self.timestamp && offset >= self.start {
                return Ok(Some(Dated { offset, timestamp }));
            }
        }
        Ok(None)
    }
}
