//! Which rows of a source are settled, and so up to where its offsets may be committed.
//!
//! A row that was polled and never settled blocks its source partition for ever: forgetting one loses progress, never data.
//! Not here: sending rows (`source_task`), keeping them until they are settled (`in_flight`), and storing offsets (`commit`).
//!
//! Follows `SubmittedRecords` of Kafka Connect, with a batch where Kafka has a record: the only cost per row is a bit.

use std::collections::{HashMap, HashSet, VecDeque};

use tombolo_model::Column;
use tombolo_model::offset::{SourceOffset, SourcePartition, SourcePosition};

/// Where each row of a polled batch stands in its source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    /// Rows of the batch as polled.
    pub(crate) rows: u32,
    /// The source partitions that the batch draws from.
    pub(crate) partitions: Vec<SourcePartition>,
    /// Index into `partitions` per row; empty means 0 in every row.
    pub(crate) partition: Vec<u32>,
    /// Where to resume after each row.
    pub(crate) offset: Column,
}

/// Rows handed out, by batch, in the order of polling.
///
/// Every row to send has a number, its `seq`, that counts up by one over all batches.
#[derive(Debug, Default)]
pub(crate) struct SubmittedRecords {
    batches: VecDeque<Submitted>,
    /// The newest offset of each source partition whose rows are settled, until it is taken.
    committable: HashMap<SourcePartition, SourceOffset>,
    next_seq: u64,
    /// Rows to send that are not settled.
    unsettled: u64,
    held_bytes: usize,
}

#[derive(Debug)]
struct Submitted {
    first_seq: u64,
    /// How many rows go to Kafka.
    sent: u32,
    unsettled: u32,
    /// A bit for each row that goes to Kafka.
    settled: Vec<u64>,
    /// The polled row that each sent row came from, never decreasing; none when they correspond one to one.
    origin: Option<Vec<u32>>,
    at: Positions,
    /// For each of the partitions: its rows below this one were taken as committable.
    taken: Vec<u32>,
}

impl SubmittedRecords {
    /// Takes in a polled batch of which `sent` rows go to Kafka, and returns the `seq` of the first of them.
    ///
    /// `origin` names the polled row of each sent row, never decreasing; none when they correspond one to one. A polled row that no sent row
    /// came from was dropped, and is settled; one that several came from is settled when all of them are.
    pub(crate) fn submit(&mut self, mut at: Positions, origin: Option<Vec<u32>>, sent: u32) -> u64 {
        unite_repeated_partitions(&mut at);
        let first_seq = self.next_seq;
        self.next_seq += u64::from(sent);
        self.unsettled += u64::from(sent);
        let batch = Submitted {
            first_seq,
            sent,
            unsettled: sent,
            settled: vec![0; (sent as usize).div_ceil(64)],
            origin,
            taken: vec![0; at.partitions.len()],
            at,
        };
        self.held_bytes += batch.byte_count();
        self.batches.push_back(batch);
        self.release();
        first_seq
    }

    /// Settles a row: Kafka has it, or a failure to write it is tolerated. Returns false where it was settled before.
    pub(crate) fn settle(&mut self, seq: u64) -> bool {
        let Some(index) = self.batches.partition_point(|b| b.first_seq <= seq).checked_sub(1)
        else {
            return false;
        };
        let newly = self.batches.get_mut(index).is_some_and(|batch| batch.settle(seq));
        self.unsettled -= u64::from(newly);
        if newly && index == 0 {
            self.release();
        }
        newly
    }

    /// The number that the next row to send gets.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// How many rows to send are not settled.
    pub(crate) fn unsettled(&self) -> u64 {
        self.unsettled
    }

    /// Whether every row is settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.batches.is_empty()
    }

    /// Whether, beyond that, all offsets were taken to be committed, and none of them was given back.
    pub(crate) fn is_committed(&self) -> bool {
        self.is_settled() && self.committable.is_empty()
    }

    /// Bytes held for batches that are not settled as a whole, so that a stuck row cannot let them grow without limit.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Returns the offsets that may be committed now, and forgets them.
    ///
    /// Shape: at most one for each source partition: that of its latest row which, with all rows of the partition before it, is settled.
    /// Empty when nothing new was settled since the last call. Give them back with [`SubmittedRecords::restore`] where they could not be stored.
    ///
    /// Cost: linear in the rows of batches that are not settled as a whole.
    ///
    /// Follows `SubmittedRecords.committableOffsets` of Kafka Connect.
    pub(crate) fn committable_offsets(&mut self) -> Vec<SourcePosition> {
        let mut blocked = HashSet::new();
        for batch in &mut self.batches {
            batch.take_settled(&mut blocked, &mut self.committable);
        }
        let mut offsets: Vec<SourcePosition> = self
            .committable
            .drain()
            .map(|(partition, offset)| SourcePosition { partition, offset: Some(offset) })
            .collect();
        offsets.sort_unstable_by(|a, b| a.partition.cmp(&b.partition));
        offsets
    }

    /// Gives back offsets that could not be stored. Where a newer one of the same partition became committable, that one stays.
    pub(crate) fn restore(&mut self, offsets: Vec<SourcePosition>) {
        for SourcePosition { partition, offset } in offsets {
            if let Some(offset) = offset {
                self.committable.entry(partition).or_insert(offset);
            }
        }
    }

    /// Lets go of settled batches at the front.
    fn release(&mut self) {
        while let Some(batch) = self.batches.pop_front_if(|batch| batch.unsettled == 0) {
            self.held_bytes = self.held_bytes.saturating_sub(batch.byte_count());
            batch.take_all(&mut self.committable);
        }
    }
}

impl Submitted {
    fn byte_count(&self) -> usize {
        self.at.offset.data.len()
            + 4 * (self.at.offset.ends.len() + self.at.partition.len())
            + 4 * self.origin.as_ref().map_or(0, Vec::len)
            + 8 * self.settled.len()
    }

    fn settle(&mut self, seq: u64) -> bool {
        let row = seq.saturating_sub(self.first_seq);
        if row >= u64::from(self.sent) {
            return false;
        }
        let Some(word) = self.settled.get_mut((row / 64) as usize) else { return false };
        let bit = 1 << (row % 64);
        let newly = *word & bit == 0;
        *word |= bit;
        self.unsettled -= u32::from(newly);
        newly
    }

    fn is_settled(&self, sent_row: u32) -> bool {
        let word = self.settled.get(sent_row as usize / 64).copied().unwrap_or(0);
        word & (1 << (sent_row % 64)) != 0
    }

    /// Every row of the batch is settled: the last row of each partition counts.
    fn take_all(&self, committable: &mut HashMap<SourcePartition, SourceOffset>) {
        let mut last = vec![None; self.at.partitions.len()];
        if self.at.partition.is_empty() {
            if let Some(last) = last.first_mut() {
                *last = self.at.rows.checked_sub(1);
            }
        } else {
            for (&partition, row) in self.at.partition.iter().zip(0_u32..) {
                if let Some(last) = last.get_mut(partition as usize) {
                    *last = Some(row);
                }
            }
        }
        self.take_rows(&last, committable);
    }

    /// Not every row of the batch is settled: rows count up to the first of their partition that is not.
    fn take_settled(
        &mut self,
        blocked: &mut HashSet<SourcePartition>,
        committable: &mut HashMap<SourcePartition, SourceOffset>,
    ) {
        let mut open: Vec<bool> =
            self.at.partitions.iter().map(|partition| !blocked.contains(partition)).collect();
        let mut last = vec![None; open.len()];
        let mut sent_row = 0;
        for row in 0..self.at.rows {
            let settled = self.is_polled_row_settled(row, &mut sent_row);
            let partition = self.at.partition.get(row as usize).copied().unwrap_or(0) as usize;
            match (open.get_mut(partition), last.get_mut(partition)) {
                (Some(true), Some(last)) if settled => *last = Some(row),
                (Some(open), _) => *open = false,
                _ => {}
            }
        }
        for (partition, _) in self.at.partitions.iter().zip(&open).filter(|(_, open)| !**open) {
            blocked.insert(partition.clone());
        }
        self.take_rows(&last, committable);
        for (taken, last) in self.taken.iter_mut().zip(last) {
            *taken = (*taken).max(last.map_or(0, |row| row + 1));
        }
    }

    /// Whether all rows sent for a polled row are settled; `sent_row` walks along.
    fn is_polled_row_settled(&self, row: u32, sent_row: &mut u32) -> bool {
        let Some(origin) = &self.origin else { return self.is_settled(row) };
        let mut settled = true;
        while origin.get(*sent_row as usize).is_some_and(|&origin| origin == row) {
            settled &= self.is_settled(*sent_row);
            *sent_row += 1;
        }
        settled
    }

    /// Makes the offsets of these rows, one for each partition, committable where they are new.
    fn take_rows(
        &self,
        rows: &[Option<u32>],
        committable: &mut HashMap<SourcePartition, SourceOffset>,
    ) {
        for ((partition, row), taken) in self.at.partitions.iter().zip(rows).zip(&self.taken) {
            let Some(row) = row.filter(|row| row >= taken) else { continue };
            let Some(bytes) = self.at.offset.get(row as usize) else { continue };
            match committable.get_mut(partition) {
                Some(offset) => {
                    offset.0.clear();
                    offset.0.extend_from_slice(bytes);
                }
                None => {
                    committable.insert(partition.clone(), SourceOffset(bytes.to_vec()));
                }
            }
        }
    }
}

/// Makes equal partitions of a batch one, so that a row of one blocks the rows of the other.
fn unite_repeated_partitions(at: &mut Positions) {
    if at.partitions.len() < 2 {
        return;
    }
    let mut first: HashMap<&SourcePartition, u32> = HashMap::new();
    let united: Vec<u32> = at
        .partitions
        .iter()
        .zip(0_u32..)
        .map(|(partition, index)| *first.entry(partition).or_insert(index))
        .collect();
    if first.len() == at.partitions.len() {
        return;
    }
    for partition in &mut at.partition {
        *partition = united.get(*partition as usize).copied().unwrap_or(*partition);
    }
}

#[cfg(test)]
mod tests;
