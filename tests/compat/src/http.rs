//! Requests to a worker's REST API. Not here: what they are about.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tombolo_harness::wait_for_some;

/// Longest time for one request: a worker gives up after 90 seconds.
pub const REQUEST_MAX: Duration = Duration::from_secs(120);

/// What a worker answers while its group is busy, and clients ask again about.
const BUSY: [(u16, &str); 2] = [
    (409, "Cannot complete request"),
    (500, "Request cannot be completed because a rebalance is expected"),
];

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; null where it is empty or is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The first header of this name; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    /// Errors: the status is another.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, self.text);
        Ok(self)
    }

    /// Errors: the status is another, or the message does not contain this.
    pub fn expect_error(self, status: u16, message: &str) -> Result<()> {
        let answer = self.expect(status)?;
        let json = answer.json();
        let found = json["message"].as_str().unwrap_or_default();
        ensure!(found.contains(message), "expected {message:?}, got {found:?}");
        ensure!(json["error_code"] == status, "error_code is {}", json["error_code"]);
        Ok(())
    }
}

/// A request, as it goes out.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, with a query.
    pub path: &'a str,
    /// Headers, names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: Option<&'a [u8]>,
}

/// A worker's API.
#[derive(Clone, Debug)]
pub struct Client {
    url: String,
    agent: ureq::Agent,
}

impl Client {
    /// The API at this address, as `http://127.0.0.1:8083`.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_MAX))
            .allow_non_standard_methods(true)
            // A connection that the worker closes meanwhile would fail a request that must not be sent twice.
            .max_idle_connections(0)
            .build();
        Self { url: url.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request once.
    pub fn send(&self, request: &Request<'_>) -> Result<Answer> {
        let url = format!("{}{}", self.url, request.path);
        let mut http = ureq::http::Request::builder().method(request.method).uri(url);
        for (name, value) in request.headers {
            http = http.header(*name, *value);
        }
        let mut response = match request.body {
            Some(body) => self.agent.run(http.body(body)?),
            None => self.agent.run(http.body(())?),
        }
        .with_context(|| format!("{} {}", request.method, request.path))?;
        let headers = response.headers().iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let headers = headers.collect();
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
        Ok(Answer { status, headers, text })
    }

    /// Sends these bytes, whatever they are, and reads what comes back until the other side is done. Status 0 where it was no answer of HTTP.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(REQUEST_MAX))?;
        // A server that has seen enough closes its end, and may have answered before.
        stream.write_all(bytes).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        let (status, text) = (status.unwrap_or_default(), body.unwrap_or_default());
        Ok(Answer { status, headers: Vec::new(), text })
    }

    /// Sends a request, and again while the worker says that its group is busy.
    pub fn send_until_settled(&self, request: &Request<'_>) -> Result<Answer> {
        let mut last = String::new();
        let settled = || {
            let answer = self.send(request);
            if let Ok(answer) = &answer
                && BUSY
                    .iter()
                    .any(|(status, text)| answer.status == *status && answer.text.contains(text))
            {
                last.clone_from(&answer.text);
                return None;
            }
            Some(answer)
        };
        wait_for_some(settled, "the group is settled", REQUEST_MAX)
            .with_context(|| format!("{} {}: {last}", request.method, request.path))?
    }

    /// Sends a request with a JSON body, or none.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let bytes = body.map(serde_json::to_vec).transpose()?;
        let headers: &[_] = match body {
            Some(_) => &[("content-type", "application/json")],
            None => &[],
        };
        self.send_until_settled(&Request { method, path, headers, body: bytes.as_deref() })
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.ask("GET", path, None)
    }

    /// `GET` that must succeed, as JSON.
    pub fn look(&self, path: &str) -> Result<Value> {
        Ok(self.get(path)?.expect(200)?.json())
    }
}
