//! Why there is no answer, told apart by what the plugin can do. Not here: answers, whatever their status.

use std::fmt;
use std::time::Duration;

use super::Request;
use crate::fault::Fault;

/// What can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The host does not allow the request. Only the operator, or the connector's `sandbox.net.allow`, can change that.
    Denied,
    /// There can be no such request.
    Invalid,
    /// No connection, or one that broke. Trying again may help; what was sent may have arrived.
    Failed,
    /// Not within the time for it. As [`ErrorKind::Failed`].
    Timeout,
    /// The host gives the connector no further connection just now: it has many, or opens them fast. Nothing was sent. [`super::Client::send`] waits for one
    /// within its time.
    Busy,
    /// The answer's body is larger than it may be.
    TooLarge,
}

/// A request without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What can be done about it.
    pub kind: ErrorKind,
    message: String,
}

impl Error {
    /// An error of this kind, in these words.
    pub fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "the host's clock alone finds it")
    )]
    pub(super) fn timeout(time: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format_args!("no answer within {} ms", time.as_millis()))
    }

    pub(super) fn too_large(body_max: usize) -> Self {
        let message = format!("the answer's body is larger than {body_max} bytes");
        Self { kind: ErrorKind::TooLarge, message }
    }

    /// The same, naming what was asked.
    pub(super) fn about(self, request: &Request) -> Self {
        let message = format!("{} {}: {}", request.method, request.url, self.message);
        Self { message, ..self }
    }

    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Failed | ErrorKind::Timeout | ErrorKind::Busy)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::Denied | ErrorKind::Invalid => Fault::config(error),
            ErrorKind::Failed | ErrorKind::Timeout | ErrorKind::Busy => Fault::retriable(error),
            ErrorKind::TooLarge => Fault::fatal(error),
        }
    }
}
