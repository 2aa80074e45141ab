//! What plugins never get: requests that come in, and answers to them.
//!
//! Toolchains import it beside what they use, so it is there; nothing makes such a request. Not here: requests that go out.

use wasmtime::component::Resource;

use super::fields::Fields;
use super::incoming::IncomingBody;
use super::outgoing::OutgoingBody;
use super::types::{self, ErrorCode, Method, Scheme};
use crate::host::Host;

/// A request that comes in: there is none.
pub enum IncomingRequest {}

/// Where an answer goes: nowhere.
pub enum ResponseOutparam {}

/// An answer, which nobody gets.
pub struct OutgoingResponse(());

/// No plugin answers requests.
#[derive(Debug, thiserror::Error)]
#[error("plugins answer no HTTP requests")]
struct NoServer;

fn no_server<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::new(NoServer))
}

impl types::HostIncomingRequest for Host {
    fn method(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Method> {
        no_server()
    }

    fn path_with_query(
        &mut self,
        _: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        no_server()
    }

    fn scheme(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<Scheme>> {
        no_server()
    }

    fn authority(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Option<String>> {
        no_server()
    }

    fn headers(&mut self, _: Resource<IncomingRequest>) -> wasmtime::Result<Resource<Fields>> {
        no_server()
    }

    fn consume(
        &mut self,
        _: Resource<IncomingRequest>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        no_server()
    }

    fn drop(&mut self, request: Resource<IncomingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl types::HostResponseOutparam for Host {
    fn set(
        &mut self,
        _: Resource<ResponseOutparam>,
        _: Result<Resource<OutgoingResponse>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        no_server()
    }

    fn drop(&mut self, place: Resource<ResponseOutparam>) -> wasmtime::Result<()> {
        self.table.delete(place)?;
        Ok(())
    }
}

impl types::HostOutgoingResponse for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingResponse>> {
        self.table.delete(headers)?;
        no_server()
    }

    fn status_code(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<u16> {
        no_server()
    }

    fn set_status_code(
        &mut self,
        _: Resource<OutgoingResponse>,
        _: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        no_server()
    }

    fn headers(&mut self, _: Resource<OutgoingResponse>) -> wasmtime::Result<Resource<Fields>> {
        no_server()
    }

    fn body(
        &mut self,
        _: Resource<OutgoingResponse>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        no_server()
    }

    fn drop(&mut self, response: Resource<OutgoingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
