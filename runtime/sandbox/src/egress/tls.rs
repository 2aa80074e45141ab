//! TLS, ended by the host: certificates, authorities and keys stay outside of guests.
//!
//! Over the OpenSSL that librdkafka links anyway; the authorities are the system's and the operator's. Not here: who may connect where.

use std::pin::Pin;
use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    ConnectConfiguration, SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use tokio_openssl::SslStream;
use tombolo_model::egress::{ClientCertificate, Host};

use super::conduit::Conduit;

/// Most authorities of one connection's own: a bundle of all public ones has 150.
const AUTHORITIES_MAX: usize = 1_000;

/// What to hold the other side's certificate to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Authority and name.
    Full,
    /// Authority alone.
    Authority,
    /// Nothing.
    None,
}

/// How to speak TLS with somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TlsTerms<'a> {
    pub(crate) server: &'a Host,
    pub(crate) verification: Verification,
    /// PEM; none means the system's, and the operator's.
    pub(crate) authorities: Option<&'a str>,
    pub(crate) certificate: Option<&'a ClientCertificate>,
    /// For ALPN.
    pub(crate) protocols: &'a [&'a str],
}

/// TLS did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// What was given cannot be used.
    #[error("{0}")]
    Invalid(&'static str),
    /// OpenSSL cannot be set up.
    #[error("TLS cannot be set up")]
    SetUp(#[from] ErrorStack),
    /// The other side's certificate is not good.
    #[error("the certificate of the other side is refused: {0}")]
    Certificate(String),
    /// The other side and this one do not come together.
    #[error("the handshake failed: {0}")]
    Handshake(String),
}

/// Speaks TLS from here on.
pub(crate) async fn start(
    trust: &Trust,
    conduit: Conduit,
    terms: TlsTerms<'_>,
) -> Result<SslStream<Conduit>, TlsError> {
    let server = match terms.server {
        Host::Name(name) => name.clone(),
        Host::Address(address) => address.to_string(),
    };
    let ssl = trust.configured(&terms)?.into_ssl(&server)?;
    let mut stream = SslStream::new(ssl, conduit)?;
    if let Err(error) = Pin::new(&mut stream).connect().await {
        let verified = stream.ssl().verify_result();
        let why = verified.error_string();
        return Err(match verified == openssl::x509::X509VerifyResult::OK {
            false if terms.verification != Verification::None => {
                TlsError::Certificate(why.to_owned())
            }
            _ => TlsError::Handshake(error.to_string()),
        });
    }
    Ok(stream)
}

/// Whom connections trust that say nothing of it: the system's authorities, and the operator's.
#[derive(Default)]
pub(super) struct Trust {
    /// PEM; may be empty.
    authorities: String,
    /// Made once, for reading them takes some milliseconds.
    usual: OnceLock<SslConnector>,
}

impl Trust {
    pub(super) fn new(authorities: String) -> Self {
        Self { authorities, usual: OnceLock::new() }
    }

    fn configured(&self, terms: &TlsTerms<'_>) -> Result<ConnectConfiguration, TlsError> {
        let mut configuration = match (terms.authorities, terms.certificate) {
            (None, None) => self.usual()?.configure()?,
            (authorities, certificate) => self.own(authorities, certificate)?.configure()?,
        };
        configuration.set_verify_hostname(terms.verification == Verification::Full);
        if terms.verification == Verification::None {
            configuration.set_verify(SslVerifyMode::NONE);
        }
        if !terms.protocols.is_empty() {
            configuration.set_alpn_protos(&alpn(terms.protocols)?)?;
        }
        Ok(configuration)
    }

    fn usual(&self) -> Result<&SslConnector, TlsError> {
        if let Some(connector) = self.usual.get() {
            return Ok(connector);
        }
        let connector = self.own(None, None)?;
        Ok(self.usual.get_or_init(|| connector))
    }

    fn own(
        &self,
        authorities: Option<&str>,
        certificate: Option<&ClientCertificate>,
    ) -> Result<SslConnector, TlsError> {
        let mut builder = SslConnector::builder(SslMethod::tls_client())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        if let Some(authorities) = authorities {
            let wrong = "the authorities are no PEM with at least one certificate";
            let found = X509::stack_from_pem(authorities.as_bytes()).unwrap_or_default();
            if found.is_empty() {
                return Err(TlsError::Invalid(wrong));
            }
            if found.len() > AUTHORITIES_MAX {
                return Err(TlsError::Invalid("there are more than 1,000 authorities"));
            }
            builder.set_cert_store(X509StoreBuilder::new()?.build());
            trust(&mut builder, found)?;
        } else {
            trust(&mut builder, X509::stack_from_pem(self.authorities.as_bytes())?)?;
        }
        if let Some(certificate) = certificate {
            show(&mut builder, certificate)?;
        }
        Ok(builder.build())
    }
}

fn trust(builder: &mut SslConnectorBuilder, authorities: Vec<X509>) -> Result<(), TlsError> {
    for authority in authorities {
        builder.cert_store_mut().add_cert(authority)?;
    }
    Ok(())
}

fn show(builder: &mut SslConnectorBuilder, shown: &ClientCertificate) -> Result<(), TlsError> {
    let ClientCertificate { certificate, key, .. } = shown;
    let wrong = TlsError::Invalid("the client certificate is no PEM with a certificate");
    let mut chain = X509::stack_from_pem(certificate.as_bytes()).unwrap_or_default().into_iter();
    builder.set_certificate(&*chain.next().ok_or(wrong)?)?;
    for between in chain {
        builder.add_extra_chain_cert(between)?;
    }
    // Without a callback OpenSSL would ask for a passphrase on the terminal.
    let key = PKey::private_key_from_pem_callback(key.reveal().as_bytes(), |_| Ok(0));
    let wrong = "the client certificate's key is no PEM with a private key that is not encrypted";
    builder.set_private_key(&*key.map_err(|_| TlsError::Invalid(wrong))?)?;
    let wrong = "the client certificate's key is not that of the certificate";
    builder.check_private_key().map_err(|_| TlsError::Invalid(wrong))
}

fn alpn(protocols: &[&str]) -> Result<Vec<u8>, TlsError> {
    let mut offered = Vec::new();
    for protocol in protocols {
        let length = u8::try_from(protocol.len()).ok().filter(|length| *length > 0);
        offered.push(length.ok_or(TlsError::Invalid("a protocol's name has 1 to 255 bytes"))?);
        offered.extend_from_slice(protocol.as_bytes());
    }
    match offered.len() > usize::from(u16::MAX) {
        true => Err(TlsError::Invalid("there are too many protocols")),
        false => Ok(offered),
    }
}
