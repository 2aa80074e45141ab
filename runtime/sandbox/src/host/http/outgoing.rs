//! A guest's handles on the body of a request.
//!
//! Not here: sending it (`pipe`, `send`).

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::fields::Fields;
use super::pipe::{PIPE_BYTES, Pipe, Reader};
use super::types::{self, ErrorCode};
use crate::host::Host;

/// The body of a request, as a guest holds it.
pub struct OutgoingBody {
    pipe: Pipe,
    /// The length that the headers promise.
    length: Option<u64>,
    was_given: bool,
    is_finished: bool,
}

impl OutgoingBody {
    /// A body whose request promises this length.
    pub(super) fn new(host: &mut Host, length: Option<u64>) -> wasmtime::Result<(Self, Reader)> {
        let held = host.hold(PIPE_BYTES as u64)?;
        let pipe = Pipe::default();
        let body = Self { pipe: pipe.clone(), length, was_given: false, is_finished: false };
        Ok((body, Reader { pipe, _held: held }))
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        if !self.is_finished {
            self.pipe.give_up();
        }
    }
}

impl types::HostOutgoingBody for Host {
    fn write(
        &mut self,
        body: Resource<OutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let found = self.table.get_mut(&body)?;
        if std::mem::replace(&mut found.was_given, true) {
            return Ok(Err(()));
        }
        let stream: DynOutputStream =
            Box::new(BodyStream { pipe: found.pipe.clone(), length: found.length });
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let mut body = self.table.delete(body)?;
        let trailers = match trailers {
            Some(trailers) => Some(self.table.delete(trailers)?),
            None => None,
        };
        let written = body.pipe.written();
        if body.length.is_some_and(|length| length != written) {
            return Ok(Err(ErrorCode::HttpRequestBodySize(Some(written))));
        }
        body.is_finished = true;
        body.pipe.finish(trailers);
        Ok(Ok(()))
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

struct BodyStream {
    pipe: Pipe,
    length: Option<u64>,
}

#[async_trait]
impl Pollable for BodyStream {
    async fn ready(&mut self) {
        self.pipe.ready().await;
    }
}

impl OutputStream for BodyStream {
    fn check_write(&mut self) -> StreamResult<usize> {
        self.pipe.room().ok_or(StreamError::Closed)
    }

    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let room = self.pipe.room().ok_or(StreamError::Closed)?;
        if bytes.len() > room {
            return Err(StreamError::trap("more was written than there is room for"));
        }
        let written = self.pipe.written() + bytes.len() as u64;
        if self.length.is_some_and(|length| written > length) {
            self.pipe.give_up();
            let error = wasmtime::Error::msg("the body is longer than its content-length");
            return Err(StreamError::LastOperationFailed(error));
        }
        self.pipe.write(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
}
