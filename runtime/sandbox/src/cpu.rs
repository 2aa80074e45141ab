//! Processor time of guests: measured around each turn that a call gets, held against its deadline and against its connector's budget.
//!
//! A guest gives up its thread at each tick (`ticker`), so that a turn is short, and deadline and budget are looked at between two. A call over the
//! budget is not polled until there is some again: it is slowed down, and nothing is lost. Not here: limits of memory (`limits`), and who counts
//! (`model::meters`).

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tombolo_model::meters::Meters;

use crate::engine::Guards;

mod budget;
mod turns;

pub(crate) use budget::CpuBudget;
pub(crate) use turns::{Competing, Turns, let_pass};

/// Longest time for which calls are held back beyond their deadline, each. With the default deadline of 30 s it makes 150 s: half of the five
/// minutes in which a Kafka consumer must poll again, as a call may last.
pub(crate) const PARKED_MAX: Duration = Duration::from_secs(120);

/// Where a store counts its processor time, and out of which budget.
#[derive(Clone)]
pub(crate) struct CpuMeter {
    pub(crate) meters: Arc<Meters>,
    /// The connector's; none where its processor time has no limit.
    pub(crate) budget: Option<Arc<CpuBudget>>,
    /// The connector's guests that want to run, which share its weight.
    pub(crate) competing: Arc<Competing>,
    /// Set where the guest ends a turn though it could go on; one that ends it otherwise waits for something.
    pub(crate) yielded: Arc<AtomicBool>,
    /// Whether it is counted at all.
    pub(crate) guards: Guards,
}

impl CpuMeter {
    /// Does something for a guest outside of its calls, at its connector's expense.
    pub(crate) fn billed<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = thread_time();
        let done = work();
        self.ran(thread_time().saturating_sub(before));
        done
    }

    fn ran(&self, cpu: Duration) {
        if self.guards == Guards::Off {
            return;
        }
        self.meters.ran(cpu);
        if let Some(budget) = &self.budget {
            budget.spend(cpu, Instant::now());
        }
    }
}

/// The call did not end in time.
#[derive(Debug)]
pub(crate) struct DeadlinePassed {
    /// For how long it was held back.
    pub(crate) parked: Duration,
}

/// Runs a guest's call to its end or its deadline, and adds what it ran to its meters. The deadline is by the clock, without the time for which
/// the call was held back, up to [`PARKED_MAX`].
///
/// Cost: two readings of the thread's clock for each turn, one for a call that does not wait.
pub(crate) async fn metered<T>(
    meter: &CpuMeter,
    limit: Duration,
    call: impl Future<Output = T>,
) -> Result<T, DeadlinePassed> {
    if meter.guards == Guards::Off {
        let ended = tokio::time::timeout(limit, call).await;
        return ended.map_err(|_| DeadlinePassed { parked: Duration::ZERO });
    }
    let mut competes = None;
    let mut clock = CallClock::new(meter, limit);
    let mut call = pin!(call);
    let mut alarm = pin!(tokio::time::sleep_until(clock.deadline.into()));
    poll_fn(|context| {
        loop {
            let wake = match clock.turn(Instant::now()) {
                Turn::Over => return Poll::Ready(Err(DeadlinePassed { parked: clock.parked })),
                Turn::Parked(until) => {
                    competes = None;
                    until
                }
                Turn::Run => {
                    competes.get_or_insert_with(|| meter.competing.begin());
                    let before = thread_time();
                    let polled = call.as_mut().poll(context);
                    meter.ran(thread_time().saturating_sub(before));
                    match polled {
                        Poll::Ready(answer) => return Poll::Ready(Ok(answer)),
                        // It waits for the host, or for its next turn.
                        Poll::Pending => {
                            if !meter.yielded.swap(false, Ordering::Relaxed) {
                                competes = None;
                            }
                            clock.deadline
                        }
                    }
                }
            };
            let wake = wake.into();
            if alarm.deadline() != wake {
                alarm.as_mut().reset(wake);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// What a call may do now.
#[derive(Debug, PartialEq)]
enum Turn {
    Run,
    /// Nothing before this.
    Parked(Instant),
    /// Nothing any more.
    Over,
}

/// Deadline and budget of one call.
struct CallClock<'a> {
    meter: &'a CpuMeter,
    deadline: Instant,
    /// From when until when it is held back.
    hold: Option<(Instant, Instant)>,
    /// For how long it was held back.
    parked: Duration,
}

impl<'a> CallClock<'a> {
    fn new(meter: &'a CpuMeter, limit: Duration) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(limit).unwrap_or(now);
        Self { meter, deadline, hold: None, parked: Duration::ZERO }
    }

    fn turn(&mut self, now: Instant) -> Turn {
        if let Some((since, until)) = self.hold {
            if now < until {
                return Turn::Parked(until);
            }
            self.hold = None;
            let held = now.saturating_duration_since(since);
            self.deadline += held.min(self.may_still_be_parked());
            self.parked += held;
            self.meter.meters.parked(held);
        }
        if now >= self.deadline {
            return Turn::Over;
        }
        let Some(wait) = self.meter.budget.as_ref().and_then(|budget| budget.wait(now)) else {
            return Turn::Run;
        };
        let longest = self.deadline + self.may_still_be_parked();
        let until = now.checked_add(wait).map_or(longest, |until| until.min(longest));
        self.hold = Some((now, until));
        self.meter.meters.held_back();
        Turn::Parked(until)
    }

    fn may_still_be_parked(&self) -> Duration {
        PARKED_MAX.saturating_sub(self.parked)
    }
}

/// Bills the drop of a field that stands between these two, since the fields of a struct are dropped in their order.
///
/// A store gives its memory back to the kernel when it is dropped, which takes as long as many a call where it is large: it is its connector's time.
pub(crate) fn billed_drop(meter: &CpuMeter) -> (DropBegins, DropEnds) {
    let began = Arc::new(AtomicU64::new(0));
    (DropBegins(Arc::clone(&began)), DropEnds { began, meter: meter.clone() })
}

/// Stands before what is billed.
pub(crate) struct DropBegins(Arc<AtomicU64>);

/// Stands behind what is billed.
pub(crate) struct DropEnds {
    /// In nanoseconds of the thread's clock.
    began: Arc<AtomicU64>,
    meter: CpuMeter,
}

impl Drop for DropBegins {
    fn drop(&mut self) {
        self.0.store(nanos(thread_time()), Ordering::Relaxed);
    }
}

impl Drop for DropEnds {
    fn drop(&mut self) {
        let began = Duration::from_nanos(self.began.load(Ordering::Relaxed));
        self.meter.ran(thread_time().saturating_sub(began));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Drop for CallClock<'_> {
    /// The call may be given up while it is held back.
    fn drop(&mut self) {
        if let Some((since, _)) = self.hold {
            self.meter.meters.parked(since.elapsed());
        }
    }
}

/// Processor time of this thread so far.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tombolo_model::policy::CpuLimits;

    use super::*;

    /// Of 10 ms, and a thousandth of a core.
    fn metered_by_a_budget(start: Instant) -> (CpuMeter, Arc<CpuBudget>) {
        let burst = Duration::from_millis(10);
        let limits = CpuLimits { max_millicores: Some(1), burst, weight: 100 };
        let budget = Arc::new(CpuBudget::new(&limits, 1, start));
        let meter = CpuMeter {
            meters: Arc::default(),
            budget: Some(Arc::clone(&budget)),
            competing: Arc::default(),
            yielded: Arc::default(),
            guards: Guards::On,
        };
        (meter, budget)
    }

    /// Takes its time when it is dropped.
    struct Slow(Duration);

    impl Drop for Slow {
        fn drop(&mut self) {
            let began = thread_time();
            while thread_time() - began < self.0 {
                std::hint::spin_loop();
            }
        }
    }

    #[test]
    fn the_end_of_what_stands_between_is_spent_from_its_budget() {
        let start = Instant::now();
        let (meter, budget) = metered_by_a_budget(start);
        struct Between {
            _begins: DropBegins,
            _slow: Slow,
            _ends: DropEnds,
            _not_billed: Slow,
        }
        let (begins, ends) = billed_drop(&meter);
        let slow = Duration::from_millis(20);
        drop(Between { _begins: begins, _slow: Slow(slow), _ends: ends, _not_billed: Slow(slow) });
        let billed = meter.meters.read().cpu;
        assert!(billed >= slow && billed < slow * 2, "{billed:?}");
        assert!(budget.wait(Instant::now()).is_some());
    }

    #[test]
    fn a_call_over_its_budget_is_held_back_and_its_deadline_moves_up_to_a_cap() {
        let start = Instant::now();
        let (meter, budget) = metered_by_a_budget(start);
        let mut clock = CallClock::new(&meter, Duration::from_secs(1));
        let deadline = clock.deadline;
        assert_eq!(clock.turn(start), Turn::Run);
        budget.spend(Duration::from_millis(18), start);
        // A thousandth of a core makes up 8 ms, and another tick's worth, in ten seconds.
        let until = start + Duration::from_secs(10);
        assert_eq!(clock.turn(start), Turn::Parked(until));
        assert_eq!(clock.turn(until - Duration::from_millis(1)), Turn::Parked(until));
        assert_eq!(clock.turn(until), Turn::Run);
        assert_eq!(clock.deadline, deadline + Duration::from_secs(10));
        assert_eq!(meter.meters.read().parked, Duration::from_secs(10));
        budget.spend(Duration::from_secs(1), until);
        let longest = deadline + PARKED_MAX;
        assert_eq!(clock.turn(until), Turn::Parked(longest));
        assert_eq!(clock.turn(longest), Turn::Over);
    }
}
