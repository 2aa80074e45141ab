//! A sink's way: key, value and header converter, then transformations, in Kafka Connect's order.
//!
//! Not here: consuming, and giving rows to the sink.

use tombolo_kafka::ConsumedBatch;
use tombolo_model::batch::Headers;
use tombolo_model::role::{Original, Topics};
use tombolo_model::{Batch, Column, Fault, Stage};

use super::calls::{ConvertHeaders, Converted, Direction, ToConnectData};
use super::header_columns::{faults_of_rows, raw, topics_of_headers};
use super::{Pipeline, Rows, Side, parts};

impl Pipeline {
    /// From consumed bytes to rows for a sink, with where they were consumed if a transformation changed topic or partition.
    ///
    /// `consumed` is the same afterwards, so that every row leads back to the bytes it was made of. Where [`Rows::failed`] is there, rows before
    /// it are of no use: they come again. Rows of the numbers `known`, which ascend, are left out.
    pub(crate) async fn incoming(
        &mut self,
        consumed: &mut ConsumedBatch,
        known: &[u32],
    ) -> Result<(Rows, Option<Original>), Fault> {
        let mut rows = Rows::new(without_columns(consumed));
        check_timestamps(&mut rows);
        rows.drop_rows(known);
        let mut headers = take_headers(consumed);
        let converted = self.converted(&mut rows, consumed, &mut headers).await;
        give_back(consumed, headers);
        converted?;
        let before = self.chain.is_some().then(|| TopicsBefore {
            topics: rows.batch.topics.clone(),
            topic: used_topics(consumed).1,
        });
        self.transform(&mut rows).await?;
        rows.settle_bad();
        let original = before.and_then(|before| before.original(&rows, consumed));
        Ok((rows, original))
    }

    async fn converted(
        &mut self,
        rows: &mut Rows,
        consumed: &mut ConsumedBatch,
        headers: &mut Headers,
    ) -> Result<(), Fault> {
        self.convert_in(Side::Key, rows, &mut consumed.key, headers).await?;
        self.convert_in(Side::Value, rows, &mut consumed.value, headers).await?;
        self.convert_headers_in(rows, headers).await
    }

    /// Converts the keys or values of the rows that are left.
    async fn convert_in(
        &mut self,
        side: Side,
        rows: &mut Rows,
        bytes: &mut Column,
        headers: &mut Headers,
    ) -> Result<(), Fault> {
        let conversion = match side {
            Side::Key => &mut self.key,
            Side::Value => &mut self.value,
        };
        let mut left;
        let (bytes, headers) = match &rows.origin {
            None => (bytes, headers),
            Some(origin) => {
                left = (bytes.gather(origin), headers.gather(origin));
                (&mut left.0, &mut left.1)
            }
        };
        if bytes.is_absent() || rows.batch.is_empty() {
            return Ok(());
        }
        let Batch { rows: count, topics, topic, .. } = &rows.batch;
        let mut call = ToConnectData {
            converter: &mut *conversion.converter,
            topics: Topics { topics, topic },
            bytes,
            headers: (conversion.reads_headers && headers.count() > 0).then_some(headers),
        };
        let Converted { values, faults, .. } =
            parts::make(&mut call, (side.stage(), *count), &self.policy).await?;
        *side.of(&mut rows.batch.key, &mut rows.batch.value) = values;
        self.policy.take_out_converted(rows, (side.stage(), &conversion.class), faults);
        Ok(())
    }

    /// Converts the header values of the rows that are left.
    async fn convert_headers_in(
        &mut self,
        rows: &mut Rows,
        headers: &mut Headers,
    ) -> Result<(), Fault> {
        let mut left;
        let headers = match &rows.origin {
            None => headers,
            Some(origin) => {
                left = headers.gather(origin);
                &mut left
            }
        };
        let count = u32::try_from(headers.count()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        let Batch { topics, topic, .. } = &rows.batch;
        topics_of_headers(topics, topic, &headers.ends, &mut self.header_topics);
        let mut call = ConvertHeaders {
            converter: &mut *self.header.converter,
            direction: Direction::ToConnectData,
            topics: Topics { topics, topic: &self.header_topics },
            names: &mut headers.names,
            values: &mut headers.values,
        };
        let Converted { values, faults, .. } =
            parts::make(&mut call, (Stage::HeaderConverter, count), &self.policy).await?;
        let faults = faults_of_rows(headers, faults);
        let (ends, names) = (headers.ends.clone(), headers.names.clone());
        rows.batch.headers = Headers { ends, names, values };
        let at = (Stage::HeaderConverter, &self.header.class);
        self.policy.take_out_converted(rows, at, faults);
        Ok(())
    }
}

/// The consumed rows without their bytes.
fn without_columns(consumed: &ConsumedBatch) -> Batch {
    let (topics, topic) = used_topics(consumed);
    Batch {
        rows: consumed.rows,
        topics,
        topic,
        partition: consumed.partition.clone(),
        offset: consumed.offset.clone(),
        timestamp: consumed.timestamp.clone(),
        timestamp_types: consumed.timestamp_types.clone(),
        ..Batch::default()
    }
}

fn take_headers(consumed: &mut ConsumedBatch) -> Headers {
    Headers {
        ends: std::mem::take(&mut consumed.header_ends),
        names: std::mem::take(&mut consumed.header_names),
        values: raw(std::mem::take(&mut consumed.header_values)),
    }
}

fn give_back(consumed: &mut ConsumedBatch, headers: Headers) {
    consumed.header_ends = headers.ends;
    consumed.header_names = headers.names;
    consumed.header_values = headers.values.bytes;
}

/// The topics that occur, and an index into them per row; empty where there is one. A consumer may know thousands more.
fn used_topics(consumed: &ConsumedBatch) -> (Vec<String>, Vec<u32>) {
    let mut used: Vec<u32> = Vec::new();
    let mut topic: Vec<u32> = Vec::with_capacity(consumed.topic.len());
    let mut last = (u32::MAX, 0);
    for &index in &consumed.topic {
        if index != last.0 {
            let place = used.iter().position(|&known| known == index).unwrap_or_else(|| {
                used.push(index);
                used.len() - 1
            });
            last = (index, u32::try_from(place).unwrap_or(u32::MAX));
        }
        topic.push(last.1);
    }
    if used.len() < 2 {
        topic.clear();
    }
    let name = |&index: &u32| consumed.topics.get(index as usize).cloned().unwrap_or_default();
    (used.iter().map(name).collect(), topic)
}

/// Ends the task at a row with a time that cannot be.
///
/// Follows `ConnectUtils.checkAndConvertTimestamp` of Kafka Connect.
fn check_timestamps(rows: &mut Rows) {
    let Some(row) = rows.batch.timestamp.iter().position(|&timestamp| timestamp < -1) else {
        return;
    };
    let timestamp = rows.batch.timestamp.get(row).copied().unwrap_or_default();
    let message = format!("Invalid record timestamp {timestamp}");
    let mut fault = Fault::fatal(Stage::KafkaConsume, message);
    fault.class = Some("org.apache.kafka.common.InvalidRecordException".to_owned());
    rows.fail_at(u32::try_from(row).unwrap_or(u32::MAX), fault);
}

/// The topics of consumed rows, to see whether transformations changed them.
struct TopicsBefore {
    topics: Vec<String>,
    topic: Vec<u32>,
}

impl TopicsBefore {
    /// Where the rows were consumed, as far as it differs from what they say now; offsets never do.
    fn original(self, rows: &Rows, consumed: &ConsumedBatch) -> Option<Original> {
        let batch = &rows.batch;
        let index = |list: &[u32], row: u32| list.get(row as usize).copied().unwrap_or(0);
        let before = |row: u32| rows.original(row);
        let same_topic = batch.topics == self.topics
            && (0..batch.rows)
                .all(|row| index(&batch.topic, row) == index(&self.topic, before(row)));
        let partition_now = |row: u32| batch.partition.get(row as usize).copied().unwrap_or(-1);
        let partition_before =
            |row: u32| consumed.partition.get(before(row) as usize).copied().unwrap_or(-1);
        let same_partition = (0..batch.rows).all(|row| partition_now(row) == partition_before(row));
        let mut original = Original::default();
        if !same_topic {
            original.topic = (0..batch.rows).map(|row| index(&self.topic, before(row))).collect();
            original.topics = self.topics;
        }
        if !same_partition {
            original.partition = (0..batch.rows).map(partition_before).collect();
        }
        (!same_topic || !same_partition).then_some(original)
    }
}
