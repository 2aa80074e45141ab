//! The table, and the targets beside it.
//!
//! Not here: measuring.

use std::fmt::Write;
use std::time::Duration;

use crate::case::Case;
use crate::creation::{Creations, FirstRows};
use crate::peer::Peer;
use crate::postgres::Load;
use crate::process::Memory;
use crate::reads::Reads;
use crate::run::Figures;
use crate::stages::Guarded;

/// CPU time per record beside Connect's: at most this.
const CPU_RATIO_MAX: f64 = 0.5;
/// Peak memory beside Connect's: at most this.
const PEAK_RATIO_MAX: f64 = 0.2;
/// From start to first answer: at most this.
const START_MAX: Duration = Duration::from_millis(150);
/// Crossing the wall, in and out, per record in nanoseconds: at most this.
const WALL_NS_MAX: f64 = 30.0;
/// Most that it may cost that plugins are held to time and memory.
const GUARDS_MAX: f64 = 0.12;
/// A request that creates a connector: at most this.
const CREATION_MAX: Duration = Duration::from_millis(10);
/// From creation to the first row, beyond the join of a bare consumer: at most this.
const FIRST_ROW_MAX: Duration = Duration::from_millis(50);
/// The slowest of a hundred reads: at most this.
const READ_P99_MAX: Duration = Duration::from_millis(20);

/// What all runs have measured.
#[derive(Default)]
pub struct Report {
    runs: Vec<(Case, Peer, Figures)>,
    starts: Vec<(Peer, Vec<Duration>)>,
    lines: Vec<String>,
}

impl Report {
    /// Adds a run.
    pub fn add(&mut self, case: Case, peer: Peer, figures: Figures) {
        self.runs.push((case, peer, figures));
    }

    /// Adds starts.
    pub fn add_starts(&mut self, peer: Peer, times: Vec<Duration>) {
        self.starts.push((peer, times));
    }

    /// Adds the floor of the clients.
    pub fn add_floor(&mut self, consume: f64, produce: f64) {
        self.lines.push(format!(
            "floor, a bare rdkafka loop: {consume:.0} ns of CPU per consumed record, {produce:.0} ns per produced record"
        ));
    }

    /// Adds rows into PostgreSQL, the first of them what the others are held against.
    pub fn add_loads(&mut self, loads: &[(String, Load)]) {
        let mut names: Vec<&str> = Vec::new();
        loads.iter().for_each(|(name, _)| {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        });
        let medians = |name: &str| {
            let of = |pick: fn(&Load) -> f64| {
                let runs = loads.iter().filter(|(other, _)| other == name);
                median(runs.map(|(_, load)| pick(load)).collect())
            };
            Some(Load {
                rate: of(|load| load.rate)?,
                writer: of(|load| load.writer)?,
                server: of(|load| load.server)?,
            })
        };
        let mut first = None;
        for name in names {
            let Some(load) = medians(name) else { continue };
            let against: Load = *first.get_or_insert(load);
            self.lines.push(format!(
                "rows into PostgreSQL, {name}: {:.0} rows/s ({:.2} times), {:.0} ns of the writer's CPU per row, {:.0} ns of the server's ({:.2} times)",
                load.rate,
                load.rate / against.rate,
                load.writer,
                load.server,
                load.server / against.server,
            ));
        }
    }

    /// Adds what stages cost by themselves; the crossing of the wall has a target.
    pub fn add_stages(&mut self, stages: &[(String, f64)]) {
        for (name, ns) in stages {
            let target = match name.as_str() {
                "crossing" => {
                    format!(" (at most {WALL_NS_MAX}: {})", verdict(*ns <= WALL_NS_MAX))
                }
                _ => String::new(),
            };
            self.lines.push(format!("stage by itself, {name}: {ns:.1} ns per record{target}"));
        }
    }

    /// Adds what it costs that plugins are held to time and memory, at each stage and in sum.
    pub fn add_guards(&mut self, stages: &[Guarded]) {
        let sum = Guarded {
            name: "all of them".to_owned(),
            with: stages.iter().map(|stage| stage.with).sum(),
            without: stages.iter().map(|stage| stage.without).sum(),
        };
        for Guarded { name, with, without } in stages.iter().chain([&sum]) {
            let cost = with / without - 1.0;
            self.lines.push(format!(
                "guards (ticks, meters, limits), {name}: {with:.1} ns per record, {without:.1} without: {:+.1} % (at most {:.0} %: {})",
                cost * 100.0,
                GUARDS_MAX * 100.0,
                verdict(cost <= GUARDS_MAX),
            ));
        }
    }

    /// Adds what many creations cost.
    pub fn add_creations(&mut self, peer: Peer, found: &Creations) {
        let (p50, p99) = (quantile(&found.requests, 0.5), quantile(&found.requests, 0.99));
        self.lines.push(format!(
            "{} connectors created one after the other, {}: {:.1} ms each (p99 {:.1}){}, {:.1} ms of CPU each, all running after {:.1} s",
            found.requests.len(),
            peer.title(),
            millis(p50),
            millis(p99),
            target(peer, p50, CREATION_MAX),
            millis(found.cpu),
            found.running.as_secs_f64(),
        ));
    }

    /// Adds first rows of sinks beside bare consumers.
    pub fn add_first_rows(&mut self, peer: Peer, found: &FirstRows) {
        let (sink, join) = (quantile(&found.sinks, 0.5), quantile(&found.joins, 0.5));
        let beyond = sink.saturating_sub(join);
        self.lines.push(format!(
            "creation to first row, {}: {:.0} ms; a bare consumer joins and reads in {:.0} ms: {:.0} ms beyond{}",
            peer.title(),
            millis(sink),
            millis(join),
            millis(beyond),
            target(peer, beyond, FIRST_ROW_MAX),
        ));
    }

    /// Adds reads beside connectors that work and hang.
    pub fn add_reads(&mut self, peer: Peer, found: &Reads) {
        let p99 = quantile(&found.answers, 0.99);
        self.lines.push(format!(
            "{} reads beside {:.0} records/s{}, {}: p50 {:.1} ms, p99 {:.1} ms{}, longest {:.1} ms",
            found.answers.len(),
            found.rate,
            if peer == Peer::Tombolo { " and plugins that hang" } else { "" },
            peer.title(),
            millis(quantile(&found.answers, 0.5)),
            millis(p99),
            target(peer, p99, READ_P99_MAX),
            millis(quantile(&found.answers, 1.0)),
        ));
    }

    /// Medians of the runs of a case on a program.
    fn medians(&self, case: Case, peer: Peer) -> Option<Figures> {
        let runs: Vec<Figures> = self
            .runs
            .iter()
            .filter(|(one, other, _)| (*one, *other) == (case, peer))
            .map(|(.., figures)| *figures)
            .collect();
        let of = |pick: fn(&Figures) -> f64| median(runs.iter().map(pick).collect());
        Some(Figures {
            cpu: of(|run| run.cpu)?,
            rate: of(|run| run.rate)?,
            memory: Memory {
                resident: of(|run| run.memory.resident as f64)? as u64,
                peak: of(|run| run.memory.peak as f64)? as u64,
            },
            first_row: Duration::from_secs_f64(of(|run| run.first_row.as_secs_f64())?),
        })
    }

    fn start(&self, peer: Peer) -> Option<Duration> {
        let (_, times) = self.starts.iter().find(|(one, _)| *one == peer)?;
        median(times.iter().map(Duration::as_secs_f64).collect()).map(Duration::from_secs_f64)
    }

    /// The whole report as text. Medians, where there are several rounds.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for case in Case::ALL {
            self.print_case(&mut text, case).unwrap_or_default();
        }
        self.print_start(&mut text).unwrap_or_default();
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    fn print_case(&self, text: &mut String, case: Case) -> std::fmt::Result {
        let found = Peer::ALL.map(|peer| self.medians(case, peer));
        if found.iter().all(Option::is_none) {
            return Ok(());
        }
        writeln!(text, "{}", case.title())?;
        writeln!(
            text,
            "  {:8} {:>13} {:>11} {:>12} {:>9} {:>10}",
            "", "CPU ns/record", "records/s", "resident MB", "peak MB", "first row"
        )?;
        for (peer, figures) in Peer::ALL.iter().zip(found) {
            let Some(run) = figures else { continue };
            writeln!(
                text,
                "  {:8} {:>13.0} {:>11.0} {:>12} {:>9} {:>7} ms",
                peer.title(),
                run.cpu,
                run.rate,
                run.memory.resident >> 20,
                run.memory.peak >> 20,
                run.first_row.as_millis(),
            )?;
        }
        if let [Some(connect), Some(tombolo)] = found {
            let cpu = tombolo.cpu / connect.cpu;
            let peak = tombolo.memory.peak as f64 / connect.memory.peak as f64;
            writeln!(
                text,
                "  Tombolo / Connect: CPU {cpu:.2} (at most {CPU_RATIO_MAX}: {}), peak memory {peak:.3} (at most {PEAK_RATIO_MAX}: {})",
                verdict(cpu <= CPU_RATIO_MAX),
                verdict(peak <= PEAK_RATIO_MAX),
            )?;
        }
        writeln!(text)
    }

    fn print_start(&self, text: &mut String) -> std::fmt::Result {
        for peer in Peer::ALL {
            let Some(time) = self.start(peer) else { continue };
            write!(text, "start to first answer, {}: {} ms", peer.title(), time.as_millis())?;
            if peer == Peer::Tombolo {
                let verdict = verdict(time <= START_MAX);
                write!(text, " (at most {} ms: {verdict})", START_MAX.as_millis())?;
            }
            writeln!(text)?;
        }
        Ok(())
    }
}

/// The target beside a time of ours.
fn target(peer: Peer, time: Duration, most: Duration) -> String {
    match peer {
        Peer::Tombolo => format!(" (at most {} ms: {})", most.as_millis(), verdict(time <= most)),
        Peer::Connect => String::new(),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The time that this part of all stays within.
pub fn quantile(times: &[Duration], part: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "FAILS" }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(*upper);
    }
    values.get(middle.checked_sub(1)?).map(|lower| (lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }

    #[test]
    fn a_quantile_is_the_smallest_time_that_so_many_stay_within() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let of = |part| quantile(&times, part).as_millis();
        assert_eq!((of(0.5), of(0.99), of(1.0)), (100, 198, 200));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn loads_are_held_against_the_first() {
        let load = |rate| Load { rate, writer: 10.0, server: 1e9 / rate };
        let mut report = Report::default();
        let loads =
            [("copy", 300.0), ("sink", 90.0), ("copy", 100.0), ("sink", 110.0), ("copy", 200.0)];
        report.add_loads(&loads.map(|(name, rate)| (name.to_owned(), load(rate))));
        let text = report.print();
        for part in
            ["copy: 200 rows/s (1.00 times)", "sink: 100 rows/s (0.50 times)", "(2.02 times)"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_report_sets_both_beside_the_targets() {
        let figures = |cpu, peak| Figures {
            cpu,
            rate: 1e9 / cpu,
            memory: Memory { resident: 1 << 20, peak },
            first_row: Duration::from_millis(5),
        };
        let mut report = Report::default();
        report.add(Case::JsonToFile, Peer::Connect, figures(4000.0, 1000 << 20));
        report.add(Case::JsonToFile, Peer::Tombolo, figures(1600.0, 300 << 20));
        report.add_starts(Peer::Tombolo, vec![Duration::from_millis(100)]);
        let text = report.print();
        for part in [
            "CPU 0.40 (at most 0.5: holds)",
            "peak memory 0.300 (at most 0.2: FAILS)",
            "100 ms (at most 150 ms: holds)",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
