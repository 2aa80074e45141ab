//! What a connector or a task is, and how much of its time it was what.
//!
//! Not here: who says so (`state`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tombolo_model::status::State;

/// Times that something spent in each state.
///
/// Follows `StateTracker` of Kafka Connect.
#[derive(Debug)]
pub(crate) struct StateTimes(Mutex<Times>);

#[derive(Debug)]
struct Times {
    now: Option<(State, Instant)>,
    before: [Duration; State::ALL.len()],
}

impl StateTimes {
    /// Nothing was told yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Times { now: None, before: Default::default() }))
    }

    /// It is something else from now on.
    pub(crate) fn becomes(&self, state: State, now: Instant) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match times.now {
            Some((before, since)) if before != state => {
                if let Some(spent) = times.before.get_mut(before as usize) {
                    *spent += now.saturating_duration_since(since);
                }
                times.now = Some((state, now));
            }
            Some(_) => {}
            None => times.now = Some((state, now)),
        }
    }

    /// What it is; unassigned before anything was told.
    pub(crate) fn state(&self) -> State {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.now.map_or(State::Unassigned, |(state, _)| state)
    }

    /// The share of its time that it was in this state; 0 before anything was told.
    pub(crate) fn share(&self, of: State, now: Instant) -> f64 {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((state, since)) = times.now else { return 0.0 };
        let current = now.saturating_duration_since(since);
        let before = times.before.get(of as usize).copied().unwrap_or_default();
        let spent = if of == state { before + current } else { before };
        let all = times.before.iter().sum::<Duration>() + current;
        if all.is_zero() { 0.0 } else { spent.as_secs_f64() / all.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_the_time_since_the_first_state() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let times = StateTimes::new();
        assert_eq!((times.state(), times.share(State::Running, at(0))), (State::Unassigned, 0.0));
        times.becomes(State::Running, at(10));
        times.becomes(State::Running, at(15));
        times.becomes(State::Paused, at(40));
        assert_eq!(times.share(State::Running, at(40)), 1.0);
        assert_eq!(times.share(State::Running, at(50)), 0.75);
        assert_eq!(times.share(State::Paused, at(50)), 0.25);
        times.becomes(State::Running, at(50));
        assert_eq!(times.share(State::Running, at(90)), 70.0 / 80.0);
        assert_eq!(times.share(State::Failed, at(90)), 0.0);
        assert_eq!(times.state(), State::Running);
    }
}
