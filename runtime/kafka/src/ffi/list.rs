//! Lists of partitions, as librdkafka takes and gives them.
//!
//! Not here: what is done to the partitions.

use rdkafka::bindings as native;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use super::{Code, c_string, owned, read_code};
use crate::error::Error;

/// A list of partitions of our own.
pub(crate) struct PartitionList(*mut native::rd_kafka_topic_partition_list_t);

// SAFETY: a plain list on the heap, with one owner.
unsafe impl Send for PartitionList {}

/// An entry of a list.
pub(crate) struct Entry {
    /// Its topic.
    pub(crate) topic: String,
    /// Its partition.
    pub(crate) partition: i32,
    /// Its offset, or a negative number with a meaning of its own.
    pub(crate) offset: i64,
    /// Its error.
    pub(crate) code: Code,
}

impl Entry {
    /// The partition.
    pub(crate) fn at(&self) -> TopicPartition {
        TopicPartition::new(self.topic.as_str(), self.partition)
    }

    /// The partition and its offset.
    pub(crate) fn with_offset(&self) -> PartitionOffset {
        PartitionOffset { at: self.at(), offset: self.offset }
    }
}

impl PartitionList {
    /// An empty list.
    pub(crate) fn with_capacity(count: usize) -> Self {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        // SAFETY: makes an object, which `Drop` destroys. The size is a hint.
        Self(unsafe { native::rd_kafka_topic_partition_list_new(count) })
    }

    /// These partitions.
    pub(crate) fn of<'a>(
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<Self, Error> {
        let mut list = Self::with_capacity(0);
        for at in partitions {
            list.push(&at.topic, at.partition, None)?;
        }
        Ok(list)
    }

    /// These partitions, with offsets.
    pub(crate) fn of_offsets<'a>(
        offsets: impl IntoIterator<Item = &'a PartitionOffset>,
    ) -> Result<Self, Error> {
        let mut list = Self::with_capacity(0);
        for PartitionOffset { at, offset } in offsets {
            list.push(&at.topic, at.partition, Some(*offset))?;
        }
        Ok(list)
    }

    /// Appends a partition.
    pub(crate) fn push(
        &mut self,
        topic: &str,
        partition: i32,
        offset: Option<i64>,
    ) -> Result<(), Error> {
        let topic = c_string(topic)?;
        // SAFETY: the list is ours; the topic is copied; the entry is live until the list grows.
        unsafe {
            let entry =
                native::rd_kafka_topic_partition_list_add(self.0, topic.as_ptr(), partition);
            if let (Some(offset), false) = (offset, entry.is_null()) {
                (*entry).offset = offset;
            }
        }
        Ok(())
    }

    /// The entries, as librdkafka left them.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        // SAFETY: the list is ours and live while the iterator borrows it.
        unsafe { Self::read(self.0) }
    }

    /// The entries of a list that is not ours; none of a null list.
    ///
    /// # Safety
    ///
    /// The list stays live and unchanged while the iterator is used.
    pub(super) unsafe fn read(
        list: *const native::rd_kafka_topic_partition_list_t,
    ) -> impl Iterator<Item = Entry> {
        // SAFETY: a list that is not null has `cnt` entries at `elems`.
        let entries = unsafe {
            match list.as_ref() {
                Some(list) if list.cnt > 0 && !list.elems.is_null() => {
                    std::slice::from_raw_parts(list.elems, list.cnt.unsigned_abs() as usize)
                }
                _ => &[],
            }
        };
        entries.iter().map(|entry| Entry {
            topic: owned(entry.topic),
            partition: entry.partition,
            offset: entry.offset,
            code: read_code(&raw const entry.err),
        })
    }

    pub(super) fn ptr(&self) -> *mut native::rd_kafka_topic_partition_list_t {
        self.0
    }
}

impl Drop for PartitionList {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_topic_partition_list_destroy(self.0) };
    }
}
