//! Frames: a length and so many bytes. Not here: what is in them.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Largest request. Clients make produce requests of about a megabyte; Kafka's limit (`socket.request.max.bytes`) is
/// 100 MiB, a third of which bounds what a request of nothing but array elements can make the codec reserve.
pub(crate) const FRAME_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Shortest request: key, version and number.
const FRAME_BYTES_MIN: usize = 8;

/// Memory taken for a frame before any of it has arrived, so that a length alone costs nothing.
const READ_AHEAD_BYTES: usize = 1024 * 1024;

/// Memory of a connection between requests.
const IDLE_BYTES: usize = 4 * 1024;

/// Why no frame comes any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a request of {0} bytes; it must have between {FRAME_BYTES_MIN} and {FRAME_BYTES_MAX}")]
    Length(i32),
    #[error("the connection ended within a request")]
    Cut,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads frames one after another.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    buffer: BytesMut,
}

impl Frames {
    /// The next frame without its length. `None` when the client has ended the connection between two.
    pub(crate) async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Bytes>, FrameError> {
        while self.buffer.len() < 4 {
            if self.read(from, IDLE_BYTES).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::Cut) };
            }
        }
        let length = self.buffer.get_i32();
        let bytes = match usize::try_from(length) {
            Ok(bytes) if (FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&bytes) => bytes,
            _ => return Err(FrameError::Length(length)),
        };
        while self.buffer.len() < bytes {
            let missing = bytes - self.buffer.len();
            if self.read(from, missing.min(READ_AHEAD_BYTES)).await? == 0 {
                return Err(FrameError::Cut);
            }
        }
        Ok(Some(self.buffer.split_to(bytes).freeze()))
    }

    async fn read(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        space: usize,
    ) -> io::Result<usize> {
        self.buffer.reserve(space);
        from.read_buf(&mut self.buffer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn frames(bytes: &[u8]) -> (Vec<Bytes>, Option<FrameError>) {
        let mut from = bytes;
        let mut frames = Frames::default();
        let mut out = Vec::new();
        loop {
            match frames.next(&mut from).await {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => return (out, None),
                Err(error) => return (out, Some(error)),
            }
        }
    }

    #[tokio::test]
    async fn frames_follow_each_other() {
        let bytes = [&8i32.to_be_bytes()[..], b"12345678", &9i32.to_be_bytes(), b"abcdefghi"];
        let (read, error) = frames(&bytes.concat()).await;
        assert_eq!(read, [&b"12345678"[..], b"abcdefghi"]);
        assert!(error.is_none());
    }

    #[tokio::test]
    async fn a_length_that_cannot_be_ends_the_connection() {
        for length in [-1, 0, 7, FRAME_BYTES_MAX as i32 + 1, i32::MAX, i32::MIN] {
            let (_, error) = frames(&[&length.to_be_bytes()[..], &[0; 100]].concat()).await;
            assert!(matches!(error, Some(FrameError::Length(said)) if said == length));
        }
    }

    #[tokio::test]
    async fn a_cut_frame_is_an_error() {
        for cut in [2, 4, 11] {
            let bytes = [&8i32.to_be_bytes()[..], b"12345678"].concat();
            assert!(matches!(frames(&bytes[..cut]).await.1, Some(FrameError::Cut)), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_large_length_alone_takes_little_memory() {
        let mut frames = Frames::default();
        let length = (FRAME_BYTES_MAX as i32).to_be_bytes();
        assert!(frames.next(&mut &length[..]).await.is_err());
        assert!(frames.buffer.capacity() < 3 * READ_AHEAD_BYTES);
    }
}
