//! What an attacker costs its neighbours, against a well-behaved connector in its place, which computes for as long as it may.
//!
//! Two neighbours: one as fast as it can, for throughput, and one with a steady rate, for latency. Not here: the guests.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::{complete_lines, wait_for};

use crate::attack::Pairs;
use crate::component::numbered;
use crate::corpus;
use crate::field::{Field, PATIENCE};
use crate::figure::percent;

/// Rows a second of the neighbour whose latency is measured.
const RATE: &str = "500";

/// What attacker and well-behaved connector are held to alike. Who breaks its sandbox is started anew as soon as may be, and never given up.
const LIMITS: Pairs = &[
    // What is advised for strangers.
    ("sandbox.cpu.max", "0.2"),
    ("sandbox.cpu.burst.ms", "1000"),
    ("sandbox.call.timeout.ms", "1000"),
    ("sandbox.restart.max", "1000"),
    ("sandbox.restart.window.ms", "1000"),
    ("sandbox.restart.backoff.ms", "50"),
    ("sandbox.restart.backoff.max.ms", "50"),
];

/// Topics that are written as fast as possible keep little.
const TOPICS: Pairs = &[
    ("topic.creation.default.partitions", "1"),
    ("topic.creation.default.replication.factor", "1"),
    ("topic.creation.default.segment.bytes", "16777216"),
    ("topic.creation.default.retention.bytes", "67108864"),
];

/// An attacker: a name, and what the guest `attacks` is told.
pub type Attacker = (&'static str, Pairs);

/// The attackers, one of each class; of egress two, at a place that they may reach. All of them go on for as long as they may.
pub const ATTACKERS: [Attacker; 7] = [
    ("cpu", &[("attack", "tight loop")]),
    ("memory churn", &[("attack", "grow to the limit")]),
    ("log flood", &[("attack", "log flood without end")]),
    ("host-call flood", &[("attack", "a flood of WASI calls")]),
    ("trap loop", &[("attack", "recursion")]),
    (
        "egress flood",
        &[
            ("attack", "connect again and again"),
            ("to", "{open}"),
            ("sandbox.net.allow", "tcp://{open}"),
        ],
    ),
    (
        "request flood",
        &[
            ("attack", "requests without end"),
            ("to", "{open}"),
            ("sandbox.net.allow", "http://{open}"),
        ],
    ),
];

/// Most throughput that a neighbour may lose.
pub const LOSS_MAX: f64 = 0.05;

/// Most that its latency may grow.
pub const LATENCY_MAX: f64 = 1.5;

/// Most throughput that it may lose in a single short pair.
pub const SHORT_LOSS_MAX: f64 = 0.2;

/// How many runs there were.
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// How long a connector runs before it is measured what its neighbours have: by then most of what it may use at once is used up.
const SETTLES: Duration = Duration::from_secs(2);

/// What neighbours had in one run.
#[derive(Clone, Copy, Debug)]
pub struct Had {
    /// Rows a second.
    pub rate: f64,
    /// 99th percentile of the time from source to sink.
    pub p99: Duration,
    /// Cores that the connector beside them was billed for.
    pub cores: f64,
}

/// Neighbours beside a well-behaved connector, and beside an attacker.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Beside the well-behaved one.
    pub good: Had,
    /// Beside the attacker.
    pub bad: Had,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |had: &Had| had.p99.as_secs_f64() * 1e3;
        let Self { good, bad } = self;
        write!(
            f,
            "{:.0} rows/s beside a good one, {:.0} beside it: {} lost; p99 {:.1} ms and {:.1} ms: {:.2} times; billed {:.2} and {:.2} cores",
            good.rate,
            bad.rate,
            percent(self.loss()),
            millis(good),
            millis(bad),
            self.latency(),
            good.cores,
            bad.cores,
        )
    }
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
    field.worker.create(&format!("{name}-source"), &with(source, &[TOPICS]))?;
    field.worker.create(&format!("{name}-sink"), &sink)?;
    let writes = || !complete_lines(&file).is_empty();
    wait_for(writes, "the neighbour writes", PATIENCE)
}

/// Pairs of runs, each so long, one after the other; who comes first changes from pair to pair, so that a machine that gets slower favours nobody.
pub fn pairs(field: &Field, attacker: Pairs, count: usize, lasts: Duration) -> Result<Vec<Pair>> {
    let pair = |number: usize| match number % 2 {
        0 => {
            let good = beside_good(field, lasts)?;
            Ok(Pair { good, bad: beside_attacker(field, attacker, lasts)? })
        }
        _ => {
            let bad = beside_attacker(field, attacker, lasts)?;
            Ok(Pair { good: beside_good(field, lasts)?, bad })
        }
    };
    (0..count).map(pair).collect()
}

/// One short pair; where it loses too much, one more, and the better of the two: a machine that did something else for a moment is no attacker.
///
/// Answers how many pairs it took as well.
pub fn short_pair(field: &Field, attacker: Pairs, lasts: Duration) -> Result<(Pair, usize)> {
    let mut taken = 0;
    let mut next = || -> Result<Pair> {
        taken += 1;
        pairs(field, attacker, 1, lasts)?.pop().context("a pair was asked for")
    };
    let mut pair = next()?;
    if pair.loss() > SHORT_LOSS_MAX {
        let again = next()?;
        pair = if again.loss() < pair.loss() { again } else { pair };
    }
    Ok((pair, taken))
}

fn beside_good(field: &Field, lasts: Duration) -> Result<Had> {
    // What it writes would load the broker, which takes part in what neighbours have, and which an attacker that only computes leaves alone.
    let good = json!({
        "connector.class": "test.pulse.PulseSource", "topic": "in-its-place", "rate": "10", "work": "200000000",
    });
    beside(field, "well-behaved", &with(good, &[LIMITS, TOPICS]), lasts)
}

fn beside_attacker(field: &Field, attacker: Pairs, lasts: Duration) -> Result<Had> {
    let mut bad = with(json!({"connector.class": "guest.Attacks0000Source"}), &[LIMITS, attacker]);
    for value in bad.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        *value = json!(corpus::filled(field, value.as_str().unwrap_or_default())?);
    }
    beside(field, "attacker", &bad, lasts)
}

fn with(mut config: Value, pairs: &[Pairs]) -> Value {
    if let Some(all) = config.as_object_mut() {
        let pairs = pairs.iter().copied().flatten();
        all.extend(pairs.map(|(name, value)| ((*name).to_owned(), json!(value))));
    }
    config
}

/// What the neighbours have while this connector runs.
fn beside(field: &Field, who: &str, config: &Value, lasts: Duration) -> Result<Had> {
    // A budget is kept by a connector's name: with one of its own each begins with all that it may use at once.
    let name = &format!("{who}-{}", RUNS.fetch_add(1, Ordering::Relaxed));
    field.worker.create(name, config)?;
    pass(SETTLES)?;
    let (fast, steady) = (field.worker.files().join("fast"), field.worker.files().join("steady"));
    let (from_fast, from_steady) = (length(&fast)?, length(&steady)?);
    let (start, billed) = (Instant::now(), billed(field, name)?);
    pass(lasts)?;
    let elapsed = start.elapsed().as_secs_f64();
    let cores = (self::billed(field, name)? - billed) / elapsed;
    let rows: u64 = lines(&fast, from_fast)?.iter().map(|(rows, _)| rows).sum();
    let mut times: Vec<u64> =
        lines(&steady, from_steady)?.into_iter().map(|(_, micros)| micros).collect();
    let failure = field.failure(name);
    ensure!(failure.is_none(), "{name} gave up: {failure:?}");
    field.delete(name)?;
    times.sort_unstable();
    let p99 = times.get(times.len().saturating_sub(1) * 99 / 100);
    let p99 = *p99.context("the steady neighbour wrote nothing")?;
    ensure!(rows > 0, "the fast neighbour wrote nothing");
    Ok(Had { rate: rows as f64 / elapsed, p99: Duration::from_micros(p99), cores })
}

/// Seconds of processor time that a connector was billed for so far.
fn billed(field: &Field, name: &str) -> Result<f64> {
    let (_, answer) = field.worker.request("GET", &format!("/connectors/{name}/meters"), None)?;
    let meters = answer.get("meters").and_then(Value::as_array);
    let seconds = |meter: &Value| meter.get("values")?.get("cpu-seconds-total")?.as_f64();
    Ok(meters.into_iter().flatten().filter_map(seconds).sum())
}

fn pass(time: Duration) -> Result<()> {
    let start = Instant::now();
    wait_for(|| start.elapsed() >= time, "time passes", time * 2 + PATIENCE)
}

fn length(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file)?.len())
}

/// Rows and microseconds of each line from this byte on.
fn lines(file: &Path, from: u64) -> Result<Vec<(u64, u64)>> {
    let mut text = String::new();
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    file.read_to_string(&mut text)?;
    // The last one may be half written.
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    let read = |line: &str| -> Result<(u64, u64)> {
        let (rows, micros) = line.split_once(' ').context("a line has two numbers")?;
        Ok((rows.parse()?, micros.parse()?))
    };
    complete.lines().map(read).collect()
}

/// The median by a figure.
pub fn median(pairs: &[Pair], figure: impl Fn(&Pair) -> f64) -> f64 {
    let mut all: Vec<f64> = pairs.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
