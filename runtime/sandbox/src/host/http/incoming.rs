//! The body of a response, as a guest reads it.
//!
//! Bytes are read from the connection when the guest asks for them. Not here: the response's head (`response`).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use hyper::HeaderMap;
use hyper::body::{Body as _, Frame, Incoming};
use tokio::sync::Mutex;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynInputStream, DynPollable, InputStream, Pollable, StreamError, StreamResult, subscribe,
};

use super::fields::Fields;
use super::kept::Line;
use super::pipe::Sent;
use super::send::Store;
use super::types::{self, ErrorCode};
use crate::host::Host;
use crate::limits::Held;

/// A body did not come whole.
#[derive(Debug, thiserror::Error)]
#[error("the response's body did not come whole: {0:?}")]
pub(super) struct BodyFailed(pub(super) ErrorCode);

/// What a response comes over, and what becomes of that.
pub(super) struct Source {
    pub(super) line: Line,
    pub(super) sent: Sent,
    pub(super) store: Store,
}

/// What is read of a response's body, and what reads it.
pub(super) struct Remainder {
    body: Incoming,
    /// Longest time without a byte.
    between: Duration,
    /// When the whole exchange must be over.
    end: Instant,
    /// Came, and was not read yet.
    buffer: Bytes,
    trailers: Option<HeaderMap>,
    outcome: Option<Result<(), ErrorCode>>,
    /// None once all of it came: then the next request may have the connection.
    source: Option<Source>,
    _held: Held,
}

impl Remainder {
    pub(super) fn new(
        body: Incoming,
        (between, end): (Duration, Instant),
        source: Source,
        held: Held,
    ) -> Self {
        let mut new = Self {
            body,
            between,
            end,
            buffer: Bytes::new(),
            trailers: None,
            outcome: None,
            source: Some(source),
            _held: held,
        };
        new.look_for_end();
        new
    }

    /// Of a body with a length the end is known as soon as its last byte is there.
    fn look_for_end(&mut self) {
        if self.body.is_end_stream() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.outcome = Some(Ok(()));
        // One that still takes the request's body stays until the guest is done with both.
        if let Some(source) = self.source.take_if(|source| source.sent.is_over()) {
            source.store.kept.give(source.line, &source.store.gate);
        }
    }

    /// Waits until there is something to read, or nothing more comes.
    async fn fill(&mut self) {
        while self.buffer.is_empty() && self.outcome.is_none() {
            let left = self.end.saturating_duration_since(Instant::now()).min(self.between);
            let frame = std::future::poll_fn(|context| self.poll_frame(context));
            match tokio::time::timeout(left, frame).await {
                Ok(Some(Ok(frame))) => self.take(frame),
                Ok(Some(Err(error))) => self.outcome = Some(Err(super::send::code_of(&error))),
                Ok(None) => self.finish(),
                Err(_) => self.outcome = Some(Err(ErrorCode::ConnectionReadTimeout)),
            }
        }
    }

    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn take(&mut self, frame: Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => {
                self.buffer = data;
                self.look_for_end();
            }
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }
}

type Shared = Arc<Mutex<Remainder>>;

/// A guest's handle on the body of a response.
pub struct IncomingBody {
    remainder: Shared,
    was_given: bool,
}

impl IncomingBody {
    pub(super) fn new(remainder: Remainder) -> Self {
        Self { remainder: Arc::new(Mutex::new(remainder)), was_given: false }
    }
}

/// A guest's handle on what follows a body.
pub struct FutureTrailers {
    remainder: Shared,
    was_taken: bool,
}

#[async_trait]
impl Pollable for FutureTrailers {
    /// What the guest did not read of the body is let go.
    async fn ready(&mut self) {
        let mut remainder = self.remainder.lock().await;
        loop {
            remainder.fill().await;
            if remainder.outcome.is_some() {
                return;
            }
            remainder.buffer.clear();
        }
    }
}

struct BodyStream(Shared);

#[async_trait]
impl Pollable for BodyStream {
    async fn ready(&mut self) {
        self.0.lock().await.fill().await;
    }
}

impl InputStream for BodyStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        // Held by nobody else: a store does one thing at a time.
        let Ok(mut remainder) = self.0.try_lock() else { return Ok(Bytes::new()) };
        if remainder.buffer.is_empty() {
            return match &remainder.outcome {
                None => Ok(Bytes::new()),
                Some(Ok(())) => Err(StreamError::Closed),
                Some(Err(code)) => {
                    let error = wasmtime::Error::new(BodyFailed(code.clone()));
                    Err(StreamError::LastOperationFailed(error))
                }
            };
        }
        let size = size.min(remainder.buffer.remaining());
        Ok(remainder.buffer.split_to(size))
    }
}

impl types::HostIncomingBody for Host {
    fn stream(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        let found = self.table.get_mut(&body)?;
        if std::mem::replace(&mut found.was_given, true) {
            return Ok(Err(()));
        }
        let stream: DynInputStream = Box::new(BodyStream(Arc::clone(&found.remainder)));
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Resource<FutureTrailers>> {
        let body = self.table.delete(body)?;
        let trailers = FutureTrailers { remainder: body.remainder, was_taken: false };
        Ok(self.table.push(trailers)?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

type Trailers = Result<Option<Resource<Fields>>, ErrorCode>;

impl types::HostFutureTrailers for Host {
    fn subscribe(
        &mut self,
        trailers: Resource<FutureTrailers>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, trailers)
    }

    fn get(
        &mut self,
        trailers: Resource<FutureTrailers>,
    ) -> wasmtime::Result<Option<Result<Trailers, ()>>> {
        let found = self.table.get_mut(&trailers)?;
        let taken = {
            let Ok(mut remainder) = found.remainder.try_lock() else { return Ok(None) };
            let Some(outcome) = remainder.outcome.clone() else { return Ok(None) };
            outcome.map(|()| remainder.trailers.take())
        };
        if std::mem::replace(&mut found.was_taken, true) {
            return Ok(Some(Err(())));
        }
        Ok(Some(Ok(match taken {
            Ok(Some(mut map)) => {
                super::response::keep_known(&mut map);
                Ok(Some(self.push_fields(map, true)?))
            }
            Ok(None) => Ok(None),
            Err(code) => Err(code),
        })))
    }

    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}
