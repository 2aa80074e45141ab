//! The exchange of a request for an answer over `wasi:http`. Not here: what is sent, and what an answer means.

use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingResponse, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::{Error, ErrorKind, Method, Request, Response};

/// How much is read of an answer at once.
const CHUNK: u64 = 64 << 10;

/// The end of the time for an exchange.
struct Deadline {
    time: Duration,
    over: Pollable,
}

impl Deadline {
    fn new(time: Duration) -> Self {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self { time, over: subscribe_duration(nanos) }
    }

    /// Waits for any of these. Errors: the time is over before.
    fn wait(&self, events: &[&Pollable]) -> Result<(), Error> {
        let all: Vec<&Pollable> = events.iter().copied().chain([&self.over]).collect();
        let ready = poll(&all);
        let over = all.len() - 1;
        match ready.iter().any(|&place| (place as usize) < over) {
            true => Ok(()),
            false => Err(Error::timeout(self.time)),
        }
    }
}

/// Sends a request and waits for its answer.
pub(super) fn exchange(
    request: &Request,
    timeout: Duration,
    body_max: usize,
) -> Result<Response, Error> {
    let deadline = Deadline::new(timeout);
    let outgoing = outgoing(request)?;
    let options = options(&deadline)?;
    let has_body = !matches!(request.method, Method::Get | Method::Head | Method::Delete)
        || !request.body.is_empty();
    let body = match has_body {
        true => Some(outgoing.body().map_err(|()| refused("body"))?),
        false => None,
    };
    let coming = outgoing_handler::handle(outgoing, Some(options)).map_err(failed)?;
    if let Some(body) = body {
        send_body(body, &request.body, &coming, &deadline)?;
    }
    let response = answer(&coming, &deadline)?;
    let headers = response.headers().entries();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Response {
        status: response.status(),
        headers: headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        body: body_of(&response, body_max, &deadline)?,
    })
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, format_args!("the host does not take the request's {what}"))
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, Error> {
    let mut headers: Vec<(String, Vec<u8>)> = Vec::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        headers.push((name.to_ascii_lowercase(), value.as_bytes().to_vec()));
    }
    if !request.body.is_empty()
        || matches!(request.method, Method::Post | Method::Put | Method::Patch)
    {
        headers.push(("content-length".to_owned(), request.body.len().to_string().into_bytes()));
    }
    let headers = Fields::from_list(&headers).map_err(|error| match error {
        HeaderError::InvalidSyntax => Error::new(ErrorKind::Invalid, "a malformed header"),
        _ => Error::new(ErrorKind::Invalid, "a header that the host alone sets"),
    })?;
    let outgoing = OutgoingRequest::new(headers);
    let scheme = if request.url.is_https() { Scheme::Https } else { Scheme::Http };
    outgoing.set_method(&method(request.method)).map_err(|()| refused("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    outgoing.set_authority(Some(request.url.authority())).map_err(|()| refused("host"))?;
    let target = Some(request.url.path_and_query());
    outgoing.set_path_with_query(target).map_err(|()| refused("path"))?;
    Ok(outgoing)
}

fn method(method: Method) -> wasip2::http::types::Method {
    use wasip2::http::types::Method as Wasi;
    match method {
        Method::Get => Wasi::Get,
        Method::Head => Wasi::Head,
        Method::Post => Wasi::Post,
        Method::Put => Wasi::Put,
        Method::Patch => Wasi::Patch,
        Method::Delete => Wasi::Delete,
    }
}

fn options(deadline: &Deadline) -> Result<RequestOptions, Error> {
    let options = RequestOptions::new();
    let nanos = Some(u64::try_from(deadline.time.as_nanos()).unwrap_or(u64::MAX));
    options.set_connect_timeout(nanos).map_err(|()| refused("timeout"))?;
    options.set_first_byte_timeout(nanos).map_err(|()| refused("timeout"))?;
    options.set_between_bytes_timeout(nanos).map_err(|()| refused("timeout"))?;
    Ok(options)
}

/// Sends the body. A server that answers before it has all of it has the last word: the answer tells more than that it hung up.
fn send_body(
    body: OutgoingBody,
    bytes: &[u8],
    coming: &FutureIncomingResponse,
    deadline: &Deadline,
) -> Result<(), Error> {
    let stream = body.write().map_err(|()| refused("body"))?;
    let is_sent = write_all(&stream, bytes, coming, deadline)?;
    drop(stream);
    if is_sent {
        OutgoingBody::finish(body, None).map_err(failed)?;
    }
    Ok(())
}

/// Answers whether all of it was taken.
fn write_all(
    stream: &OutputStream,
    mut bytes: &[u8],
    coming: &FutureIncomingResponse,
    deadline: &Deadline,
) -> Result<bool, Error> {
    let (room, answered) = (stream.subscribe(), coming.subscribe());
    while !bytes.is_empty() {
        let Ok(free) = stream.check_write() else { return Ok(false) };
        if free == 0 {
            if answered.ready() {
                return Ok(false);
            }
            deadline.wait(&[&room, &answered])?;
            continue;
        }
        let (now, later) =
            bytes.split_at(bytes.len().min(usize::try_from(free).unwrap_or(usize::MAX)));
        if stream.write(now).is_err() {
            return Ok(false);
        }
        bytes = later;
    }
    Ok(stream.flush().is_ok())
}

fn answer(coming: &FutureIncomingResponse, deadline: &Deadline) -> Result<IncomingResponse, Error> {
    let event = coming.subscribe();
    loop {
        match coming.get() {
            Some(Ok(answer)) => return answer.map_err(failed),
            Some(Err(())) => return Err(Error::new(ErrorKind::Failed, "the answer is gone")),
            None => deadline.wait(&[&event])?,
        }
    }
}

fn body_of(
    response: &IncomingResponse,
    body_max: usize,
    deadline: &Deadline,
) -> Result<Vec<u8>, Error> {
    let gone = |()| Error::new(ErrorKind::Failed, "the answer's body is gone");
    let body = response.consume().map_err(gone)?;
    let stream = body.stream().map_err(gone)?;
    read_all(&stream, body_max, deadline)
}

fn read_all(stream: &InputStream, body_max: usize, deadline: &Deadline) -> Result<Vec<u8>, Error> {
    let (event, mut all) = (stream.subscribe(), Vec::new());
    loop {
        match stream.read(CHUNK) {
            Ok(bytes) if bytes.is_empty() => deadline.wait(&[&event])?,
            Ok(bytes) if all.len() + bytes.len() > body_max => {
                return Err(Error::too_large(body_max));
            }
            Ok(bytes) => all.extend_from_slice(&bytes),
            Err(StreamError::Closed) => return Ok(all),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => failed(code),
                    None => Error::new(ErrorKind::Failed, error.to_debug_string()),
                });
            }
        }
    }
}

fn failed(code: ErrorCode) -> Error {
    use ErrorCode as Code;
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => Error::new(
            ErrorKind::Denied,
            "the host does not allow it; the settings sandbox.net.allow of the connector and of the worker say what it allows",
        ),
        Code::HttpRequestUriInvalid | Code::HttpRequestMethodInvalid | Code::ConfigurationError => {
            Error::new(ErrorKind::Invalid, words(&code))
        }
        Code::ConnectionTimeout
        | Code::ConnectionReadTimeout
        | Code::ConnectionWriteTimeout
        | Code::HttpResponseTimeout
        | Code::DnsTimeout => Error::new(ErrorKind::Timeout, words(&code)),
        Code::ConnectionLimitReached => Error::new(ErrorKind::Busy, words(&code)),
        Code::HttpResponseBodySize(_) => Error::new(ErrorKind::TooLarge, words(&code)),
        _ => Error::new(ErrorKind::Failed, words(&code)),
    }
}

/// What happened, for people.
fn words(code: &ErrorCode) -> String {
    use ErrorCode as Code;
    let known = match code {
        Code::DnsTimeout | Code::DnsError(_) | Code::DestinationNotFound => {
            "the host's name cannot be looked up"
        }
        Code::ConnectionRefused | Code::DestinationUnavailable => "nobody answers there",
        Code::ConnectionTerminated | Code::HttpResponseIncomplete => "the connection broke",
        Code::ConnectionTimeout => "no connection within the time for it",
        Code::ConnectionReadTimeout | Code::HttpResponseTimeout => {
            "no answer within the time for it"
        }
        Code::ConnectionWriteTimeout => "the request was not taken within the time for it",
        Code::ConnectionLimitReached => "the host gives no further connection just now",
        Code::TlsCertificateError => "the server's certificate is not good",
        Code::TlsProtocolError | Code::TlsAlertReceived(_) => "there is no TLS with the server",
        Code::ConfigurationError => "a header that sandbox.http.auth.* adds cannot be sent",
        Code::InternalError(Some(why)) => return why.clone(),
        other => return format!("{other:?}"),
    };
    known.to_owned()
}
