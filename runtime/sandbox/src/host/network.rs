//! `tombolo:connect/network`: connections for protocols that are not HTTP.
//!
//! Not here: where a connector may connect to (`egress`).

#![expect(unreachable_pub, reason = "bindings want the types of handles to be public")]

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tombolo_model::egress::{Host as Whom, Scheme};
use wasmtime::component::Resource;

use crate::egress::{
    CONNECT_MAX, Channel, ConnectError, Place, Refusal, TlsError, TlsTerms, Verification,
};
use crate::host::Host;
use crate::limits::Held;
use crate::v0::tombolo::connect::network as contract;

/// What a connection takes of the host, about: buffers of the kernel and of TLS.
pub(crate) const CONNECTION_BYTES: u64 = 128 << 10;

/// What authorities take of the host for each byte of their text, about, while a connection is held to them.
const AUTHORITIES_FACTOR: u64 = 8;

/// Most bytes of one read: the host sets them aside before it knows what comes.
const READ_MAX: u32 = 256 << 10;

/// Most protocols to offer in TLS.
const PROTOCOLS_MAX: usize = 16;

/// A guest's connection.
pub struct Connection {
    /// None after TLS failed.
    channel: Option<Channel>,
    whom: Whom,
    _held: Held,
    _authorities: Option<Held>,
}

type Answer<T> = wasmtime::Result<Result<T, contract::NetworkError>>;

fn invalid<T>(why: impl Into<String>) -> Answer<T> {
    Ok(Err(contract::NetworkError::Invalid(why.into())))
}

impl contract::Host for Host {}

impl contract::HostConnection for Host {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        timeout_ms: u32,
    ) -> Answer<Resource<Connection>> {
        self.count_call()?;
        let whom = match Whom::parse(&host) {
            Ok(whom) => whom,
            Err(why) => {
                let refusal = Refusal::BadHost(why);
                self.gate.refuse(&Place::odd(Scheme::Tcp, &host), refusal);
                return invalid(refusal.told());
            }
        };
        if port == 0 {
            return invalid(Refusal::PortZero.told());
        }
        self.settle_sockets();
        let held = self.hold(CONNECTION_BYTES)?;
        let place = Place { scheme: Scheme::Tcp, host: whom, port };
        let timeout = Duration::from_millis(timeout_ms.into());
        let conduit = match self.gate.connect(&place, timeout).await {
            Ok(conduit) => conduit,
            Err(error) => return Ok(Err(told(&place, error))),
        };
        let channel = Some(Channel::Plain(conduit));
        let connection = Connection { channel, whom: place.host, _held: held, _authorities: None };
        Ok(Ok(self.table.push(connection)?))
    }

    async fn start_tls(
        &mut self,
        connection: Resource<Connection>,
        options: contract::TlsOptions,
        timeout_ms: u32,
    ) -> Answer<()> {
        self.count_call()?;
        let gate = self.gate.clone();
        let text = options.authorities.as_ref().map_or(0, String::len) as u64;
        let held = self.hold(text * AUTHORITIES_FACTOR)?;
        let connection = self.table.get_mut(&connection)?;
        let server = match options.server_name.as_deref().map(Whom::parse) {
            None => connection.whom.clone(),
            Some(Ok(server)) => server,
            Some(Err(why)) => return invalid(format!("the server name {why}")),
        };
        let certificate = match options.client_certificate.as_deref() {
            None => None,
            Some(name) => match gate.certificate(name) {
                Some(certificate) => Some(certificate),
                None => return invalid("the connector has no client certificate of this name"),
            },
        };
        if options.protocols.len() > PROTOCOLS_MAX {
            return invalid("more than 16 protocols");
        }
        let conduit = match connection.channel.take() {
            Some(Channel::Plain(conduit)) => conduit,
            Some(tls) => {
                connection.channel = Some(tls);
                return invalid("TLS was started before");
            }
            None => return Ok(Err(gone())),
        };
        let protocols: Vec<&str> = options.protocols.iter().map(String::as_str).collect();
        let terms = TlsTerms {
            server: &server,
            verification: verification(options.verification),
            authorities: options.authorities.as_deref(),
            certificate,
            protocols: &protocols,
        };
        // As long again as the connection had, which the gate sees to.
        let timeout = Duration::from_millis(timeout_ms.into()).min(CONNECT_MAX);
        let started = tokio::time::timeout(timeout, gate.start_tls(conduit, terms)).await;
        Ok(match started {
            Ok(Ok(channel)) => {
                connection.channel = Some(channel);
                connection._authorities = Some(held);
                Ok(())
            }
            Ok(Err(TlsError::Invalid(why))) => Err(contract::NetworkError::Invalid(why.to_owned())),
            Ok(Err(error)) => Err(contract::NetworkError::Tls(error.to_string())),
            Err(_) => Err(contract::NetworkError::Timeout),
        })
    }

    async fn read(
        &mut self,
        connection: Resource<Connection>,
        bytes_max: u32,
        timeout_ms: u32,
    ) -> Answer<Vec<u8>> {
        self.count_call()?;
        if bytes_max == 0 {
            return invalid("a read of 0 bytes");
        }
        let connection = self.table.get_mut(&connection)?;
        let Some(channel) = &mut connection.channel else { return Ok(Err(gone())) };
        let mut bytes = Vec::with_capacity(bytes_max.min(READ_MAX) as usize);
        let timeout = Duration::from_millis(timeout_ms.into());
        let mut limited = channel.take(bytes_max.min(READ_MAX).into());
        Ok(match tokio::time::timeout(timeout, limited.read_buf(&mut bytes)).await {
            Ok(Ok(_)) => Ok(bytes),
            Ok(Err(error)) => Err(contract::NetworkError::Failed(error.to_string())),
            Err(_) => Err(contract::NetworkError::Timeout),
        })
    }

    async fn write(
        &mut self,
        connection: Resource<Connection>,
        bytes: Vec<u8>,
        timeout_ms: u32,
    ) -> Answer<()> {
        self.count_call()?;
        let connection = self.table.get_mut(&connection)?;
        let Some(channel) = &mut connection.channel else { return Ok(Err(gone())) };
        let timeout = Duration::from_millis(timeout_ms.into());
        let written = async {
            channel.write_all(&bytes).await?;
            channel.flush().await
        };
        Ok(match tokio::time::timeout(timeout, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(contract::NetworkError::Failed(error.to_string())),
            Err(_) => Err(contract::NetworkError::Timeout),
        })
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

fn gone() -> contract::NetworkError {
    contract::NetworkError::Failed("the connection ended when TLS failed".to_owned())
}

fn verification(asked: contract::Verification) -> Verification {
    match asked {
        contract::Verification::Full => Verification::Full,
        contract::Verification::Authority => Verification::Authority,
        contract::Verification::None => Verification::None,
    }
}

fn told(place: &Place, error: ConnectError) -> contract::NetworkError {
    match error {
        ConnectError::Denied(refusal) => {
            contract::NetworkError::Denied(format!("{place}: {}", refusal.told()))
        }
        ConnectError::NoAnswer => contract::NetworkError::Failed(format!("{place}: {error}")),
        ConnectError::Failed(error) => {
            contract::NetworkError::Failed(format!("{place}: {}", error.kind()))
        }
        ConnectError::Timeout => contract::NetworkError::Timeout,
    }
}
