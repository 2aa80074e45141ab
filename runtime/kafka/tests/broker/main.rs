//! What the Kafka crate promises, held to a real Apache Kafka and to our own dev broker: one behaviour, two brokers.
//!
//! Not here: what one broker alone can show (`security`, `outages`).

#[cfg(test)]
mod administering;
#[cfg(test)]
mod consuming;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod producing;
#[cfg(test)]
mod support;
