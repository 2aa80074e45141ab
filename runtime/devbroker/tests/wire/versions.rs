//! Every request in every version that is offered: old and new clients alike must be able to read the answer.

use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, Request};
use tombolo_devbroker::Broker;

use crate::client::*;

/// A broker with the topic `t`, and what it offers.
struct Offer {
    broker: Broker,
    apis: ApiVersionsResponse,
    _dir: tempfile::TempDir,
}

impl Offer {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let broker = broker_in(dir.path()).await;
        let mut client = Client::to(&broker).await;
        client.create_topic("t", 1, &[]).await;
        let apis = client.send(3, &ApiVersionsRequest::default()).await;
        Self { broker, apis, _dir: dir }
    }

    /// Sends a request in every version that can say it, and expects an answer that can be decoded.
    async fn take<R: Request + Encodable>(&self, request: R) {
        let api = self.apis.api_keys.iter().find(|api| api.api_key == R::KEY);
        let api = api.expect("it is offered");
        let mut count = 0;
        for version in api.min_version..=api.max_version {
            if request.compute_size(version).is_err() {
                continue;
            }
            let answer = Client::to(&self.broker).await.try_send(version, &request).await;
            assert!(answer.is_some(), "no answer to {} in version {version}", R::KEY);
            count += 1;
        }
        assert!(count > 0, "{} was not sent at all", R::KEY);
    }
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn transaction() -> TransactionalId {
    TransactionalId(text("x"))
}

#[tokio::test]
async fn requests_about_records_and_the_cluster() {
    let offer = Offer::new().await;
    assert_eq!(offer.apis.api_keys.len(), 33);
    offer.take(ApiVersionsRequest::default()).await;
    offer.take(produce_request("t", values(&["x"]), 1, None)).await;
    offer.take(produce_request("u", values(&["x"]), 1, None)).await;
    offer.take(fetch_request("t", 0)).await;
    offer.take(fetch_request("t", 0).with_isolation_level(1)).await;
    offer.take(fetch_request("t", 77)).await;
    let by_name = |name| {
        let topic = metadata_request::MetadataRequestTopic::default();
        MetadataRequest::default().with_topics(Some(vec![topic.with_name(Some(topic_name(name)))]))
    };
    offer.take(MetadataRequest::default().with_topics(Some(vec![]))).await;
    offer.take(by_name("t")).await;
    offer.take(by_name("no good name")).await;
    for timestamp in [-1, -2, -3, 0] {
        use list_offsets_request::*;
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default().with_name(topic_name("t"));
        let topics = vec![topic.with_partitions(vec![partition])];
        offer.take(ListOffsetsRequest::default().with_topics(topics)).await;
    }
    let topic = offset_for_leader_epoch_request::OffsetForLeaderTopic::default();
    let partition = offset_for_leader_epoch_request::OffsetForLeaderPartition::default();
    let topic = topic.with_topic(topic_name("t")).with_partitions(vec![partition]);
    offer.take(OffsetForLeaderEpochRequest::default().with_topics(vec![topic])).await;
    offer.take(DescribeClusterRequest::default().with_endpoint_type(1)).await;
    offer.take(DescribeProducersRequest::default()).await;
}

#[tokio::test]
async fn requests_about_groups() {
    let offer = Offer::new().await;
    offer.take(FindCoordinatorRequest::default().with_key(text("g"))).await;
    let keys = vec![text("g")];
    offer.take(FindCoordinatorRequest::default().with_coordinator_keys(keys)).await;
    let protocol = join_group_request::JoinGroupRequestProtocol::default().with_name(text("p"));
    let join = JoinGroupRequest::default()
        .with_session_timeout_ms(100)
        .with_rebalance_timeout_ms(100)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    offer.take(join.clone()).await;
    let join = join.with_group_id(group());
    offer.take(join.clone()).await;
    offer.take(join.with_group_instance_id(Some(text("one")))).await;
    offer.take(SyncGroupRequest::default().with_group_id(group())).await;
    offer.take(HeartbeatRequest::default().with_group_id(group())).await;
    let leave = LeaveGroupRequest::default().with_group_id(group());
    offer.take(leave.clone().with_member_id(text("x"))).await;
    let member = leave_group_request::MemberIdentity::default().with_member_id(text("x"));
    offer.take(leave.with_members(vec![member])).await;
    offer.take(DescribeGroupsRequest::default().with_groups(vec![group()])).await;
    offer.take(ListGroupsRequest::default()).await;
    offer.take(DeleteGroupsRequest::default().with_groups_names(vec![group()])).await;
}

#[tokio::test]
async fn requests_about_offsets() {
    let offer = Offer::new().await;
    let partition = offset_commit_request::OffsetCommitRequestPartition::default();
    let topic = offset_commit_request::OffsetCommitRequestTopic::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    let commit = OffsetCommitRequest::default().with_group_id(group());
    let commit = commit.with_generation_id_or_member_epoch(-1).with_topics(vec![topic]);
    offer.take(commit).await;
    let fetch = OffsetFetchRequest::default();
    offer.take(fetch.clone().with_group_id(group()).with_topics(None)).await;
    let topic = offset_fetch_request::OffsetFetchRequestTopic::default();
    let topics = Some(vec![topic.with_name(topic_name("t")).with_partition_indexes(vec![0, 1])]);
    offer.take(fetch.clone().with_group_id(group()).with_topics(topics)).await;
    let one = offset_fetch_request::OffsetFetchRequestGroup::default();
    let one = one.with_group_id(group()).with_topics(None);
    offer.take(fetch.with_groups(vec![one])).await;
    let topic = offset_delete_request::OffsetDeleteRequestTopic::default();
    let topic = topic.with_name(topic_name("t"));
    let request = OffsetDeleteRequest::default().with_group_id(group());
    offer.take(request.with_topics(vec![topic])).await;
}

#[tokio::test]
async fn requests_about_topics() {
    let offer = Offer::new().await;
    let topic = create_topics_request::CreatableTopic::default()
        .with_name(topic_name("v"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    offer.take(CreateTopicsRequest::default().with_topics(vec![topic])).await;
    let topic = create_partitions_request::CreatePartitionsTopic::default();
    let topic = topic.with_name(topic_name("v")).with_count(2);
    offer.take(CreatePartitionsRequest::default().with_topics(vec![topic])).await;
    let topic = delete_records_request::DeleteRecordsTopic::default();
    let partition = delete_records_request::DeleteRecordsPartition::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    offer.take(DeleteRecordsRequest::default().with_topics(vec![topic])).await;
    for (kind, name) in [(2, "t"), (2, "nowhere"), (4, "1"), (9, "x")] {
        let resource = describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        offer.take(request.with_include_synonyms(true)).await;
        let resource = alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name));
        offer.take(AlterConfigsRequest::default().with_resources(vec![resource])).await;
        let resource = incremental_alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name));
        offer.take(IncrementalAlterConfigsRequest::default().with_resources(vec![resource])).await;
    }
    let names = vec![topic_name("v")];
    offer.take(DeleteTopicsRequest::default().with_topic_names(names)).await;
    let topic = delete_topics_request::DeleteTopicState::default();
    let topics = vec![topic.clone().with_name(Some(topic_name("t"))), topic.with_name(None)];
    offer.take(DeleteTopicsRequest::default().with_topics(topics)).await;
}

#[tokio::test]
async fn requests_about_transactions() {
    let offer = Offer::new().await;
    let init = InitProducerIdRequest::default().with_transaction_timeout_ms(1_000);
    offer.take(init.clone().with_transactional_id(None)).await;
    offer.take(init.with_transactional_id(Some(transaction()))).await;
    let topic = add_partitions_to_txn_request::AddPartitionsToTxnTopic::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![0, 7]);
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(transaction())
        .with_v3_and_below_topics(vec![topic]);
    offer.take(request).await;
    let request = AddOffsetsToTxnRequest::default().with_transactional_id(transaction());
    offer.take(request).await;
    offer.take(EndTxnRequest::default().with_transactional_id(transaction())).await;
    let topic = txn_offset_commit_request::TxnOffsetCommitRequestTopic::default();
    let partition = txn_offset_commit_request::TxnOffsetCommitRequestPartition::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(transaction())
        .with_generation_id(-1)
        .with_topics(vec![topic]);
    offer.take(request).await;
    offer.take(ListTransactionsRequest::default()).await;
    let ids = vec![transaction()];
    offer.take(DescribeTransactionsRequest::default().with_transactional_ids(ids)).await;
}
