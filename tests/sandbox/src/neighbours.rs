//! What an attacker costs its neighbours, against a well-behaved connector in its place.
//!
//! Two neighbours: one as fast as it can, for throughput, and one with a steady rate, for latency. Not here: the guests.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::{complete_lines, wait_for};

use crate::attack::Pairs;
use crate::component::numbered;
use crate::field::{Field, PATIENCE};

/// Rows a second of the neighbour whose latency is measured.
const RATE: &str = "500";

/// What attacker and well-behaved connector are held to alike.
const LIMITS: Pairs = &[
    ("sandbox.call.timeout.ms", "1000"),
    ("sandbox.restart.max", "1000"),
    ("sandbox.restart.backoff.ms", "1"),
    ("sandbox.restart.backoff.max.ms", "1"),
];

/// The attackers: a name, and what the guest `attacks` is told.
pub const ATTACKERS: [(&str, Pairs); 6] = [
    ("cpu", &[("attack", "tight loop")]),
    ("memory churn", &[("attack", "grow to the limit")]),
    ("log flood", &[("attack", "log flood")]),
    ("host-call flood", &[("attack", "a flood of WASI calls")]),
    ("trap loop", &[("attack", "recursion")]),
    ("egress flood", &[("attack", "connect without end"), ("to", "127.0.0.1:9")]),
];

/// Most throughput that a neighbour may lose.
pub const LOSS_MAX: f64 = 0.05;

/// Most that its latency may grow.
pub const LATENCY_MAX: f64 = 1.5;

/// What neighbours had in one run.
#[derive(Clone, Copy, Debug)]
pub struct Had {
    /// Rows a second.
    pub rate: f64,
    /// 99th percentile of the time from source to sink.
    pub p99: Duration,
}

/// Neighbours beside a well-behaved connector, and beside an attacker.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Beside the well-behaved one.
    pub good: Had,
    /// Beside the attacker.
    pub bad: Had,
}

impl Pair {
    /// The share of throughput that the attacker took.
    pub fn loss(&self) -> f64 {
        1.0 - self.bad.rate / self.good.rate
    }

    /// How often as long rows took.
    pub fn latency(&self) -> f64 {
        self.bad.p99.as_secs_f64() / self.good.p99.as_secs_f64()
    }
}

/// Starts the neighbours.
pub fn start(field: &Field) -> Result<()> {
    field.upload(&numbered(0))?;
    neighbour(field, "fast", "0")?;
    neighbour(field, "steady", RATE)
}

fn neighbour(field: &Field, name: &str, rate: &str) -> Result<()> {
    let source = json!({"connector.class": "test.pulse.PulseSource", "topic": name, "rate": rate});
    let file = field.worker.files().join(name);
    let sink = json!({"connector.class": "test.pulse.PulseSink", "topics": name, "file": file});
    field.worker.create(&format!("{name}-source"), &source)?;
    field.worker.create(&format!("{name}-sink"), &sink)?;
    let writes = || !complete_lines(&file).is_empty();
    wait_for(writes, "the neighbour writes", PATIENCE)
}

/// One pair of runs, each so long.
pub fn pair(field: &Field, attacker: Pairs, lasts: Duration) -> Result<Pair> {
    let good = json!({
        "connector.class": "test.pulse.PulseSource", "topic": "in-its-place", "rate": "0",
    });
    let bad = json!({"connector.class": "guest.Attacks0000Source"});
    Ok(Pair {
        good: beside(field, "well-behaved", with(good, &[LIMITS]), lasts)?,
        bad: beside(field, "attacker", with(bad, &[LIMITS, attacker]), lasts)?,
    })
}

fn with(mut config: Value, pairs: &[Pairs]) -> Value {
    if let Some(all) = config.as_object_mut() {
        let pairs = pairs.iter().copied().flatten();
        all.extend(pairs.map(|(name, value)| ((*name).to_owned(), json!(value))));
    }
    config
}

/// What the neighbours have while this connector runs.
fn beside(field: &Field, name: &str, config: Value, lasts: Duration) -> Result<Had> {
    field.worker.create(name, &config)?;
    // A fifth of the time to begin with counts for nobody.
    pass(lasts / 5)?;
    let (fast, steady) = (field.worker.files().join("fast"), field.worker.files().join("steady"));
    let (from_fast, from_steady) = (length(&fast), length(&steady));
    let start = Instant::now();
    pass(lasts)?;
    let elapsed = start.elapsed().as_secs_f64();
    let rows: u64 = lines(&fast, from_fast)?.iter().map(|(rows, _)| rows).sum();
    let mut times: Vec<u64> =
        lines(&steady, from_steady)?.into_iter().map(|(_, micros)| micros).collect();
    field.delete(name)?;
    times.sort_unstable();
    let p99 = times.get(times.len().saturating_sub(1) * 99 / 100);
    let p99 = *p99.context("the steady neighbour wrote nothing")?;
    ensure!(rows > 0, "the fast neighbour wrote nothing");
    Ok(Had { rate: rows as f64 / elapsed, p99: Duration::from_micros(p99) })
}

fn pass(time: Duration) -> Result<()> {
    let start = Instant::now();
    wait_for(|| start.elapsed() >= time, "time passes", time * 2 + PATIENCE)
}

fn length(file: &Path) -> usize {
    complete_lines(file).len()
}

/// Rows and microseconds of each line from this one on.
fn lines(file: &Path, from: usize) -> Result<Vec<(u64, u64)>> {
    let read = |line: &String| -> Result<(u64, u64)> {
        let (rows, micros) = line.split_once(' ').context("a line has two numbers")?;
        Ok((rows.parse()?, micros.parse()?))
    };
    complete_lines(file).iter().skip(from).map(read).collect()
}

/// The median by a figure.
pub fn median(pairs: &[Pair], figure: impl Fn(&Pair) -> f64) -> f64 {
    let mut all: Vec<f64> = pairs.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
