//! Query parameters, as Kafka Connect reads them: repeated names, booleans in any case.
//!
//! Not here: paths and bodies.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use crate::error::Failure;

/// The parameters of a request, in order.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A boolean; `default` where it is not given or empty. Anything else but `true` is false.
    pub(crate) fn is_true(&self, name: &str, default: bool) -> bool {
        let given = self.get(name).filter(|value| !value.is_empty());
        given.map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            Ok(Query(pairs)) => Ok(Self(pairs)),
            Err(_) => Err(Failure::http(axum::http::StatusCode::NOT_FOUND)),
        }
    }
}
