//! Topics as administrators make, change and delete them, and where they are.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::*;

use crate::client::*;

const TOPIC: i8 = 2;

async fn metadata(client: &mut Client, topic: &str, create: bool) -> (i16, usize) {
    use metadata_request::MetadataRequestTopic;
    let topic = MetadataRequestTopic::default().with_name(Some(topic_name(topic)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(create);
    let answer = client.send(12, &request).await;
    (answer.topics[0].error_code, answer.topics[0].partitions.len())
}

async fn setting(client: &mut Client, topic: &str, name: &str) -> (String, i8) {
    use describe_configs_request::DescribeConfigsResource;
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configuration_keys(Some(vec![text(name)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let answer = client.send(4, &request).await.results.remove(0);
    assert_eq!((answer.error_code, answer.configs.len()), (0, 1));
    let setting = &answer.configs[0];
    (setting.value.as_ref().unwrap().to_string(), setting.config_source)
}

#[tokio::test]
async fn this_node_is_all_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    let answer = client.send(12, &MetadataRequest::default().with_topics(None)).await;
    let node = &answer.brokers[0];
    assert_eq!((&*node.host, node.port), ("127.0.0.1", i32::from(broker.address().port())));
    assert_eq!(answer.controller_id, node.node_id);
    let request = DescribeClusterRequest::default().with_endpoint_type(1);
    let cluster = client.send(1, &request).await;
    assert_eq!(Some(cluster.cluster_id), answer.cluster_id);
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]);
    let found = client.send(4, &request).await.coordinators.remove(0);
    assert_eq!((found.node_id, found.port), (node.node_id, node.port));
}

#[tokio::test]
async fn a_topic_is_made_by_its_mention_if_the_client_wants_that() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(metadata(&mut client, "t", false).await, (unknown, 0));
    assert_eq!(metadata(&mut client, "t", true).await, (0, 1));
    assert_eq!(metadata(&mut client, "t", false).await, (0, 1));
    let invalid = ResponseError::InvalidTopicException.code();
    assert_eq!(metadata(&mut client, "a/b", true).await, (invalid, 0));
    broker.stop().await.unwrap();
    let strict = tombolo_devbroker::Config { auto_create_topics: false, ..config_in(dir.path()) };
    let broker = tombolo_devbroker::Broker::start(strict).await.unwrap();
    let mut client = Client::to(&broker).await;
    assert_eq!(metadata(&mut client, "u", true).await, (unknown, 0));
}

#[tokio::test]
async fn a_topic_is_found_by_its_id_beside_which_java_sends_an_empty_name() {
    use metadata_request::MetadataRequestTopic;
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 2, &[]).await;
    let all = client.send(12, &MetadataRequest::default().with_topics(None)).await;
    let id = all.topics[0].topic_id;
    let mut by_id = async |id, name| {
        let topic = MetadataRequestTopic::default().with_topic_id(id).with_name(name);
        let request = MetadataRequest::default().with_topics(Some(vec![topic]));
        client.send(12, &request).await.topics.remove(0)
    };
    for name in [None, Some(topic_name(""))] {
        let found = by_id(id, name).await;
        assert_eq!((found.error_code, found.partitions.len()), (0, 2));
        assert_eq!(found.name, Some(topic_name("t")));
    }
    let unknown = by_id(uuid::Uuid::from_u128(7), None).await;
    assert_eq!(unknown.error_code, ResponseError::UnknownTopicId.code());
    let names = delete_topics_request::DeleteTopicState::default().with_name(None);
    let topics = vec![names.with_topic_id(id)];
    let request = DeleteTopicsRequest::default().with_topics(topics);
    assert_eq!(client.send(6, &request).await.responses[0].error_code, 0);
}

#[tokio::test]
async fn what_cannot_be_created_is_refused_with_a_reason() {
    use create_topics_request::*;
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let topic = |name: &str| {
        CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(1)
            .with_replication_factor(-1)
    };
    let config = |name: &str, value: &str| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    };
    for (topic, error, reason) in [
        (topic("t"), ResponseError::TopicAlreadyExists, "already exists"),
        (topic("a b"), ResponseError::InvalidTopicException, "invalid"),
        (topic("u").with_num_partitions(0), ResponseError::InvalidPartitions, "between 1 and"),
        (topic("u").with_replication_factor(3), ResponseError::InvalidReplicationFactor, "only"),
        (
            topic("u").with_configs(vec![config("colour", "red")]),
            ResponseError::InvalidConfig,
            "colour",
        ),
        (
            topic("u").with_configs(vec![config("retention.ms", "red")]),
            ResponseError::InvalidConfig,
            "red",
        ),
    ] {
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let answer = client.send(7, &request).await.topics.remove(0);
        assert_eq!(answer.error_code, error.code());
        let message = answer.error_message.unwrap();
        assert!(message.contains(reason), "{}", &*message);
    }
    let request =
        CreateTopicsRequest::default().with_topics(vec![topic("u")]).with_validate_only(true);
    assert_eq!(client.send(7, &request).await.topics[0].error_code, 0);
    assert_ne!(metadata(&mut client, "u", false).await.0, 0, "it was only asked");
    let defaults = topic("v").with_num_partitions(-1);
    let request = CreateTopicsRequest::default().with_topics(vec![defaults]);
    let answer = client.send(7, &request).await.topics.remove(0);
    assert_eq!((answer.num_partitions, answer.replication_factor), (1, 1));
    assert!(answer.configs.unwrap().len() > 20);
}

#[tokio::test]
async fn settings_are_changed_one_by_one_or_all_at_once() {
    use incremental_alter_configs_request::*;
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[("retention.ms", "1000")]).await;
    assert_eq!(setting(&mut client, "t", "retention.ms").await, ("1000".into(), 1));
    assert_eq!(setting(&mut client, "t", "segment.ms").await, ("604800000".into(), 5));
    let mut change = async |name: &str, operation: i8, value: &str| {
        let config = AlterableConfig::default()
            .with_name(text(name))
            .with_config_operation(operation)
            .with_value(Some(text(value)));
        let resource = AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text("t"))
            .with_configs(vec![config]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        client.send(1, &request).await.responses[0].error_code
    };
    let invalid = ResponseError::InvalidConfig.code();
    assert_eq!(change("segment.ms", 0, "5000").await, 0);
    assert_eq!(change("cleanup.policy", 2, "compact").await, 0);
    assert_eq!(change("segment.ms", 2, "1").await, invalid);
    assert_eq!(change("segment.ms", 0, "long").await, invalid);
    assert_eq!(change("retention.ms", 1, "").await, 0);
    for (name, expected) in [
        ("segment.ms", ("5000", 1)),
        ("cleanup.policy", ("delete,compact", 1)),
        ("retention.ms", ("604800000", 5)),
    ] {
        let (value, source) = setting(&mut client, "t", name).await;
        assert_eq!((value.as_str(), source), expected);
    }
    use alter_configs_request as all;
    let config =
        all::AlterableConfig::default().with_name(text("flush.ms")).with_value(Some(text("9")));
    let resource = all::AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text("t"))
        .with_configs(vec![config]);
    let request = AlterConfigsRequest::default().with_resources(vec![resource]);
    assert_eq!(client.send(2, &request).await.responses[0].error_code, 0);
    let broker = crash(broker, dir.path()).await;
    let mut client = Client::to(&broker).await;
    assert_eq!(setting(&mut client, "t", "flush.ms").await, ("9".into(), 1));
    assert_eq!(setting(&mut client, "t", "segment.ms").await.1, 5);
}

#[tokio::test]
async fn partitions_are_added_and_records_and_topics_deleted() {
    use create_partitions_request::CreatePartitionsTopic;
    use delete_records_request::*;
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let mut grow = async |count: i32| {
        let topic = CreatePartitionsTopic::default().with_name(topic_name("t")).with_count(count);
        let request = CreatePartitionsRequest::default().with_topics(vec![topic]);
        client.send(3, &request).await.results[0].error_code
    };
    assert_eq!(grow(3).await, 0);
    assert_eq!(grow(2).await, ResponseError::InvalidPartitions.code());
    assert_eq!(metadata(&mut client, "t", false).await, (0, 3));
    for value in ["a", "b", "c"] {
        client.produce("t", values(&[value])).await;
    }
    let mut delete_before = async |offset: i64| {
        let partition = DeleteRecordsPartition::default().with_offset(offset);
        let topic = DeleteRecordsTopic::default()
            .with_name(topic_name("t"))
            .with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
        let answer = client.send(2, &request).await.topics.remove(0).partitions.remove(0);
        (answer.error_code, answer.low_watermark)
    };
    assert_eq!(delete_before(2).await, (0, 2));
    assert_eq!(delete_before(9).await, (ResponseError::OffsetOutOfRange.code(), -1));
    let broker = crash(broker, dir.path()).await;
    let mut client = Client::to(&broker).await;
    let answer = client.fetch("t", 2).await;
    assert_eq!((answer.log_start_offset, answer.high_watermark), (2, 3));
    let mut waiting = Client::to(&broker).await;
    waiting.write(12, &fetch_request("t", 3).with_max_wait_ms(60_000)).await;
    let names = ["t", "nowhere"].map(topic_name).to_vec();
    let request = DeleteTopicsRequest::default().with_topic_names(names);
    let answer = client.send(5, &request).await;
    let errors: Vec<i16> = answer.responses.iter().map(|topic| topic.error_code).collect();
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(errors, [0, unknown]);
    assert!(waiting.read().await.is_some(), "a fetch that waits hears of the end");
    client.create_topic("t", 1, &[]).await;
    assert_eq!(client.produce("t", values(&["new"])).await, (0, 0));
}
