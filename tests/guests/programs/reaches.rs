//! Reaches out as its rows say, and answers with what it got.
//!
//! A row is a way and its arguments, with spaces between: `http METHOD SCHEME AUTHORITY PATH [NAME=VALUE]… [<BODY|bodiless]`, `tcp HOST PORT TEXT`,
//! `tls HOST PORT VERIFICATION TEXT`, `socket ADDRESS TEXT`, `sockets ADDRESS COUNT`, `settings`.

use std::io::{Read, Write};

use reach::tombolo::connect::network::{self, Connection, TlsOptions, Verification};
use tombolo_guest_programs::host::types::{Column, Fault, Values};
use tombolo_guest_programs::interfaces::converter;
use tombolo_guest_programs::rows::row;
use tombolo_guest_programs::{Behaviour, Component, bindings, state};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

mod reach {
    wit_bindgen::generate!({ path: "../../../wit", world: "tombolo:connect/network-client" });
}

const TIMEOUT_MS: u32 = 5_000;

struct Guest;

impl Behaviour for Guest {
    const NAME: &str = "Reaches";

    fn to_connect_data(bytes: Column) -> Result<converter::ConnectData, Fault> {
        let mut answers = Column { ends: vec![], nulls: vec![], data: vec![] };
        for at in 0..bytes.ends.len() {
            let asked = String::from_utf8_lossy(row(&bytes, at).unwrap_or_default()).into_owned();
            let (Ok(answer) | Err(answer)) = reach(&asked);
            answers.data.extend_from_slice(answer.as_bytes());
            answers.ends.push(answers.data.len() as u32);
        }
        let values = Values { bytes: answers, schemas: vec![] };
        Ok(converter::ConnectData { values, faults: vec![] })
    }
}

fn reach(asked: &str) -> Result<String, String> {
    let words: Vec<&str> = asked.split(' ').collect();
    match words[..] {
        ["http", method, scheme, authority, path, ref rest @ ..] => {
            http(method, scheme, authority, path, rest)
        }
        ["tcp", host, port, text] => tcp(host, port, None, text),
        ["tls", host, port, verification, text] => tcp(host, port, Some(verification), text),
        ["socket", address, text] => socket(address, text),
        ["sockets", address, count] => sockets(address, count),
        ["settings"] => {
            Ok(settings().into_iter().map(|(name, value)| format!("{name}={value};")).collect())
        }
        _ => Err(format!("{asked:?} is no way")),
    }
}

fn settings() -> std::collections::BTreeMap<String, String> {
    state(|state| state.created.values().last().cloned().unwrap_or_default())
}

fn told(what: &str) -> impl Fn(()) -> String {
    let what = what.to_owned();
    move |()| format!("refused {what}")
}

fn http(
    method: &str,
    scheme: &str,
    authority: &str,
    path: &str,
    rest: &[&str],
) -> Result<String, String> {
    let headers = Fields::new();
    let mut sent = None;
    for word in rest {
        if let Some(body) = word.strip_prefix('<') {
            sent = Some(body);
        } else if let Some((name, value)) = word.split_once('=') {
            headers
                .append(name, value.as_bytes())
                .map_err(|error| format!("header {name}: {error:?}"))?;
        }
    }
    let request = OutgoingRequest::new(headers);
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    request.set_method(&method).map_err(told("method"))?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_scheme(Some(&scheme)).map_err(told("scheme"))?;
    request.set_authority(Some(authority)).map_err(told("authority"))?;
    request.set_path_with_query(Some(path)).map_err(told("path"))?;
    let body = match rest.contains(&"bodiless") {
        true => None,
        false => Some(request.body().map_err(told("body"))?),
    };
    let awaited = outgoing_handler::handle(request, None).map_err(|code| format!("{code:?}"))?;
    if let Some(body) = body {
        write(body, sent.unwrap_or_default())?;
    }
    awaited.subscribe().block();
    let response = match awaited.get() {
        Some(Ok(Ok(response))) => response,
        Some(Ok(Err(code))) => return Err(format!("{code:?}")),
        other => return Err(format!("{other:?}")),
    };
    read(&response)
}

fn write(body: OutgoingBody, text: &str) -> Result<(), String> {
    if !text.is_empty() {
        let stream = body.write().map_err(told("write"))?;
        for part in text.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(part).map_err(|error| format!("write: {error:?}"))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| format!("finish: {code:?}"))
}

/// The status, a header `location` where there is one, and the body.
fn read(response: &IncomingResponse) -> Result<String, String> {
    let mut answer = response.status().to_string();
    if let Some(location) = response.headers().get("location").first() {
        answer += &format!(" to {}", String::from_utf8_lossy(location));
    }
    let body = response.consume().map_err(told("consume"))?;
    let stream = body.stream().map_err(told("stream"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(some) => bytes.extend(some),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(format!("{answer}, then {code:?}"));
            }
        }
    }
    drop(stream);
    let trailers = IncomingBody::finish(body);
    trailers.subscribe().block();
    match trailers.get() {
        Some(Ok(Ok(_))) => Ok(format!("{answer} {}", String::from_utf8_lossy(&bytes))),
        other => Err(format!("trailers: {other:?}")),
    }
}

/// Writes a text, and answers with what comes until the other side ends.
fn tcp(host: &str, port: &str, tls: Option<&str>, text: &str) -> Result<String, String> {
    let wrong = |error: network::NetworkError| format!("{error:?}");
    let port = port.parse().map_err(|_| "no port")?;
    let connection = Connection::connect(host, port, TIMEOUT_MS).map_err(wrong)?;
    if let Some(verification) = tls {
        let settings = settings();
        let options = TlsOptions {
            server_name: settings.get("server.name").cloned(),
            verification: match verification {
                "full" => Verification::Full,
                "authority" => Verification::Authority,
                _ => Verification::None,
            },
            authorities: settings.get("authorities").cloned(),
            client_certificate: settings.get("client.certificate").cloned(),
            protocols: vec![],
        };
        let timeout = settings.get("tls.timeout.ms").and_then(|timeout| timeout.parse().ok());
        connection.start_tls(&options, timeout.unwrap_or(TIMEOUT_MS)).map_err(wrong)?;
        let again = connection.start_tls(&options, TIMEOUT_MS);
        if !matches!(again, Err(network::NetworkError::Invalid(_))) {
            return Err(format!("TLS twice: {again:?}"));
        }
    }
    connection.write(text.as_bytes(), TIMEOUT_MS).map_err(wrong)?;
    let mut bytes = Vec::new();
    loop {
        let some = connection.read(1 << 20, TIMEOUT_MS).map_err(wrong)?;
        if some.is_empty() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        bytes.extend(some);
    }
}

fn socket(address: &str, text: &str) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("{:?}", error.kind());
    let mut stream = std::net::TcpStream::connect(address).map_err(wrong)?;
    stream.write_all(text.as_bytes()).map_err(wrong)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(wrong)?;
    Ok(answer)
}

/// Opens so many at once, and says how many there were.
fn sockets(address: &str, count: &str) -> Result<String, String> {
    let count: usize = count.parse().map_err(|_| "no count".to_owned())?;
    let mut open = Vec::new();
    for _ in 0..count {
        match std::net::TcpStream::connect(address) {
            Ok(stream) => open.push(stream),
            Err(error) => return Ok(format!("{} then {:?}", open.len(), error.kind())),
        }
    }
    Ok(open.len().to_string())
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
