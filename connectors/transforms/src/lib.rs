//! Transformations and predicates of Kafka Connect.
//!
//! Not here: anything.

mod regex;
