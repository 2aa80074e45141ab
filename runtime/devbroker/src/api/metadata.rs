//! Metadata, FindCoordinator, DescribeCluster: which topics there are, and that this node is everything.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest,
    FindCoordinatorResponse, MetadataRequest, MetadataResponse, TopicName,
};

use super::{Call, NODE, text};
use crate::topics::config::TopicConfig;
use crate::topics::{NewTopic, Topic};

pub(crate) fn metadata(call: &Call<'_>, request: MetadataRequest) -> MetadataResponse {
    // Version 0 has no null, and asks for all topics by naming none.
    let named = request.topics.filter(|topics| call.version > 0 || !topics.is_empty());
    let may_create = call.state.config.auto_create_topics
        && (call.version < 4 || request.allow_auto_topic_creation);
    let topics = match named {
        None => call.state.topics.all().iter().map(|topic| describe(topic)).collect(),
        Some(named) => named.into_iter().map(|topic| one(call, topic, may_create)).collect(),
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(call.host())
        .with_port(call.port());
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&call.state.directory.cluster_id)))
        .with_controller_id(NODE)
        .with_topics(topics)
}

fn one(call: &Call<'_>, asked: MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    // Beside an id Java clients send an empty name.
    let found = match &asked.name {
        Some(name) if asked.topic_id.is_nil() => by_name(call, name, may_create),
        _ => call.state.topics.get_by_id(asked.topic_id).ok_or(ResponseError::UnknownTopicId),
    };
    match found {
        Ok(topic) => describe(&topic),
        Err(error) => MetadataResponseTopic::default()
            .with_name(asked.name.or_else(|| (call.version < 12).then(TopicName::default)))
            .with_topic_id(asked.topic_id)
            .with_error_code(error.code()),
    }
}

fn by_name(call: &Call<'_>, name: &str, may_create: bool) -> Result<Arc<Topic>, ResponseError> {
    let topics = &call.state.topics;
    if let Some(topic) = topics.get(name) {
        return Ok(topic);
    }
    let partitions = call.state.config.partitions_default;
    let new = NewTopic { name, partitions, config: TopicConfig::default() };
    if !may_create {
        topics.check(&new)?;
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    match topics.create(new) {
        // Another client was quicker.
        Err(ResponseError::TopicAlreadyExists) => {
            topics.get(name).ok_or(ResponseError::UnknownTopicOrPartition)
        }
        created => created,
    }
}

fn describe(topic: &Topic) -> MetadataResponseTopic {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_leader_epoch(0)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(&topic.name))))
        .with_topic_id(topic.id)
        .with_partitions((0..topic.partitions.len() as i32).map(partition).collect())
}

pub(crate) fn find_coordinator(
    call: &Call<'_>,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let answer = FindCoordinatorResponse::default();
    if call.version < 4 {
        return answer.with_node_id(NODE).with_host(call.host()).with_port(call.port());
    }
    let coordinator = |key| {
        Coordinator::default()
            .with_key(key)
            .with_node_id(NODE)
            .with_host(call.host())
            .with_port(call.port())
    };
    answer.with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect())
}

pub(crate) fn describe_cluster(
    call: &Call<'_>,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let answer = DescribeClusterResponse::default();
    if request.endpoint_type != 1 {
        let error = ResponseError::MismatchedEndpointType;
        return answer.with_endpoint_type(1).with_error_code(error.code());
    }
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(call.host())
        .with_port(call.port());
    answer
        .with_cluster_id(text(&call.state.directory.cluster_id))
        .with_controller_id(NODE)
        .with_brokers(vec![broker])
}
