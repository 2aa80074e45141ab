//! Outages are told once: librdkafka tells of them again with every attempt to connect.
//!
//! Not here: waiting, which librdkafka does.

use std::time::Duration;

use tokio::time::Instant;

/// So long without a word about it, an outage is over: librdkafka tries every second while it lasts (`reconnect.backoff.max.ms`), and every few
/// seconds where an attempt takes long.
const OVER_AFTER: Duration = Duration::from_secs(30);

/// Whether no broker can be reached, as far as was told.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    told: Option<Instant>,
}

impl Outage {
    /// Takes word of an outage; answers whether it is a new one.
    pub(crate) fn is_new(&mut self, now: Instant) -> bool {
        let before = self.told.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) > OVER_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_the_next_one_again() {
        let mut outage = Outage::default();
        let start = Instant::now();
        assert!(outage.is_new(start));
        for seconds in 1..100 {
            assert!(!outage.is_new(start + Duration::from_secs(2 * seconds)));
        }
        assert!(outage.is_new(start + Duration::from_secs(198) + OVER_AFTER * 2));
    }
}
