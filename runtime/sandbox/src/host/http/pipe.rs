//! A request's body between the guest that writes it and the connection that sends it.
//!
//! Not here: the guest's handles on it (`outgoing`).

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::fields::Fields;
use crate::limits::Held;

/// Most bytes that wait to be sent. A guest that writes all of a body before it sends the request has this much room.
pub(super) const WAITING_MAX: usize = 256 << 10;

/// What a body takes of the host: the bytes that wait, in a buffer that grows by doubling, and those that are being sent.
pub(super) const PIPE_BYTES: usize = 3 * WAITING_MAX;

/// Both ends of a body. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Pipe(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is room again, or no reader any more.
    room: Notify,
}

#[derive(Default)]
struct State {
    /// In one piece, however small those were that it was written in.
    waiting: BytesMut,
    trailers: Option<Fields>,
    /// Bytes that were written so far.
    written: u64,
    end: Option<End>,
    reader: Option<Waker>,
    is_reader_gone: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Finished,
    Broken,
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes may be written now; none where nobody reads them any more.
    pub(super) fn room(&self) -> Option<usize> {
        let state = self.state();
        (!state.is_reader_gone).then(|| WAITING_MAX.saturating_sub(state.waiting.len()))
    }

    /// Waits for room, or for the reader's end.
    pub(super) async fn ready(&self) {
        loop {
            let room = self.0.room.notified();
            if self.room().is_none_or(|room| room > 0) {
                return;
            }
            room.await;
        }
    }

    /// Writes bytes, which must have room, and says how many were written in all. Where the reader went since room was seen, they go nowhere.
    pub(super) fn write(&self, bytes: &[u8]) -> u64 {
        let mut state = self.state();
        if !state.is_reader_gone {
            state.waiting.extend_from_slice(bytes);
        }
        state.written += bytes.len() as u64;
        let written = state.written;
        wake(state);
        written
    }

    /// How many bytes were written so far.
    pub(super) fn written(&self) -> u64 {
        self.state().written
    }

    /// How many bytes it has in all; none as long as more may be written.
    fn length(&self) -> Option<u64> {
        let state = self.state();
        state.end.map(|_| state.written)
    }

    /// All was written.
    pub(super) fn finish(&self, trailers: Option<Fields>) {
        let mut state = self.state();
        state.trailers = trailers;
        state.end.get_or_insert(End::Finished);
        wake(state);
    }

    /// Nothing more will be written, though something is missing.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.end.get_or_insert(End::Broken);
        wake(state);
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

/// The reader's end.
pub(super) struct Reader {
    pub(super) pipe: Pipe,
    pub(super) _held: Held,
}

/// The guest dropped the body before it was finished.
#[derive(Debug, thiserror::Error)]
#[error("the request's body was not finished")]
pub(super) struct Unfinished;

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.pipe.state();
        state.is_reader_gone = true;
        // The guest may keep its end for as long as it likes, and what waits counts only as long as this is there.
        state.waiting = BytesMut::new();
        drop(state);
        self.pipe.0.room.notify_waiters();
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        let this = self.get_mut();
        let mut state = this.pipe.state();
        if !state.waiting.is_empty() {
            let bytes = std::mem::take(&mut state.waiting).freeze();
            drop(state);
            this.pipe.0.room.notify_waiters();
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if let Some(trailers) = state.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers.map))));
        }
        match state.end {
            Some(End::Finished) => Poll::Ready(None),
            Some(End::Broken) => Poll::Ready(Some(Err(Unfinished))),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = self.pipe.state();
        let is_empty = state.waiting.is_empty() && state.trailers.is_none();
        is_empty && state.end == Some(End::Finished)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.pipe.state();
        let is_whole = state.end == Some(End::Finished) && state.trailers.is_none();
        // Of a body that was written before it is sent, the length is known and need not be framed.
        match is_whole {
            true => SizeHint::with_exact(state.waiting.len() as u64),
            false => SizeHint::default(),
        }
    }
}

/// The body of a request: one that is written, or none.
pub(super) enum RequestBody {
    Written(Reader),
    Empty,
}

/// Whether all of a request's body is with the connection, or will never be.
pub(super) struct Sent(Option<Pipe>);

impl Sent {
    pub(super) fn is_over(&self) -> bool {
        self.0.as_ref().is_none_or(|pipe| pipe.room().is_none())
    }
}

impl RequestBody {
    /// How many bytes it has in all; none as long as the guest may write more.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Written(reader) => reader.pipe.length(),
            Self::Empty => Some(0),
        }
    }

    /// To ask later.
    pub(super) fn sent(&self) -> Sent {
        Sent(match self {
            Self::Written(reader) => Some(reader.pipe.clone()),
            Self::Empty => None,
        })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        match self.get_mut() {
            Self::Written(reader) => Pin::new(reader).poll_frame(context),
            Self::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Written(reader) => reader.is_end_stream(),
            Self::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Written(reader) => reader.size_hint(),
            Self::Empty => SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Budget;

    #[test]
    fn what_waits_is_let_go_with_the_reader_and_nothing_waits_after_it() {
        let held = Budget::new(1, Arc::default(), Arc::default()).hold(1).unwrap();
        let pipe = Pipe::default();
        let reader = Reader { pipe: pipe.clone(), _held: held };
        pipe.write(&[0; WAITING_MAX]);
        assert_eq!((pipe.room(), pipe.state().waiting.len()), (Some(0), WAITING_MAX));
        drop(reader);
        assert_eq!((pipe.room(), pipe.state().waiting.capacity()), (None, 0));
        // By a guest that saw room before.
        assert_eq!(pipe.write(&[0; 3]), WAITING_MAX as u64 + 3);
        assert_eq!(pipe.state().waiting.capacity(), 0);
    }
}
