//! Starts what failed anew from its last committed offsets: after a pause, and only so often within a time.
//!
//! Not here: what a run is (`source_task`, `sink_task`, `connector`), and restarts that someone asks for (the herder).
//!
//! Kafka Connect has nothing like it: there what failed stays failed until someone restarts it.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tombolo_model::status::State;
use tombolo_model::{Fault, FaultKind, calendar};

use crate::connector_config::RestartConfig;
use crate::connector_config::definitions::{RESTART_MAX, RESTART_WINDOW};
use crate::task::TaskParts;
use crate::tolerance::random;

/// Most of a pause that is taken from it at random, so that tasks which failed together do not come back together.
const JITTER_PERCENT: u64 = 20;

/// The restarts of one task, or of a connector's own instance.
#[derive(Debug)]
pub(crate) struct Restarts {
    config: RestartConfig,
    /// When there were some, within the window; the oldest first.
    recent: VecDeque<Instant>,
    /// How many followed a run that was short.
    in_a_row: u32,
    /// When the present run began.
    began: Instant,
}

/// What follows a failure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is started anew.
    Restart {
        /// After this pause.
        pause: Duration,
        /// What there is to say of it.
        note: String,
    },
    /// It stays failed, with what there is to say of the restarts before.
    Stays(Option<String>),
}

impl Restarts {
    /// None yet; the first run begins.
    pub(crate) fn new(config: RestartConfig) -> Self {
        Self { config, recent: VecDeque::new(), in_a_row: 0, began: Instant::now() }
    }

    /// A run failed.
    ///
    /// Started anew is what broke its sandbox, and what failed for now. What a plugin calls fatal it would only say again.
    pub(crate) fn failed(&mut self, fault: &Fault) -> Next {
        let RestartConfig { max, window, backoff_max, .. } = self.config;
        let may_pass = matches!(fault.kind, FaultKind::Plugin(_) | FaultKind::Retriable { .. });
        if !may_pass || max == 0 {
            return Next::Stays(None);
        }
        let now = Instant::now();
        self.recent.retain(|at| now.saturating_duration_since(*at) < window);
        let number = self.recent.len() + 1;
        let window = window.as_millis();
        if number > max as usize {
            let note = format!(
                "It was started anew {max} times within {window} ms, and is not again ({RESTART_MAX}, {RESTART_WINDOW})."
            );
            return Next::Stays(Some(note));
        }
        if now.saturating_duration_since(self.began) > backoff_max {
            self.in_a_row = 0;
        }
        let pause = self.pause(random);
        self.in_a_row += 1;
        self.recent.push_back(now + pause);
        let (at, _) = calendar::utc(SystemTime::now() + pause);
        let note = format!(
            "It is started anew at {at}Z: restart {number} of at most {max} within {window} ms ({RESTART_MAX}, {RESTART_WINDOW})."
        );
        Next::Restart { pause, note }
    }

    /// Another run begins.
    pub(crate) fn begins(&mut self) {
        self.began = Instant::now();
    }

    fn pause(&self, random: impl Fn() -> u64) -> Duration {
        let RestartConfig { backoff, backoff_max, .. } = self.config;
        let times = 1_u32.checked_shl(self.in_a_row).unwrap_or(u32::MAX);
        let pause = backoff.saturating_mul(times).min(backoff_max);
        let jitter = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX) / 100 * JITTER_PERCENT;
        pause - Duration::from_micros(random() % jitter.max(1))
    }
}

/// Does a task's work in as many runs as it takes. A stop or a pause during a pause between two takes effect at once.
///
/// Errors: the fault that ended the last run.
pub(crate) async fn run<R>(mut parts: TaskParts, run: impl Fn(TaskParts) -> R) -> Result<(), Fault>
where
    R: Future<Output = Result<(), Fault>>,
{
    let mut restarts = Restarts::new(parts.config.restart);
    loop {
        let Err(fault) = run(parts.clone()).await else { return Ok(()) };
        parts.metrics.failures.broke(&fault);
        if parts.control.is_stopping() {
            return Err(fault);
        }
        match restarts.failed(&fault) {
            Next::Stays(note) => return Err(with_note(fault, note)),
            Next::Restart { pause, note } => {
                parts.reporter.failed_and(&fault, State::Restarting, &note).await;
                parts.control.pause(pause).await;
                if parts.control.is_stopping() {
                    return Ok(());
                }
                parts.metrics.failures.restarted();
                restarts.begins();
            }
        }
    }
}

/// A fault with one more line in its trace.
fn with_note(mut fault: Fault, note: Option<String>) -> Fault {
    let lines: Vec<String> = fault.trace.take().into_iter().chain(note).collect();
    fault.trace = (!lines.is_empty()).then(|| lines.join("\n"));
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::Stage;
    use tombolo_model::fault::Breach;

    const CONFIG: RestartConfig = RestartConfig {
        max: 3,
        window: Duration::from_secs(600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(60),
    };

    fn trap() -> Fault {
        Fault::breach(Breach::Trap, Stage::TaskPut, "unreachable")
    }

    /// The pause before the next run.
    fn pause(restarts: &mut Restarts) -> Option<Duration> {
        match restarts.failed(&trap()) {
            Next::Restart { pause, .. } => Some(pause),
            Next::Stays(_) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_breaches_and_failures_for_now_are_started_anew_and_only_where_that_is_wanted() {
        let next = |kind, max| {
            let mut restarts = Restarts::new(RestartConfig { max, ..CONFIG });
            matches!(restarts.failed(&Fault::new(kind, Stage::TaskPut, "")), Next::Restart { .. })
        };
        for breach in Breach::ALL {
            assert!(next(FaultKind::Plugin(breach), 1));
        }
        assert!(next(FaultKind::Retriable { after: None }, 1));
        for kind in [FaultKind::Fatal, FaultKind::Config, FaultKind::Record] {
            assert!(!next(kind, 1));
        }
        assert!(!next(FaultKind::Plugin(Breach::Trap), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_than_so_many_within_the_window_stays_failed_and_says_why() {
        let mut restarts = Restarts::new(CONFIG);
        for _ in 0..3 {
            let pause = pause(&mut restarts).unwrap();
            tokio::time::advance(pause).await;
            restarts.begins();
        }
        let note = "It was started anew 3 times within 600000 ms, and is not again (sandbox.restart.max, sandbox.restart.window.ms).";
        assert_eq!(restarts.failed(&trap()), Next::Stays(Some(note.to_owned())));
        tokio::time::advance(CONFIG.window).await;
        assert!(pause(&mut restarts).is_some(), "those are long ago");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_the_longest_and_begin_again_after_a_long_run() {
        let config = RestartConfig { max: 1_000, ..CONFIG };
        let mut restarts = Restarts::new(config);
        let mut next = || {
            let pause = restarts.pause(|| 0);
            restarts.failed(&trap());
            restarts.begins();
            pause.as_secs()
        };
        let pauses: Vec<u64> = (0..40).map(|_| next()).collect();
        assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 32, 60]);
        assert!(pauses[7..].iter().all(|pause| *pause == 60));
        tokio::time::advance(config.backoff_max + Duration::from_millis(1)).await;
        restarts.failed(&trap());
        assert_eq!(restarts.pause(|| 0), 2 * config.backoff, "the one before was the first again");
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_a_fifth_of_a_pause_is_taken_at_random() {
        let restarts = Restarts::new(CONFIG);
        assert_eq!(restarts.pause(|| 0), Duration::from_secs(1));
        assert_eq!(restarts.pause(|| 199_999), Duration::from_micros(800_001));
        assert_eq!(restarts.pause(|| 200_000), Duration::from_secs(1));
        let tiny = RestartConfig { backoff: Duration::from_millis(1), ..CONFIG };
        assert!(Restarts::new(tiny).pause(|| u64::MAX) > Duration::from_micros(800));
    }

    #[test]
    fn a_note_is_the_last_line_of_a_trace() {
        let mut fault = trap();
        fault.trace = Some("\tat wasm".to_owned());
        let noted = with_note(fault, Some("why".to_owned()));
        assert_eq!(noted.status_trace(), "unreachable\n\tat wasm\nwhy");
        assert_eq!(with_note(trap(), None).status_trace(), "unreachable");
    }
}
