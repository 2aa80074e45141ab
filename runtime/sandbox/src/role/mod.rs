//! The roles of `model::role`, played by components: each is one call, and the check of its answer.
//!
//! Not here: which instance a role runs in (`task`, `sandbox`).

pub(crate) mod answer;
pub(crate) mod connector;
pub(crate) mod converter;
pub(crate) mod header_converter;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod transformation;
