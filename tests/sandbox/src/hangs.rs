//! Hangs in every exported function, and how soon that shows.
//!
//! Not here: the guest that hangs (`tests/guests/programs/hangs.rs`).

mod places;
mod watch;

use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::field::{CALL_TIMEOUT, Field};

/// How long after a hang's deadline it shows.
pub const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// The deadline of what a component does for no connector: the default of `sandbox.call.timeout.ms`.
const OWN_DEADLINE: Duration = Duration::from_secs(30);

/// How long six components take to be compiled, one after the other.
const COMPILED_WITHIN: Duration = Duration::from_secs(60);

/// Ways to hang.
pub const WAYS: [&str; 6] = ["loop", "recursion", "sleep", "trap", "huge return", "exit"];

/// What became of one hang.
#[derive(Debug)]
pub struct Shown {
    /// The function, as `sink.put`.
    pub place: &'static str,
    /// The way.
    pub way: &'static str,
    /// When it must have ended, from the call.
    pub deadline: Duration,
    /// From the call to where it shows; none where the function was not called.
    pub after: Option<Duration>,
    /// What is wrong, if anything is.
    pub wrong: Option<String>,
}

impl Shown {
    /// How long after its deadline it showed.
    pub fn late(&self) -> Option<Duration> {
        Some(self.after?.saturating_sub(self.deadline))
    }

    fn new(place: &'static str, way: &'static str, seen: Result<Option<Duration>>) -> Self {
        Self::of(place, way, CALL_TIMEOUT, seen)
    }

    fn of(
        place: &'static str,
        way: &'static str,
        deadline: Duration,
        seen: Result<Option<Duration>>,
    ) -> Self {
        let (after, wrong) = match seen {
            Ok(Some(after)) if after > deadline + SHOWN_WITHIN => {
                (Some(after), Some(format!("it shows after {:.1} s", after.as_secs_f64())))
            }
            Ok(after) => (after, None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        Self { place, way, deadline, after, wrong }
    }
}

/// Hangs in every function, in these ways.
pub fn run(field: &Field, ways: &[&'static str]) -> Result<Vec<Shown>> {
    watch::feed(field)?;
    let mut all = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        // They have no connector, and so the worker's own deadline, which is long.
        let asked: Vec<_> = ways
            .iter()
            .flat_map(|&way| {
                let validated = scope.spawn(move || {
                    let took = watch::validate(field, way).map(Some);
                    Shown::of("catalog.validate", way, OWN_DEADLINE, took)
                });
                let uploaded = scope.spawn(move || {
                    let took = watch::catalog(field, way).map(Some);
                    Shown::of("catalog.plugins", way, OWN_DEADLINE + COMPILED_WITHIN, took)
                });
                [validated, uploaded]
            })
            .collect();
        for &way in ways {
            all.extend(watch::statuses(field, way)?);
            all.extend(watch::answers(field, way));
            field.holds()?;
        }
        for one in asked {
            all.push(one.join().map_err(|_| anyhow!("a thread that asks failed"))?);
        }
        Ok(())
    })?;
    Ok(all)
}
