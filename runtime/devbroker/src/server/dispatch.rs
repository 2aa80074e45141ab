//! From a frame to the function that answers it, and back. Not here: those functions (`api`).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::guard::{self, Lengths};
use crate::api::{self, Call, Peer};
use crate::state::State;

/// A request that this broker answers, and in which versions.
#[derive(Debug)]
pub(crate) struct Api {
    pub key: ApiKey,
    pub min: i16,
    pub max: i16,
}

const fn api(key: ApiKey, min: i16, max: i16) -> Api {
    Api { key, min, max }
}

/// All requests that are answered.
///
/// Versions begin where Kafka 4 does, and end before those that bring what is not here: topics by id in produce and
/// fetch, and transactions after KIP-890. DeleteGroups and OffsetDelete must be there, as librdkafka's admin client
/// crashes without.
pub(crate) const APIS: &[Api] = &[
    api(ApiKey::Produce, 3, 9),
    api(ApiKey::Fetch, 4, 12),
    api(ApiKey::ListOffsets, 1, 7),
    api(ApiKey::Metadata, 0, 12),
    api(ApiKey::OffsetCommit, 2, 8),
    api(ApiKey::OffsetFetch, 1, 8),
    api(ApiKey::FindCoordinator, 0, 4),
    api(ApiKey::JoinGroup, 0, 9),
    api(ApiKey::Heartbeat, 0, 4),
    api(ApiKey::LeaveGroup, 0, 5),
    api(ApiKey::SyncGroup, 0, 5),
    api(ApiKey::DescribeGroups, 0, 5),
    api(ApiKey::ListGroups, 0, 5),
    api(ApiKey::ApiVersions, 0, 4),
    api(ApiKey::CreateTopics, 2, 7),
    api(ApiKey::DeleteTopics, 1, 6),
    api(ApiKey::DeleteRecords, 0, 2),
    api(ApiKey::InitProducerId, 0, 4),
    api(ApiKey::OffsetForLeaderEpoch, 2, 4),
    api(ApiKey::AddPartitionsToTxn, 0, 3),
    api(ApiKey::AddOffsetsToTxn, 0, 3),
    api(ApiKey::EndTxn, 0, 3),
    api(ApiKey::TxnOffsetCommit, 0, 3),
    api(ApiKey::DescribeConfigs, 1, 4),
    api(ApiKey::AlterConfigs, 0, 2),
    api(ApiKey::IncrementalAlterConfigs, 0, 1),
    api(ApiKey::CreatePartitions, 0, 3),
    api(ApiKey::DeleteGroups, 0, 2),
    api(ApiKey::OffsetDelete, 0, 0),
    api(ApiKey::DescribeCluster, 0, 1),
    api(ApiKey::DescribeProducers, 0, 0),
    api(ApiKey::DescribeTransactions, 0, 0),
    api(ApiKey::ListTransactions, 0, 0),
];

/// A request that ends its connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DispatchError {
    #[error("a request with the unknown key {0}")]
    UnknownApi(i16),
    #[error("a {0:?} request of version {1}, which this broker does not speak")]
    UnknownVersion(ApiKey, i16),
    #[error("a {0:?} request that cannot be decoded: {1}")]
    Malformed(ApiKey, String),
    #[error("a {0:?} answer that cannot be encoded: {1}")]
    Answer(ApiKey, String),
    /// A producer that wants no answer can only be told so.
    #[error("a produce request without acknowledgement failed: {0}")]
    Unacknowledged(kafka_protocol::ResponseError),
}

/// A request on its way through.
struct Exchange {
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    body: Bytes,
}

/// Answers one request. `None` when its sender wants no answer.
pub(super) async fn answer(
    state: &State,
    peer: &Peer,
    mut frame: Bytes,
) -> Result<Option<Bytes>, DispatchError> {
    let mut start = frame.clone();
    let number = start.try_get_i16().unwrap_or(-1);
    let version = start.try_get_i16().unwrap_or(-1);
    let correlation_id = start.try_get_i32().unwrap_or(-1);
    let key = ApiKey::try_from(number).map_err(|()| DispatchError::UnknownApi(number))?;
    let known = APIS.iter().find(|api| api.key == key);
    let known = known.ok_or(DispatchError::UnknownApi(number))?;
    if !(known.min..=known.max).contains(&version) {
        if key == ApiKey::ApiVersions {
            // The client asks what is spoken here in a way that is not: it understands version 0.
            let exchange = Exchange { key, version: 0, correlation_id, body: Bytes::new() };
            return exchange.encode(&api::versions::unsupported()).map(Some);
        }
        return Err(DispatchError::UnknownVersion(key, version));
    }
    let malformed = |what| DispatchError::Malformed(key, what);
    let header_version = key.request_header_version(version);
    let header: RequestHeader =
        guard::decode(&mut frame, header_version, Lengths::Varint).map_err(malformed)?;
    let client_id = header.client_id.unwrap_or_default();
    let call = Call { state, peer, version, client_id: &client_id };
    let exchange = Exchange { key, version, correlation_id, body: frame };
    route(&call, exchange).await
}

impl Exchange {
    fn decode<T: Decodable>(&mut self) -> Result<T, DispatchError> {
        let lengths = match self.key.request_header_version(self.version) {
            2.. => Lengths::Varint,
            _ => Lengths::Fixed,
        };
        guard::decode(&mut self.body, self.version, lengths)
            .map_err(|what| DispatchError::Malformed(self.key, what))
    }

    fn encode<T: Encodable>(&self, answer: &T) -> Result<Bytes, DispatchError> {
        let failed = |error| DispatchError::Answer(self.key, format!("{error}"));
        let size = answer.compute_size(self.version).map_err(failed)?;
        let mut frame = BytesMut::with_capacity(size + 16);
        frame.put_i32(0);
        let header = ResponseHeader::default().with_correlation_id(self.correlation_id);
        let header_version = self.key.response_header_version(self.version);
        header.encode(&mut frame, header_version).map_err(failed)?;
        answer.encode(&mut frame, self.version).map_err(failed)?;
        let length = (frame.len() - 4) as u32;
        if let Some(place) = frame.get_mut(..4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(frame.freeze())
    }

    /// Decodes a request, answers it, encodes the answer.
    fn with<Q: Decodable, A: Encodable>(
        mut self,
        call: &Call<'_>,
        answer: impl FnOnce(&Call<'_>, Q) -> A,
    ) -> Result<Option<Bytes>, DispatchError> {
        let request = self.decode()?;
        self.encode(&answer(call, request)).map(Some)
    }

    /// The same for a request that may have to wait.
    async fn with_async<Q: Decodable, A: Encodable>(
        mut self,
        call: &Call<'_>,
        answer: impl AsyncFnOnce(&Call<'_>, Q) -> A,
    ) -> Result<Option<Bytes>, DispatchError> {
        let request = self.decode()?;
        self.encode(&answer(call, request).await).map(Some)
    }
}

async fn route(call: &Call<'_>, mut request: Exchange) -> Result<Option<Bytes>, DispatchError> {
    match request.key {
        ApiKey::Produce => {
            let answer = api::produce::produce(call, request.decode()?);
            match answer.map_err(DispatchError::Unacknowledged)? {
                Some(answer) => request.encode(&answer).map(Some),
                None => Ok(None),
            }
        }
        ApiKey::Fetch => request.with_async(call, api::fetch::fetch).await,
        ApiKey::JoinGroup => request.with_async(call, api::membership::join).await,
        ApiKey::SyncGroup => request.with_async(call, api::membership::sync).await,
        _ => route_immediate(call, request),
    }
}

fn route_immediate(call: &Call<'_>, request: Exchange) -> Result<Option<Bytes>, DispatchError> {
    match request.key {
        ApiKey::ListOffsets => request.with(call, api::list_offsets::list_offsets),
        ApiKey::Metadata => request.with(call, api::metadata::metadata),
        ApiKey::OffsetCommit => request.with(call, api::offsets::commit),
        ApiKey::OffsetFetch => request.with(call, api::offsets::fetch),
        ApiKey::OffsetDelete => request.with(call, api::offsets::delete),
        ApiKey::FindCoordinator => request.with(call, api::metadata::find_coordinator),
        ApiKey::Heartbeat => request.with(call, api::membership::heartbeat),
        ApiKey::LeaveGroup => request.with(call, api::membership::leave),
        ApiKey::DescribeGroups => request.with(call, api::groups::describe),
        ApiKey::ListGroups => request.with(call, api::groups::list),
        ApiKey::DeleteGroups => request.with(call, api::groups::delete),
        ApiKey::ApiVersions => request.with(call, api::versions::versions),
        ApiKey::CreateTopics => request.with(call, api::topics::create),
        ApiKey::DeleteTopics => request.with(call, api::topics::delete),
        ApiKey::CreatePartitions => request.with(call, api::topics::create_partitions),
        ApiKey::DeleteRecords => request.with(call, api::topics::delete_records),
        ApiKey::InitProducerId => request.with(call, api::transactions::init_producer),
        ApiKey::OffsetForLeaderEpoch => request.with(call, api::list_offsets::for_leader_epoch),
        ApiKey::AddPartitionsToTxn => request.with(call, api::transactions::add_partitions),
        ApiKey::AddOffsetsToTxn => request.with(call, api::transactions::add_offsets),
        ApiKey::EndTxn => request.with(call, api::transactions::end),
        ApiKey::TxnOffsetCommit => request.with(call, api::transactions::commit_offsets),
        ApiKey::DescribeConfigs => request.with(call, api::configs::describe),
        ApiKey::AlterConfigs => request.with(call, api::configs::alter),
        ApiKey::IncrementalAlterConfigs => request.with(call, api::configs::alter_incrementally),
        ApiKey::DescribeCluster => request.with(call, api::metadata::describe_cluster),
        ApiKey::DescribeProducers => request.with(call, api::transactions::describe_producers),
        ApiKey::DescribeTransactions => request.with(call, api::transactions::describe),
        ApiKey::ListTransactions => request.with(call, api::transactions::list),
        key => Err(DispatchError::UnknownApi(key as i16)),
    }
}
