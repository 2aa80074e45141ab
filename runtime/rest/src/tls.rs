//! HTTPS: what a server shows, whom it trusts, and connections as they come in.
//!
//! Not here: reading key and trust stores, which the program hands in.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::serve::Listener;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Ssl, SslAcceptor, SslAcceptorBuilder, SslMethod, SslOptions, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_openssl::SslStream;
use tombolo_model::Settings;

use crate::config::{ConfigError, Identity, ReadIdentity};

/// Longest time for a handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Most handshakes at once; further clients wait in the operating system's queue.
const HANDSHAKES_MAX: usize = 256;

/// Protocols where none are set, as in Kafka.
const PROTOCOLS: &str = "TLSv1.2,TLSv1.3";

/// For what sessions may be resumed.
const SESSION_CONTEXT: &[u8] = b"tombolo-rest";

/// What a server shows, and whom it trusts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls(SslAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads settings `ssl.*`: those below `prefix` where there are any, else those without.
    ///
    /// Follows `SSLUtils.createServerSideSslContextFactory` of Kafka Connect.
    pub(crate) fn read(
        settings: &Settings,
        prefix: &str,
        identity: ReadIdentity<'_>,
    ) -> Result<Self, ConfigError> {
        let own = settings.with_prefix(prefix);
        let prefix = if own.is_empty() { "" } else { prefix };
        let ssl = if own.is_empty() { settings } else { &own };
        let full =
            |error: ConfigError| ConfigError { key: format!("{prefix}{}", error.key), ..error };
        let identity = identity(ssl).map_err(full)?;
        Self::new(ssl, &identity).map_err(full)
    }

    fn new(ssl: &Settings, identity: &Identity) -> Result<Self, ConfigError> {
        let broken = |error: ErrorStack| {
            ConfigError::new("ssl.keystore.location", "[store]", error.to_string())
        };
        let mut builder =
            SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(broken)?;
        identify(&mut builder, identity).map_err(broken)?;
        protocols(&mut builder, ssl)?;
        ciphers(&mut builder, ssl)?;
        clients(&mut builder, ssl, identity)?;
        Ok(Self(builder.build()))
    }
}

/// Shows key and certificates.
fn identify(builder: &mut SslAcceptorBuilder, identity: &Identity) -> Result<(), ErrorStack> {
    let mut chain = X509::stack_from_pem(identity.certificates.as_bytes())?.into_iter();
    if let Some(own) = chain.next() {
        builder.set_certificate(&own)?;
    }
    for vouching in chain {
        builder.add_extra_chain_cert(vouching)?;
    }
    let key = PKey::private_key_from_pem(identity.key.reveal().as_bytes())?;
    builder.set_private_key(&key)?;
    builder.check_private_key()
}

/// Setting `ssl.enabled.protocols`.
fn protocols(builder: &mut SslAcceptorBuilder, ssl: &Settings) -> Result<(), ConfigError> {
    let key = "ssl.enabled.protocols";
    let text = ssl.get(key).filter(|text| !text.trim().is_empty()).unwrap_or(PROTOCOLS);
    let wrong = |why: &str| ConfigError::new(key, text, why);
    let enabled: Vec<&str> = text.split(',').map(str::trim).collect();
    if enabled.iter().any(|one| !["TLSv1.2", "TLSv1.3"].contains(one)) {
        return Err(wrong("expected TLSv1.2, TLSv1.3 or both"));
    }
    let is_enabled = |one| enabled.contains(&one);
    let least = if is_enabled("TLSv1.2") { SslVersion::TLS1_2 } else { SslVersion::TLS1_3 };
    let most = if is_enabled("TLSv1.3") { SslVersion::TLS1_3 } else { SslVersion::TLS1_2 };
    builder.clear_options(SslOptions::NO_TLSV1_3);
    let set = builder.set_min_proto_version(Some(least));
    set.and_then(|()| builder.set_max_proto_version(Some(most)))
        .map_err(|error| wrong(&error.to_string()))
}

/// Setting `ssl.cipher.suites`, in Java's names, which are those of the standard.
fn ciphers(builder: &mut SslAcceptorBuilder, ssl: &Settings) -> Result<(), ConfigError> {
    let key = "ssl.cipher.suites";
    let Some(text) = ssl.get(key).filter(|text| !text.trim().is_empty()) else { return Ok(()) };
    let wrong = |why: String| ConfigError::new(key, text, why);
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for suite in text.split(',').map(str::trim) {
        match openssl::ssl::cipher_name(suite) {
            "(NONE)" => return Err(wrong(format!("OpenSSL does not know {suite}"))),
            // Suites of TLS 1.3 have the same name in both.
            same if same == suite => new.push(same),
            other => old.push(other),
        }
    }
    let set_new = if new.is_empty() { Ok(()) } else { builder.set_ciphersuites(&new.join(":")) };
    let set_old = if old.is_empty() { Ok(()) } else { builder.set_cipher_list(&old.join(":")) };
    set_new.and(set_old).map_err(|error| wrong(error.to_string()))
}

/// Setting `ssl.client.auth`: whether clients show who they are.
fn clients(
    builder: &mut SslAcceptorBuilder,
    ssl: &Settings,
    identity: &Identity,
) -> Result<(), ConfigError> {
    let key = "ssl.client.auth";
    let text = ssl.get(key).map_or("none", str::trim);
    let mode = match text {
        "none" => return Ok(()),
        "requested" => SslVerifyMode::PEER,
        "required" => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
        _ => {
            let why = "String must be one of: required, requested, none";
            return Err(ConfigError::new(key, text, why));
        }
    };
    let Some(trusted) = &identity.trusted else {
        let why = "it needs ssl.truststore.location or ssl.truststore.certificates";
        return Err(ConfigError::new(key, text, why));
    };
    trust(builder, trusted).map_err(|error| {
        ConfigError::new("ssl.truststore.location", "[store]", error.to_string())
    })?;
    builder.set_verify(mode);
    // Without a context, a client that resumes its session would be refused.
    builder
        .set_session_id_context(SESSION_CONTEXT)
        .map_err(|error| ConfigError::new(key, text, error.to_string()))
}

fn trust(builder: &mut SslAcceptorBuilder, trusted: &str) -> Result<(), ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for certificate in X509::stack_from_pem(trusted.as_bytes())? {
        builder.add_client_ca(&certificate)?;
        store.add_cert(certificate)?;
    }
    builder.set_verify_cert_store(store.build())
}

/// A listener whose connections are within TLS. Clients that take their time over the handshake hold up nobody.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    tls: Tls,
    handshakes: JoinSet<Option<(SslStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    pub(crate) fn new(tcp: TcpListener, tls: Tls) -> Self {
        Self { tcp, tls, handshakes: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = SslStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let is_full = self.handshakes.len() >= HANDSHAKES_MAX;
            tokio::select! {
                Some(shaken) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = shaken {
                        return connection;
                    }
                }
                (stream, client) = Listener::accept(&mut self.tcp), if !is_full => {
                    self.handshakes.spawn(shake(self.tls.clone(), stream, client));
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn shake(
    Tls(acceptor): Tls,
    stream: TcpStream,
    client: SocketAddr,
) -> Option<(SslStream<TcpStream>, SocketAddr)> {
    let ssl = Ssl::new(acceptor.context()).ok()?;
    let mut stream = SslStream::new(ssl, stream).ok()?;
    let shaking = Pin::new(&mut stream).accept();
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, shaking).await {
        Ok(Ok(())) => Some((stream, client)),
        Ok(Err(error)) => {
            tracing::debug!(%client, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%client, "a TLS handshake took too long");
            None
        }
    }
}
