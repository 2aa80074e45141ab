//! A source's way: transformations, then header, key and value converter, in Kafka Connect's order.
//!
//! Not here: sending.

use tombolo_kafka::ProduceRows;
use tombolo_model::role::Topics;
use tombolo_model::{Batch, Fault, Stage};

use super::header_columns::{append, faults_of_rows, raw, topics_of_headers};
use super::{Conversion, Origin, Pipeline, Rows, Side};
use crate::tolerance::{ErrorPolicy, Executing};

impl Pipeline {
    /// From polled records to what Kafka stores: afterwards keys, values and header values are raw bytes.
    ///
    /// Rows before one that ends the task are left, so that they still go: [`Rows::failed`] says which it is.
    pub(crate) async fn outgoing(&mut self, records: Batch, poll: u64) -> Result<Rows, Fault> {
        let from = Origin::Polled(poll);
        let mut rows = Rows::new(records);
        self.transform(&mut rows, from).await?;
        check_records(&mut rows);
        self.headers_to_kafka(&mut rows, from).await?;
        from_connect_data(&mut self.key, &self.policy, &mut rows, (from, Side::Key)).await?;
        from_connect_data(&mut self.value, &self.policy, &mut rows, (from, Side::Value)).await?;
        Ok(rows)
    }

    async fn headers_to_kafka(&mut self, rows: &mut Rows, from: Origin<'_>) -> Result<(), Fault> {
        topics_of_headers(&rows.batch, &mut self.header_topics);
        let Batch { topics, headers, .. } = &mut rows.batch;
        if headers.count() == 0 {
            return Ok(());
        }
        let topics = Topics { topics, topic: &self.header_topics };
        let mut retries = self.policy.retries();
        let converted = loop {
            let converter = &mut self.header.converter;
            let (names, values) = (&mut headers.names, &mut headers.values);
            match converter.from_connect_data(topics, names, values).await {
                Err(fault) if retries.again(&fault).await => {}
                other => break other,
            }
        };
        let at = Executing { stage: Stage::HeaderConverter, class: &self.header.class };
        match converted {
            Ok((bytes, faults)) => {
                let faults = faults_of_rows(headers, faults);
                headers.values = raw(bytes);
                self.policy.judge_converted(rows, from, at, &faults);
                Ok(())
            }
            Err(fault) => self.policy.judge_all(rows, from, at, fault),
        }
    }
}

/// Converts keys or values. A column that is null throughout, without schemas, stays so.
async fn from_connect_data(
    conversion: &mut Conversion,
    policy: &ErrorPolicy,
    rows: &mut Rows,
    (from, side): (Origin<'_>, Side),
) -> Result<(), Fault> {
    let count = rows.batch.rows;
    let Batch { topics, topic, key, value, headers, .. } = &mut rows.batch;
    let values = side.of(key, value);
    if count == 0 || (values.bytes.is_absent() && values.schemas.is_empty()) {
        return Ok(());
    }
    let topics = Topics { topics, topic };
    let mut retries = policy.retries();
    let converted = loop {
        match conversion.converter.from_connect_data(topics, values).await {
            Err(fault) if retries.again(&fault).await => {}
            other => break other,
        }
    };
    let at = Executing { stage: side.stage(), class: &conversion.class };
    match converted {
        Ok((bytes, added, faults)) => {
            *values = raw(bytes);
            if let Some(added) = added {
                append(headers, &added, count);
            }
            policy.judge_converted(rows, from, at, &faults);
            Ok(())
        }
        Err(fault) => policy.judge_all(rows, from, at, fault),
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
    let bad = if batch.topics.is_empty() {
        let class = "java.lang.IllegalArgumentException";
        Some((0, invalid(class, "Topic cannot be null.".to_owned())))
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
