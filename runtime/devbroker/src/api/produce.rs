//! Produce: appends batches.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::Call;
use crate::clock;
use crate::log::Appended;
use crate::log::produced::Produced;
use crate::topics::Topic;

/// Answers with `None` when the client wants no answer, and with an error when it must hear of one all the same.
pub(crate) fn produce(
    call: &Call<'_>,
    request: ProduceRequest,
) -> Result<Option<ProduceResponse>, ResponseError> {
    let acks = request.acks;
    let mut first_error = None;
    let mut topics = Vec::with_capacity(request.topic_data.len());
    for data in request.topic_data {
        let topic = call.state.topics.get(&data.name);
        let mut partitions = Vec::with_capacity(data.partition_data.len());
        for partition in data.partition_data {
            let index = partition.index;
            let appended = match acks {
                -1..=1 => append(topic.as_deref(), partition),
                _ => Err(ResponseError::InvalidRequiredAcks),
            };
            first_error = first_error.or(appended.as_ref().err().copied());
            partitions.push(answer(index, appended));
        }
        let topic = TopicProduceResponse::default().with_name(data.name);
        topics.push(topic.with_partition_responses(partitions));
    }
    match (acks, first_error) {
        (0, Some(error)) => Err(error),
        (0, None) => Ok(None),
        _ => Ok(Some(ProduceResponse::default().with_responses(topics))),
    }
}

fn append(
    topic: Option<&Topic>,
    data: PartitionProduceData,
) -> Result<(Appended, i64), ResponseError> {
    let unknown = ResponseError::UnknownTopicOrPartition;
    let topic = topic.ok_or(unknown)?;
    let partition = topic.partition(data.index).ok_or(unknown)?;
    let records: Bytes = data.records.ok_or(ResponseError::InvalidRecord)?;
    let produced = Produced::check(records, topic.config.demands())?;
    let mut log = partition.log();
    let appended = log.append(&produced, clock::now_ms())?;
    Ok((appended, log.start()))
}

fn answer(
    index: i32,
    appended: Result<(Appended, i64), ResponseError>,
) -> PartitionProduceResponse {
    let answer = PartitionProduceResponse::default().with_index(index);
    match appended {
        Ok((appended, start)) => answer
            .with_base_offset(appended.base)
            .with_log_append_time_ms(appended.log_append_time_ms.unwrap_or(-1))
            .with_log_start_offset(start),
        Err(error) => answer
            .with_error_code(error.code())
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1),
    }
}
