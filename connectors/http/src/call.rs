//! The time that the host gives a call, and how much of it requests may take. Not here: waiting for an answer (`tombolo_sdk::http`).

use std::time::{Duration, Instant};

use tombolo_sdk::settings::{Key, Settings};

/// Not a setting of these connectors': after how long the host ends a call, and the task with it.
const TIMEOUT: Key<Option<Duration>> = Key::new("sandbox.call.timeout.ms");
/// What the host takes where it is not set.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallTime(Duration);

impl CallTime {
    /// By the connector's settings. Where it cannot be read, the host refuses it.
    pub(crate) fn read(settings: &Settings) -> Self {
        Self(TIMEOUT.get(settings).ok().flatten().unwrap_or(TIMEOUT_DEFAULT))
    }

    /// Until then requests begin: a third of it, so that each has half of it or more.
    fn begin_until(self) -> Duration {
        self.0 / 3
    }

    /// Until then they end: five sixths of it. The rest is for what is done with the answer, and for a guest that is slowed down.
    pub(crate) fn end_until(self) -> Duration {
        self.0 / 6 * 5
    }
}

/// A call that is under way.
#[derive(Debug)]
pub(crate) struct Call {
    time: CallTime,
    began: Instant,
    has_sent: bool,
}

impl Call {
    /// It begins now.
    pub(crate) fn begin(time: CallTime) -> Self {
        Self { time, began: Instant::now(), has_sent: false }
    }

    /// How long the next request may take, at most so long; none where it must wait for the next call.
    ///
    /// The first may always be sent: a guest that is slow to make it ready would never send any.
    pub(crate) fn request(&mut self, longest: Duration) -> Option<Duration> {
        let allowed = self.allowed(self.began.elapsed(), longest);
        self.has_sent |= allowed.is_some();
        allowed
    }

    fn allowed(&self, elapsed: Duration, longest: Duration) -> Option<Duration> {
        let is_late = elapsed > self.time.begin_until();
        let left = self.time.end_until().saturating_sub(elapsed);
        (!self.has_sent || !is_late).then(|| longest.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn requests_begin_and_end_before_the_host_ends_the_call() {
        let mut call = Call::begin(CallTime::read(&Settings::default()));
        assert_eq!(call.allowed(secs(0), secs(20)), Some(secs(20)));
        assert_eq!(call.allowed(secs(0), secs(120)), Some(secs(25)));
        assert_eq!(call.allowed(secs(24), secs(20)), Some(secs(1)), "the first is always sent");
        assert!(call.request(secs(20)).is_some());
        assert_eq!(call.allowed(secs(10), secs(20)), Some(secs(15)));
        assert_eq!(call.allowed(secs(11), secs(20)), None);
    }

    #[test]
    fn the_hosts_setting_counts() {
        let of = |millis: &str| {
            let settings = Settings::from([("sandbox.call.timeout.ms", millis)]);
            CallTime::read(&settings).end_until()
        };
        assert_eq!(of("120000"), secs(100));
        assert_eq!(of(" 6000 "), secs(5));
        assert_eq!(of("soon"), secs(25));
    }
}
