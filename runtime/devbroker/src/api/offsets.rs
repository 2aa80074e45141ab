//! OffsetCommit, OffsetFetch, OffsetDelete: where groups have got to.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, code, text};
use crate::coordinator::Coordinator;
use crate::coordinator::offsets::{Committed, OffsetChange};
use crate::group::MemberKey;

/// Longest note beside an offset (`offset.metadata.max.bytes`).
const METADATA_BYTES_MAX: usize = 4096;

/// What there is for a partition without a committed offset.
const NONE: Committed = Committed { offset: -1, leader_epoch: -1, metadata: String::new() };

/// The change that commits an offset, unless it is none that may be committed.
pub(super) fn change(
    call: &Call<'_>,
    topic: &str,
    partition: i32,
    committed: (i64, i32, Option<&StrBytes>),
) -> Result<OffsetChange, ResponseError> {
    let (offset, leader_epoch, metadata) = committed;
    if call.state.topics.partition(topic, partition).is_none() {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    let metadata = metadata.map(ToString::to_string).unwrap_or_default();
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    let committed = Some(Committed { offset, leader_epoch, metadata });
    Ok(OffsetChange { topic: topic.to_owned(), partition, committed })
}

pub(crate) fn commit(call: &Call<'_>, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let mut coordinator = call.state.coordinator();
    let member = MemberKey {
        id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
    };
    let allowed = coordinator.groups.may_commit(&request.group_id, &member);
    let change = |topic: &str, p: &OffsetCommitRequestPartition| {
        allowed?;
        let metadata = p.committed_metadata.as_ref();
        let committed = (p.committed_offset, p.committed_leader_epoch, metadata);
        self::change(call, topic, p.partition_index, committed)
    };
    let mut good = Vec::new();
    let mut answers = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let change = change(&topic.name, partition);
            answers.push(change.as_ref().err().copied());
            good.extend(change.ok());
        }
    }
    let recorded = coordinator.commit(&request.group_id, good);
    drop(coordinator);
    let mut answers = answers.into_iter();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let partition = |p: OffsetCommitRequestPartition| {
            let error = answers.next().flatten().or(recorded.err());
            OffsetCommitResponsePartition::default()
                .with_partition_index(p.partition_index)
                .with_error_code(error.map_or(0, |error| error.code()))
        };
        let partitions = topic.partitions.into_iter().map(partition).collect();
        topics.push(
            OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions),
        );
    }
    OffsetCommitResponse::default().with_topics(topics)
}

/// Partitions by topic.
type Wanted = Vec<(String, Vec<i32>)>;

/// A topic with the offsets of partitions.
type OfTopic = (String, Vec<(i32, Result<Committed, ResponseError>)>);

pub(crate) fn fetch(call: &Call<'_>, request: OffsetFetchRequest) -> OffsetFetchResponse {
    let coordinator = call.state.coordinator();
    let is_stable = request.require_stable;
    if call.version < 8 {
        let wanted = request.topics.map(|topics| {
            topics.into_iter().map(|t| (t.name.to_string(), t.partition_indexes)).collect()
        });
        let got = get(&coordinator, &request.group_id, wanted, is_stable);
        return OffsetFetchResponse::default()
            .with_topics(got.into_iter().map(describe_topic).collect());
    }
    let mut groups = Vec::with_capacity(request.groups.len());
    for group in request.groups {
        let wanted = group.topics.map(|topics| {
            topics.into_iter().map(|t| (t.name.to_string(), t.partition_indexes)).collect()
        });
        let got = get(&coordinator, &group.group_id, wanted, is_stable);
        groups.push(
            OffsetFetchResponseGroup::default()
                .with_group_id(group.group_id)
                .with_topics(got.into_iter().map(describe_topics).collect()),
        );
    }
    OffsetFetchResponse::default().with_groups(groups)
}

/// Looks offsets up. `None` wants all that the group has.
fn get(
    coordinator: &Coordinator,
    group: &str,
    wanted: Option<Wanted>,
    is_stable: bool,
) -> Vec<OfTopic> {
    let offsets = coordinator.offsets().of(group);
    let wanted = wanted.unwrap_or_else(|| {
        let mut all: Wanted = Vec::new();
        for (topic, partition) in offsets.into_iter().flat_map(|offsets| offsets.keys()) {
            match all.last_mut() {
                Some((last, partitions)) if last == topic => partitions.push(*partition),
                _ => all.push((topic.clone(), vec![*partition])),
            }
        }
        all
    });
    let one = |topic: &str, partition: i32| {
        if is_stable && coordinator.transactions().is_pending(group, topic, partition) {
            return Err(ResponseError::UnstableOffsetCommit);
        }
        let key = (topic.to_owned(), partition);
        Ok(offsets.and_then(|offsets| offsets.get(&key)).cloned().unwrap_or(NONE))
    };
    let of_topic = |(topic, partitions): (String, Vec<i32>)| {
        let got = partitions.into_iter().map(|p| (p, one(&topic, p))).collect();
        (topic, got)
    };
    wanted.into_iter().map(of_topic).collect()
}

fn describe_topic((topic, got): OfTopic) -> OffsetFetchResponseTopic {
    let partition = |(index, got): (i32, Result<Committed, ResponseError>)| {
        let error = code(&got);
        let committed = got.unwrap_or(NONE);
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
            .with_error_code(error)
    };
    OffsetFetchResponseTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(got.into_iter().map(partition).collect())
}

fn describe_topics((topic, got): OfTopic) -> OffsetFetchResponseTopics {
    let partition = |(index, got): (i32, Result<Committed, ResponseError>)| {
        let error = code(&got);
        let committed = got.unwrap_or(NONE);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata)))
            .with_error_code(error)
    };
    OffsetFetchResponseTopics::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(got.into_iter().map(partition).collect())
}

pub(crate) fn delete(call: &Call<'_>, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let mut coordinator = call.state.coordinator();
    let group = coordinator.groups.get(&request.group_id);
    let is_known = group.is_some() || coordinator.offsets().of(&request.group_id).is_some();
    if !is_known {
        let error = ResponseError::GroupIdNotFound.code();
        return OffsetDeleteResponse::default().with_error_code(error);
    }
    // Which topics members are subscribed to, only they know.
    let is_in_use = group.is_some_and(|group| group.has_members());
    let mut changes = Vec::new();
    for topic in request.topics.iter().filter(|_| !is_in_use) {
        changes.extend(topic.partitions.iter().map(|partition| OffsetChange {
            topic: topic.name.to_string(),
            partition: partition.partition_index,
            committed: None,
        }));
    }
    let deleted = match is_in_use {
        true => Err(ResponseError::GroupSubscribedToTopic),
        false => coordinator.commit(&request.group_id, changes),
    };
    let topic =
        |topic: kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic| {
            let partition = |index| {
                OffsetDeleteResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(code(&deleted))
            };
            let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
            OffsetDeleteResponseTopic::default()
                .with_partitions(indexes.map(partition).collect())
                .with_name(topic.name)
        };
    OffsetDeleteResponse::default().with_topics(request.topics.into_iter().map(topic).collect())
}
