//! Connections to other systems, for protocols that are not HTTP: bytes both ways, with TLS from any point on. The host dials and encrypts.
//!
//! Where to, the operator says by `sandbox.net.allow`. Natively, as in tests, these are plain TCP connections. Not here: any protocol.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

pub use crate::bindings::network::{NetworkError, TlsOptions, Verification};
use crate::columns::narrow;

#[cfg(target_family = "wasm")]
use crate::bindings as imports;
#[cfg(not(target_family = "wasm"))]
use crate::testing::fake as imports;

/// Most bytes that one read asks for: one call of the host brings what a socket holds, and no more of the sandbox's memory is taken.
const READ_MAX: usize = 256 * 1024;

/// A TCP connection. Ends when it is dropped.
///
/// Reads and writes wait for at most its timeout. The kind of their errors tells what a [`NetworkError`] does: `PermissionDenied`, `InvalidInput`,
/// `NotConnected`, `TimedOut`, `InvalidData` for TLS.
pub struct Connection {
    connection: imports::network::Connection,
    timeout: Duration,
}

impl Connection {
    /// Connects to a name or an address. `timeout` counts for this call, and for every read and write after it until another is set.
    ///
    /// Errors: `Denied` where the operator does not allow it, `Failed` and `Timeout` where nobody answers now.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Self, NetworkError> {
        let connection = imports::network::Connection::connect(host, port, millis(timeout))?;
        Ok(Self { connection, timeout })
    }

    /// How long reads, writes and a handshake may wait from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// From here on, everything is encrypted. Once a connection.
    ///
    /// Errors: `Tls` where the other side's certificate is not what the options ask for; natively always, as there is no TLS.
    pub fn start_tls(&mut self, options: &TlsOptions) -> Result<(), NetworkError> {
        self.connection.start_tls(options, millis(self.timeout))
    }
}

impl Read for Connection {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let most = narrow(out.len().min(READ_MAX));
        let bytes = self.connection.read(most, millis(self.timeout))?;
        let there = out.get_mut(..bytes.len());
        there.ok_or(ErrorKind::InvalidData)?.copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Write for Connection {
    /// Writes all of it: the host answers when everything is on its way.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.connection.write(bytes, millis(self.timeout))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

impl NetworkError {
    /// What went wrong, in a sentence.
    pub fn message(&self) -> &str {
        match self {
            Self::Denied(why) | Self::Invalid(why) | Self::Failed(why) | Self::Tls(why) => why,
            Self::Timeout => "no answer within the time that was given",
        }
    }
}

impl From<NetworkError> for io::Error {
    fn from(error: NetworkError) -> Self {
        let kind = match error {
            NetworkError::Denied(_) => ErrorKind::PermissionDenied,
            NetworkError::Invalid(_) => ErrorKind::InvalidInput,
            NetworkError::Failed(_) => ErrorKind::NotConnected,
            NetworkError::Timeout => ErrorKind::TimedOut,
            NetworkError::Tls(_) => ErrorKind::InvalidData,
        };
        Self::new(kind, error.message())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn bytes_go_both_ways_until_the_other_side_ends() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 5];
            stream.read_exact(&mut asked).unwrap();
            stream.write_all(b"world").unwrap();
            asked
        });
        let mut connection = Connection::connect("127.0.0.1", port, TIMEOUT).unwrap();
        connection.write_all(b"hello").unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        assert_eq!((&other.join().unwrap(), answer.as_slice()), (b"hello", &b"world"[..]));
    }

    #[test]
    fn what_goes_wrong_is_told_apart() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut silent = Connection::connect("localhost", port, TIMEOUT).unwrap();
        silent.set_timeout(Duration::from_millis(10));
        let error = silent.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop((silent, listener));
        let refused = Connection::connect("127.0.0.1", port, TIMEOUT);
        assert!(matches!(refused.err(), Some(NetworkError::Failed(_))));
        let nowhere = Connection::connect("127.0.0.1", 0, TIMEOUT);
        assert!(matches!(nowhere.err(), Some(NetworkError::Invalid(_))));
    }
}
