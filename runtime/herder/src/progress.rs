//! What the worker is doing for a request, to tell whoever waits for it in vain.
//!
//! Not here: how long they wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tombolo_model::calendar;

/// What the worker is doing for a request. Clones share it.
///
/// Follows `Stage` and `StagedTimeoutException` of Kafka Connect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Mutex<Option<Stage>>>);

#[derive(Debug)]
struct Stage {
    doing: String,
    began: SystemTime,
    completed: Option<SystemTime>,
}

impl Progress {
    /// The worker begins this.
    pub(crate) fn enter(&self, doing: impl Into<String>) {
        let began = SystemTime::now();
        *self.lock() = Some(Stage { doing: doing.into(), began, completed: None });
    }

    /// What the worker did is done; what comes next is not known yet.
    pub(crate) fn complete(&self) {
        if let Some(stage) = &mut *self.lock() {
            stage.completed.get_or_insert_with(SystemTime::now);
        }
    }

    /// What to tell whoever waited in vain.
    pub(crate) fn in_vain(&self) -> String {
        match &*self.lock() {
            None => "Request timed out".to_owned(),
            Some(Stage { doing, began, completed: None }) => format!(
                "Request timed out. The worker is currently {doing}, which began at {}.",
                instant(*began)
            ),
            Some(Stage { doing, began, completed: Some(completed) }) => format!(
                "Request timed out. The last operation the worker completed was {doing}, which began at {} and completed at {}.",
                instant(*began),
                instant(*completed)
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time as Java prints an `Instant` of whole milliseconds: `2026-11-28T10:08:55.123Z`.
fn instant(time: SystemTime) -> String {
    let (text, nanos) = calendar::utc(time);
    let fraction = match nanos / 1_000_000 {
        0 => String::new(),
        milliseconds => format!(".{milliseconds:03}"),
    };
    format!("{text}{fraction}Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn times_print_as_in_java() {
        let check = |milliseconds: u64, expected: &str| {
            assert_eq!(instant(UNIX_EPOCH + Duration::from_millis(milliseconds)), expected);
        };
        check(0, "1970-01-01T00:00:00Z");
        check(1_709_251_199_007, "2024-02-29T23:59:59.007Z");
        check(1_795_860_535_939, "2026-11-28T10:08:55.939Z");
    }

    #[test]
    fn who_waited_in_vain_hears_for_what() {
        let progress = Progress::default();
        assert_eq!(progress.in_vain(), "Request timed out");
        progress.enter("restarting task a-0");
        let text = progress.in_vain();
        let current =
            "Request timed out. The worker is currently restarting task a-0, which began at 2";
        assert!(text.starts_with(current), "{text}");
        progress.complete();
        let text = progress.in_vain();
        let last = "Request timed out. The last operation the worker completed was restarting task a-0, which began at 2";
        assert!(text.starts_with(last) && text.contains(" and completed at 2"), "{text}");
    }
}
