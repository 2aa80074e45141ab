//! Events as lines: text or JSON on standard error, and the last ones of each connector kept.
//!
//! The fields of an event are its own and those of the connector's or task's span around it. What a line says may come from a plugin: it cannot
//! forge another line. Not here: which events there are.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use tombolo_model::log_lines::{LogLine, LogLines};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::names::PLUGINS;
use super::writer::{Whose, Writer};

/// What begins each further line of a text of several lines.
const CONTINUATION: &str = "\n    ";

/// How lines look on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people; in colours on a terminal.
    Text { is_colored: bool },
    /// An object for each line.
    Json,
}

/// Writes events, and keeps the last ones of each connector.
pub(crate) struct Lines {
    pub(super) format: Format,
    pub(super) kept: Arc<LogLines>,
    pub(super) writer: Writer,
}

impl Lines {
    fn printed(&self, line: &LogLine, level: Level) -> String {
        match self.format {
            Format::Text { is_colored } => text(line, is_colored.then(|| color(level))),
            Format::Json => json(line),
        }
    }

    /// What says that lines are missing.
    fn notice(&self, dropped: u64) -> String {
        let message = format!("{dropped} lines were dropped: who reads the log is slow");
        let (at, level) = (SystemTime::now(), Level::WARN);
        let logger = module_path!().to_owned();
        let line = LogLine { at, level: level.as_str(), logger, message, fields: vec![] };
        self.printed(&line, level)
    }
}

/// What an event or a span says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field.name(), format!("{value:?}"));
    }
}

impl Said {
    fn take(&mut self, name: &'static str, value: String) {
        match name {
            "message" => self.message = value,
            // Events of the `log` crate say so where they come from; their target is taken in `logger`.
            "log.module_path" | "log.file" | "log.line" => {}
            _ => self.fields.push((name, value)),
        }
    }

    /// Takes over fields that it does not have itself.
    fn inherit(&mut self, from: &Self) {
        for (name, value) in &from.fields {
            if !self.fields.iter().any(|(known, _)| known == name) {
                self.fields.push((name, value.clone()));
            }
        }
    }

    /// What logged it: the target, or that of an event of the `log` crate, which has it as a field.
    fn logger(&mut self, target: &'static str) -> String {
        let of_log = self.fields.iter().position(|(name, _)| *name == "log.target");
        of_log.map_or_else(|| target.to_owned(), |place| self.fields.remove(place).1)
    }
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut said = Said::default();
        attributes.record(&mut said);
        span.extensions_mut().insert(said);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<Said>() {
                said.inherit(around);
            }
        }
        let metadata = event.metadata();
        let line = LogLine {
            at: SystemTime::now(),
            level: metadata.level().as_str(),
            logger: said.logger(metadata.target()),
            message: said.message,
            fields: said.fields,
        };
        let printed = self.printed(&line, *metadata.level());
        let whose = if line.logger == PLUGINS { Whose::Plugin } else { Whose::Worker };
        self.writer.write(printed, whose, |dropped| self.notice(dropped));
        self.kept.push(line);
    }
}

/// The colour of a level on a terminal.
fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

/// Time, level, what logged it, what it says, and its fields.
fn text(line: &LogLine, color: Option<&str>) -> String {
    let LogLine { level, logger, message, fields, .. } = line;
    let (before, after) = color.map_or(("", ""), |color| (color, "\u{1b}[0m"));
    let mut out = format!("{} {before}{level:>5}{after} {logger}: ", line.timestamp());
    push_tame(&mut out, message);
    for (name, value) in fields {
        out.push(' ');
        out.push_str(name);
        out.push('=');
        push_tame(&mut out, value);
    }
    out.push('\n');
    out
}

/// Without control characters, which could steer a terminal; further lines are indented, so that none looks like a line of its own.
fn push_tame(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '\n' => out.push_str(CONTINUATION),
            '\t' => out.push(char),
            _ if char.is_control() => out.extend(char.escape_default()),
            _ => out.push(char),
        }
    }
}

/// One object: `timestamp`, `level`, `logger`, `message`, and the fields.
fn json(line: &LogLine) -> String {
    let LogLine { level, logger, message, fields, .. } = line;
    let timestamp = line.timestamp();
    let members = [
        ("timestamp", timestamp.as_str()),
        ("level", level),
        ("logger", logger.as_str()),
        ("message", message.as_str()),
    ];
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let mut out = String::new();
    for (name, value) in members.into_iter().chain(fields) {
        let before = if out.is_empty() { '{' } else { ',' };
        let (name, value) = (serde_json::Value::from(name), serde_json::Value::from(value));
        // Writing to a string does not fail.
        write!(out, "{before}{name}:{value}").ok();
    }
    out.push_str("}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    /// What is kept of what `log` logs.
    fn logged(log: impl FnOnce()) -> Vec<LogLine> {
        let kept = Arc::new(LogLines::default());
        let writer = Writer::start(Box::new(std::io::stderr()));
        let lines = Lines { format: Format::Json, kept: Arc::clone(&kept), writer };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), log);
        kept.last("c", usize::MAX)
    }

    #[test]
    fn fields_of_the_span_around_are_the_events_own_unless_it_says_otherwise() {
        let lines = logged(|| {
            let _task = tracing::error_span!("task", connector = "c", task = 0).entered();
            tracing::warn!(topic = "t", offset = 7, "bad {}", "record");
            tracing::info!(task = 1, "other");
        });
        let told =
            lines.iter().map(|line| (line.level, line.message.as_str(), line.fields.clone()));
        let fields = |fields: &[(&'static str, &str)]| -> Vec<_> {
            fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let expected = [
            (
                "WARN",
                "bad record",
                fields(&[("topic", "t"), ("offset", "7"), ("connector", "c"), ("task", "0")]),
            ),
            ("INFO", "other", fields(&[("task", "1"), ("connector", "c")])),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_line_is_one_line_whatever_a_plugin_says() {
        let line = LogLine {
            at: SystemTime::UNIX_EPOCH,
            level: "WARN",
            logger: "plugin".to_owned(),
            message: "a\n1970-01-01 ERROR forged \u{1b}[2J\"".to_owned(),
            fields: vec![("connector", "c".to_owned()), ("error", "x\n\tat y".to_owned())],
        };
        expect_test::expect![[r#"
            1970-01-01T00:00:00.000000Z  WARN plugin: a
                1970-01-01 ERROR forged \u{1b}[2J" connector=c error=x
                	at y
        "#]]
        .assert_eq(&text(&line, None));
        expect_test::expect![[r#"
            {"timestamp":"1970-01-01T00:00:00.000000Z","level":"WARN","logger":"plugin","message":"a\n1970-01-01 ERROR forged \u001b[2J\"","connector":"c","error":"x\n\tat y"}
        "#]]
        .assert_eq(&json(&line));
    }
}
