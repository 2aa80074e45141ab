//! The clock that interrupts guests: an epoch every few milliseconds, from a thread of its own.
//!
//! It must not share a thread with guests, which it has to interrupt. Not here: what a store does at a tick (`instance`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tombolo_model::metric::Histogram;
use wasmtime::{Engine, EngineWeak};

use crate::error::Error;

/// Longest time that a guest keeps a thread from its neighbours. Each tick costs a wake-up, and each guest that runs across one a yield.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Ticks without a call after which the clock stops until the next call: an idle worker wakes nothing.
const IDLE_TICKS: u32 = 50;

/// Bounds of the histogram of lateness, in seconds: beside the tick itself, what neighbours notice.
const LATENESS: &[f64] = &[0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];

/// Counts calls under way, and wakes the clock for the first.
#[derive(Clone)]
pub(crate) struct Ticker(Arc<Shared>);

struct Shared {
    calls: AtomicUsize,
    parked: AtomicBool,
    thread: std::sync::OnceLock<Thread>,
    lateness: Lateness,
}

/// How late ticks were.
#[derive(Default)]
struct Lateness {
    counts: [AtomicU64; LATENESS.len() + 1],
    nanos: AtomicU64,
}

impl Ticker {
    /// Starts the clock. It ends with the engine.
    pub(crate) fn start(engine: &Engine) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            calls: AtomicUsize::new(0),
            parked: AtomicBool::new(false),
            thread: std::sync::OnceLock::new(),
            lateness: Lateness::default(),
        });
        let (engine, ours) = (engine.weak(), Arc::clone(&shared));
        let spawned = std::thread::Builder::new()
            .name("epochs".to_owned())
            .spawn(move || run(&engine, &ours))
            .map_err(|error| Error::Engine(wasmtime::Error::new(error)))?;
        // Only this function sets it, and only once.
        let _first = shared.thread.set(spawned.thread().clone());
        Ok(Self(shared))
    }

    /// Notes a call, until the answer is dropped.
    pub(crate) fn call(&self) -> UnderWay {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if self.0.parked.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.0.thread.get()
        {
            thread.unpark();
        }
        UnderWay(Arc::clone(&self.0))
    }
}

impl Ticker {
    /// How late ticks were so far, while calls were under way.
    pub(crate) fn lateness(&self) -> Histogram {
        let Lateness { counts, nanos } = &self.0.lateness;
        let counts = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let sum = Duration::from_nanos(nanos.load(Ordering::Relaxed)).as_secs_f64();
        Histogram { bounds: LATENESS, counts, sum }
    }
}

impl Lateness {
    fn add(&self, late: Duration) {
        let seconds = late.as_secs_f64();
        let range = LATENESS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get(range) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

/// A call under way.
pub(crate) struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

fn run(engine: &EngineWeak, shared: &Shared) {
    let mut idle = 0;
    loop {
        let start = Instant::now();
        std::thread::park_timeout(TICK);
        shared.lateness.add(start.elapsed().saturating_sub(TICK));
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
        idle = if shared.calls.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle > IDLE_TICKS {
            rest(engine, shared);
            idle = 0;
        }
    }
}

/// Waits for the next call, or for the engine's end, which it looks for now and then.
fn rest(engine: &EngineWeak, shared: &Shared) {
    shared.parked.store(true, Ordering::SeqCst);
    // A call that came between the last look and the line above saw no one to wake.
    while shared.calls.load(Ordering::SeqCst) == 0
        && shared.parked.load(Ordering::SeqCst)
        && engine.upgrade().is_some()
    {
        std::thread::park_timeout(Duration::from_secs(1));
    }
    shared.parked.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_falls_into_ranges_up_to_their_bounds() {
        let lateness = Lateness::default();
        for micros in [0, 500, 501, 2_000_000] {
            lateness.add(Duration::from_micros(micros));
        }
        let counts: Vec<u64> =
            lateness.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(lateness.nanos.load(Ordering::Relaxed), 2_001_001_000);
    }
}
