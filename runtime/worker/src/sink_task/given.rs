//! Rows that are given to a sink, with where they were consumed.
//!
//! Not here: giving them.

use tombolo_kafka::ConsumedBatch;
use tombolo_model::Batch;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role::Original;

use crate::error_report::Record;

/// Rows for a sink.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) batch: Batch,
    /// Where the rows were consumed, where a transformation changed that.
    pub(super) original: Option<Original>,
    /// The consumed rows.
    pub(super) consumed: ConsumedBatch,
    /// The consumed row of each row; none while they correspond one to one.
    pub(super) origin: Option<Vec<u32>>,
    /// The offsets to read next once the sink has the rows, those of filtered rows too.
    pub(super) next: Vec<PartitionOffset>,
}

impl Given {
    /// The row as it was consumed.
    pub(super) fn consumed_row(&self, row: usize) -> usize {
        match &self.origin {
            None => row,
            Some(origin) => origin.get(row).map_or(usize::MAX, |&row| row as usize),
        }
    }

    /// Topic and partition of a row as it was consumed.
    fn position(&self, row: usize) -> (&str, i32) {
        let (consumed, row) = (&self.consumed, self.consumed_row(row));
        let topic = consumed.topic.get(row).and_then(|&index| consumed.topics.get(index as usize));
        let partition = consumed.partition.get(row).copied();
        (topic.map_or("", String::as_str), partition.unwrap_or(-1))
    }

    /// The numbers of the rows as they were consumed, each once.
    pub(super) fn consumed_rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = match &self.origin {
            None => (0..self.batch.rows).collect(),
            Some(origin) => origin.clone(),
        };
        rows.dedup();
        rows
    }

    /// The record that stood in a row.
    pub(super) fn record(&self, row: usize) -> Record<'_> {
        Record::Consumed { batch: &self.consumed, row: self.consumed_row(row) }
    }

    /// Lets go of the rows of these partitions.
    pub(super) fn discard(&mut self, partitions: &[TopicPartition]) {
        let is_gone = |topic: &str, partition: i32| {
            partitions.iter().any(|gone| *gone.topic == *topic && gone.partition == partition)
        };
        let kept: Vec<u32> = (0..self.batch.rows)
            .filter(|&row| {
                let (topic, partition) = self.position(row as usize);
                !is_gone(topic, partition)
            })
            .collect();
        self.next.retain(|next| !is_gone(&next.at.topic, next.at.partition));
        if kept.len() == self.batch.rows as usize {
            return;
        }
        if let Some(original) = &mut self.original {
            original.topic = choose(&original.topic, &kept);
            original.partition = choose(&original.partition, &kept);
        }
        self.batch = self.batch.gather(&kept);
        self.origin = Some(match &self.origin {
            Some(origin) => choose(origin, &kept),
            None => kept,
        });
    }
}

/// These entries of a list that is empty or complete.
fn choose<T: Copy>(list: &[T], kept: &[u32]) -> Vec<T> {
    kept.iter().filter_map(|&row| list.get(row as usize).copied()).collect()
}

/// Where a consumed row stands; none where there is no such row.
pub(super) fn position(consumed: &ConsumedBatch, row: usize) -> Option<PartitionOffset> {
    let topic = consumed.topics.get(*consumed.topic.get(row)? as usize)?;
    let at = TopicPartition::new(topic.as_str(), *consumed.partition.get(row)?);
    Some(PartitionOffset { at, offset: *consumed.offset.get(row)? })
}

/// The offset to read next in each partition that consumed rows are of.
///
/// Cost: a comparison per row, and a look at the partitions of the batch where a row's is not that of the row before.
pub(super) fn next_offsets(consumed: &ConsumedBatch) -> Vec<PartitionOffset> {
    let mut places: Vec<(u32, i32, i64)> = Vec::new();
    let mut last = usize::MAX;
    for ((&topic, &partition), &offset) in
        consumed.topic.iter().zip(&consumed.partition).zip(&consumed.offset)
    {
        let is_same = |place: &(u32, i32, i64)| place.0 == topic && place.1 == partition;
        if !places.get(last).is_some_and(is_same) {
            last = places.iter().position(is_same).unwrap_or_else(|| {
                places.push((topic, partition, 0));
                places.len() - 1
            });
        }
        if let Some(place) = places.get_mut(last) {
            place.2 = offset + 1;
        }
    }
    places
        .into_iter()
        .filter_map(|(topic, partition, offset)| {
            let topic = consumed.topics.get(topic as usize)?.as_str();
            Some(PartitionOffset { at: TopicPartition::new(topic, partition), offset })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(topic: &str, partition: i32, offset: i64) -> PartitionOffset {
        PartitionOffset { at: TopicPartition::new(topic, partition), offset }
    }

    #[test]
    fn the_next_offset_of_each_partition_is_behind_its_last_row() {
        let consumed = ConsumedBatch {
            rows: 5,
            topics: vec!["t".into(), "u".into()],
            topic: vec![0, 0, 1, 0, 1],
            partition: vec![0, 0, 0, 1, 0],
            offset: vec![7, 9, 1, 4, 2],
            ..ConsumedBatch::default()
        };
        assert_eq!(next_offsets(&consumed), [next("t", 0, 10), next("u", 0, 3), next("t", 1, 5)]);
    }

    #[test]
    fn rows_are_let_go_by_where_they_were_consumed() {
        let mut given = Given {
            batch: Batch {
                rows: 3,
                topics: vec!["renamed".into()],
                offset: vec![5, 6, 7],
                ..Batch::default()
            },
            original: Some(Original {
                topics: vec!["t".into(), "u".into()],
                topic: vec![0, 0, 1],
                ..Original::default()
            }),
            consumed: ConsumedBatch {
                rows: 4,
                topics: vec!["t".into(), "u".into()],
                topic: vec![0, 1, 0, 1],
                partition: vec![0, 0, 1, 0],
                offset: vec![5, 3, 6, 7],
                ..ConsumedBatch::default()
            },
            origin: Some(vec![0, 2, 3]),
            next: vec![next("t", 0, 6), next("t", 1, 7), next("u", 0, 8)],
        };
        assert_eq!(given.position(2), ("u", 0));
        given.discard(&[TopicPartition::new("t", 0), TopicPartition::new("renamed", 1)]);
        assert_eq!(given.batch.offset, [6, 7]);
        assert_eq!((given.position(0), given.position(1)), (("t", 1), ("u", 0)));
        assert_eq!(given.original.as_ref().unwrap().topic, [0, 1]);
        assert_eq!(given.next, [next("t", 1, 7), next("u", 0, 8)]);
        let record = given.record(1).to_string();
        assert!(record.contains("{topic='u', partition=0, offset=7}"), "{record}");
    }
}
