//! A sink's way: key, value and header converter, then transformations, in Kafka Connect's order.
//!
//! Not here: consuming, and giving rows to the sink.

use tombolo_kafka::ConsumedBatch;
use tombolo_model::batch::Headers;
use tombolo_model::role::{Original, Topics};
use tombolo_model::{Batch, Column, Fault, Stage};

use super::header_columns::{faults_of_rows, raw, topics_of_headers};
use super::{Conversion, Origin, Pipeline, Rows, Side};
use crate::tolerance::{ErrorPolicy, Executing};

impl Pipeline {
    /// From consumed bytes to rows for a sink, with where they were consumed if a transformation changed topic or partition.
    ///
    /// Lists of `consumed` stay as they are; its columns are used up, and their memory is given back.
    pub(crate) async fn incoming(
        &mut self,
        consumed: &mut ConsumedBatch,
    ) -> Result<(Batch, Option<Original>), Fault> {
        let mut rows = Rows::new(take_batch(consumed));
        let from = Origin::Consumed(consumed);
        check_timestamps(&mut rows);
        let key = to_connect_data(&mut self.key, &self.policy, &mut rows, (from, Side::Key));
        let key = key.await?;
        let value = to_connect_data(&mut self.value, &self.policy, &mut rows, (from, Side::Value));
        let value = value.await?;
        let header_values = self.headers_to_connect_data(&mut rows, from).await?;
        let before = self.chain.is_some().then(|| TopicsBefore {
            topics: rows.batch.topics.clone(),
            topic: used_topics(consumed).1,
        });
        self.transform(&mut rows, from).await?;
        let original = before.and_then(|before| before.original(&rows, consumed));
        (consumed.key, consumed.value, consumed.header_values) = (key, value, header_values);
        match rows.failed {
            Some((_, fault)) => Err(fault),
            None => Ok((rows.batch, original)),
        }
    }

    /// Converts header values, and gives back the memory of their bytes.
    async fn headers_to_connect_data(
        &mut self,
        rows: &mut Rows,
        from: Origin<'_>,
    ) -> Result<Column, Fault> {
        topics_of_headers(&rows.batch, &mut self.header_topics);
        let Batch { topics, headers, .. } = &mut rows.batch;
        if headers.count() == 0 {
            return Ok(Column::default());
        }
        let topics = Topics { topics, topic: &self.header_topics };
        let mut retries = self.policy.retries();
        let converted = loop {
            let converter = &mut self.header.converter;
            let (names, bytes) = (&mut headers.names, &mut headers.values.bytes);
            match converter.to_connect_data(topics, names, bytes).await {
                Err(fault) if retries.again(&fault).await => {}
                other => break other,
            }
        };
        let at = Executing { stage: Stage::HeaderConverter, class: &self.header.class };
        match converted {
            Ok((values, faults)) => {
                let bytes = std::mem::replace(&mut headers.values, values).bytes;
                let faults = faults_of_rows(headers, faults);
                self.policy.judge_converted(rows, from, at, &faults);
                Ok(bytes)
            }
            Err(fault) => self.policy.judge_all(rows, from, at, fault).map(|()| Column::default()),
        }
    }
}

/// Converts keys or values, and gives back the memory of their bytes.
async fn to_connect_data(
    conversion: &mut Conversion,
    policy: &ErrorPolicy,
    rows: &mut Rows,
    (from, side): (Origin<'_>, Side),
) -> Result<Column, Fault> {
    let Batch { topics, topic, key, value, headers, .. } = &mut rows.batch;
    let values = side.of(key, value);
    if values.bytes.is_absent() {
        return Ok(Column::default());
    }
    let topics = Topics { topics, topic };
    let mut retries = policy.retries();
    let converted = loop {
        let headers = (conversion.reads_headers && headers.count() > 0).then_some(&mut *headers);
        match conversion.converter.to_connect_data(topics, &mut values.bytes, headers).await {
            Err(fault) if retries.again(&fault).await => {}
            other => break other,
        }
    };
    let at = Executing { stage: side.stage(), class: &conversion.class };
    match converted {
        Ok((converted, faults)) => {
            let bytes = std::mem::replace(values, converted).bytes;
            policy.judge_converted(rows, from, at, &faults);
            Ok(bytes)
        }
        Err(fault) => policy.judge_all(rows, from, at, fault).map(|()| Column::default()),
    }
}

/// The consumed rows with their raw bytes.
fn take_batch(consumed: &mut ConsumedBatch) -> Batch {
    let (topics, topic) = used_topics(consumed);
    let headers = Headers {
        ends: consumed.header_ends.clone(),
        names: std::mem::take(&mut consumed.header_names),
        values: raw(std::mem::take(&mut consumed.header_values)),
    };
    Batch {
        rows: consumed.rows,
        topics,
        topic,
        partition: consumed.partition.clone(),
        offset: consumed.offset.clone(),
        timestamp: consumed.timestamp.clone(),
        timestamp_types: consumed.timestamp_types.clone(),
        key: raw(std::mem::take(&mut consumed.key)),
        value: raw(std::mem::take(&mut consumed.value)),
        headers,
    }
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
