//! When a source looks again for what was not there: soon after there was something, and ever less often while there is nothing.
//!
//! Not here: looking.

use std::time::{Duration, Instant};

/// The first pause: a file that is being written is followed closely.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// The longest pause: that of Kafka Connect's source.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// When to look next. At once, to begin with.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The pause after the next look that finds nothing.
    pause: Duration,
    /// None for at once.
    next: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: PAUSE_MIN, next: None }
    }
}

impl Pace {
    /// How long until the next look.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// Something was there.
    pub(crate) fn found(&mut self) {
        *self = Self::default();
    }

    /// Nothing was there.
    pub(crate) fn found_nothing(&mut self, now: Instant) {
        self.next = Some(now + self.pause);
        self.pause = (2 * self.pause).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second_until_something_is_there() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let mut pauses = |pace: &mut Pace, count: usize| -> Vec<u128> {
            let mut next = || {
                pace.found_nothing(now);
                let wait = pace.wait(now);
                now += wait;
                assert_eq!(pace.wait(now), Duration::ZERO, "it is time");
                wait.as_millis()
            };
            (0..count).map(|_| next()).collect()
        };
        assert_eq!(pace.wait(Instant::now()), Duration::ZERO);
        assert_eq!(pauses(&mut pace, 8), [20, 40, 80, 160, 320, 640, 1_000, 1_000]);
        pace.found();
        assert_eq!(pace.wait(Instant::now()), Duration::ZERO);
        assert_eq!(pauses(&mut pace, 2), [20, 40]);
    }
}
