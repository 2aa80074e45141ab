//! The table: from two answers of a worker to lines. Pure.
//!
//! Not here: the terminal (`screen`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::keys::Key;
use super::screen::Size;
use super::snapshot::{Owner, Row, Snapshot};
use crate::args::SortBy;

/// Lines above the rows.
const HEAD: usize = 4;
/// Least and greatest width of the connectors' names, in characters.
const NAME: (usize, usize) = (12, 40);
/// Keys, as they are told.
const KEYS: &str = "sort by c CPU, m memory, r records, b bytes, w network, a calls, x restarts, n name; R reverse, arrows scroll, space now, q quit";

/// A line, and how it is shown where that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) style: Style,
}

/// How a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// The names of the columns.
    Head,
    /// Something that may pass.
    Warned,
    /// Something that failed.
    Bad,
}

/// What is to be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) sort: SortBy,
    pub(super) is_reversed: bool,
    /// Whether the keys are told.
    pub(super) has_keys: bool,
    /// Rows that are scrolled past.
    pub(super) skipped: usize,
}

impl View {
    /// Does what a key says, where there are so many rows.
    pub(super) fn press(&mut self, key: Key, rows: usize) {
        const PAGE: usize = 20;
        let last = rows.saturating_sub(1);
        match key {
            Key::Up => self.skipped = self.skipped.saturating_sub(1),
            Key::Down => self.skipped = (self.skipped + 1).min(last),
            Key::PageUp => self.skipped = self.skipped.saturating_sub(PAGE),
            Key::PageDown => self.skipped = (self.skipped + PAGE).min(last),
            Key::Letter('R') => self.is_reversed = !self.is_reversed,
            Key::Letter(letter) => {
                if let Some(sort) = sort_of(letter) {
                    *self = Self { sort, is_reversed: false, skipped: 0, ..self.clone() };
                }
            }
            Key::Quit | Key::Refresh => {}
        }
    }
}

fn sort_of(letter: char) -> Option<SortBy> {
    Some(match letter {
        'c' => SortBy::Cpu,
        'm' => SortBy::Memory,
        'r' => SortBy::Records,
        'b' => SortBy::Bytes,
        'w' => SortBy::Network,
        'a' => SortBy::Calls,
        'x' => SortBy::Restarts,
        'n' => SortBy::Name,
        _ => return None,
    })
}

/// What an owner did in a second between two answers; cores of processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Rates {
    cpu: f64,
    records: f64,
    bytes_in: f64,
    bytes_out: f64,
    network: f64,
    calls: f64,
}

impl Rates {
    fn between(before: &Row, now: &Row, seconds: f64) -> Self {
        // What counts from its start again has done that since.
        let rate = |before: f64, now: f64| match now < before {
            true => now / seconds,
            false => (now - before) / seconds,
        };
        Self {
            cpu: rate(before.cpu_seconds, now.cpu_seconds),
            records: rate(before.records, now.records),
            bytes_in: rate(before.bytes_in, now.bytes_in),
            bytes_out: rate(before.bytes_out, now.bytes_out),
            network: rate(before.network, now.network),
            calls: rate(before.calls, now.calls),
        }
    }
}

/// An owner's row, with what it did since the answer before, where that is known.
struct Entry<'a> {
    owner: &'a Owner,
    row: &'a Row,
    rates: Option<Rates>,
}

impl Entry<'_> {
    fn by(&self, sort: SortBy) -> f64 {
        let rates = self.rates.unwrap_or_default();
        match sort {
            SortBy::Cpu => rates.cpu,
            SortBy::Memory => self.row.memory,
            SortBy::Records => rates.records,
            SortBy::Bytes => rates.bytes_in + rates.bytes_out,
            SortBy::Network => rates.network,
            SortBy::Calls => rates.calls,
            SortBy::Restarts => self.row.restarts,
            SortBy::Name => 0.0,
        }
    }

    fn line(&self, width: usize) -> Line {
        let Self { owner, row, rates } = self;
        let rate = |of: fn(&Rates) -> f64, form: fn(f64) -> String| {
            rates.as_ref().map_or_else(|| "-".to_owned(), |rates| form(of(rates)))
        };
        let cells = [
            owner.task.map_or_else(|| "-".to_owned(), |task| task.to_string()),
            row.state.clone(),
            rate(|rates| rates.cpu, percent),
            bytes(row.memory),
            if row.memory_max > 0.0 { bytes(row.memory_max) } else { "-".to_owned() },
            rate(|rates| rates.records, count),
            rate(|rates| rates.bytes_in, bytes),
            rate(|rates| rates.bytes_out, bytes),
            rate(|rates| rates.network, bytes),
            rate(|rates| rates.calls, count),
            count(row.restarts),
            count(row.breaches),
        ];
        let style = match row.state.as_str() {
            "FAILED" => Style::Bad,
            "RESTARTING" | "UNASSIGNED" => Style::Warned,
            _ => Style::Plain,
        };
        Line {
            text: columns(&owner.connector, width, &cells.each_ref().map(String::as_str)),
            style,
        }
    }
}

/// The names of the columns behind the connector's, each with its width.
const COLUMNS: [(&str, usize); 12] = [
    ("TASK", 4),
    ("STATE", 10),
    ("CPU%", 6),
    ("MEMORY", 7),
    ("LIMIT", 7),
    ("REC/S", 7),
    ("IN/S", 7),
    ("OUT/S", 7),
    ("NET/S", 7),
    ("CALLS/S", 7),
    ("RESTARTS", 8),
    ("BREACHES", 8),
];

fn columns(name: &str, width: usize, cells: &[&str; COLUMNS.len()]) -> String {
    // Names are anybody's: what would move the cursor is not printed.
    let name: String =
        name.chars().map(|char| if char.is_control() { '?' } else { char }).take(width).collect();
    let mut text = format!("{name:width$}");
    for (&(column, width), cell) in COLUMNS.iter().zip(cells) {
        match column {
            "STATE" => text.push_str(&format!(" {cell:width$}")),
            _ => text.push_str(&format!(" {cell:>width$}")),
        }
    }
    text
}

/// The lines of a table: what the worker at `shown` measured, and what its connectors did since the answer before.
pub(super) fn lines(
    shown: &str,
    before: Option<&Snapshot>,
    now: &Snapshot,
    view: &View,
    size: Size,
) -> Vec<Line> {
    let seconds = seconds(before, now);
    let mut entries: Vec<Entry<'_>> = now
        .rows
        .iter()
        .map(|(owner, row)| {
            let before = before.and_then(|before| before.rows.get(owner));
            let rates = before.zip(seconds).map(|(old, seconds)| Rates::between(old, row, seconds));
            Entry { owner, row, rates }
        })
        .collect();
    // By name they are in order already.
    entries.sort_by(|a, b| {
        let order = b.by(view.sort).partial_cmp(&a.by(view.sort)).unwrap_or(Ordering::Equal);
        order.then_with(|| a.owner.cmp(b.owner))
    });
    if view.is_reversed {
        entries.reverse();
    }
    let beside: usize = COLUMNS.iter().map(|(_, width)| width + 1).sum();
    let longest = now.rows.keys().map(|owner| owner.connector.chars().count()).max();
    let (least, most) = NAME;
    let room = size.columns.saturating_sub(beside).clamp(least, most);
    let width = longest.unwrap_or_default().clamp(least, room);

    let plain = |text: String| Line { text, style: Style::Plain };
    let mut lines = vec![plain(title(shown, now)), plain(sums(before, now, &entries))];
    lines.push(plain(if view.has_keys { KEYS.to_owned() } else { String::new() }));
    let names = COLUMNS.map(|(name, _)| name);
    lines.push(Line { text: columns("CONNECTOR", width, &names), style: Style::Head });
    let most = size.rows.saturating_sub(HEAD);
    lines.extend(entries.iter().skip(view.skipped).take(most).map(|entry| entry.line(width)));
    lines
}

/// Tells in a table why it is not newer.
pub(super) fn warn(lines: &mut [Line], trouble: &str) {
    if let Some(line) = lines.get_mut(HEAD - 2) {
        *line = Line { text: format!("not newer: {trouble}"), style: Style::Bad };
    }
}

fn seconds(before: Option<&Snapshot>, now: &Snapshot) -> Option<f64> {
    let seconds = now.at?.saturating_duration_since(before?.at?).as_secs_f64();
    (seconds > 0.0).then_some(seconds)
}

/// Where, how many connectors and tasks, and what they are.
fn title(shown: &str, now: &Snapshot) -> String {
    let (mut connectors, mut tasks) = (0, 0);
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last = None;
    for (owner, row) in &now.rows {
        if last.replace(&owner.connector) != Some(&owner.connector) {
            connectors += 1;
        }
        if owner.task.is_some() {
            tasks += 1;
            *states.entry(&row.state).or_default() += 1;
        }
    }
    let mut title = format!("tombolo top - {shown} - {connectors} connectors, {tasks} tasks");
    let mut between = ": ";
    for (state, count) in states {
        title.push_str(&format!("{between}{count} {}", state.to_lowercase()));
        between = ", ";
    }
    title
}

/// What the worker uses, and what its plugins use of it.
fn sums(before: Option<&Snapshot>, now: &Snapshot, entries: &[Entry<'_>]) -> String {
    let spent = before.zip(seconds(before, now)).map(|(before, seconds)| {
        (now.worker.cpu_seconds - before.worker.cpu_seconds).max(0.0) / seconds
    });
    let known = spent.is_some();
    let cpu = |cores: f64| if known { percent(cores) } else { "-".to_owned() };
    let plugins: f64 = entries.iter().filter_map(|entry| entry.rates).map(|rates| rates.cpu).sum();
    let memory: f64 = entries.iter().map(|entry| entry.row.memory).sum();
    format!(
        "worker: {} % CPU, {} memory; plugins: {} % CPU, {} memory",
        cpu(spent.unwrap_or_default()),
        bytes(now.worker.memory),
        cpu(plugins),
        bytes(memory)
    )
}

/// Cores as percents of one.
fn percent(cores: f64) -> String {
    format!("{:.1}", cores * 100.0)
}

fn bytes(value: f64) -> String {
    short(value, 1_024.0)
}

fn count(value: f64) -> String {
    short(value, 1_000.0)
}

/// At most six characters, as `12.3M`.
fn short(value: f64, base: f64) -> String {
    let mut value = value;
    for unit in ["", "K", "M", "G", "T"] {
        // What rounds up to the next unit is one of it.
        if value + 0.05 < base || unit == "T" {
            return match unit {
                "" if value.fract() == 0.0 || value >= 100.0 => format!("{value:.0}"),
                unit => format!("{value:.1}{unit}"),
            };
        }
        value /= base;
    }
    String::new()
}

#[cfg(test)]
mod tests;
