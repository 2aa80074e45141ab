//! What each request does: a function from the request to its answer. Not here: bytes and connections (`server`).

pub(crate) mod configs;
pub(crate) mod fetch;
pub(crate) mod groups;
pub(crate) mod list_offsets;
pub(crate) mod membership;
pub(crate) mod metadata;
pub(crate) mod offsets;
pub(crate) mod produce;
pub(crate) mod topics;
pub(crate) mod transactions;
pub(crate) mod versions;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::protocol::StrBytes;

use crate::state::State;

/// The only node of the cluster.
pub(crate) const NODE: BrokerId = BrokerId(1);

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// As Kafka shows it: `/127.0.0.1`.
    pub host: String,
}

/// A request's surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub peer: &'a Peer,
    pub version: i16,
    pub client_id: &'a str,
}

impl Call<'_> {
    fn host(&self) -> StrBytes {
        text(self.state.address.ip().to_string())
    }

    fn port(&self) -> i32 {
        i32::from(self.state.address.port())
    }

    /// Versions before `since` know a fenced producer by another name.
    fn fenced(&self, error: ResponseError, since: i16) -> ResponseError {
        match error {
            ResponseError::ProducerFenced if self.version < since => {
                ResponseError::InvalidProducerEpoch
            }
            error => error,
        }
    }
}

/// A string for the wire.
fn text(from: impl Into<String>) -> StrBytes {
    StrBytes::from_string(from.into())
}

/// The code of an outcome: 0 or an error's.
fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}
