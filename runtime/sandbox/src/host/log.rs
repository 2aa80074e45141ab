//! `tombolo:connect/log`: a plugin's lines in the worker's log.
//!
//! Lines beyond the rate are counted instead of written, before anything else is done for them. Of the others each is cut, what its plugin must not tell is
//! hidden, and its control characters are escaped. Not here: where the log goes.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tombolo_model::Secrets;
use tombolo_model::capability::Capability;
use tombolo_model::meters::Meters;

use crate::host::Host;
use crate::v0::tombolo::connect::log as contract;

/// The target of plugins' lines, by which their level is set.
const PLUGIN: &str = "plugin";

/// Longest line, in bytes.
pub(crate) const LINE_MAX: usize = 4 << 10;

/// What a line counts beside its own bytes: about what its time, level and labels take in the log, so that an empty line is not free.
pub(crate) const LINE_BYTES: u64 = 128;

/// Said before the first line that is written again.
const DROPPED: &str = "lines of the plugin above sandbox.log.rate were dropped";

/// Whose lines they are.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    /// The connector.
    pub(crate) connector: Arc<str>,
    /// The task's index; none for the connector itself.
    pub(crate) task: Option<u32>,
    /// The component's digest, short.
    pub(crate) component: Arc<str>,
}

/// What the plugins of one instance know and must not tell: it grows with their settings. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Confided(Arc<Mutex<Secrets>>);

impl Confided {
    /// Adds what settings hold.
    pub(crate) fn add(&self, secrets: &Secrets) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.and(secrets);
    }

    /// A line without it, cut.
    pub(crate) fn hide<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let kept = cut(line);
        let is_cut = kept.len() < line.len();
        match if is_cut { secrets.hide_cut(kept) } else { secrets.hide(kept) } {
            Cow::Borrowed(line) => Cow::Borrowed(cut(line)),
            Cow::Owned(line) => Cow::Owned(cut(&line).to_owned()),
        }
    }
}

/// The log of one store.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) labels: Labels,
    pub(crate) confided: Confided,
    pub(crate) meters: Arc<Meters>,
    pub(crate) rate: Rate,
}

impl Log {
    /// A line without what the plugin must not tell, cut.
    pub(crate) fn hide<'a>(&self, line: &'a str) -> Cow<'a, str> {
        self.confided.hide(line)
    }

    /// Writes a line, or counts it as dropped.
    pub(crate) fn write(&self, level: contract::Level, line: &str) {
        let raw_bytes = cut(line).len() as u64;
        let Some(dropped) = self.rate.admit(raw_bytes) else {
            return self.meters.log_line_dropped();
        };
        let line = escaped(&self.hide(line));
        let bytes = line.len() as u64;
        self.rate.spend(bytes.saturating_sub(raw_bytes));
        self.meters.logged(bytes);
        self.meters.capabilities().uses(Capability::Log);
        let Labels { connector, task, component } = &self.labels;
        if dropped > 0 {
            self.rate.spend(LINE_BYTES + DROPPED.len() as u64);
            tracing::warn!(target: PLUGIN, %connector, task, %component, dropped, "{DROPPED}");
        }
        match level {
            contract::Level::Trace => {
                tracing::trace!(target: PLUGIN, %connector, task, %component, "{line}")
            }
            contract::Level::Debug => {
                tracing::debug!(target: PLUGIN, %connector, task, %component, "{line}")
            }
            contract::Level::Info => {
                tracing::info!(target: PLUGIN, %connector, task, %component, "{line}")
            }
            contract::Level::Warn => {
                tracing::warn!(target: PLUGIN, %connector, task, %component, "{line}")
            }
            contract::Level::Error => {
                tracing::error!(target: PLUGIN, %connector, task, %component, "{line}")
            }
        }
    }
}

/// How much may be logged in a second. Clones share it: the instances of one task do, those too that take the place of one that ended.
#[derive(Clone)]
pub(crate) struct Rate(Arc<Mutex<Allowance>>);

impl Rate {
    pub(crate) fn new(bytes_per_second: u32) -> Self {
        Self(Arc::new(Mutex::new(Allowance::new(bytes_per_second, Instant::now()))))
    }

    fn lock(&self) -> MutexGuard<'_, Allowance> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line of so many bytes may be written, and how many were dropped since the last that was.
    fn admit(&self, bytes: u64) -> Option<u64> {
        self.lock().admit(bytes, Instant::now())
    }

    /// Takes what a line that is written turned out to take beside.
    fn spend(&self, bytes: u64) {
        self.lock().spend(bytes);
    }
}

/// Bytes that may still be written: fills by the second, up to one second's worth.
struct Allowance {
    per_second: u64,
    left: u64,
    filled: Instant,
    dropped: u64,
}

impl Allowance {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = u64::from(per_second);
        Self { per_second, left: per_second, filled: now, dropped: 0 }
    }

    /// Whether a line may be written, which takes [`LINE_BYTES`] beside its own, and how many were dropped since the last that was.
    fn admit(&mut self, bytes: u64, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled).as_millis();
        let due = u64::try_from(passed).unwrap_or(u64::MAX).saturating_mul(self.per_second) / 1_000;
        if due > 0 {
            self.left = self.left.saturating_add(due).min(self.per_second);
            self.filled = now;
        }
        match self.left.checked_sub(LINE_BYTES.saturating_add(bytes)) {
            Some(left) => {
                self.left = left;
                Some(std::mem::take(&mut self.dropped))
            }
            None => {
                self.dropped += 1;
                None
            }
        }
    }

    fn spend(&mut self, bytes: u64) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// At most [`LINE_MAX`] bytes of it.
pub(crate) fn cut(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LINE_MAX)).unwrap_or(line)
}

/// Without control characters, which could forge lines or steer a terminal.
pub(crate) fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for char in line.chars() {
        if char.is_control() && char != '\t' {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    out
}

impl contract::Host for Host {
    fn log(&mut self, level: contract::Level, message: String) -> wasmtime::Result<()> {
        self.count_call()?;
        self.log.write(level, &message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lines_beyond_the_rate_are_counted() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut allowance = Allowance::new(1_000, start);
        let line = |bytes: u64| bytes - LINE_BYTES;
        assert_eq!(allowance.admit(line(600), start), Some(0));
        assert_eq!(allowance.admit(line(600), start), None);
        assert_eq!(allowance.admit(line(600), start), None);
        assert_eq!(allowance.admit(line(400), start), Some(2));
        assert_eq!(allowance.admit(line(600), after(500)), None);
        assert_eq!(allowance.admit(line(600), after(600)), Some(1));
        assert_eq!(allowance.admit(line(1_001), after(60_000)), None, "never above a second");
        allowance.spend(2_000);
        assert_eq!(allowance.admit(line(LINE_BYTES), after(60_000)), None, "it was spent");
    }

    #[test]
    fn empty_lines_are_not_free_and_a_flood_of_them_is_dropped() {
        let start = Instant::now();
        let mut allowance = Allowance::new(64 << 10, start);
        let mut written =
            |now: Instant| (0..65_536).filter(|_| allowance.admit(0, now).is_some()).count() as u64;
        assert_eq!(written(start), (64 << 10) / LINE_BYTES);
        assert_eq!(written(start), 0);
        assert_eq!(written(start + Duration::from_secs(1)), (64 << 10) / LINE_BYTES);
    }

    /// The log of a plugin with a rate of so many bytes.
    fn log(rate: &Rate) -> Log {
        Log {
            labels: Labels { connector: "c".into(), task: None, component: "".into() },
            confided: Confided::default(),
            meters: Arc::default(),
            rate: rate.clone(),
        }
    }

    #[test]
    fn what_takes_the_place_of_an_instance_has_no_more_to_log_than_that_had_left() {
        let rate = Rate::new(u32::try_from(3 * LINE_BYTES).unwrap());
        let (first, second) = (log(&rate), log(&rate));
        for _ in 0..100 {
            first.write(contract::Level::Info, "");
        }
        for _ in 0..100 {
            second.write(contract::Level::Info, "");
        }
        let dropped = |log: &Log| log.meters.read().log_lines_dropped;
        // On a busy machine a line or another is due meanwhile.
        assert!((90..=97).contains(&dropped(&first)), "{}", dropped(&first));
        assert!(dropped(&second) >= 90, "{}", dropped(&second));
    }

    #[test]
    fn what_escaping_makes_of_a_line_counts() {
        let rate = Rate::new(1_000);
        let log = log(&rate);
        log.write(contract::Level::Info, &"\u{1b}".repeat(300));
        assert_eq!(log.meters.read().log_bytes, 6 * 300);
        assert_eq!(rate.lock().left, 0);
    }

    #[test]
    fn a_line_is_cut_and_its_control_characters_are_escaped() {
        assert_eq!(escaped("a\nb\u{1b}[2Jc\td"), "a\\nb\\u{1b}[2Jc\td");
        assert_eq!(cut(&"ä".repeat(3_000)).len(), LINE_MAX);
    }

    #[test]
    fn what_a_plugin_must_not_tell_is_hidden_even_across_the_cut() {
        let confided = Confided::default();
        confided.add(&Secrets::new(["hunter2"]));
        confided.add(&Secrets::new(["correct-horse"]));
        assert_eq!(confided.hide("hunter2 on a correct-horse"), "[hidden] on a [hidden]");
        let long = format!("{}hunter2", "x".repeat(LINE_MAX - 3));
        let hidden = confided.hide(&long);
        assert!(hidden.len() == LINE_MAX && hidden.ends_with("x[hi"), "{hidden}");
    }
}
