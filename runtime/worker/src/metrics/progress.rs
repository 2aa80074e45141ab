//! When the loop of a task or a connector turned last, and when it last got something done. Ours; a status alone cannot tell a task that works from one that hangs.
//!
//! Not here: turning.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tombolo_model::metric::{Group, Readings, Tags};

const GROUP: Group = Group { domain: "tombolo", name: "task" };

/// When a loop turned last, and when it last got something done; in milliseconds since the epoch, 0 for never.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    turned: AtomicU64,
    moved: AtomicU64,
}

impl Progress {
    /// The loop begins another turn.
    pub(crate) fn turned(&self) {
        self.turned.store(now_ms(), Ordering::Relaxed);
    }

    /// Records were polled, taken by a sink, or acknowledged by Kafka.
    pub(crate) fn moved(&self) {
        self.moved.store(now_ms(), Ordering::Relaxed);
    }

    /// When the loop turned last; none for never.
    pub(crate) fn last_turn(&self) -> Option<SystemTime> {
        let turned = self.turned.load(Ordering::Relaxed);
        (turned > 0).then(|| UNIX_EPOCH + Duration::from_millis(turned))
    }

    pub(crate) fn read(&self, tags: &Tags, readings: &mut Readings) {
        let mut of = readings.of(GROUP, tags);
        for (name, help, at) in [
            (
                "last-turn-timestamp-seconds",
                "When the task's loop turned last, in seconds since 1970: a task that waits turns at least each second, one whose plugin hangs does not.",
                &self.turned,
            ),
            (
                "last-progress-timestamp-seconds",
                "When the task last polled records, gave them to its sink or had them acknowledged by Kafka, in seconds since 1970.",
                &self.moved,
            ),
        ] {
            let at = at.load(Ordering::Relaxed);
            if at > 0 {
                of.gauge(name, help, at as f64 / 1_000.0);
            }
        }
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
