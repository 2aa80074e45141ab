//! Converters of Kafka Connect.
//!
//! Not here: anything.

mod values;
#[cfg(test)]
mod vectors;
