//! A client that sends one request at a time, as bytes on a socket: what no client library lets a test do.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, Record, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tombolo_devbroker::{Broker, Config};

/// Long enough for anything a broker on the same machine does, however busy that is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn text(from: &str) -> StrBytes {
    StrBytes::from_string(from.to_owned())
}

pub(crate) fn topic_name(from: &str) -> TopicName {
    TopicName(text(from))
}

/// A broker in a directory, on a free port.
pub(crate) async fn broker_in(dir: &std::path::Path) -> Broker {
    Broker::start(config_in(dir)).await.unwrap()
}

pub(crate) fn config_in(dir: &std::path::Path) -> Config {
    Config::dev(dir, "127.0.0.1:0".parse().unwrap())
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    number: i32,
}

impl Client {
    pub(crate) async fn to(broker: &Broker) -> Self {
        Self::to_address(broker.address()).await
    }

    pub(crate) async fn to_address(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), number: 0 }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn send<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.try_send(version, request).await.expect("an answer")
    }

    /// `None` when the broker closed the connection instead.
    pub(crate) async fn try_send<R: Request>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        self.write(version, request).await;
        let mut answer = self.read().await?;
        let header_version = R::Response::header_version(version);
        let header = ResponseHeader::decode(&mut answer, header_version).unwrap();
        assert_eq!(header.correlation_id, self.number);
        let response = R::Response::decode(&mut answer, version).unwrap();
        assert!(!answer.has_remaining(), "{} bytes left", answer.remaining());
        Some(response)
    }

    pub(crate) async fn write<R: Request>(&mut self, version: i16, request: &R) {
        self.number += 1;
        let frame = frame(version, self.number, request);
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn read(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut bytes = vec![0; length as usize];
            self.stream.read_exact(&mut bytes).await.ok()?;
            Some(Bytes::from(bytes))
        };
        tokio::time::timeout(PATIENCE, read).await.expect("an answer or an end in time")
    }
}

/// The bytes of a request.
pub(crate) fn frame<R: Request>(version: i16, number: i32, request: &R) -> Vec<u8> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(number)
        .with_client_id(Some(text("test")));
    let mut bytes = BytesMut::new();
    bytes.put_i32(0);
    header.encode(&mut bytes, R::header_version(version)).unwrap();
    request.encode(&mut bytes, version).unwrap();
    let length = (bytes.len() - 4) as u32;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes.to_vec()
}

/// Who produces: id, epoch, first sequence, and whether in a transaction.
#[derive(Clone, Copy)]
pub(crate) struct Sender {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
    pub(crate) transactional: bool,
}

pub(crate) const PLAIN: Sender = Sender { id: -1, epoch: -1, sequence: -1, transactional: false };

/// A batch of records, each with a key (or none), a value (or none) and a timestamp.
pub(crate) fn batch(rows: &[(Option<&str>, Option<&str>, i64)], sender: Sender) -> Bytes {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let record =
        |(i, (key, value, timestamp)): (usize, &(Option<&str>, Option<&str>, i64))| Record {
            transactional: sender.transactional,
            control: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: sender.id,
            producer_epoch: sender.epoch,
            timestamp_type: TimestampType::Creation,
            offset: i as i64,
            sequence: sender.sequence.max(0) + i as i32,
            timestamp: *timestamp,
            key: key.map(bytes),
            value: value.map(bytes),
            headers: Default::default(),
            delete_horizon: false,
        };
    let records: Vec<Record> = rows.iter().enumerate().map(record).collect();
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
    out.freeze()
}

/// A plain batch of values.
pub(crate) fn values(values: &[&str]) -> Bytes {
    let rows: Vec<_> = values.iter().map(|value| (None, Some(*value), 0)).collect();
    batch(&rows, PLAIN)
}

/// The offset after the last batch, which compaction may have left without records.
fn end_of(batches: &[u8]) -> Option<i64> {
    let (mut rest, mut end) = (batches, None);
    while !rest.is_empty() {
        let mut header = rest;
        let base = header.get_i64();
        let length = header.get_i32() as usize;
        header.advance(11);
        end = Some(base + i64::from(header.get_i32()) + 1);
        rest = &rest[12 + length..];
    }
    end
}

/// Decodes the records in a fetch's answer: offset, key, value; markers left out.
pub(crate) fn records(bytes: Bytes) -> Vec<(i64, Option<String>, Option<String>)> {
    let mut bytes = bytes;
    let string = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let mut out = Vec::new();
    while bytes.has_remaining() {
        let set = RecordBatchDecoder::decode(&mut bytes).unwrap();
        let data = set.records.into_iter().filter(|record| !record.control);
        out.extend(data.map(|r| (r.offset, r.key.map(string), r.value.map(string))));
    }
    out
}

/// Requests that most tests need, in a version of their own.
impl Client {
    pub(crate) async fn create_topic(
        &mut self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) {
        use create_topics_request::*;
        let settings = settings.iter().map(|(name, value)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(settings.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let answer = self.send(7, &request).await;
        assert_eq!(answer.topics[0].error_code, 0, "{answer:?}");
    }

    /// Produces to partition 0; answers the error code and the base offset.
    pub(crate) async fn produce(&mut self, topic: &str, records: Bytes) -> (i16, i64) {
        self.produce_as(topic, records, None).await
    }

    pub(crate) async fn produce_as(
        &mut self,
        topic: &str,
        records: Bytes,
        transactional_id: Option<&str>,
    ) -> (i16, i64) {
        let request = produce_request(topic, records, -1, transactional_id);
        let answer = self.send(9, &request).await;
        let partition = &answer.responses[0].partition_responses[0];
        (partition.error_code, partition.base_offset)
    }

    /// Fetches from partition 0 at once.
    pub(crate) async fn fetch(
        &mut self,
        topic: &str,
        offset: i64,
    ) -> fetch_response::PartitionData {
        self.fetch_with(&fetch_request(topic, offset)).await
    }

    pub(crate) async fn fetch_with(
        &mut self,
        request: &FetchRequest,
    ) -> fetch_response::PartitionData {
        let mut answer = self.send(12, request).await;
        answer.responses.remove(0).partitions.remove(0)
    }

    /// All records of partition 0, in as many fetches as it takes: one gives no more than a segment.
    pub(crate) async fn fetch_all(
        &mut self,
        topic: &str,
    ) -> Vec<(i64, Option<String>, Option<String>)> {
        let mut all = Vec::new();
        let mut next = 0;
        loop {
            let answer = self.fetch(topic, next).await;
            assert_eq!(answer.error_code, 0);
            let bytes = answer.records.unwrap();
            let Some(end) = end_of(&bytes) else { return all };
            all.extend(records(bytes).into_iter().filter(|record| record.0 >= next));
            next = end;
        }
    }

    /// All values of partition 0 that a `read_committed` consumer sees.
    pub(crate) async fn committed_values(&mut self, topic: &str) -> Vec<String> {
        let request = fetch_request(topic, 0).with_isolation_level(1);
        let answer = self.fetch_with(&request).await;
        assert_eq!(answer.error_code, 0);
        let aborted = answer.aborted_transactions.unwrap();
        let mut bytes = answer.records.unwrap();
        let mut open: Vec<(i64, i64)> =
            aborted.iter().map(|a| (a.producer_id.0, a.first_offset)).collect();
        let mut out = Vec::new();
        while bytes.has_remaining() {
            for record in RecordBatchDecoder::decode(&mut bytes).unwrap().records {
                let of =
                    |(id, first): &(i64, i64)| *id == record.producer_id && *first <= record.offset;
                if record.control {
                    open.retain(|one| !of(one));
                } else if !(record.transactional && open.iter().any(of)) {
                    out.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
                }
            }
        }
        out
    }

    pub(crate) async fn init_producer(&mut self, transactional_id: &str) -> Sender {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text(transactional_id))))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let answer = self.send(4, &request).await;
        assert_eq!(answer.error_code, 0);
        Sender {
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
            sequence: 0,
            transactional: true,
        }
    }

    pub(crate) async fn add_partition(&mut self, id: &str, sender: Sender, topic: &str) -> i16 {
        use add_partitions_to_txn_request::*;
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(id)))
            .with_v3_and_below_producer_id(ProducerId(sender.id))
            .with_v3_and_below_producer_epoch(sender.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let answer = self.send(3, &request).await;
        answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
    }

    pub(crate) async fn end_transaction(&mut self, id: &str, sender: Sender, commit: bool) -> i16 {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(id)))
            .with_producer_id(ProducerId(sender.id))
            .with_producer_epoch(sender.epoch)
            .with_committed(commit);
        self.send(3, &request).await.error_code
    }
}

pub(crate) fn produce_request(
    topic: &str,
    records: Bytes,
    acks: i16,
    transactional_id: Option<&str>,
) -> ProduceRequest {
    use produce_request::*;
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(vec![partition]);
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
        .with_topic_data(vec![topic])
}

pub(crate) fn fetch_request(topic: &str, offset: i64) -> FetchRequest {
    use fetch_request::*;
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic =
        FetchTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_topics(vec![topic])
}

/// Ends a broker as `kill -9` does, as far as its files go, and starts another on them.
pub(crate) async fn crash(broker: Broker, dir: &std::path::Path) -> Broker {
    drop(broker);
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        match Broker::start(config_in(dir)).await {
            Ok(broker) => return broker,
            // The threads of the old one have not ended yet.
            Err(tombolo_devbroker::Error::InUse(_)) if std::time::Instant::now() < deadline => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}
