//! Records: produced, fetched, found by time, refused.

use std::time::Instant;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::*;

use crate::client::*;

fn owned(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn what_was_produced_is_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let rows = [(Some("k"), Some("a"), 5), (None, Some("b"), 6), (Some("x"), None, 7)];
    assert_eq!(client.produce("t", batch(&rows, PLAIN)).await, (0, 0));
    assert_eq!(client.produce("t", values(&["c"])).await, (0, 3));
    let answer = client.fetch("t", 0).await;
    assert_eq!((answer.error_code, answer.high_watermark, answer.log_start_offset), (0, 4, 0));
    assert_eq!(
        records(answer.records.unwrap()),
        [
            (0, owned("k"), owned("a")),
            (1, None, owned("b")),
            (2, owned("x"), None),
            (3, None, owned("c"))
        ]
    );
    let rest = records(client.fetch("t", 3).await.records.unwrap());
    assert_eq!(rest, [(3, None, owned("c"))]);
    broker.stop().await.unwrap();
}

#[tokio::test]
async fn a_fetch_waits_for_records_and_is_woken_by_them() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut producer = Client::to(&broker).await;
    let mut consumer = Client::to(&broker).await;
    producer.create_topic("t", 1, &[]).await;
    let began = Instant::now();
    let request = fetch_request("t", 0).with_max_wait_ms(60_000);
    consumer.write(12, &request).await;
    // Behind the fetch on the same connection, so that it is answered second.
    consumer.write(3, &ApiVersionsRequest::default()).await;
    assert_eq!(producer.produce("t", values(&["x"])).await, (0, 0));
    assert!(consumer.read().await.is_some() && consumer.read().await.is_some());
    assert!(began.elapsed() < PATIENCE);
    let request = fetch_request("t", 1).with_max_wait_ms(50);
    assert!(consumer.fetch_with(&request).await.records.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost_between_looking_and_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut producer = Client::to(&broker).await;
    producer.create_topic("t", 1, &[]).await;
    let address = broker.address();
    let consumer = tokio::spawn(async move {
        let mut consumer = Client::to_address(address).await;
        let mut next = 0;
        while next < 1_000 {
            let request = fetch_request("t", next).with_max_wait_ms(60_000);
            next += records(consumer.fetch_with(&request).await.records.unwrap()).len() as i64;
        }
    });
    for _ in 0..1_000 {
        producer.produce("t", values(&["x"])).await;
    }
    // A lost one would cost a minute, and the client's patience is shorter.
    consumer.await.unwrap();
}

#[tokio::test]
async fn a_fetch_stays_within_its_limits_but_never_gives_less_than_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let long = "x".repeat(20_000);
    for _ in 0..10 {
        client.produce("t", values(&[&long])).await;
    }
    let limited = |partition: i32, all: i32| {
        let mut request = fetch_request("t", 3).with_max_bytes(all);
        request.topics[0].partitions[0].partition_max_bytes = partition;
        request
    };
    for (partition, all, expected) in [
        (1, 1 << 20, 1),
        (50_000, 1 << 20, 2),
        (1 << 20, 50_000, 2),
        (1 << 20, 1, 1),
        (1 << 20, 1 << 20, 7),
    ] {
        let answer = client.fetch_with(&limited(partition, all)).await;
        let offsets: Vec<i64> = records(answer.records.unwrap()).iter().map(|r| r.0).collect();
        let all: Vec<i64> = (3..3 + expected).collect();
        assert_eq!(offsets, all, "{partition} {all:?}");
    }
}

#[tokio::test]
async fn an_offset_that_is_not_there_is_out_of_range() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    client.produce("t", values(&["x"])).await;
    let out_of_range = ResponseError::OffsetOutOfRange.code();
    for (offset, error) in [(-1, out_of_range), (0, 0), (1, 0), (2, out_of_range)] {
        assert_eq!(client.fetch("t", offset).await.error_code, error, "{offset}");
    }
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(client.fetch("nowhere", 0).await.error_code, unknown);
}

#[tokio::test]
async fn records_are_found_by_time() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    for base in [1_000, 3_000, 2_000] {
        let rows: Vec<_> = (0..3).map(|i| (None, Some("x"), base + i)).collect();
        client.produce("t", batch(&rows, PLAIN)).await;
    }
    for (timestamp, expected) in [
        (-1, (9, -1)),
        (-2, (0, -1)),
        (-3, (5, 3_002)),
        (0, (0, 1_000)),
        (1_001, (1, 1_001)),
        (1_500, (3, 3_000)),
        (3_002, (5, 3_002)),
        (3_003, (-1, -1)),
    ] {
        use list_offsets_request::*;
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        let topic =
            ListOffsetsTopic::default().with_name(topic_name("t")).with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_topics(vec![topic]);
        let answer = client.send(7, &request).await;
        let found = &answer.topics[0].partitions[0];
        assert_eq!((found.offset, found.timestamp), expected, "{timestamp}");
    }
}

#[tokio::test]
async fn what_may_not_be_produced_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("small", 1, &[("max.message.bytes", "200")]).await;
    client.create_topic("keyed", 1, &[("cleanup.policy", "compact")]).await;
    let two = [values(&["a"]), values(&["b"])].concat().into();
    let mut damaged = values(&["a"]).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    for (topic, records, error) in [
        ("small", values(&[&"x".repeat(300)]), ResponseError::MessageTooLarge),
        ("small", two, ResponseError::InvalidRecord),
        ("small", damaged.into(), ResponseError::CorruptMessage),
        ("small", bytes::Bytes::new(), ResponseError::CorruptMessage),
        ("keyed", values(&["no key"]), ResponseError::InvalidRecord),
        ("nowhere", values(&["x"]), ResponseError::UnknownTopicOrPartition),
    ] {
        assert_eq!(client.produce(topic, records).await, (error.code(), -1), "{error:?}");
    }
    assert_eq!(client.produce("small", values(&["x"])).await, (0, 0));
}

#[tokio::test]
async fn a_batch_sent_twice_by_an_idempotent_producer_is_there_once() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(1_000);
    let producer = client.send(4, &request).await;
    assert_eq!(producer.error_code, 0);
    let from =
        |sequence| Sender { id: producer.producer_id.0, epoch: 0, sequence, transactional: false };
    let rows = [(None, Some("a"), 0), (None, Some("b"), 0)];
    for _ in 0..3 {
        assert_eq!(client.produce("t", batch(&rows, from(0))).await, (0, 0));
    }
    let out_of_order = ResponseError::OutOfOrderSequenceNumber.code();
    assert_eq!(client.produce("t", batch(&rows, from(4))).await, (out_of_order, -1));
    assert_eq!(client.produce("t", batch(&rows, from(2))).await, (0, 2));
    assert_eq!(client.fetch("t", 0).await.high_watermark, 4);
}

#[tokio::test]
async fn the_brokers_clock_stamps_records_where_the_topic_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let request = produce_request("t", values(&["x"]), 1, None);
    let answer = client.send(9, &request).await;
    let stamp = answer.responses[0].partition_responses[0].log_append_time_ms;
    assert!(stamp > 1_700_000_000_000, "{stamp}");
    let mut bytes = client.fetch("t", 0).await.records.unwrap();
    let set = kafka_protocol::records::RecordBatchDecoder::decode(&mut bytes).unwrap();
    assert_eq!(set.records[0].timestamp_type, kafka_protocol::records::TimestampType::LogAppend);
}

#[tokio::test]
async fn a_producer_without_acknowledgement_hears_of_errors_by_the_end_of_its_connection() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    client.write(9, &produce_request("t", values(&["x"]), 0, None)).await;
    let answer = client.fetch("t", 0).await;
    assert_eq!(answer.high_watermark, 1, "the fetch is answered, and nothing before it");
    client.write(9, &produce_request("nowhere", values(&["x"]), 0, None)).await;
    assert!(client.read().await.is_none());
}
