//! Sends a request: over a connection that was kept, or through the gate, over TLS where the scheme says so, with the credentials that the host adds.
//!
//! Not here: what a guest holds of a request and a response.

use std::error::Error as _;
use std::time::{Duration, Instant};

use hyper::body::{Body as _, Incoming};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tombolo_model::egress::{Host as Whom, Scheme};
use wasmtime::component::Resource;
use wasmtime_wasi::runtime;

use super::fields::{FIELDS_BYTES_MAX, FIELDS_MAX};
use super::incoming::{Remainder, Source};
use super::kept::{Kept, Line};
use super::outgoing_handler;
use super::pipe::{RequestBody, Unfinished};
use super::request::{OutgoingRequest, RequestOptions, content_length};
use super::response::{FutureResponse, Reply};
use super::types::{self, ErrorCode};
use crate::egress::{
    CONNECT_MAX, Channel, ConnectError, Gate, Place, Refusal, TlsError, TlsTerms, Verification,
};
use crate::host::Host;
use crate::host::network::CONNECTION_BYTES;
use crate::limits::Held;

/// Longest time without a byte from the other side.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// Longest time for a request and its response.
const TOTAL_MAX: Duration = Duration::from_secs(600);

/// What an exchange takes of the host beside its connection: the head of the response, and what was read of its body.
const EXCHANGE_BYTES: u64 = 2 * FIELDS_BYTES_MAX as u64;

impl outgoing_handler::Host for Host {
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureResponse>, ErrorCode>> {
        self.count_call()?;
        self.settle_sockets();
        let request = self.table.delete(request)?;
        let options = match options {
            Some(options) => self.table.delete(options)?,
            None => RequestOptions::default(),
        };
        let held =
            Room { line: self.hold(CONNECTION_BYTES)?, exchange: self.hold(EXCHANGE_BYTES)? };
        let store = Store { gate: self.gate.clone(), kept: self.kept.clone() };
        let (place, request) = match written(request, &store.gate) {
            Ok(written) => written,
            Err(code) => return Ok(Err(code)),
        };
        let exchange = Exchange { store, place, times: Times::new(options) };
        let exchange = runtime::spawn(async move { exchange.run(request, held).await });
        Ok(Ok(self.table.push(FutureResponse::Awaited(exchange))?))
    }
}

/// Memory that was set aside for a request: for a connection, if it needs a new one, and for the response.
struct Room {
    line: Held,
    exchange: Held,
}

/// How long what may take.
#[derive(Clone, Copy)]
struct Times {
    connect: Duration,
    first_byte: Duration,
    between: Duration,
}

impl Times {
    fn new(options: RequestOptions) -> Self {
        let cut = |asked: Option<Duration>, max: Duration| asked.unwrap_or(max).min(max);
        Self {
            connect: cut(options.connect, CONNECT_MAX),
            first_byte: cut(options.first_byte, IDLE_MAX),
            between: cut(options.between_bytes, IDLE_MAX),
        }
    }
}

/// Where a request goes, and the request as it is sent.
fn written(
    request: OutgoingRequest,
    gate: &Gate,
) -> Result<(Place, Request<RequestBody>), ErrorCode> {
    let scheme = match request.scheme {
        None | Some(types::Scheme::Https) => Scheme::Https,
        Some(_) => Scheme::Http,
    };
    let authority = request.authority.as_deref().unwrap_or_default();
    let (host, port) = Whom::parse_authority(authority).map_err(|why| {
        gate.refuse(&Place::odd(scheme, authority), Refusal::BadHost(why));
        ErrorCode::HttpRequestUriInvalid
    })?;
    let port = port.or(scheme.default_port()).unwrap_or_default();
    let place = Place { scheme, host, port };
    let path = match request.path.as_deref() {
        None | Some("") => "/".to_owned(),
        Some(path) if path.starts_with('?') => format!("/{path}"),
        Some(path) => path.to_owned(),
    };
    let mut headers = request.headers.map;
    let body = request.body.unwrap_or(RequestBody::Empty);
    check_length(&headers, &body)?;
    add_host(&mut headers, &place)?;
    add_credentials(&mut headers, &place, gate)?;
    let mut sent = Request::new(body);
    *sent.method_mut() = request.method;
    *sent.uri_mut() = Uri::try_from(path).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    *sent.headers_mut() = headers;
    Ok((place, sent))
}

/// Holds a body to the length that the headers promise: what is promised and never comes, the other side takes from the next request on the connection.
///
/// Errors: another length than it has, or none that is one. A body that the guest still writes is held to it as it is written (`outgoing`).
fn check_length(headers: &HeaderMap, body: &RequestBody) -> Result<(), ErrorCode> {
    let promised = content_length(headers).map_err(|()| ErrorCode::HttpRequestBodySize(None))?;
    match (promised, body.length()) {
        (Some(promised), Some(length)) if promised != length => {
            Err(ErrorCode::HttpRequestBodySize(Some(length)))
        }
        _ => Ok(()),
    }
}

fn add_host(headers: &mut HeaderMap, place: &Place) -> Result<(), ErrorCode> {
    let host = match place.scheme.default_port() == Some(place.port) {
        true => place.host.to_string(),
        false => format!("{}:{}", place.host, place.port),
    };
    let host = HeaderValue::try_from(host).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    headers.insert(HOST, host);
    Ok(())
}

/// Adds what the host knows of the origin, in place of what the guest says under the same names.
fn add_credentials(headers: &mut HeaderMap, place: &Place, gate: &Gate) -> Result<(), ErrorCode> {
    for auth in gate.credentials(place) {
        let wrong = || ErrorCode::ConfigurationError;
        let name = HeaderName::try_from(auth.header.as_str()).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(auth.value.reveal()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(())
}

/// What the exchanges of one store have in common.
#[derive(Clone)]
pub(super) struct Store {
    pub(super) gate: Gate,
    pub(super) kept: Kept,
}

/// A request that was not sent.
type Unsent = Request<RequestBody>;

/// The same request once more, where it may come to the other side twice: it changes nothing there, and has no body.
fn repeatable(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let is_empty = matches!(request.body(), RequestBody::Empty) || request.body().is_end_stream();
    if !request.method().is_safe() || !is_empty {
        return None;
    }
    let mut again = Request::new(RequestBody::Empty);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// A request on its way.
struct Exchange {
    store: Store,
    place: Place,
    times: Times,
}

impl Exchange {
    async fn run(&self, request: Request<RequestBody>, held: Room) -> Result<Reply, ErrorCode> {
        let end = Instant::now() + TOTAL_MAX;
        let sent = request.body().sent();
        self.store.gate.admit_request().await;
        let (response, line) = self.answered(request, held.line).await?;
        let (head, body) = response.into_parts();
        let source = Source { line, sent, store: self.store.clone() };
        let body = Remainder::new(body, (self.times.between, end), source, held.exchange);
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    async fn answered(
        &self,
        mut request: Request<RequestBody>,
        held: Held,
    ) -> Result<(Response<Incoming>, Line), ErrorCode> {
        let again = repeatable(&request);
        if let Some(mut line) = self.store.kept.take(&self.place, again.is_some()).await {
            match (self.ask(&mut line, request).await, again) {
                (Ok(Ok(response)), _) => return Ok((response, line)),
                // The other side had ended it.
                (Ok(Err(unsent)), _) => request = unsent,
                // It ended it while the request was on its way.
                (
                    Err(ErrorCode::HttpResponseIncomplete | ErrorCode::ConnectionTerminated),
                    Some(again),
                ) => request = again,
                (Err(code), _) => return Err(code),
            }
        }
        let mut line = self.open(held).await?;
        match self.ask(&mut line, request).await? {
            Ok(response) => Ok((response, line)),
            Err(_) => Err(ErrorCode::ConnectionTerminated),
        }
    }

    async fn ask(
        &self,
        line: &mut Line,
        request: Request<RequestBody>,
    ) -> Result<Result<Response<Incoming>, Unsent>, ErrorCode> {
        let response = line.sender.try_send_request(request);
        match tokio::time::timeout(self.times.first_byte, response).await {
            Err(_) => Err(ErrorCode::ConnectionReadTimeout),
            Ok(Ok(response)) => Ok(Ok(response)),
            Ok(Err(mut failed)) => match failed.take_message() {
                Some(unsent) => Ok(Err(unsent)),
                None => Err(code_of(failed.error())),
            },
        }
    }

    async fn open(&self, held: Held) -> Result<Line, ErrorCode> {
        let channel = self.connect().await?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(FIELDS_BYTES_MAX).max_headers(FIELDS_MAX);
        let handshake = builder.handshake(TokioIo::new(channel)).await;
        let (sender, connection) = handshake.map_err(|error| code_of(&error))?;
        // What goes wrong with it is told to whoever sends or reads.
        let connection = runtime::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Line { place: self.place.clone(), sender, _connection: connection, _held: held })
    }

    async fn connect(&self) -> Result<Channel, ErrorCode> {
        let conduit = self.store.gate.connect(&self.place, self.times.connect).await;
        let conduit = conduit.map_err(|error| match error {
            ConnectError::Denied(Refusal::TooManyConnections | Refusal::TooFast) => {
                ErrorCode::ConnectionLimitReached
            }
            ConnectError::Denied(_) => ErrorCode::HttpRequestDenied,
            ConnectError::NoAnswer => {
                ErrorCode::DnsError(types::DnsErrorPayload { rcode: None, info_code: None })
            }
            ConnectError::Failed(error) => match error.kind() {
                std::io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
                _ => ErrorCode::DestinationUnavailable,
            },
            ConnectError::Timeout => ErrorCode::ConnectionTimeout,
        })?;
        if self.place.scheme == Scheme::Http {
            return Ok(Channel::Plain(conduit));
        }
        let terms = TlsTerms {
            server: &self.place.host,
            verification: Verification::Full,
            authorities: None,
            certificate: None,
            protocols: &["http/1.1"],
        };
        let started =
            tokio::time::timeout(CONNECT_MAX, self.store.gate.start_tls(conduit, terms)).await;
        match started {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(TlsError::Certificate(_))) => Err(ErrorCode::TlsCertificateError),
            Ok(Err(_)) => Err(ErrorCode::TlsProtocolError),
            Err(_) => Err(ErrorCode::ConnectionTimeout),
        }
    }
}

/// What hyper's error is in WASI's words.
pub(super) fn code_of(error: &hyper::Error) -> ErrorCode {
    if error.source().is_some_and(|source| source.is::<Unfinished>()) {
        return ErrorCode::HttpRequestBodySize(None);
    }
    if error.is_parse_too_large() {
        return ErrorCode::HttpResponseHeaderSectionSize(None);
    }
    if error.is_incomplete_message() {
        return ErrorCode::HttpResponseIncomplete;
    }
    if error.is_timeout() {
        return ErrorCode::ConnectionReadTimeout;
    }
    match error.is_parse() || error.is_body_write_aborted() {
        true => ErrorCode::HttpProtocolError,
        false => ErrorCode::ConnectionTerminated,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyper::header::CONTENT_LENGTH;

    use super::*;
    use crate::host::http::pipe::{Pipe, Reader};
    use crate::limits::Budget;

    /// A body of which so much is written, and the guest's end of it.
    fn body(written: &[u8]) -> (Pipe, RequestBody) {
        let held = Budget::new(1, Arc::default(), Arc::default()).hold(1).unwrap();
        let pipe = Pipe::default();
        pipe.write(written);
        (pipe.clone(), RequestBody::Written(Reader { pipe, _held: held }))
    }

    #[test]
    fn a_length_that_is_promised_and_will_not_come_is_refused() {
        let refused = |promised: &'static str, body: &RequestBody| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static(promised));
            match check_length(&headers, body) {
                Ok(()) => None,
                Err(ErrorCode::HttpRequestBodySize(size)) => Some(size),
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(refused("5", &RequestBody::Empty), Some(Some(0)));
        assert_eq!(refused("0", &RequestBody::Empty), None);
        assert_eq!(refused("none", &RequestBody::Empty), Some(None));
        let (guest, unfinished) = body(b"123");
        assert_eq!(refused("5", &unfinished), None, "the guest may write on");
        guest.give_up();
        assert_eq!(refused("5", &unfinished), Some(Some(3)));
        let (guest, whole) = body(b"12345");
        guest.finish(None);
        assert_eq!(refused("5", &whole), None);
        assert_eq!(refused("4", &whole), Some(Some(5)));
        assert!(check_length(&HeaderMap::new(), &whole).is_ok(), "nothing is promised");
    }
}
