//! Standard input as a source reads it: what is there, without waiting long for more. Not here: splitting lines.

#[cfg(not(target_family = "wasm"))]
use std::io::{Read, Result};

/// Standard input.
#[derive(Debug)]
pub(crate) struct Stdin {
    #[cfg(target_family = "wasm")]
    stream: wasip2::io::streams::InputStream,
}

#[cfg(target_family = "wasm")]
mod component {
    use std::io::{Error, Read, Result};

    use wasip2::clocks::monotonic_clock::subscribe_duration;
    use wasip2::io::poll::poll;
    use wasip2::io::streams::StreamError;

    use super::Stdin;

    /// How long a read may wait, in nanoseconds: a host begins to read when a guest waits.
    const PATIENCE: u64 = 10_000_000;

    impl Stdin {
        pub(crate) fn new() -> Self {
            Self { stream: wasip2::cli::stdin::get_stdin() }
        }
    }

    impl Read for Stdin {
        fn read(&mut self, out: &mut [u8]) -> Result<usize> {
            poll(&[&self.stream.subscribe(), &subscribe_duration(PATIENCE)]);
            match self.stream.read(out.len() as u64) {
                Ok(bytes) => {
                    let room = out.get_mut(..bytes.len()).unwrap_or_default();
                    room.copy_from_slice(bytes.get(..room.len()).unwrap_or_default());
                    Ok(room.len())
                }
                Err(StreamError::Closed) => Ok(0),
                Err(StreamError::LastOperationFailed(error)) => {
                    Err(Error::other(error.to_debug_string()))
                }
            }
        }
    }
}

#[cfg(not(target_family = "wasm"))]
impl Stdin {
    pub(crate) fn new() -> Self {
        Self {}
    }
}

#[cfg(not(target_family = "wasm"))]
impl Read for Stdin {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        std::io::stdin().read(out)
    }
}
