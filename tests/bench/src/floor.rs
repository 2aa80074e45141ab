//! The floor: a bare rdkafka loop that consumes and one that produces, in CPU nanoseconds per record.
//!
//! Not here: converters, sandboxes, files.

use std::time::Duration;

use anyhow::Result;

use crate::broker::{ANSWER_MAX, Broker, send};
use crate::process::cpu;
use crate::records::Record;
use rdkafka::producer::Producer;

/// CPU time of consuming `count` records one by one, per record in nanoseconds. The process must be idle besides.
pub fn consume(broker: &Broker, topic: &str, count: u64) -> Result<f64> {
    let mut bytes = 0;
    let before = cpu(std::process::id())?;
    broker.read(topic, count, |_, value| {
        bytes += value.len();
        Ok(())
    })?;
    Ok(per_record(cpu(std::process::id())? - before, count))
}

/// CPU time of producing `count` records of the same size, acknowledged by all replicas, per record in nanoseconds.
pub fn produce(broker: &Broker, topic: &str, count: u64) -> Result<f64> {
    broker.create(topic)?;
    let producer = broker.producer()?;
    let value = Record::new(0).json();
    let before = cpu(std::process::id())?;
    for _ in 0..count {
        send(&producer, topic, value.as_bytes())?;
    }
    producer.flush(ANSWER_MAX)?;
    Ok(per_record(cpu(std::process::id())? - before, count))
}

fn per_record(time: Duration, count: u64) -> f64 {
    time.as_nanos() as f64 / count as f64
}
