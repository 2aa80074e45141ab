//! The benchmark's command: runs what it is asked for, round by round, and prints the table.
//!
//! Not here: measuring, which is the library's.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tombolo_bench::broker::Broker;
use tombolo_bench::case::Case;
use tombolo_bench::peer::{Peer, Surroundings, Worker};
use tombolo_bench::report::Report;
use tombolo_bench::run::{self, Bench};
use tombolo_bench::{creation, floor, postgres, reads, stages, start};
use tombolo_harness::{Kafka, root, target_folder};

/// Fewest starts that a median is taken of: they are short.
const STARTS_MIN: usize = 5;

/// Measures Tombolo beside Apache Kafka Connect, on one real broker.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_values_t = What::ALL)]
    what: Vec<What>,
    /// Records that are counted in each run, after as many that are not.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Runs of each case on each program, in turn; the table shows medians.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only one of the two programs.
    #[arg(long, value_enum)]
    peer: Option<Peer>,
    /// The program under test; without, it is built first.
    #[arg(long)]
    tombolo: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// JSON topic to file.
    Json,
    /// The same with three transformations.
    Transformed,
    /// File to topic.
    Lines,
    /// Start to first answer.
    Start,
    /// Creation of many connectors, and of one up to its first row.
    Create,
    /// Answers of the API while connectors work and hang.
    Reads,
    /// A bare rdkafka loop.
    Floor,
    /// Rows into PostgreSQL beside `psql \copy`.
    Postgres,
    /// Each stage by itself, and the crossing of the wall.
    Stages,
    /// Some stages with plugins held to time and memory, and without.
    Guards,
}

impl What {
    const ALL: [Self; 8] = [
        Self::Json,
        Self::Transformed,
        Self::Lines,
        Self::Start,
        Self::Create,
        Self::Reads,
        Self::Floor,
        Self::Postgres,
    ];

    fn case(self) -> Option<Case> {
        match self {
            Self::Json => Some(Case::JsonToFile),
            Self::Transformed => Some(Case::TransformedToFile),
            Self::Lines => Some(Case::LinesToTopic),
            _ => None,
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.records > 0 && arguments.rounds > 0, "there is nothing to measure");
    let peers = arguments.peer.map_or(Peer::ALL.to_vec(), |peer| vec![peer]);
    let wants_tombolo = peers.contains(&Peer::Tombolo) && arguments.tombolo.is_none();
    if wants_tombolo
        || [What::Stages, What::Guards].iter().any(|what| arguments.what.contains(what))
    {
        build()?;
    }
    let tombolo = match &arguments.tombolo {
        Some(path) => std::path::absolute(path)?,
        None => target_folder().join("release/tombolo"),
    };
    let kafka = Kafka::start(&[])?;
    let folder = tempfile::Builder::new().prefix("tombolo-bench-").tempdir()?;
    let place = folder.path().canonicalize()?;
    let around = Surroundings {
        bootstrap: kafka.bootstrap(),
        tombolo,
        folder: place.join("files"),
        cache: place.join("cache"),
    };
    std::fs::create_dir(&around.folder)?;
    let broker = Broker::new(&around.bootstrap)?;
    let bench = Bench { around, broker, records: arguments.records };
    let result = measure(&arguments, &peers, &bench);
    if result.is_err() {
        // Logs tell more than the error.
        let _kept = folder.keep();
    }
    say(&result?.print())
}

/// Builds the program under test and the example that runs stages by themselves, beside this one.
fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    // The whole workspace, as the tests build it: with fewer packages, features differ, and wasmtime would be built once more.
    cargo.args(["build", "--release", "--workspace", "--exclude=tombolo-guest-programs"]);
    cargo.args(["--bin=tombolo", "--example=stages"]).current_dir(root());
    ensure!(cargo.status().context("run cargo")?.success(), "cargo could not build tombolo");
    Ok(())
}

fn measure(arguments: &Arguments, peers: &[Peer], bench: &Bench) -> Result<Report> {
    let mut report = Report::default();
    let asked = |what| arguments.what.contains(&what);
    let from_topic = [What::Json, What::Transformed, What::Floor, What::Postgres];
    if from_topic.into_iter().any(asked) {
        bench.broker.fill(bench.input_topic(), bench.total())?;
    }
    if peers.contains(&Peer::Tombolo) {
        // Compiles what every later start finds in the cache.
        Worker::start(Peer::Tombolo, "warm", &bench.around)?.stop()?;
    }
    if asked(What::Lines) {
        run::write_input(&bench.input_file(), bench.total())?;
    }
    for case in arguments.what.iter().filter_map(|what| what.case()) {
        for round in 1..=arguments.rounds {
            for peer in peers {
                let figures = run::run(bench, case, *peer, round)?;
                say(&format!(
                    "{} {round}: {} {:.0} ns of CPU per record, {:.0} records/s, peak {} MB\n",
                    case.name(),
                    peer.title(),
                    figures.cpu,
                    figures.rate,
                    figures.memory.peak >> 20,
                ))?;
                report.add(case, *peer, figures);
            }
        }
    }
    if asked(What::Start) {
        for peer in peers {
            let rounds = arguments.rounds.max(STARTS_MIN);
            report.add_starts(*peer, start::starts(*peer, rounds, &bench.around)?);
        }
    }
    for peer in peers {
        if asked(What::Create) {
            report.add_creations(*peer, &creation::many(*peer, &bench.around)?);
            let rounds = arguments.rounds.max(STARTS_MIN);
            let rows = creation::first_rows(*peer, rounds, &bench.broker, &bench.around)?;
            report.add_first_rows(*peer, &rows);
        }
        if asked(What::Reads) {
            report.add_reads(*peer, &reads::reads(*peer, &bench.broker, &bench.around)?);
        }
    }
    if asked(What::Floor) {
        let consume = floor::consume(&bench.broker, bench.input_topic(), bench.total())?;
        let produce = floor::produce(&bench.broker, "bench-floor", bench.total())?;
        report.add_floor(consume, produce);
    }
    if asked(What::Postgres) && peers.contains(&Peer::Tombolo) {
        report.add_loads(&postgres::loads(bench, arguments.rounds)?);
    }
    if asked(What::Stages) {
        let program = target_folder().join("release/examples/stages");
        report.add_stages(&stages::stages(&program)?);
    }
    if asked(What::Guards) {
        let program = target_folder().join("release/examples/stages");
        report.add_guards(&stages::guards(&program)?);
    }
    Ok(report)
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
