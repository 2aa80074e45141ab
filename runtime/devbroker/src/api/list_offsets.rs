//! ListOffsets and OffsetForLeaderEpoch: where records begin, end, and which came when.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};

use super::Call;
use crate::log::read::Dated;
use crate::topics::{Partition, Topic};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const OF_MAX_TIMESTAMP: i64 = -3;

/// What stands for "no such record", and for a timestamp that was not asked for.
const NONE: Dated = Dated { offset: -1, timestamp: -1 };

pub(crate) fn list_offsets(call: &Call<'_>, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let is_committed = request.isolation_level == 1;
    let topic = |asked: kafka_protocol::messages::list_offsets_request::ListOffsetsTopic| {
        let topic = call.state.topics.get(&asked.name);
        let answer = |p: &ListOffsetsPartition| one(call, topic.as_deref(), p, is_committed);
        ListOffsetsTopicResponse::default()
            .with_partitions(asked.partitions.iter().map(answer).collect())
            .with_name(asked.name)
    };
    ListOffsetsResponse::default().with_topics(request.topics.into_iter().map(topic).collect())
}

fn one(
    call: &Call<'_>,
    topic: Option<&Topic>,
    asked: &ListOffsetsPartition,
    is_committed: bool,
) -> ListOffsetsPartitionResponse {
    let partition = topic.and_then(|topic| topic.partition(asked.partition_index));
    let found = match partition {
        Some(partition) => find(partition, asked.timestamp, is_committed),
        None => Err(ResponseError::UnknownTopicOrPartition),
    };
    let answer = ListOffsetsPartitionResponse::default()
        .with_partition_index(asked.partition_index)
        .with_error_code(super::code(&found));
    let dated = found.unwrap_or(NONE);
    let epoch = if call.version >= 4 && dated.offset >= 0 { 0 } else { -1 };
    answer.with_offset(dated.offset).with_timestamp(dated.timestamp).with_leader_epoch(epoch)
}

fn find(partition: &Partition, timestamp: i64, is_committed: bool) -> Result<Dated, ResponseError> {
    let log = partition.log();
    let end = if is_committed { log.last_stable() } else { log.next() };
    let timestamp = match timestamp {
        LATEST => return Ok(Dated { offset: end, timestamp: -1 }),
        EARLIEST => return Ok(Dated { offset: log.start(), timestamp: -1 }),
        OF_MAX_TIMESTAMP => log.max_timestamp(),
        timestamp => timestamp,
    };
    if timestamp < 0 {
        return Ok(NONE);
    }
    let plans = log.plan_search(timestamp);
    drop(log);
    for plan in plans {
        match plan.find() {
            Ok(None) => {}
            Ok(Some(dated)) if dated.offset < end => return Ok(dated),
            Ok(Some(_)) => break,
            Err(error) => return Err(partition.log().storage_error(&error)),
        }
    }
    Ok(NONE)
}

/// There has only ever been epoch 0, so it ends where the log does.
pub(crate) fn for_leader_epoch(
    call: &Call<'_>,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for asked in request.topics {
        let topic = call.state.topics.get(&asked.topic);
        let partition = |index: i32| {
            let answer = EpochEndOffset::default().with_partition(index);
            match topic.as_deref().and_then(|topic| topic.partition(index)) {
                Some(partition) => {
                    answer.with_leader_epoch(0).with_end_offset(partition.log().next())
                }
                None => answer.with_error_code(ResponseError::UnknownTopicOrPartition.code()),
            }
        };
        let partitions = asked.partitions.iter().map(|asked| partition(asked.partition)).collect();
        topics.push(
            OffsetForLeaderTopicResult::default()
                .with_topic(asked.topic)
                .with_partitions(partitions),
        );
    }
    OffsetForLeaderEpochResponse::default().with_topics(topics)
}
