//! CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords: topics as an administrator changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    TopicName,
};

use super::{Call, NODE, configs, text};
use crate::topics::config::{SETTINGS, TopicConfig};
use crate::topics::{NewTopic, PARTITIONS_MAX, Topic};

/// An error with what a person should read.
struct Refused {
    error: ResponseError,
    message: String,
}

fn refused(error: ResponseError, message: impl Into<String>) -> Refused {
    Refused { error, message: message.into() }
}

pub(crate) fn create(call: &Call<'_>, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let one = |asked: CreatableTopic| {
        let created = create_one(call, &asked, request.validate_only);
        let answer = CreatableTopicResult::default().with_name(asked.name);
        match created {
            Ok(created) => describe_created(answer, &created, call.version),
            Err(Refused { error, message }) => {
                answer.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    };
    CreateTopicsResponse::default().with_topics(request.topics.into_iter().map(one).collect())
}

/// A topic that was created, or would have been.
struct Created {
    topic: Option<Arc<Topic>>,
    partitions: i32,
    config: TopicConfig,
}

fn create_one(
    call: &Call<'_>,
    asked: &CreatableTopic,
    is_only_check: bool,
) -> Result<Created, Refused> {
    if !matches!(asked.replication_factor, -1 | 1) {
        let message = "Unable to replicate the partition: this broker is the only one.";
        return Err(refused(ResponseError::InvalidReplicationFactor, message));
    }
    if asked.assignments.iter().any(|assignment| assignment.broker_ids != [NODE]) {
        let message = "Partitions can be assigned to broker 1 only.";
        return Err(refused(ResponseError::InvalidReplicaAssignment, message));
    }
    let partitions = match (asked.assignments.len() as i32, asked.num_partitions) {
        (0, -1) => call.state.config.partitions_default,
        (0, count) => count,
        (count, _) => count,
    };
    let settings: BTreeMap<String, String> = asked
        .configs
        .iter()
        .filter_map(|setting| Some((setting.name.to_string(), setting.value.as_ref()?.to_string())))
        .collect();
    let config = TopicConfig::new(settings)
        .map_err(|invalid| refused(ResponseError::InvalidConfig, invalid.to_string()))?;
    let new = NewTopic { name: &asked.name, partitions, config: config.clone() };
    let topics = &call.state.topics;
    let topic = match is_only_check {
        true => topics.check(&new).map(|()| None),
        false => topics.create(new).map(Some),
    };
    let topic = topic.map_err(|error| refused(error, explain(error, &asked.name)))?;
    Ok(Created { topic, partitions, config })
}

fn explain(error: ResponseError, name: &str) -> String {
    match error {
        ResponseError::TopicAlreadyExists => format!("Topic '{name}' already exists."),
        ResponseError::InvalidPartitions => {
            format!("Number of partitions must be between 1 and {PARTITIONS_MAX}.")
        }
        ResponseError::InvalidTopicException => format!(
            "Topic name '{name}' is invalid: it may have up to 249 letters, digits, '.', '_' and \
             '-', and is neither '.' nor '..'."
        ),
        error => error.to_string(),
    }
}

fn describe_created(
    answer: CreatableTopicResult,
    created: &Created,
    version: i16,
) -> CreatableTopicResult {
    let answer = match &created.topic {
        Some(topic) => answer.with_topic_id(topic.id),
        None => answer,
    };
    if version < 5 {
        return answer;
    }
    let setting = |setting: &crate::topics::config::Setting| {
        let made = created.config.made().contains_key(setting.name);
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(Some(text(created.config.get(setting.name))))
            .with_config_source(if made { configs::FROM_TOPIC } else { configs::DEFAULT })
    };
    answer
        .with_num_partitions(created.partitions)
        .with_replication_factor(1)
        .with_configs(Some(SETTINGS.iter().map(setting).collect()))
}

pub(crate) fn delete(call: &Call<'_>, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let mut answers = Vec::new();
    for name in request.topic_names {
        let answer = DeletableTopicResult::default().with_name(Some(name.clone()));
        answers.push(deleted(call, &name, answer));
    }
    for asked in request.topics {
        let answer = DeletableTopicResult::default().with_topic_id(asked.topic_id);
        let by_id = || call.state.topics.get_by_id(asked.topic_id).map(|t| t.name.clone());
        match asked.name.map(|name| name.to_string()).or_else(by_id) {
            Some(name) => {
                let answer = answer.with_name(Some(TopicName(text(&name))));
                answers.push(deleted(call, &name, answer));
            }
            None => answers.push(answer.with_error_code(ResponseError::UnknownTopicId.code())),
        }
    }
    DeleteTopicsResponse::default().with_responses(answers)
}

fn deleted(call: &Call<'_>, name: &str, answer: DeletableTopicResult) -> DeletableTopicResult {
    let id = call.state.topics.get(name).map(|topic| topic.id);
    let deleted = call.state.topics.delete(name).and_then(|()| {
        let mut coordinator = call.state.coordinator();
        coordinator.topic_deleted(name)
    });
    let answer = match (call.version >= 6, id) {
        (true, Some(id)) => answer.with_topic_id(id),
        _ => answer,
    };
    answer.with_error_code(super::code(&deleted))
}

pub(crate) fn create_partitions(
    call: &Call<'_>,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let one = |asked: CreatePartitionsTopic| {
        let grown = grow(call, &asked, request.validate_only);
        let answer = CreatePartitionsTopicResult::default().with_name(asked.name);
        match grown {
            Ok(()) => answer,
            Err(Refused { error, message }) => {
                answer.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    };
    CreatePartitionsResponse::default().with_results(request.topics.into_iter().map(one).collect())
}

fn grow(
    call: &Call<'_>,
    asked: &CreatePartitionsTopic,
    is_only_check: bool,
) -> Result<(), Refused> {
    let Some(topic) = call.state.topics.get(&asked.name) else {
        let error = ResponseError::UnknownTopicOrPartition;
        return Err(refused(error, format!("The topic '{}' does not exist.", asked.name.as_str())));
    };
    let now = topic.partitions.len() as i32;
    if asked.count <= now || asked.count > PARTITIONS_MAX {
        let message = format!(
            "The topic '{}' has {now} partition(s); their number can only grow, to at most \
             {PARTITIONS_MAX}.",
            topic.name
        );
        return Err(refused(ResponseError::InvalidPartitions, message));
    }
    if is_only_check {
        return Ok(());
    }
    let grown = call.state.topics.grow(&topic.name, asked.count);
    grown.map(drop).map_err(|error| refused(error, error.to_string()))
}

pub(crate) fn delete_records(
    call: &Call<'_>,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for asked in request.topics {
        let topic = call.state.topics.get(&asked.name);
        let mut partitions = Vec::with_capacity(asked.partitions.len());
        for partition in asked.partitions {
            let index = partition.partition_index;
            let deleted = delete_before(topic.as_deref(), index, partition.offset);
            partitions.push(
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(index)
                    .with_error_code(super::code(&deleted))
                    .with_low_watermark(deleted.unwrap_or(-1)),
            );
        }
        let topic = DeleteRecordsTopicResult::default().with_name(asked.name);
        topics.push(topic.with_partitions(partitions));
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

/// Offset -1 means all records.
fn delete_before(topic: Option<&Topic>, index: i32, offset: i64) -> Result<i64, ResponseError> {
    let partition = topic.and_then(|topic| topic.partition(index));
    let mut log = partition.ok_or(ResponseError::UnknownTopicOrPartition)?.log();
    let offset = if offset == -1 { log.next() } else { offset };
    if offset < 0 || offset > log.next() {
        return Err(ResponseError::OffsetOutOfRange);
    }
    log.delete_before(offset).map_err(|error| log.storage_error(&error))
}
