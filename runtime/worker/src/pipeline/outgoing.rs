//! A source's way: transformations, then header, key and value converter, in Kafka Connect's order.
//!
//! Not here: sending.

use tombolo_kafka::ProduceRows;
use tombolo_model::role::Topics;
use tombolo_model::{Batch, Fault, Stage};

use super::calls::{ConvertHeaders, Converted, Direction, FromConnectData};
use super::header_columns::{append, faults_of_rows, topics_of_headers};
use super::{Pipeline, Rows, Side, parts};

impl Pipeline {
    /// From polled records to what Kafka stores: afterwards keys, values and header values are raw bytes.
    ///
    /// Rows before one that ends the task are left, so that they still go: [`Rows::failed`] says which it is.
    pub(crate) async fn outgoing(&mut self, records: Batch) -> Result<Rows, Fault> {
        let mut rows = Rows::new(records);
        self.transform(&mut rows).await?;
        check_records(&mut rows);
        self.convert_headers_out(&mut rows).await?;
        self.convert_out(Side::Key, &mut rows).await?;
        self.convert_out(Side::Value, &mut rows).await?;
        rows.settle_bad();
        Ok(rows)
    }

    /// As [`Pipeline::outgoing`], of converters alone: rows that they cannot convert are left out.
    pub(crate) async fn plain(&mut self, records: Batch) -> Result<Rows, Fault> {
        let mut rows = Rows::new(records);
        self.convert_headers_out(&mut rows).await?;
        self.convert_out(Side::Key, &mut rows).await?;
        self.convert_out(Side::Value, &mut rows).await?;
        Ok(rows)
    }

    async fn convert_headers_out(&mut self, rows: &mut Rows) -> Result<(), Fault> {
        let Batch { topics, topic, headers, .. } = &mut rows.batch;
        let count = u32::try_from(headers.count()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        topics_of_headers(topics, topic, &headers.ends, &mut self.header_topics);
        let mut call = ConvertHeaders {
            converter: &mut *self.header.converter,
            direction: Direction::FromConnectData,
            topics: Topics { topics, topic: &self.header_topics },
            names: &mut headers.names,
            values: &mut headers.values,
        };
        let Converted { values, faults, .. } =
            parts::make(&mut call, (Stage::HeaderConverter, count), &self.policy).await?;
        let faults = faults_of_rows(headers, faults);
        headers.values = values;
        let at = (Stage::HeaderConverter, &self.header.class);
        self.policy.take_out_converted(rows, at, faults);
        Ok(())
    }

    /// Converts keys or values. A column that is null throughout, without schemas, stays so.
    async fn convert_out(&mut self, side: Side, rows: &mut Rows) -> Result<(), Fault> {
        let conversion = match side {
            Side::Key => &mut self.key,
            Side::Value => &mut self.value,
        };
        let count = rows.batch.rows;
        let Batch { topics, topic, key, value, headers, .. } = &mut rows.batch;
        let values = side.of(key, value);
        if count == 0 || (values.bytes.is_absent() && values.schemas.is_empty()) {
            return Ok(());
        }
        let mut call = FromConnectData {
            converter: &mut *conversion.converter,
            topics: Topics { topics, topic },
            values,
        };
        let converted = parts::make(&mut call, (side.stage(), count), &self.policy).await?;
        *values = converted.values;
        if let Some(added) = converted.headers {
            append(headers, &added, count);
        }
        let at = (side.stage(), &conversion.class);
        self.policy.take_out_converted(rows, at, converted.faults);
        Ok(())
    }
}

/// Ends the task at the first row that Kafka's producer would not take: no topic, or a partition or time that cannot be.
///
/// Follows `ProducerRecord` of Kafka and `ConnectUtils.checkAndConvertTimestamp` of Kafka Connect.
fn check_records(rows: &mut Rows) {
    let batch = &rows.batch;
    if batch.is_empty() {
        return;
    }
    let invalid = |class: &str, message: String| {
        let mut fault = Fault::fatal(Stage::Transformation, message);
        fault.class = Some(class.to_owned());
        fault
    };
    let bad = if let Some(row) = first_without_topic(batch) {
        let class = "java.lang.IllegalArgumentException";
        Some((row, invalid(class, "Topic cannot be null.".to_owned())))
    } else if let Some(row) = batch.timestamp.iter().position(|&timestamp| timestamp < -1) {
        let class = "org.apache.kafka.common.InvalidRecordException";
        let timestamp = batch.timestamp.get(row).copied().unwrap_or_default();
        Some((row, invalid(class, format!("Invalid record timestamp {timestamp}"))))
    } else if let Some(row) = batch.partition.iter().position(|&partition| partition < -1) {
        let class = "java.lang.IllegalArgumentException";
        let partition = batch.partition.get(row).copied().unwrap_or_default();
        let rule = "Partition number should always be non-negative or null.";
        Some((row, invalid(class, format!("Invalid partition: {partition}. {rule}"))))
    } else {
        None
    };
    if let Some((row, fault)) = bad {
        let original = rows.original(u32::try_from(row).unwrap_or(u32::MAX));
        rows.fail_at(original, fault);
    }
}

fn first_without_topic(batch: &Batch) -> Option<usize> {
    if batch.topic.is_empty() {
        return batch.topics.is_empty().then_some(0);
    }
    batch.topic.iter().position(|&topic| topic as usize >= batch.topics.len())
}

/// Rows as the producer takes them; converted ones only.
pub(crate) fn produce_rows(batch: &Batch) -> ProduceRows<'_> {
    ProduceRows {
        rows: batch.rows as usize,
        topics: &batch.topics,
        topic: &batch.topic,
        partition: &batch.partition,
        timestamp: &batch.timestamp,
        key: &batch.key.bytes,
        value: &batch.value.bytes,
        header_ends: &batch.headers.ends,
        header_names: &batch.headers.names,
        header_values: &batch.headers.values.bytes,
    }
}
