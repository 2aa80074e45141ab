//! The last log lines of each connector, for whoever may see the connector but not the worker's log.
//!
//! Not here: what is logged, and at which level.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::calendar;

/// Most lines kept of one connector: a burst of errors with what led to it.
pub const LINES_MAX: usize = 1_000;

/// Most bytes kept of one connector, whatever its lines are long: a few dozen stack traces.
pub const CONNECTOR_BYTES_MAX: usize = 256 << 10;

/// Most bytes kept of all connectors. Beyond it the connectors that were silent for longest lose their lines.
pub const BYTES_MAX: usize = 32 << 20;

/// Longest message or value of a field, in bytes; what is longer is cut.
pub const TEXT_MAX: usize = 16 << 10;

/// What a line takes beside its texts.
const LINE_BYTES: usize = 128;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was logged.
    pub at: SystemTime,
    /// Its level, as `WARN`.
    pub level: &'static str,
    /// What logged it, as `tombolo_worker::sink_task`.
    pub logger: String,
    /// What it says.
    pub message: String,
    /// Names and values of its fields, as `connector`, `task`, `stage`, `topic`, `partition` and `offset`.
    pub fields: Vec<(&'static str, String)>,
}

impl LogLine {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// When it was logged, in UTC, as `2026-01-31T23:59:59.123456Z`.
    pub fn timestamp(&self) -> String {
        let (text, nanos) = calendar::utc(self.at);
        format!("{text}.{:06}Z", nanos / 1_000)
    }

    fn bytes(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.len());
        LINE_BYTES + self.logger.len() + self.message.len() + fields.sum::<usize>()
    }

    fn cut(&mut self) {
        for text in self.fields.iter_mut().map(|(_, value)| value).chain([&mut self.message]) {
            text.truncate(text.floor_char_boundary(TEXT_MAX));
        }
    }
}

/// The last log lines of each connector. Any thread may write and read.
#[derive(Debug, Default)]
pub struct LogLines(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    connectors: HashMap<String, Lines>,
    bytes: usize,
    /// Number of the last line.
    written: u64,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// Number of its last line.
    written: u64,
}

impl LogLines {
    /// Keeps a line, unless it has no field `connector`.
    pub fn push(&self, mut line: LogLine) {
        let Some(connector) = line.field("connector").map(str::to_owned) else { return };
        line.cut();
        self.lock().push(connector, line);
    }

    /// The last lines of a connector, in order; at most so many.
    pub fn last(&self, connector: &str, lines: usize) -> Vec<LogLine> {
        let kept = self.lock();
        let Some(Lines { lines: all, .. }) = kept.connectors.get(connector) else {
            return Vec::new();
        };
        all.iter().skip(all.len().saturating_sub(lines)).cloned().collect()
    }

    /// Forgets the lines of a connector.
    pub fn forget(&self, connector: &str) {
        self.lock().remove(connector);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, connector: String, line: LogLine) {
        self.written += 1;
        let of = self.connectors.entry(connector).or_default();
        of.written = self.written;
        let before = of.bytes;
        of.bytes += line.bytes();
        of.lines.push_back(line);
        while of.lines.len() > LINES_MAX || of.bytes > CONNECTOR_BYTES_MAX {
            let Some(oldest) = of.lines.pop_front() else { break };
            of.bytes -= oldest.bytes();
        }
        self.bytes = self.bytes - before + of.bytes;
        while self.bytes > BYTES_MAX {
            let silent = self.connectors.iter().min_by_key(|(_, lines)| lines.written);
            let Some(name) = silent.map(|(name, _)| name.clone()) else { break };
            self.remove(&name);
        }
    }

    fn remove(&mut self, connector: &str) {
        if let Some(gone) = self.connectors.remove(connector) {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_told_to_the_microsecond() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(951_782_399, 1_999);
        assert_eq!(LogLine { at, ..line("c", "") }.timestamp(), "2000-02-28T23:59:59.000001Z");
    }

    fn line(connector: &str, message: impl Into<String>) -> LogLine {
        LogLine {
            at: SystemTime::UNIX_EPOCH,
            level: "INFO",
            logger: "test".to_owned(),
            message: message.into(),
            fields: vec![("connector", connector.to_owned())],
        }
    }

    fn messages(lines: &LogLines, connector: &str, most: usize) -> Vec<String> {
        lines.last(connector, most).into_iter().map(|line| line.message).collect()
    }

    #[test]
    fn the_last_lines_of_each_connector_are_kept_apart_and_in_order() {
        let lines = LogLines::default();
        for (connector, message) in [("a", "one"), ("b", "two"), ("a", "three"), ("a", "four")] {
            lines.push(line(connector, message));
        }
        lines.push(LogLine { fields: Vec::new(), ..line("a", "of nobody") });
        assert_eq!(messages(&lines, "a", 2), ["three", "four"]);
        assert_eq!(messages(&lines, "b", 9), ["two"]);
        lines.forget("a");
        assert!(messages(&lines, "a", 9).is_empty());
        assert_eq!(lines.lock().bytes, line("b", "two").bytes());
    }

    #[test]
    fn lines_and_bytes_of_a_connector_are_bounded() {
        let lines = LogLines::default();
        for number in 0..LINES_MAX + 5 {
            lines.push(line("many", number.to_string()));
        }
        let kept = messages(&lines, "many", usize::MAX);
        assert_eq!((kept.len(), kept[0].as_str()), (LINES_MAX, "5"));
        for _ in 0..100 {
            lines.push(line("long", "ä".repeat(TEXT_MAX)));
        }
        let kept = messages(&lines, "long", usize::MAX);
        assert!(kept.iter().all(|message| message.len() <= TEXT_MAX));
        let bytes = kept.iter().map(String::len).sum::<usize>();
        assert!((CONNECTOR_BYTES_MAX / 2..=CONNECTOR_BYTES_MAX).contains(&bytes), "{bytes}");
    }

    #[test]
    fn bytes_of_all_connectors_are_bounded_and_the_silent_ones_go_first() {
        let lines = LogLines::default();
        let connectors = 2 * BYTES_MAX / CONNECTOR_BYTES_MAX;
        lines.push(line("talks", "first"));
        for number in 0..connectors {
            let name = format!("c-{number}");
            for _ in 0..CONNECTOR_BYTES_MAX / TEXT_MAX {
                lines.push(line(&name, "x".repeat(TEXT_MAX)));
            }
            lines.push(line("talks", "on"));
            assert!(lines.lock().bytes <= BYTES_MAX);
        }
        assert!(messages(&lines, "c-0", 9).is_empty());
        assert!(!messages(&lines, &format!("c-{}", connectors - 1), 9).is_empty());
        assert_eq!(messages(&lines, "talks", usize::MAX)[0], "first");
    }
}
