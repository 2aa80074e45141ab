//! Requests and answers. Not here: sending them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Url, date};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read the headers alone.
    Head,
    /// Take what the body has.
    Post,
    /// Be what the body says.
    Put,
    /// Change as the body says.
    Patch,
    /// Be no more.
    Delete,
}

impl Method {
    const ALL: [Self; 6] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The name, as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// By its name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

type Headers = Vec<(String, String)>;

/// A request. Its `Debug` leaves the values of headers and the query out: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Of what.
    pub url: Url,
    /// Names and values, in order. `content-length` and `host` are not among them.
    pub headers: Headers,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: Vec::new(), body: Vec::new() }
    }

    /// A `GET`.
    pub fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// A `POST`.
    pub fn post(url: Url) -> Self {
        Self::new(Method::Post, url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header_with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "{} {} {names:?} {} bytes", self.method, self.url, self.body.len())
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// From 100 to 599.
    pub status: u16,
    /// Names and values, in order; bytes that are not UTF-8 are replaced.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without headers and body, for tests.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header, for tests.
    #[must_use]
    pub fn header_with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets the body, for tests.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// How long to wait before asking again, where `Retry-After` says so, as seconds or as a date; a date that has passed is no wait.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(date::since_epoch(text)?.saturating_sub(now))
    }

    /// The beginning of the body as one line, for messages: at most `bytes_max` bytes, without control characters; a body that goes on ends in `…`.
    pub fn excerpt(&self, bytes_max: usize) -> String {
        let bytes = self.body.get(..bytes_max).unwrap_or(&self.body);
        let text = String::from_utf8_lossy(bytes);
        // What was cut in two looks like bytes that are not UTF-8.
        let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let end = if bytes.len() < self.body.len() { "…" } else { "" };
        format!("{}{end}", plain.trim())
    }
}

fn first<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let mut named = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}

/// Whether it can name a header: RFC 9110's `token`.
pub fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// Whether a header can say it: no control characters but tabs, so that it cannot end and begin another.
pub fn is_header_value(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() && c != '\t')
}
