//! Clients that send what no client should. Not here: unusual versions of good requests (`versions`).

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Decodable;
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
