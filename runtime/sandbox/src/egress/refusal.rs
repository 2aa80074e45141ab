//! Why a connection was refused or did not come about.
//!
//! Not here: what a guest is told in the words of its interface.

use std::net::IpAddr;

use tombolo_model::egress::{BadHost, NET_ALLOW, NET_PRIVATE};

/// A connection that there is not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The policy says no.
    #[error("denied: {}", .0.told())]
    Denied(Refusal),
    /// The name leads nowhere, or nobody could say where.
    #[error("the name cannot be looked up")]
    NoAnswer,
    /// Nobody answers there.
    #[error("no connection")]
    Failed(#[source] std::io::Error),
    /// Not within the time for it.
    #[error("no connection within the time for it")]
    Timeout,
}

/// Why the policy says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no host, or none in its one spelling.
    BadHost(BadHost),
    /// There is no port 0.
    PortZero,
    /// The connector's list lacks it.
    NotAllowed,
    /// The operator's list lacks it.
    NotOffered,
    /// It is, or leads to, an address that is not public and not opened.
    Address(IpAddr),
    /// It is, or leads to, something of the worker's own.
    Own(IpAddr),
    /// More answers than a sound name has.
    TooManyAnswers,
    /// As many connections are open as may be.
    TooManyConnections,
    /// Connections are opened faster than they may be.
    TooFast,
}

impl Refusal {
    /// The word in metrics and in the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadHost(_) | Self::PortZero => "bad-host",
            Self::NotAllowed => "not-allowed",
            Self::NotOffered => "not-offered",
            Self::Address(_) => "address",
            Self::Own(_) => "own-service",
            Self::TooManyAnswers => "too-many-answers",
            Self::TooManyConnections => "too-many-connections",
            Self::TooFast => "too-fast",
        }
    }

    /// What a guest may know: nothing of what a name leads to.
    pub(crate) fn told(self) -> String {
        match self {
            Self::BadHost(why) => format!("the host {why}"),
            Self::PortZero => "there is no port 0".to_owned(),
            Self::NotAllowed => format!("the connector's {NET_ALLOW} does not have it"),
            Self::NotOffered => format!("{NET_ALLOW} of the worker does not have it"),
            Self::Address(_) | Self::Own(_) | Self::TooManyAnswers => "it is not open".to_owned(),
            Self::TooManyConnections => "as many connections are open as may be".to_owned(),
            Self::TooFast => "connections are opened too fast".to_owned(),
        }
    }

    /// What the operator is told beyond the word.
    pub(crate) fn detail(self) -> String {
        match self {
            Self::Address(address) => {
                format!("{address} is not public, and {NET_PRIVATE} does not open it")
            }
            Self::Own(address) => format!(
                "{address} is the worker's own, and no exact entry of {NET_PRIVATE} opens it"
            ),
            other => other.told(),
        }
    }
}
