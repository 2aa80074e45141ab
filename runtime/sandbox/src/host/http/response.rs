//! A response: first awaited, then its head.
//!
//! Not here: its body (`incoming`), and getting it (`send`).

use async_trait::async_trait;
use hyper::HeaderMap;
use hyper::header::HeaderValue;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::runtime::AbortOnDropJoinHandle;

use super::fields::{self, Fields};
use super::incoming::{IncomingBody, Remainder};
use super::types::{self, ErrorCode};
use crate::host::Host;
use crate::limits::Held;

/// A response's head, and what is to come.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Remainder,
}

/// A response that was asked for.
pub enum FutureResponse {
    /// It is awaited.
    #[expect(private_interfaces, reason = "bindings want the type itself to be public")]
    Awaited(AbortOnDropJoinHandle<Result<Reply, ErrorCode>>),
    /// It is there, or will not come.
    #[expect(private_interfaces, reason = "bindings want the type itself to be public")]
    There(Box<Result<Reply, ErrorCode>>),
    /// The guest has it.
    Taken,
}

#[async_trait]
impl Pollable for FutureResponse {
    async fn ready(&mut self) {
        if let Self::Awaited(exchange) = self {
            *self = Self::There(Box::new(exchange.await));
        }
    }
}

/// A response's head, as a guest holds it.
pub struct IncomingResponse {
    status: u16,
    headers: HeaderMap,
    /// None once the guest has it.
    body: Option<Remainder>,
    _held: Held,
}

/// Takes headers off that are about the connection, and copies the others: as they were read, each keeps all that was read with it.
pub(super) fn keep_known(map: &mut HeaderMap) {
    let about_it: Vec<_> = map.keys().filter(|name| fields::is_forbidden(name)).cloned().collect();
    for name in about_it {
        map.remove(name);
    }
    for value in map.values_mut() {
        if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
            *value = copy;
        }
    }
}

type Got = Result<Resource<IncomingResponse>, ErrorCode>;

impl types::HostFutureIncomingResponse for Host {
    fn subscribe(
        &mut self,
        response: Resource<FutureResponse>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, response)
    }

    fn get(
        &mut self,
        response: Resource<FutureResponse>,
    ) -> wasmtime::Result<Option<Result<Got, ()>>> {
        let found = self.table.get_mut(&response)?;
        match found {
            FutureResponse::Awaited(_) => return Ok(None),
            FutureResponse::Taken => return Ok(Some(Err(()))),
            FutureResponse::There(_) => {}
        }
        let FutureResponse::There(there) = std::mem::replace(found, FutureResponse::Taken) else {
            return Ok(None);
        };
        Ok(Some(Ok(match *there {
            Err(code) => Err(code),
            Ok(Reply { status, mut headers, body }) => {
                keep_known(&mut headers);
                let held = self.hold(fields::bytes(&headers) as u64)?;
                let body = Some(body);
                Ok(self.table.push(IncomingResponse { status, headers, body, _held: held })?)
            }
        })))
    }

    fn drop(&mut self, response: Resource<FutureResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl types::HostIncomingResponse for Host {
    fn status(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn headers(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let map = self.table.get(&response)?.headers.clone();
        self.push_fields(map, true)
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        let Some(body) = self.table.get_mut(&response)?.body.take() else { return Ok(Err(())) };
        Ok(Ok(self.table.push(IncomingBody::new(body))?))
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
