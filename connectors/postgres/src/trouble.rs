//! What can go wrong with the database, and the fault that the worker gets of it. Not here: a row that cannot be written (`Problem`).

use std::fmt::Display;
use std::io;

use tombolo_sdk::fault::Problem;
use tombolo_sdk::network::NetworkError;

use crate::wire::refusal::{Refusal, Remedy};

/// Why the database did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection did not come about, or broke.
    Broken(String),
    /// The operator does not let this connector go there.
    Denied(String),
    /// The settings, or what the server demands of them.
    Configuration(String),
    /// The server refused a statement.
    Refused(Refusal),
    /// The table is not such that the records fit.
    Table(String),
}

impl Trouble {
    /// Whether the same can work later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            Self::Refused(refusal) => refusal.remedy() == Remedy::Retry,
            Self::Denied(_) | Self::Configuration(_) | Self::Table(_) => false,
        }
    }

    /// What is to be done about it.
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Refused(refusal) => refusal.remedy(),
            Self::Broken(_) => Remedy::Retry,
            Self::Denied(_) | Self::Configuration(_) => Remedy::Configure,
            Self::Table(_) => Remedy::None,
        }
    }

    /// The problem of the one row whose statement this is the answer to.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Refused(refusal) => Problem::data(refusal.in_full()),
            other => Problem::data(other),
        }
    }
}

impl Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(why) | Self::Denied(why) | Self::Configuration(why) | Self::Table(why) => {
                f.write_str(why)
            }
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NetworkError> for Trouble {
    fn from(error: NetworkError) -> Self {
        let why = error.message().to_owned();
        match error {
            NetworkError::Denied(_) => Self::Denied(why),
            NetworkError::Invalid(_) => Self::Configuration(why),
            NetworkError::Tls(_) => Self::Configuration(format!("no TLS: {why}")),
            NetworkError::Failed(_) | NetworkError::Timeout => Self::Broken(why),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::Broken("the server closed the connection".to_owned())
            }
            _ => Self::Broken(error.to_string()),
        }
    }
}
