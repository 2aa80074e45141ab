//! Why a request is refused.
//!
//! Not here: status codes and JSON, which `rest` chooses by the kind.

use tokio::task::JoinError;
use tombolo_model::ConnectorName;

/// Why a request is refused: a message for whoever asked, told apart by what they can do about it.
///
/// What caused it stands in the log, where it was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// The request is wrong; it will be refused again.
    #[error("{0}")]
    BadRequest(String),
    /// The worker's settings forbid it.
    #[error("{0}")]
    Forbidden(String),
    /// Something else is going on; the same request may succeed soon.
    #[error("{0}")]
    Conflict(String),
    /// It was not done in time; it may be done yet.
    #[error("{0}")]
    Timeout(String),
    /// The worker could not do it.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The worker could not do it; the cause goes to the log, unless it is that the worker stops.
    pub(crate) fn failed(message: impl Into<String>, cause: &dyn std::error::Error) -> Self {
        let message = message.into();
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(cause) = next {
            if cause.downcast_ref::<JoinError>().is_some_and(JoinError::is_cancelled) {
                return Self::stopped();
            }
            chain = format!("{chain}: {cause}");
            next = cause.source();
        }
        tracing::error!(error = chain, "{message}");
        Self::Internal(message)
    }

    pub(crate) fn not_found(name: &ConnectorName) -> Self {
        Self::NotFound(format!("Connector {name} not found"))
    }

    /// The herder is gone.
    pub(crate) fn stopped() -> Self {
        Self::Internal("The worker is shutting down".to_owned())
    }
}
