//! A stream into a file that makes it no longer than its directory may hold.
//!
//! Not here: what the directory holds (`quota`), and streams into directories without a limit, which are WASI's own.

use std::fs::File;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::quota::{Quota, Taken};

/// Bytes by which writing makes a file longer; at no position, at its end. Where its length cannot be seen, all of it is new.
pub(super) fn growth(file: &File, position: Option<u64>, length: u64) -> u64 {
    let Some(position) = position else { return length };
    position.saturating_add(length).saturating_sub(file.metadata().map_or(0, |file| file.len()))
}

/// A file's stream that makes it no longer than its directory may hold.
pub(super) struct Limited {
    pub(super) inner: DynOutputStream,
    pub(super) quota: Arc<Quota>,
    pub(super) file: Arc<File>,
    /// Where it writes next; none at the end, wherever that is.
    pub(super) position: Option<u64>,
}

/// Tells the guest what a full disk would.
fn full() -> StreamError {
    StreamError::LastOperationFailed(std::io::Error::from_raw_os_error(libc::ENOSPC).into())
}

impl Limited {
    fn growth(&self, length: usize) -> u64 {
        growth(&self.file, self.position, length as u64)
    }

    fn advance(&mut self, length: usize) {
        self.position = self.position.map(|position| position.saturating_add(length as u64));
    }
}

#[async_trait]
impl OutputStream for Limited {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let growth = self.growth(bytes.len());
        // Others may have taken what `check_write` saw.
        if growth > 0 && !matches!(self.quota.try_take(growth, growth), Taken::Bytes(_)) {
            return Err(full());
        }
        self.advance(bytes.len());
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let may = self.inner.check_write()?;
        let growth = self.growth(may);
        let free = (may as u64).saturating_sub(growth);
        let gap = growth.saturating_sub(may as u64);
        let room = match self.quota.room(growth) {
            _ if growth == 0 => 0,
            Taken::Bytes(room) if room > gap => room - gap,
            // Nothing yet: whoever waits until it is ready has the directory measured.
            Taken::Unknown => 0,
            // To be refused when it is written, for who only asks has done nothing wrong.
            Taken::Bytes(_) | Taken::Full if free == 0 => 1,
            Taken::Bytes(_) | Taken::Full => 0,
        };
        Ok(usize::try_from(free + room).unwrap_or(usize::MAX))
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        let growth = self.growth(bytes.len());
        if growth > 0 {
            self.quota.take(growth, growth).await.ok_or_else(full)?;
        }
        self.advance(bytes.len());
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for Limited {
    async fn ready(&mut self) {
        self.inner.ready().await;
        if let Taken::Unknown = self.quota.room(1) {
            self.quota.take(0, 1).await;
        }
    }
}
