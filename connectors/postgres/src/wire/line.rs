//! A connection whose waits all end in time, and which says by what setting they did. Not here: what is read and written.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use tombolo_sdk::network::{Connection, NetworkError, TlsOptions};

use crate::settings::Address;
use crate::trouble::Trouble;

/// How long to wait for the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Longest wait for one answer.
    pub(crate) answer: Duration,
    /// What says how long that is.
    pub(crate) setting: &'static str,
    /// When all waits are over.
    pub(crate) until: Instant,
}

impl Patience {
    /// The longest time that the next wait may take.
    ///
    /// Errors: there is none left.
    fn wait(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        let wait = self.answer.min(left);
        if wait.is_zero() {
            return Err(io::Error::new(ErrorKind::TimedOut, self.over(wait)));
        }
        Ok(wait)
    }

    /// What there is to say of a wait that was in vain.
    fn over(&self, waited: Duration) -> String {
        if waited < self.answer {
            return "no time is left in this call for an answer of the server: a database that needs longer gets it by `sandbox.call.timeout.ms`".to_owned();
        }
        format!("no answer of the server within {} ms ({})", waited.as_millis(), self.setting)
    }

    fn told(&self, error: NetworkError, waited: Duration) -> Trouble {
        match error {
            NetworkError::Timeout => Trouble::Broken(self.over(waited)),
            other => other.into(),
        }
    }

    fn told_io(&self, error: io::Error, waited: Duration) -> io::Error {
        match error.kind() {
            ErrorKind::TimedOut => io::Error::new(ErrorKind::TimedOut, self.over(waited)),
            _ => error,
        }
    }
}

/// A connection. Ends when it is dropped.
pub(crate) struct Line {
    connection: Connection,
    pub(crate) patience: Patience,
}

impl Line {
    /// Connects to an address.
    pub(crate) fn open(address: &Address, patience: Patience) -> Result<Self, Trouble> {
        let wait = patience.wait()?;
        let connection = Connection::connect(&address.host, address.port, wait)
            .map_err(|error| patience.told(error, wait))?;
        Ok(Self { connection, patience })
    }

    /// From here on, everything is encrypted.
    pub(crate) fn start_tls(&mut self, options: &TlsOptions) -> Result<(), Trouble> {
        let wait = self.patience.wait()?;
        self.connection.set_timeout(wait);
        self.connection.start_tls(options).map_err(|error| self.patience.told(error, wait))
    }
}

impl Read for Line {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wait = self.patience.wait()?;
        self.connection.set_timeout(wait);
        self.connection.read(out).map_err(|error| self.patience.told_io(error, wait))
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let wait = self.patience.wait()?;
        self.connection.set_timeout(wait);
        self.connection.write(bytes).map_err(|error| self.patience.told_io(error, wait))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.connection.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn a_wait_in_vain_names_the_setting_that_allows_more() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = Address { host: "127.0.0.1".to_owned(), port };
        let until = Instant::now() + LONG;
        let patience = Patience { answer: LONG, setting: "socketTimeout", until };
        let mut line = Line::open(&address, patience).unwrap();
        line.patience.answer = SHORT;
        let error = line.read(&mut [0; 8]).unwrap_err().to_string();
        assert!(error.contains("20 ms") && error.contains("socketTimeout"), "{error}");
        line.patience = Patience { answer: LONG, until: Instant::now() + SHORT, ..patience };
        let error = line.read(&mut [0; 8]).unwrap_err().to_string();
        assert!(error.contains("sandbox.call.timeout.ms"), "{error}");
        // Nothing more is begun, also where it would not have to wait.
        let error = line.write(b"x").unwrap_err().to_string();
        assert!(error.contains("sandbox.call.timeout.ms"), "{error}");
        let error = Line::open(&address, line.patience).err().unwrap();
        assert!(error.to_string().contains("sandbox.call.timeout.ms"), "{error}");
    }
}
