//! What a broker is told at its start. Not here: settings of topics, which clients send (`topics::config`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of one broker.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept. Created when missing; only one process at a time may use it.
    pub dir: PathBuf,
    /// Address to listen on. Loopback only: there is neither encryption nor authentication. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether a client's mention of an unknown topic creates it (`auto.create.topics.enable`).
    pub auto_create_topics: bool,
    /// Partitions of a topic whose creator did not say (`num.partitions`). At least 1.
    pub partitions_default: i32,
    /// How long a new group waits for more members (`group.initial.rebalance.delay.ms`).
    pub initial_rebalance_delay: Duration,
    /// Pause between two passes of retention, compaction and sync to disk.
    pub clean_interval: Duration,
}

/// Kafka's default is three seconds, which a person who tries things out would only wait for.
const INITIAL_REBALANCE_DELAY: Duration = Duration::from_millis(50);

/// Short enough to see compaction and retention work, long enough that records with old timestamps can be looked at
/// before retention takes them (Kafka checks every five minutes).
const CLEAN_INTERVAL: Duration = Duration::from_secs(60);

impl Config {
    /// Settings for `tombolo dev`: topics are created on first use, with one partition.
    pub fn dev(dir: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            dir: dir.into(),
            listen,
            auto_create_topics: true,
            partitions_default: 1,
            initial_rebalance_delay: INITIAL_REBALANCE_DELAY,
            clean_interval: CLEAN_INTERVAL,
        }
    }
}
