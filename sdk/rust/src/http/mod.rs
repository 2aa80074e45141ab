//! A small HTTP client: one request, one answer, within a time and a size.
//!
//! ```
//! use tombolo_sdk::http::{Client, Request, Response, Url};
//! use tombolo_sdk::testing;
//!
//! testing::answer_http(|request| {
//!     assert_eq!(request.header("content-type"), Some("application/json"));
//!     Ok(Response::new(201).body("made"))
//! });
//! let url = Url::parse("https://api.example.com/orders").unwrap();
//! let request = Request::post(url).header_with("content-type", "application/json").body("{}");
//! let response = Client::new().send(&request)?;
//! assert!(response.is_success());
//! # tombolo_sdk::fault::Result::Ok(())
//! ```
//!
//! An answer of any status is an answer, and no redirect is followed: what a status means only the plugin knows. An [`Error`] says that there is no
//! answer; as a [`Fault`](crate::fault::Fault) it is one of the configuration where the operator does not allow the request, and retriable where trying
//! again may help. Where a plugin may send requests the setting `sandbox.net.allow` of its connector says; credentials that the host adds by
//! `sandbox.http.auth.*` it never sees.
//!
//! In a component this is `wasi:http`; natively requests are answered by [`testing::answer_http`](crate::testing::answer_http). Not here: pools of
//! connections, proxies and TLS, which are the host's.

mod date;
mod error;
mod message;
mod url;
#[cfg(target_family = "wasm")]
mod wasi;

use std::time::{Duration, Instant};

pub use error::{Error, ErrorKind};
pub use message::{Method, Request, Response, is_header_name, is_header_value};
pub use url::{Url, percent_encode};

use crate::host;
#[cfg(not(target_family = "wasm"))]
use crate::testing::http as exchange;
#[cfg(target_family = "wasm")]
use wasi as exchange;

/// The time for a request where none is set: less than the 30 s that the host gives a call by default.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The largest body of an answer where no other size is set: small against the 128 MiB that a sandbox has by default.
pub const BODY_MAX: usize = 8 << 20;

/// Time between two looks whether the host has a connection to give: it gives 50 a second.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Sends requests, each on its own.
#[derive(Clone, Debug)]
pub struct Client {
    timeout: Duration,
    body_max: usize,
}

impl Default for Client {
    fn default() -> Self {
        Self { timeout: TIMEOUT, body_max: BODY_MAX }
    }
}

impl Client {
    /// With [`TIMEOUT`] and [`BODY_MAX`].
    pub fn new() -> Self {
        Self::default()
    }

    /// How long an exchange may take, from connecting to the last byte of the answer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Most bytes of an answer's body.
    #[must_use]
    pub fn body_max(mut self, bytes: usize) -> Self {
        self.body_max = bytes;
        self
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// Errors: there is no answer, or one with a larger body than [`Client::body_max`]; the message names method and URL, without the query.
    pub fn send(&self, request: &Request) -> Result<Response, Error> {
        let start = Instant::now();
        let answer = loop {
            let left = self.timeout.saturating_sub(start.elapsed());
            match exchange::exchange(request, left, self.body_max) {
                Err(error) if error.kind == ErrorKind::Busy && left > BUSY_PAUSE => {
                    host::wait(BUSY_PAUSE);
                }
                answer => break answer,
            }
        };
        let checked = answer.and_then(|response| match response.body.len() > self.body_max {
            true => Err(Error::too_large(self.body_max)),
            false => Ok(response),
        });
        checked.map_err(|error| error.about(request))
    }
}

#[cfg(test)]
mod tests;
