//! Streams out of files and into them: a store has only so many, and what each has on the way counts in the store's memory.
//!
//! WASI's own read ahead, and write behind, on a thread, whether or not the guest ever takes what was read. Not here: how much a directory may hold
//! (`limited`, `quota`).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsError, FsResult, InputStream, OutputStream, Pollable,
    StreamError, StreamResult,
};

use crate::host::NoMemory;
use crate::host::opened::Opened;
use crate::limits::{Budget, Held};

/// Most bytes that a stream has on the way: as many as WASI reads at once, and as it says may be written at once.
const ON_THE_WAY_MAX: usize = 64 << 10;

/// The streams of one store: as many of each kind as files may be open, so that every one of these can be read and written at the same time.
#[derive(Debug, Default)]
pub(super) struct Streams {
    reading: Opened,
    writing: Opened,
}

/// A stream's place among those of its store, and the memory for what it has on the way.
struct Place {
    _counted: Arc<()>,
    _held: Held,
}

impl Streams {
    /// Counts a stream out of a file.
    ///
    /// Errors: there are as many as may be; a trap, where no memory is left.
    pub(super) fn reading(
        &mut self,
        inner: DynInputStream,
        budget: &mut Budget,
    ) -> FsResult<DynInputStream> {
        let place = place(&mut self.reading, budget)?;
        Ok(Box::new(Reading { inner, _place: place }))
    }

    /// Counts a stream into a file.
    ///
    /// Errors: there are as many as may be; a trap, where no memory is left.
    pub(super) fn writing(
        &mut self,
        inner: DynOutputStream,
        budget: &mut Budget,
    ) -> FsResult<DynOutputStream> {
        let place = place(&mut self.writing, budget)?;
        Ok(Box::new(Writing { inner, _place: place }))
    }
}

fn place(streams: &mut Opened, budget: &mut Budget) -> FsResult<Place> {
    if !streams.has_room() {
        // What WASI has that is nearest to `EMFILE`.
        return Err(ErrorCode::InsufficientMemory.into());
    }
    let held = budget.hold(ON_THE_WAY_MAX as u64).ok_or_else(|| FsError::trap(NoMemory))?;
    let counted = Arc::new(());
    streams.add(&counted);
    Ok(Place { _counted: counted, _held: held })
}

/// A stream out of a file.
struct Reading {
    inner: DynInputStream,
    _place: Place,
}

#[async_trait]
impl InputStream for Reading {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.blocking_read(size).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Reading {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

/// A stream into a file.
struct Writing {
    inner: DynOutputStream,
    _place: Place,
}

#[async_trait]
impl OutputStream for Writing {
    /// Errors: a trap, for more than [`OutputStream::check_write`] ever allows; WASI's own takes all that the guest has.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > ON_THE_WAY_MAX {
            let why = format!("a write of {} bytes, of {ON_THE_WAY_MAX} allowed", bytes.len());
            return Err(StreamError::Trap(wasmtime::Error::msg(why)));
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Writing {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
