//! Servers on loopback for guests to reach, and what they saw.
//!
//! Not here: who may reach them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

/// A server on a port of its own, for as long as the process runs.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

/// A certificate and its key.
pub(crate) struct Certified {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Certified {
    /// Signed by itself, good for a day.
    pub(crate) fn of(name: &str) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
        let subject = subject.build();
        let mut serial = BigNum::new().unwrap();
        serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&subject).unwrap();
        builder.set_issuer_name(&subject).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.append_extension(BasicConstraints::new().ca().build().unwrap()).unwrap();
        let context = builder.x509v3_context(None, None);
        let names = SubjectAlternativeName::new().dns(name).build(&context).unwrap();
        builder.append_extension(names).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    pub(crate) fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    pub(crate) fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }
}

impl Server {
    /// Answers each connection's first bytes with what `answer` makes of them, and ends it.
    pub(crate) fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        Self::serve(move |mut stream, seen| {
            let asked = first(&mut stream);
            seen.lock().unwrap().push(asked.clone());
            stream.write_all(answer(&asked).as_bytes()).ok();
        })
    }

    /// Answers one request after the other on each connection, as long as more come: what it saw begins with the number of the connection.
    pub(crate) fn start_kept(answer: fn(&str) -> String) -> Self {
        let connections = AtomicUsize::new(0);
        Self::serve(move |mut stream, seen| {
            let (number, seen) = (connections.fetch_add(1, Ordering::Relaxed), Arc::clone(seen));
            std::thread::spawn(move || {
                loop {
                    let asked = first(&mut stream);
                    if asked.is_empty() {
                        return;
                    }
                    seen.lock().unwrap().push(format!("{number} {asked}"));
                    stream.write_all(answer(&asked).as_bytes()).ok();
                }
            });
        })
    }

    /// The same over TLS; a client may show a certificate that `client` signed, and its name is what the server saw first.
    pub(crate) fn start_tls(
        certified: &Certified,
        client: Option<&Certified>,
        answer: impl Fn(&str) -> String + Send + 'static,
    ) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
        acceptor.set_certificate(&certified.certificate).unwrap();
        acceptor.set_private_key(&certified.key).unwrap();
        if let Some(client) = client {
            acceptor.cert_store_mut().add_cert(client.certificate.clone()).unwrap();
            acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let acceptor = acceptor.build();
        Self::serve(move |stream, seen| {
            let Ok(mut stream) = acceptor.accept(stream) else { return };
            let asked = first(&mut stream);
            seen.lock().unwrap().push(asked.clone());
            stream.write_all(answer(&asked).as_bytes()).ok();
            stream.shutdown().ok();
        })
    }

    fn serve(work: impl Fn(TcpStream, &Arc<Mutex<Vec<String>>>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, seen: Arc::clone(&seen) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                work(stream.unwrap(), &seen);
            }
        });
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// What came first on each connection so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// A request with the body that its length promises, or the first bytes of anything else.
fn first(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut some = [0; 64 << 10];
    loop {
        let count = stream.read(&mut some).unwrap_or(0);
        bytes.extend_from_slice(&some[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let is_http = text.contains(" HTTP/1.1\r\n");
        if count == 0 || !is_http || is_whole(&text) {
            return text;
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    match length {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => !head.contains("transfer-encoding: chunked") || body.ends_with("0\r\n\r\n"),
    }
}

/// A response of HTTP with a body, and the last one of its connection.
pub(crate) fn response(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The same, but others may follow.
pub(crate) fn kept_response(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
