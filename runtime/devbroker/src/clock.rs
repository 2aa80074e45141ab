//! The wall clock, for timestamps that are stored. What can be tested with a time of its own takes it as an argument.

use std::time::SystemTime;

/// Milliseconds since 1970, as Kafka's timestamps.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
