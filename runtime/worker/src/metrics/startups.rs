//! How starts of connectors and tasks end, and what each of them is.
//!
//! Not here: starting them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tombolo_model::status::State;

use super::measures::{Outcomes, Total};
use super::sampled::Windows;
use super::states::StateTimes;

/// Starts of all connectors, or of all tasks, of a worker.
///
/// Follows `WorkerMetricsGroup` of Kafka Connect.
#[derive(Debug)]
pub(crate) struct Startups {
    succeeded: Total,
    failed: Total,
    /// Locked, as starts happen on many threads, and rarely.
    outcomes: Mutex<Outcomes>,
}

impl Startups {
    pub(crate) fn new(windows: Windows, now: Instant) -> Self {
        let outcomes = Mutex::new(Outcomes::new(windows, now));
        Self { succeeded: Total::default(), failed: Total::default(), outcomes }
    }

    fn record(&self, succeeded: bool, now: Instant) {
        if succeeded { &self.succeeded } else { &self.failed }.add(1);
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).record(succeeded, now);
    }

    pub(crate) fn succeeded(&self) -> f64 {
        self.succeeded.get()
    }

    pub(crate) fn failed(&self) -> f64 {
        self.failed.get()
    }

    /// The share that succeeded, and the share that failed.
    pub(crate) fn shares(&self, now: Instant) -> (f64, f64) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).shares(now)
    }
}

/// What one connector or task is, from its start on.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    states: StateTimes,
    startups: Arc<Startups>,
    has_started: AtomicBool,
}

impl Lifecycle {
    /// Of one that is about to start.
    pub(crate) fn new(startups: Arc<Startups>) -> Self {
        Self { states: StateTimes::new(), startups, has_started: AtomicBool::new(false) }
    }

    /// It is something else from now on. A start ends with the first state that is running, or with a failure before it; after a failure
    /// for now comes another.
    pub(crate) fn becomes(&self, state: State, now: Instant) {
        self.states.becomes(state, now);
        match state {
            State::Running if !self.has_started.swap(true, Ordering::Relaxed) => {
                self.startups.record(true, now);
            }
            State::Failed if !self.has_started.load(Ordering::Relaxed) => {
                self.startups.record(false, now);
            }
            State::Restarting if !self.has_started.swap(false, Ordering::Relaxed) => {
                self.startups.record(false, now);
            }
            _ => {}
        }
    }

    pub(crate) fn states(&self) -> &StateTimes {
        &self.states
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_start_ends_once_whatever_comes_later() {
        let now = Instant::now();
        let windows = Windows { window: Duration::from_secs(30), count: 2 };
        let startups = Arc::new(Startups::new(windows, now));
        let run = |states: &[State]| {
            let one = Lifecycle::new(Arc::clone(&startups));
            states.iter().for_each(|state| one.becomes(*state, now));
        };
        run(&[State::Paused, State::Running, State::Paused, State::Running, State::Failed]);
        run(&[State::Failed]);
        run(&[State::Paused, State::Unassigned]);
        assert_eq!((startups.succeeded(), startups.failed()), (1.0, 1.0));
        assert_eq!(startups.shares(now), (0.5, 0.5));
        run(&[State::Restarting, State::Running, State::Restarting, State::Running]);
        assert_eq!((startups.succeeded(), startups.failed()), (3.0, 2.0));
    }
}
