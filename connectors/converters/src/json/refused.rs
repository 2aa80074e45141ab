//! Why a row was not converted. Not here: why a whole call fails, which is a fault.

use tombolo_sdk::cbor;
use tombolo_sdk::fault::{Fault, Problem};
use tombolo_sdk::json;

/// Why a row was not converted.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is no JSON.
    Syntax(json::Error),
    /// It does not fit its schema, or has none.
    Data(Problem),
    /// The call cannot go on.
    Call(Fault),
}

impl Refused {
    /// What Connect throws as a `DataException`.
    #[cold]
    pub(crate) fn data(message: impl std::fmt::Display) -> Self {
        Self::Data(Problem::data(message))
    }

    /// What Connect throws as a `SchemaBuilderException`.
    #[cold]
    pub(crate) fn schema(message: impl std::fmt::Display) -> Self {
        Self::Data(Problem::of("org.apache.kafka.connect.errors.SchemaBuilderException", message))
    }
}

/// A row that is no JSON, in Connect's words; what is wrong with it stands in the trace, as the exception's cause does in Connect.
pub(crate) fn not_json(outer: &str, error: &json::Error) -> Problem {
    let mut problem = Problem::data(outer);
    let class = problem.class.as_deref().unwrap_or_default();
    problem.trace = Some(format!(
        "{class}: {outer}\nCaused by: org.apache.kafka.common.errors.SerializationException: {error}"
    ));
    problem
}

impl From<json::Error> for Refused {
    fn from(error: json::Error) -> Self {
        Self::Syntax(error)
    }
}

impl From<cbor::Error> for Refused {
    fn from(error: cbor::Error) -> Self {
        Self::Data(error.into())
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Call(fault)
    }
}
