//! Producer ids and transactions, and how an administrator sees them.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_transactions_response::TopicData;
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, DescribeProducersRequest, DescribeProducersResponse,
    DescribeTransactionsRequest, DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListTransactionsRequest,
    ListTransactionsResponse, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse, describe_producers_request, describe_producers_response,
    describe_transactions_response, list_transactions_response,
};

use super::{Call, code, offsets, text};
use crate::coordinator::offsets::OffsetChange;
use crate::coordinator::transaction::{PartitionKey, Transaction};
use crate::coordinator::transactions::ProducerKey;
use crate::group::MemberKey;

/// First versions whose clients know what a fenced producer is.
const FENCED_SINCE: i16 = 2;
const FENCED_SINCE_IN_INIT: i16 = 4;

pub(crate) fn init_producer(
    call: &Call<'_>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let mut coordinator = call.state.coordinator();
    let producer = match &request.transactional_id {
        None => coordinator.new_producer(),
        Some(id) => {
            let expected = ProducerKey { id: request.producer_id.0, epoch: request.producer_epoch };
            let expected = (expected.id >= 0).then_some(expected);
            coordinator.init_producer(id, request.transaction_timeout_ms, expected)
        }
    };
    drop(coordinator);
    call.state.timer.notify_one();
    let answer = InitProducerIdResponse::default();
    match producer {
        Ok(producer) => {
            answer.with_producer_id(ProducerId(producer.id)).with_producer_epoch(producer.epoch)
        }
        Err(error) => answer
            .with_error_code(call.fenced(error, FENCED_SINCE_IN_INIT).code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}

pub(crate) fn add_partitions(
    call: &Call<'_>,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let topics = request.v3_and_below_topics;
    let is_known = |topic: &str, index| call.state.topics.partition(topic, index).is_some();
    let all: Vec<PartitionKey> = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|index| (topic.name.to_string(), *index)))
        .collect();
    let producer = ProducerKey {
        id: request.v3_and_below_producer_id.0,
        epoch: request.v3_and_below_producer_epoch,
    };
    let added = if all.iter().all(|(topic, index)| is_known(topic, *index)) {
        let mut coordinator = call.state.coordinator();
        coordinator.add_partitions(&request.v3_and_below_transactional_id, producer, all)
    } else {
        // All or nothing; those that are known could have been added.
        Err(ResponseError::OperationNotAttempted)
    };
    call.state.timer.notify_one();
    let added = added.map_err(|error| call.fenced(error, FENCED_SINCE));
    let topic = |topic: AddPartitionsToTxnTopic| {
        let partition = |index: i32| {
            let error = match added {
                Err(ResponseError::OperationNotAttempted) if !is_known(&topic.name, index) => {
                    ResponseError::UnknownTopicOrPartition.code()
                }
                added => code(&added),
            };
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(error)
        };
        let partitions = topic.partitions.iter().copied().map(partition).collect();
        AddPartitionsToTxnTopicResult::default()
            .with_results_by_partition(partitions)
            .with_name(topic.name)
    };
    AddPartitionsToTxnResponse::default()
        .with_results_by_topic_v3_and_below(topics.into_iter().map(topic).collect())
}

pub(crate) fn add_offsets(
    call: &Call<'_>,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let producer = ProducerKey { id: request.producer_id.0, epoch: request.producer_epoch };
    let mut coordinator = call.state.coordinator();
    let id = &request.transactional_id;
    let added = coordinator.add_offsets(id, producer, &request.group_id, Vec::new());
    drop(coordinator);
    call.state.timer.notify_one();
    let added = added.map_err(|error| call.fenced(error, FENCED_SINCE));
    AddOffsetsToTxnResponse::default().with_error_code(code(&added))
}

pub(crate) fn commit_offsets(
    call: &Call<'_>,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let added = add_pending(call, &request).map_err(|error| match error {
        // Groups do not know of fencing, only of epochs.
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        error => error,
    });
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let partition = |index| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code(&added))
        };
        let indexes = topic.partitions.iter().map(|partition| partition.partition_index);
        topics.push(
            TxnOffsetCommitResponseTopic::default()
                .with_partitions(indexes.map(partition).collect())
                .with_name(topic.name),
        );
    }
    TxnOffsetCommitResponse::default().with_topics(topics)
}

fn add_pending(call: &Call<'_>, request: &TxnOffsetCommitRequest) -> Result<(), ResponseError> {
    let mut coordinator = call.state.coordinator();
    let member = MemberKey {
        id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    // A client without a member's identity (before version 3, or without KIP-447) may commit for any group.
    if member.generation >= 0 || !member.id.is_empty() {
        coordinator.groups.may_commit(&request.group_id, &member)?;
    }
    let mut changes: Vec<OffsetChange> = Vec::new();
    for topic in &request.topics {
        for p in &topic.partitions {
            let committed =
                (p.committed_offset, p.committed_leader_epoch, p.committed_metadata.as_ref());
            changes.push(offsets::change(call, &topic.name, p.partition_index, committed)?);
        }
    }
    let producer = ProducerKey { id: request.producer_id.0, epoch: request.producer_epoch };
    coordinator.add_offsets(&request.transactional_id, producer, &request.group_id, changes)
}

pub(crate) fn end(call: &Call<'_>, request: EndTxnRequest) -> EndTxnResponse {
    let producer = ProducerKey { id: request.producer_id.0, epoch: request.producer_epoch };
    let mut coordinator = call.state.coordinator();
    let ended = coordinator.end_transaction(&request.transactional_id, producer, request.committed);
    drop(coordinator);
    call.state.timer.notify_one();
    let ended = ended.map_err(|error| call.fenced(error, FENCED_SINCE));
    EndTxnResponse::default().with_error_code(code(&ended))
}

pub(crate) fn list(call: &Call<'_>, request: ListTransactionsRequest) -> ListTransactionsResponse {
    let coordinator = call.state.coordinator();
    let is_wanted = |transaction: &Transaction| {
        let states = &request.state_filters;
        let producers = &request.producer_id_filters;
        (states.is_empty() || states.iter().any(|state| **state == *transaction.state_name()))
            && (producers.is_empty() || producers.contains(&ProducerId(transaction.producer_id)))
    };
    let describe = |(id, transaction): (&String, &Transaction)| {
        list_transactions_response::TransactionState::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(transaction.producer_id))
            .with_transaction_state(text(transaction.state_name()))
    };
    let listed = coordinator.transactions().all().filter(|(_, t)| is_wanted(t)).map(describe);
    ListTransactionsResponse::default().with_transaction_states(listed.collect())
}

pub(crate) fn describe(
    call: &Call<'_>,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let coordinator = call.state.coordinator();
    let one = |id: TransactionalId| {
        let described = match coordinator.transactions().get(&id) {
            Some(transaction) => describe_one(transaction),
            None => describe_transactions_response::TransactionState::default()
                .with_error_code(ResponseError::TransactionalIdNotFound.code()),
        };
        described.with_transactional_id(id)
    };
    let described = request.transactional_ids.into_iter().map(one).collect();
    DescribeTransactionsResponse::default().with_transaction_states(described)
}

fn describe_one(transaction: &Transaction) -> describe_transactions_response::TransactionState {
    let contents = transaction.unfinished();
    let mut topics: Vec<TopicData> = Vec::new();
    for (topic, index) in contents.into_iter().flat_map(|contents| &contents.partitions) {
        match topics.last_mut() {
            Some(last) if *last.topic == **topic => last.partitions.push(*index),
            _ => topics.push(
                TopicData::default()
                    .with_topic(TopicName(text(topic)))
                    .with_partitions(vec![*index]),
            ),
        }
    }
    describe_transactions_response::TransactionState::default()
        .with_transaction_state(text(transaction.state_name()))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(contents.map_or(-1, |contents| contents.started_ms))
        .with_producer_id(ProducerId(transaction.producer_id))
        .with_producer_epoch(transaction.epoch)
        .with_topics(topics)
}

pub(crate) fn describe_producers(
    call: &Call<'_>,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topic = |asked: describe_producers_request::TopicRequest| {
        let partition = |index: &i32| describe_producers_of(call, &asked.name, *index);
        describe_producers_response::TopicResponse::default()
            .with_partitions(asked.partition_indexes.iter().map(partition).collect())
            .with_name(asked.name)
    };
    DescribeProducersResponse::default()
        .with_topics(request.topics.into_iter().map(topic).collect())
}

fn describe_producers_of(
    call: &Call<'_>,
    topic: &str,
    index: i32,
) -> describe_producers_response::PartitionResponse {
    let answer =
        describe_producers_response::PartitionResponse::default().with_partition_index(index);
    let Some(partition) = call.state.topics.partition(topic, index) else {
        return answer.with_error_code(ResponseError::UnknownTopicOrPartition.code());
    };
    let mut log = partition.log();
    let producers = log.producers().all().map(|known| {
        describe_producers_response::ProducerState::default()
            .with_producer_id(ProducerId(known.id))
            .with_producer_epoch(i32::from(known.epoch))
            .with_last_sequence(known.last_sequence)
            .with_last_timestamp(known.last_seen_ms)
            .with_current_txn_start_offset(known.open_since.unwrap_or(-1))
    });
    answer.with_active_producers(producers.collect())
}
