//! Speaks HTTP without end, or has the host keep what is never sent: the setting `to` says to whom.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingBody, Method, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

use crate::{Answer, denied, setting, tell};

/// Writes of one byte into each body.
const WRITES: usize = 4_096;

/// As much as may wait in a body.
const WAITING: usize = 256 << 10;

/// Headers of each message that is kept.
const HEADERS: usize = 900;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    match name {
        "bodies that are never sent" => Some(bodies()),
        "bodies whose requests are gone" => Some(orphans()),
        "a length without a body" => Some(promise(&setting("to"))),
        "headers that are never sent" => Some(headers()),
        "requests without end" => requests(&setting("to")),
        _ => None,
    }
}

/// Byte by byte, so that what is kept of each weighs more than it.
fn bodies() -> Answer {
    let mut kept = Vec::new();
    loop {
        let request = OutgoingRequest::new(Fields::new());
        let Ok(body) = request.body() else { return tell("a request has no body") };
        let Ok(stream) = body.write() else { return tell("a body has no stream") };
        for _ in 0..WRITES {
            if stream.check_write().is_err() || stream.write(&[0]).is_err() {
                return tell("a body takes nothing");
            }
        }
        kept.push((stream, body, request));
    }
}

/// Nobody will read what waits in them.
fn orphans() -> Answer {
    let bytes = vec![0_u8; WAITING];
    let mut kept = Vec::new();
    loop {
        let request = OutgoingRequest::new(Fields::new());
        let Ok(body) = request.body() else { return tell("a request has no body") };
        let Ok(stream) = body.write() else { return tell("a body has no stream") };
        if stream.check_write().is_err() || stream.write(&bytes).is_err() {
            return tell("a body takes nothing");
        }
        drop((stream, request));
        kept.push(body);
    }
}

/// The other side would take the next request on the connection for the body.
fn promise(to: &str) -> Answer {
    let headers = Fields::new();
    if headers.append("content-length", b"40").is_err() {
        return tell("a length is refused");
    }
    let request = OutgoingRequest::new(headers);
    let is_set = request.set_method(&Method::Post).is_ok()
        && request.set_scheme(Some(&Scheme::Http)).is_ok()
        && request.set_authority(Some(to)).is_ok();
    if !is_set {
        return tell("a request is refused");
    }
    denied(outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}")))
}

fn headers() -> Answer {
    let mut kept = Vec::new();
    loop {
        let entries: Vec<_> =
            (0..HEADERS).map(|number| (format!("x-{number}"), vec![b'x'; 32])).collect();
        let Ok(fields) = Fields::from_list(&entries) else { return tell("headers are refused") };
        kept.push(fields);
    }
}

/// One after the other, answered or not.
fn requests(to: &str) -> ! {
    loop {
        let request = OutgoingRequest::new(Fields::new());
        let is_set = request.set_scheme(Some(&Scheme::Http)).is_ok()
            && request.set_authority(Some(to)).is_ok();
        let Ok(awaited) = outgoing_handler::handle(request, None) else { continue };
        awaited.subscribe().block();
        let Some(Ok(Ok(response))) = awaited.get().filter(|_| is_set) else { continue };
        let Ok(body) = response.consume() else { continue };
        if let Ok(stream) = body.stream() {
            while !matches!(stream.blocking_read(1 << 16), Err(StreamError::Closed)) {}
        }
        drop(IncomingBody::finish(body));
    }
}
