//! Which old segments a topic's retention gives up (`cleanup.policy=delete`). As in Kafka whole segments go, so a
//! young record keeps older ones in its segment.

use std::io;

use super::Log;

/// How much a topic keeps. Negative: without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// `retention.ms`, against the largest timestamp of a segment.
    pub ms: i64,
    /// `retention.bytes`, of a partition.
    pub bytes: i64,
}

impl Log {
    /// Deletes segments that are too old or too much. Never deletes records of an open transaction.
    pub(crate) fn retain(&mut self, retention: Retention, now_ms: i64) -> io::Result<()> {
        let is_old = |max_timestamp: i64| {
            retention.ms >= 0 && max_timestamp < now_ms.saturating_sub(retention.ms)
        };
        let stable = self.last_stable();
        if self.active.size() > 0 && is_old(self.active.max_timestamp()) && self.next() <= stable {
            self.roll()?;
        }
        let mut left = self.size();
        let mut start = self.start();
        for segment in self.closed.iter().take_while(|segment| segment.next() <= stable) {
            let is_too_much = u64::try_from(retention.bytes)
                .is_ok_and(|bytes_max| left - segment.size() >= bytes_max);
            if !is_old(segment.max_timestamp()) && !is_too_much {
                break;
            }
            left -= segment.size();
            start = segment.next();
        }
        self.delete_before(start).map(drop)
    }
}
