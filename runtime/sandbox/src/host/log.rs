//! `tombolo:connect/log`: a plugin's lines in the worker's log.
//!
//! A line is cut, its control characters are escaped, what its plugin must not tell is hidden, and lines beyond the rate are counted instead of
//! written. Not here: where the log goes.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
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

/// The log of one store; clones share its rate.
#[derive(Clone)]
pub(crate) struct Log {
    labels: Labels,
    confided: Confided,
    meters: Arc<Meters>,
    rate: Arc<Mutex<Rate>>,
}

impl Log {
    pub(crate) fn new(
        labels: Labels,
        confided: Confided,
        meters: Arc<Meters>,
        bytes_per_second: u32,
    ) -> Self {
        let rate = Rate::new(bytes_per_second, Instant::now());
        Self { labels, confided, meters, rate: Arc::new(Mutex::new(rate)) }
    }

    /// A line without what the plugin must not tell, cut.
    pub(crate) fn hide<'a>(&self, line: &'a str) -> Cow<'a, str> {
        self.confided.hide(line)
    }

    /// Writes a line, or counts it as dropped.
    pub(crate) fn write(&self, level: contract::Level, line: &str) {
        let line = escaped(&self.hide(line));
        let admitted = self
            .rate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(line.len() as u64, Instant::now());
        let Some(dropped) = admitted else { return self.meters.log_line_dropped() };
        self.meters.logged(line.len() as u64);
        self.meters.capabilities().uses(Capability::Log);
        let Labels { connector, task, component } = &self.labels;
        if dropped > 0 {
            tracing::warn!(target: PLUGIN, %connector, task, %component, dropped, "lines of the plugin above sandbox.log.rate were dropped");
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

/// Bytes that may still be written: fills by the second, up to one second's worth.
struct Rate {
    per_second: u64,
    left: u64,
    filled: Instant,
    dropped: u64,
}

impl Rate {
    fn new(per_second: u32, now: Instant) -> Self {
        let per_second = u64::from(per_second);
        Self { per_second, left: per_second, filled: now, dropped: 0 }
    }

    /// Whether a line may be written, and how many were dropped since the last that was.
    fn admit(&mut self, bytes: u64, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled).as_millis();
        let due = u64::try_from(passed).unwrap_or(u64::MAX).saturating_mul(self.per_second) / 1_000;
        if due > 0 {
            self.left = self.left.saturating_add(due).min(self.per_second);
            self.filled = now;
        }
        match self.left.checked_sub(bytes) {
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
        let mut rate = Rate::new(100, start);
        assert_eq!(rate.admit(60, start), Some(0));
        assert_eq!(rate.admit(60, start), None);
        assert_eq!(rate.admit(60, start), None);
        assert_eq!(rate.admit(40, start), Some(2));
        assert_eq!(rate.admit(60, start + Duration::from_millis(500)), None);
        assert_eq!(rate.admit(60, start + Duration::from_millis(600)), Some(1));
        assert_eq!(rate.admit(101, start + Duration::from_secs(60)), None, "never above a second");
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
