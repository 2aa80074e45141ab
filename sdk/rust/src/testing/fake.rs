//! The host's functions, natively: a table of schemas, offsets and meters per thread, so that tests do not meet, and plain TCP.
//!
//! Not here: running a plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::bindings::log::Level;
use crate::bindings::types::Schema;

#[derive(Default)]
pub(super) struct Host {
    pub(super) lines: Vec<(Level, String)>,
    pub(super) schemas: Vec<Schema>,
    pub(super) offsets: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) counters: BTreeMap<String, u64>,
    pub(super) gauges: BTreeMap<String, f64>,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

pub(super) fn with<T>(use_it: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(use_it)
}

pub(crate) mod log {
    use super::{Level, with};

    pub(crate) fn log(level: Level, message: &str) {
        with(|host| host.lines.push((level, message.to_owned())));
    }
}

pub(crate) mod metrics {
    use super::with;

    pub(crate) fn count(name: &str, by: u64) {
        with(|host| *host.counters.entry(name.to_owned()).or_default() += by);
    }

    pub(crate) fn gauge(name: &str, value: f64) {
        with(|host| host.gauges.insert(name.to_owned(), value));
    }
}

pub(crate) mod offsets {
    use super::with;

    pub(crate) fn read(partitions: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
        with(|host| {
            let find = |partition: &Vec<u8>| {
                host.offsets
                    .iter()
                    .find(|(key, _)| key == partition)
                    .map(|(_, offset)| offset.clone())
            };
            partitions.iter().map(find).collect()
        })
    }
}

pub(crate) mod schemas {
    use super::{Schema, with};
    use crate::bindings::schemas::Refusal;

    pub(crate) fn define(schema: &Schema) -> Result<u32, Refusal> {
        with(|host| {
            let known = host.schemas.len();
            let unknown = |&number: &u32| number == 0 || number as usize > known;
            let parts = schema.fields.iter().map(|field| field.schema);
            let mut parts = parts.chain(schema.key).chain(schema.value);
            if let Some(number) = parts.find(unknown) {
                return Err(Refusal::Invalid(format!("schema {number} is not known")));
            }
            let place = host.schemas.iter().position(|known| known == schema);
            let place = place.unwrap_or_else(|| {
                host.schemas.push(schema.clone());
                known
            });
            u32::try_from(place + 1).map_err(|_| Refusal::Full)
        })
    }

    pub(crate) fn lookup(number: u32) -> Option<Schema> {
        with(|host| host.schemas.get((number as usize).checked_sub(1)?).cloned())
    }
}

pub(crate) mod network {
    use std::io::{Error, ErrorKind, Read, Write};
    use std::net::{TcpStream, ToSocketAddrs};
    use std::time::Duration;

    use crate::bindings::network::{NetworkError, TlsOptions};

    /// A plain TCP connection.
    pub(crate) struct Connection(TcpStream);

    impl Connection {
        pub(crate) fn connect(
            host: &str,
            port: u16,
            timeout_ms: u32,
        ) -> Result<Self, NetworkError> {
            if port == 0 {
                return Err(NetworkError::Invalid("port 0".to_owned()));
            }
            let mut failed = NetworkError::Failed(format!("{host} has no address"));
            for address in (host, port).to_socket_addrs().map_err(told)? {
                match TcpStream::connect_timeout(&address, time(timeout_ms)) {
                    Ok(stream) => {
                        stream.set_nodelay(true).map_err(told)?;
                        return Ok(Self(stream));
                    }
                    Err(error) => failed = told(error),
                }
            }
            Err(failed)
        }

        pub(crate) fn start_tls(&mut self, _: &TlsOptions, _: u32) -> Result<(), NetworkError> {
            Err(NetworkError::Tls("there is no TLS natively: try it as a component".to_owned()))
        }

        pub(crate) fn read(&mut self, bytes_max: u32, ms: u32) -> Result<Vec<u8>, NetworkError> {
            let mut bytes = vec![0; bytes_max as usize];
            self.0.set_read_timeout(Some(time(ms))).map_err(told)?;
            let read = self.0.read(&mut bytes).map_err(told)?;
            bytes.truncate(read);
            Ok(bytes)
        }

        pub(crate) fn write(&mut self, bytes: &[u8], ms: u32) -> Result<(), NetworkError> {
            self.0.set_write_timeout(Some(time(ms))).map_err(told)?;
            self.0.write_all(bytes).map_err(told)
        }
    }

    /// No time at all is none that a socket takes.
    fn time(ms: u32) -> Duration {
        Duration::from_millis(ms.max(1).into())
    }

    fn told(error: Error) -> NetworkError {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => NetworkError::Timeout,
            _ => NetworkError::Failed(error.to_string()),
        }
    }
}
