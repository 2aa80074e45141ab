//! Runs plugins natively.
pub(crate) mod fake;
