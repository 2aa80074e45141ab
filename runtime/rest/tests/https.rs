//! HTTPS listeners, listeners for `/admin`, and what the operator adds to answers, before any herder is there.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslVersion};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use tombolo_model::{Password, Settings};
use tombolo_rest::{Bound, Identity, RestConfig, serve};

/// A key with a certificate for the loopback address that it signed itself.
struct Own {
    key: PKey<Private>,
    certificate: X509,
}

impl Own {
    fn new() -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, "tombolo").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        let address = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(None, None));
        builder.append_extension(address.unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { key, certificate: builder.build() }
    }

    fn identity(&self, trusted: Option<&Self>) -> Identity {
        let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
        Identity {
            certificates: text(self.certificate.to_pem().unwrap()),
            key: Password::new(text(self.key.private_key_to_pem_pkcs8().unwrap())),
            trusted: trusted.map(|trusted| text(trusted.certificate.to_pem().unwrap())),
        }
    }
}

/// A server without a herder: where its first listener and those for `/admin` are.
async fn server(
    settings: &[(&str, &str)],
    identity: Option<Identity>,
) -> (SocketAddr, Vec<SocketAddr>) {
    let settings = settings.iter().copied().collect();
    let read = |_: &Settings| Ok(identity.clone().unwrap());
    let config = RestConfig::from_settings(&settings, "machine", &read).unwrap();
    let bound = Bound::open(&config).await.unwrap();
    let (main, admin) = (bound.address(), bound.admin_addresses());
    tokio::spawn(serve(bound, Arc::default(), tokio_util::sync::CancellationToken::new()));
    (main, admin)
}

fn exchange(
    mut stream: impl std::io::Read + std::io::Write,
    request: &str,
) -> std::io::Result<String> {
    let request = format!("{request}host: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sends a request within TLS.
fn send(
    server: SocketAddr,
    trusted: &Own,
    shown: Option<&Own>,
    version: SslVersion,
) -> Result<String, Box<dyn std::error::Error>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.cert_store_mut().add_cert(trusted.certificate.clone())?;
    builder.set_max_proto_version(Some(version))?;
    if let Some(own) = shown {
        builder.set_certificate(&own.certificate)?;
        builder.set_private_key(&own.key)?;
    }
    let tcp = TcpStream::connect(server)?;
    let stream = builder
        .build()
        .connect("127.0.0.1", tcp)
        .map_err(|error: HandshakeError<_>| error.to_string())?;
    Ok(exchange(stream, "GET /health HTTP/1.1\r\n")?)
}

async fn blocking<T: Send + 'static>(check: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(check).await.unwrap()
}

#[tokio::test]
async fn requests_are_answered_within_tls_whatever_other_clients_do() {
    let own = Own::new();
    let settings = [("listeners", "https://127.0.0.1:0"), ("ssl.enabled.protocols", "TLSv1.3")];
    let (address, _) = server(&settings, Some(own.identity(None))).await;
    blocking(move || {
        // One that says nothing, and one that says what is no TLS.
        let silent = TcpStream::connect(address).unwrap();
        let mut wrong = TcpStream::connect(address).unwrap();
        wrong.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let answer = send(address, &own, None, SslVersion::TLS1_3).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(send(address, &own, None, SslVersion::TLS1_2).is_err(), "a protocol that is off");
        let mut rest = Vec::new();
        wrong.read_to_end(&mut rest).ok();
        assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
        drop(silent);
    })
    .await;
}

#[tokio::test]
async fn clients_show_who_they_are_where_that_is_required() {
    let (own, client) = (Own::new(), Own::new());
    let settings =
        [("listeners", "https://127.0.0.1:0"), ("listeners.https.ssl.client.auth", "required")];
    let (address, _) = server(&settings, Some(own.identity(Some(&client)))).await;
    blocking(move || {
        for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
            let answer = send(address, &own, Some(&client), version).unwrap();
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            let unknown = send(address, &own, Some(&own), version);
            assert!(unknown.is_err(), "{unknown:?}");
            let nobody = send(address, &own, None, version);
            assert!(nobody.is_err(), "{nobody:?}");
        }
    })
    .await;
}

fn plain(address: SocketAddr, request: &str) -> String {
    exchange(TcpStream::connect(address).unwrap(), request).unwrap()
}

#[tokio::test]
async fn loggers_are_where_admin_listeners_says() {
    let status = |answer: &str| answer.get(9..12).unwrap_or_default().to_owned();
    let both = [("listeners", "http://127.0.0.1:0"), ("admin.listeners", "http://127.0.0.1:0")];
    let (main, admin) = server(&both, None).await;
    let (nowhere, none) =
        server(&[("listeners", "http://127.0.0.1:0"), ("admin.listeners", "")], None).await;
    assert!(none.is_empty());
    blocking(move || {
        let loggers = "GET /admin/loggers HTTP/1.1\r\n";
        assert_eq!(status(&plain(main, loggers)), "404");
        assert_eq!(status(&plain(nowhere, loggers)), "404");
        for address in &admin {
            assert_eq!(status(&plain(*address, loggers)), "503", "the worker is starting");
            assert_eq!(status(&plain(*address, "GET /connectors HTTP/1.1\r\n")), "404");
        }
        assert_eq!(admin.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_the_operators_headers() {
    let settings = [
        ("listeners", "http://127.0.0.1:0"),
        ("response.http.headers.config", "set X-Frame-Options: DENY, add Cache-Control: no-store"),
        ("access.control.allow.origin", "http://a.example"),
        ("access.control.allow.methods", "GET,PUT"),
    ];
    let (address, _) = server(&settings, None).await;
    blocking(move || {
        for path in ["/health", "/connectors", "/nothing", "/a%zz"] {
            let answer = plain(address, &format!("GET {path} HTTP/1.1\r\norigin: http://a.example\r\n"));
            for header in [
                "x-frame-options: DENY",
                "cache-control: no-store",
                "access-control-allow-origin: http://a.example",
                "vary: Origin",
            ] {
                assert!(answer.contains(&format!("{header}\r\n")), "{header} of {path}: {answer}");
            }
        }
        let other = plain(address, "GET /health HTTP/1.1\r\norigin: http://evil.example\r\n");
        assert!(!other.contains("access-control"), "{other}");
        let asked = "OPTIONS /connectors HTTP/1.1\r\norigin: http://a.example\r\naccess-control-request-method: PUT\r\n";
        let preflight = plain(address, asked);
        assert!(preflight.starts_with("HTTP/1.1 200 "), "{preflight}");
        assert!(preflight.contains("access-control-allow-methods: GET,PUT\r\n"), "{preflight}");
    })
    .await;
}
