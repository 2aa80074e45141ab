//! Fetch: reads batches, and waits for them where there are none yet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProducerId, TopicName};
use tokio::sync::Notify;

use super::Call;
use crate::log::read::ReadPlan;
use crate::topics::Topic;

/// Longest that a client may let a fetch wait, whatever it says.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What a fetch found in one partition, before reading.
struct Found {
    topic: TopicName,
    answer: PartitionData,
    plan: Option<ReadPlan>,
    partition_bytes_max: usize,
    /// At most so many bytes come of reading.
    available: u64,
}

impl Found {
    fn is_error(&self) -> bool {
        self.answer.error_code != 0
    }
}

pub(crate) async fn fetch(call: &Call<'_>, request: FetchRequest) -> FetchResponse {
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait.min(WAIT_MAX);
    let wanted = u64::try_from(request.min_bytes).unwrap_or(0);
    let arrived = Arc::new(Notify::new());
    loop {
        let is_last = Instant::now() >= deadline;
        let found = look(call, &request, (!is_last).then_some(&arrived));
        let available: u64 = found.iter().map(|found| found.available).sum();
        if is_last || available >= wanted || found.iter().any(Found::is_error) {
            let (answer, bytes) = read(found, usize::try_from(request.max_bytes).unwrap_or(0));
            if is_last || bytes >= wanted || has_error(&answer) {
                return answer;
            }
        }
        drop(tokio::time::timeout_at(deadline.into(), arrived.notified()).await);
    }
}

/// Looks at all partitions, and has `arrived` told of what comes after.
fn look(call: &Call<'_>, request: &FetchRequest, arrived: Option<&Arc<Notify>>) -> Vec<Found> {
    let is_committed = request.isolation_level == 1;
    let mut found = Vec::new();
    for asked in &request.topics {
        let topic = call.state.topics.get(&asked.topic);
        for partition in &asked.partitions {
            let topic = topic.as_deref();
            let mut one = look_at(topic, partition, is_committed, arrived);
            one.topic = asked.topic.clone();
            found.push(one);
        }
    }
    found
}

fn look_at(
    topic: Option<&Topic>,
    asked: &FetchPartition,
    is_committed: bool,
    arrived: Option<&Arc<Notify>>,
) -> Found {
    let mut found = Found {
        topic: TopicName::default(),
        answer: PartitionData::default()
            .with_partition_index(asked.partition)
            .with_high_watermark(-1)
            .with_records(Some(Bytes::new())),
        plan: None,
        partition_bytes_max: usize::try_from(asked.partition_max_bytes).unwrap_or(0),
        available: 0,
    };
    let Some(partition) = topic.and_then(|topic| topic.partition(asked.partition)) else {
        found.answer.error_code = ResponseError::UnknownTopicOrPartition.code();
        return found;
    };
    let mut log = partition.log();
    if log.is_deleted() {
        found.answer.error_code = ResponseError::UnknownTopicOrPartition.code();
        return found;
    }
    found.answer.high_watermark = log.next();
    found.answer.last_stable_offset = log.last_stable();
    found.answer.log_start_offset = log.start();
    if !(log.start()..=log.next()).contains(&asked.fetch_offset) {
        found.answer.error_code = ResponseError::OffsetOutOfRange.code();
        return found;
    }
    if let Some(arrived) = arrived {
        log.wait(arrived);
    }
    found.plan = log.plan(asked.fetch_offset, found.partition_bytes_max, is_committed);
    if is_committed {
        let aborted = found.plan.iter().flat_map(|plan| &plan.aborted);
        let aborted = aborted.map(|aborted| {
            AbortedTransaction::default()
                .with_producer_id(ProducerId(aborted.producer_id))
                .with_first_offset(aborted.first)
        });
        found.answer.aborted_transactions = Some(aborted.collect());
    }
    let available = log.available(asked.fetch_offset, is_committed);
    // The first batch comes whole, whatever the limit.
    found.available = available.min(found.partition_bytes_max.max(1) as u64);
    found
}

/// Reads what was found, up to `bytes_max` but at least one batch, so that no batch is too large to be read.
fn read(found: Vec<Found>, bytes_max: usize) -> (FetchResponse, u64) {
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    let mut bytes_read = 0;
    for mut one in found {
        if let Some(plan) = &one.plan {
            let left = bytes_max.saturating_sub(bytes_read);
            match plan.read(one.partition_bytes_max.min(left), bytes_read == 0) {
                Ok(records) => {
                    bytes_read += records.len();
                    one.answer.records = Some(records);
                }
                Err(error) => {
                    tracing::error!(topic = %one.topic.as_str(), %error, "cannot read a log");
                    one.answer.error_code = ResponseError::KafkaStorageError.code();
                }
            }
        }
        match topics.last_mut() {
            Some(topic) if topic.topic == one.topic => topic.partitions.push(one.answer),
            _ => topics.push(
                FetchableTopicResponse::default()
                    .with_topic(one.topic)
                    .with_partitions(vec![one.answer]),
            ),
        }
    }
    (FetchResponse::default().with_responses(topics), bytes_read as u64)
}

fn has_error(answer: &FetchResponse) -> bool {
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.into_iter().any(|partition| partition.error_code != 0)
}
