//! Clients that send what no client should, and versions that few do.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tombolo_devbroker::Broker;

use crate::client::*;

/// Sends bytes, and expects the broker to close the connection but to live on.
async fn expect_end(broker: &Broker, bytes: &[u8]) {
    let mut client = Client::to(broker).await;
    client.stream.write_all(bytes).await.unwrap();
    assert!(client.read().await.is_none(), "no answer to {bytes:?}");
    expect_life(broker).await;
}

async fn expect_life(broker: &Broker) {
    let answer = Client::to(broker).await.send(3, &ApiVersionsRequest::default()).await;
    assert_eq!(answer.error_code, 0);
}

#[tokio::test]
async fn what_is_no_request_ends_its_connection_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut good = Client::to(&broker).await;
    let frame = |body: &[u8]| [&(body.len() as u32).to_be_bytes(), body].concat();
    let header = |key: i16, version: i16, rest: &[u8]| {
        frame(&[&key.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 1], rest].concat())
    };
    for bytes in [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        frame(b"short"),
        (-5i32).to_be_bytes().to_vec(),
        i32::MAX.to_be_bytes().to_vec(),
        header(999, 0, &[]),
        header(-1, 0, &[]),
        header(3, 99, &[0xff, 0xff, 0]),
        header(3, -1, &[0xff, 0xff, 0]),
        header(0, 2, &[0; 100]),
        // A list of two thousand million topics, in the old and in the new encoding.
        header(3, 1, &[0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
        header(3, 9, &[0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        // A client id of 300 bytes that are not there.
        header(3, 9, &[0x01, 0x2c]),
    ] {
        expect_end(&broker, &bytes).await;
    }
    good.create_topic("t", 1, &[]).await;
    assert_eq!(good.produce("t", values(&["x"])).await, (0, 0));
}

#[tokio::test]
async fn a_request_that_never_ends_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut slow = vec![];
    for _ in 0..50 {
        let mut client = Client::to(&broker).await;
        client.stream.write_all(&[0x01, 0xff, 0xff, 0xff, 0, 0]).await.unwrap();
        slow.push(client);
    }
    expect_life(&broker).await;
    broker.stop().await.unwrap();
}

#[tokio::test]
async fn a_newer_client_is_told_which_versions_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    let mut bytes = frame(3, 7, &ApiVersionsRequest::default());
    bytes[7] = 99;
    client.stream.write_all(&bytes).await.unwrap();
    let mut answer = client.read().await.unwrap();
    let header = ResponseHeader::decode(&mut answer, 0).unwrap();
    assert_eq!(header.correlation_id, 7);
    let answer = ApiVersionsResponse::decode(&mut answer, 0).unwrap();
    assert_eq!(answer.error_code, kafka_protocol::ResponseError::UnsupportedVersion.code());
    assert!(answer.api_keys.iter().any(|api| api.api_key == 18 && api.max_version >= 3));
    // It asks again on the same connection.
    assert_eq!(client.send(3, &ApiVersionsRequest::default()).await.error_code, 0);
}

/// Sends a request with little in it in every version that is offered, and expects an answer that can be decoded.
async fn every_version<R>(broker: &Broker, offered: &ApiVersionsResponse, request: R)
where
    R: kafka_protocol::protocol::Request + Encodable,
{
    let api = offered.api_keys.iter().find(|api| api.api_key == R::KEY).expect("it is offered");
    let mut encoded = 0;
    for version in api.min_version..=api.max_version {
        if request.compute_size(version).is_err() {
            continue;
        }
        let answer = Client::to(broker).await.try_send(version, &request).await;
        assert!(answer.is_some(), "no answer to {} in version {version}", R::KEY);
        encoded += 1;
    }
    assert!(encoded > 0, "{} was not sent at all", R::KEY);
}

#[tokio::test]
async fn every_version_offered_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let offered = client.send(3, &ApiVersionsRequest::default()).await;
    assert_eq!(offered.api_keys.len(), 33);
    let group = || GroupId(text("g"));
    let broker = &broker;
    let offered = &offered;
    every_version(broker, offered, ApiVersionsRequest::default()).await;
    every_version(broker, offered, produce_request("t", values(&["x"]), 1, None)).await;
    every_version(broker, offered, produce_request("u", values(&["x"]), 1, None)).await;
    every_version(broker, offered, fetch_request("t", 0)).await;
    every_version(broker, offered, fetch_request("t", 0).with_isolation_level(1)).await;
    every_version(broker, offered, fetch_request("t", 77)).await;
    let by_name = |name| {
        let topic = metadata_request::MetadataRequestTopic::default();
        MetadataRequest::default().with_topics(Some(vec![topic.with_name(Some(topic_name(name)))]))
    };
    every_version(broker, offered, MetadataRequest::default().with_topics(Some(vec![]))).await;
    every_version(broker, offered, by_name("t")).await;
    every_version(broker, offered, by_name("no good name")).await;
    for timestamp in [-1, -2, -3, 0] {
        use list_offsets_request::*;
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        let topic = ListOffsetsTopic::default().with_name(topic_name("t"));
        let topics = vec![topic.with_partitions(vec![partition.clone()])];
        every_version(broker, offered, ListOffsetsRequest::default().with_topics(topics)).await;
    }
    every_version(broker, offered, FindCoordinatorRequest::default().with_key(text("g"))).await;
    let keys = vec![text("g")];
    let request = FindCoordinatorRequest::default().with_coordinator_keys(keys);
    every_version(broker, offered, request).await;
    let protocol = join_group_request::JoinGroupRequestProtocol::default().with_name(text("p"));
    let join = JoinGroupRequest::default()
        .with_session_timeout_ms(100)
        .with_rebalance_timeout_ms(100)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    every_version(broker, offered, join.clone()).await;
    every_version(broker, offered, join.clone().with_group_id(group())).await;
    let fixed = join.with_group_id(group()).with_group_instance_id(Some(text("one")));
    every_version(broker, offered, fixed).await;
    every_version(broker, offered, SyncGroupRequest::default().with_group_id(group())).await;
    every_version(broker, offered, HeartbeatRequest::default().with_group_id(group())).await;
    let leave = LeaveGroupRequest::default().with_group_id(group());
    every_version(broker, offered, leave.clone().with_member_id(text("x"))).await;
    let member = leave_group_request::MemberIdentity::default().with_member_id(text("x"));
    every_version(broker, offered, leave.with_members(vec![member])).await;
    let request = DescribeGroupsRequest::default().with_groups(vec![group()]);
    every_version(broker, offered, request).await;
    every_version(broker, offered, ListGroupsRequest::default()).await;
    let request = DeleteGroupsRequest::default().with_groups_names(vec![group()]);
    every_version(broker, offered, request).await;
    let partition = offset_commit_request::OffsetCommitRequestPartition::default();
    let topic = offset_commit_request::OffsetCommitRequestTopic::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    let commit = OffsetCommitRequest::default().with_group_id(GroupId(text("h")));
    let commit = commit.with_generation_id_or_member_epoch(-1).with_topics(vec![topic]);
    every_version(broker, offered, commit).await;
    let fetch = OffsetFetchRequest::default();
    every_version(
        broker,
        offered,
        fetch.clone().with_group_id(GroupId(text("h"))).with_topics(None),
    )
    .await;
    let one = offset_fetch_request::OffsetFetchRequestGroup::default();
    let one = one.with_group_id(GroupId(text("h"))).with_topics(None);
    every_version(broker, offered, fetch.with_groups(vec![one])).await;
    let topic = offset_delete_request::OffsetDeleteRequestTopic::default();
    let request = OffsetDeleteRequest::default().with_group_id(GroupId(text("h")));
    every_version(broker, offered, request.with_topics(vec![topic])).await;
    rest_of_versions(broker, offered).await;
}

async fn rest_of_versions(broker: &Broker, offered: &ApiVersionsResponse) {
    let topic = create_topics_request::CreatableTopic::default()
        .with_name(topic_name("v"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    every_version(broker, offered, request).await;
    let topic = create_partitions_request::CreatePartitionsTopic::default();
    let topic = topic.with_name(topic_name("v")).with_count(2);
    let request = CreatePartitionsRequest::default().with_topics(vec![topic]);
    every_version(broker, offered, request).await;
    let topic = delete_records_request::DeleteRecordsTopic::default();
    let partition = delete_records_request::DeleteRecordsPartition::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
    every_version(broker, offered, request).await;
    let topic = offset_for_leader_epoch_request::OffsetForLeaderTopic::default();
    let partition = offset_for_leader_epoch_request::OffsetForLeaderPartition::default();
    let topic = topic.with_topic(topic_name("t")).with_partitions(vec![partition]);
    let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
    every_version(broker, offered, request).await;
    let id = || TransactionalId(text("x"));
    let init = InitProducerIdRequest::default().with_transaction_timeout_ms(1_000);
    every_version(broker, offered, init.clone().with_transactional_id(None)).await;
    every_version(broker, offered, init.clone().with_transactional_id(Some(id()))).await;
    let topic = add_partitions_to_txn_request::AddPartitionsToTxnTopic::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![0]);
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(id())
        .with_v3_and_below_topics(vec![topic]);
    every_version(broker, offered, request).await;
    every_version(broker, offered, AddOffsetsToTxnRequest::default().with_transactional_id(id()))
        .await;
    every_version(broker, offered, EndTxnRequest::default().with_transactional_id(id())).await;
    let topic = txn_offset_commit_request::TxnOffsetCommitRequestTopic::default();
    let partition = txn_offset_commit_request::TxnOffsetCommitRequestPartition::default();
    let topic = topic.with_name(topic_name("t")).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(id())
        .with_generation_id(-1)
        .with_topics(vec![topic]);
    every_version(broker, offered, request).await;
    for (kind, name) in [(2, "t"), (2, "nowhere"), (4, "1"), (9, "x")] {
        let resource = describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        every_version(broker, offered, request.with_include_synonyms(true)).await;
        let resource = alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name));
        let request = AlterConfigsRequest::default().with_resources(vec![resource]);
        every_version(broker, offered, request).await;
        let resource = incremental_alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name));
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        every_version(broker, offered, request).await;
    }
    every_version(broker, offered, DescribeClusterRequest::default().with_endpoint_type(1)).await;
    every_version(broker, offered, DescribeProducersRequest::default()).await;
    every_version(broker, offered, ListTransactionsRequest::default()).await;
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id()]);
    every_version(broker, offered, request).await;
    let request = DeleteTopicsRequest::default().with_topic_names(vec![topic_name("v")]);
    every_version(broker, offered, request).await;
    let topic = delete_topics_request::DeleteTopicState::default();
    let topics = vec![topic.clone().with_name(Some(topic_name("t"))), topic.with_name(None)];
    every_version(broker, offered, DeleteTopicsRequest::default().with_topics(topics)).await;
}

/// Good requests to spoil.
fn samples() -> Vec<Vec<u8>> {
    let metadata = MetadataRequest::default().with_topics(Some(vec![
        metadata_request::MetadataRequestTopic::default().with_name(Some(topic_name("topic"))),
    ]));
    let protocol = join_group_request::JoinGroupRequestProtocol::default().with_name(text("p"));
    let join = JoinGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    vec![
        frame(1, 1, &metadata),
        frame(12, 1, &metadata),
        frame(3, 1, &produce_request("t", values(&["value"]), 1, None)),
        frame(9, 1, &produce_request("t", values(&["value"]), 1, None)),
        frame(4, 1, &fetch_request("t", 0)),
        frame(12, 1, &fetch_request("t", 0)),
        frame(2, 1, &join),
        frame(9, 1, &join),
        frame(3, 1, &ApiVersionsRequest::default()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_requests_do_not_end_the_broker(
        spoilt in proptest::collection::vec(
            (0usize..9, proptest::collection::vec((8usize..200, any::<u8>()), 1..4)),
            10,
        ),
        rubbish in proptest::collection::vec(any::<u8>(), 8..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let broker = broker_in(dir.path()).await;
            let samples = samples();
            for (sample, changes) in spoilt {
                let mut bytes = samples[sample].clone();
                for (at, value) in changes {
                    // Neither the length nor the number of the request.
                    let at = at % (bytes.len() - 4) + 4;
                    bytes[at] = value;
                }
                Client::to(&broker).await.stream.write_all(&bytes).await.unwrap();
            }
            for key in 0..70u8 {
                let mut bytes = BytesMut::new();
                bytes.put_u32(rubbish.len() as u32 + 8);
                bytes.put_slice(&[0, key, 0, rubbish[0] % 13, 0, 0, 0, 1]);
                bytes.put_slice(&rubbish);
                Client::to(&broker).await.stream.write_all(&bytes).await.unwrap();
            }
            expect_life(&broker).await;
            broker.stop().await.unwrap();
        });
    }
}
