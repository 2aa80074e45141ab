//! Speaks HTTP without end, or has the host keep what is never sent: the setting `to` says to whom.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingBody, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

use crate::{Answer, setting, tell};

/// Writes of one byte into each body.
const WRITES: usize = 4_096;

/// Headers of each message that is kept.
const HEADERS: usize = 900;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    match name {
        "bodies that are never sent" => Some(bodies()),
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
