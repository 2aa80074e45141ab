//! The command: measures what it is asked for, and prints it.
//!
//! Not here: measuring, which is the library's.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use tombolo_harness::target_folder;
use tombolo_sandbox_tests::amplifiers::Taken;
use tombolo_sandbox_tests::corpus::Outcome;
use tombolo_sandbox_tests::elsewhere::{self, Printer, printers};
use tombolo_sandbox_tests::field::Field;
use tombolo_sandbox_tests::figure::{Figure, Table, mebibytes, percent, seconds};
use tombolo_sandbox_tests::hangs::Shown;
use tombolo_sandbox_tests::neighbours::Pair;
use tombolo_sandbox_tests::{amplifiers, attacks, corpus, hangs, neighbours};

/// Attacks the sandbox, and prints what came of it: a line for each figure, with what it must not pass.
#[derive(Parser)]
struct Arguments {
    /// What to measure; all of it where nothing is named.
    #[arg(value_enum, default_values_t = Subject::value_variants().to_vec(), hide_default_value = true)]
    subjects: Vec<Subject>,
    /// Only attacks of the corpus, and attackers of neighbours, whose class or name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Pairs of runs of each attacker beside neighbours; the figures are medians.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Seconds of each of these runs.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// The program under test, where all is built; without, it is built first.
    #[arg(long)]
    tombolo: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// The hostile corpus, through a real worker.
    Corpus,
    /// A hang in every exported function.
    Hangs,
    /// What attackers cost their neighbours.
    Neighbours,
    /// Memory of the host that the worst amplifiers take.
    Amplifiers,
    /// Budgets of processor time, and the bill.
    Processor,
    /// Ways around the policy of connections.
    Egress,
    /// What is left in memories, tables and globals for the next plugin.
    Residue,
    /// A million mutated uploads, and some hundreds through sockets.
    Uploads,
    /// Components that are hard to compile.
    Bombs,
    /// What it costs on a record's path that plugins are held to time and memory.
    Guards,
    /// Rows into PostgreSQL beside `psql \copy`, and through kills.
    Postgres,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.tombolo.is_none() {
        elsewhere::build()?;
    }
    let tombolo = match &arguments.tombolo {
        Some(path) => std::path::absolute(path)?,
        None => target_folder().join("release/tombolo"),
    };
    let mut figures = Vec::new();
    for subject in &arguments.subjects {
        let found = measure(*subject, &tombolo, &arguments);
        // What could not be measured does not keep the others from being so.
        let found = found.unwrap_or_else(|error| {
            vec![Figure::new(format!("{subject:?}"), format!("{error:#}"), "", false)]
        });
        say(&Table(&found).to_string())?;
        figures.extend(found);
    }
    say(&format!("\n{}", Table(&figures)))?;
    ensure!(figures.iter().all(|figure| figure.holds), "the sandbox does not hold");
    Ok(())
}

fn measure(subject: Subject, tombolo: &Path, arguments: &Arguments) -> Result<Vec<Figure>> {
    let field = || Field::start(tombolo.to_str().context("the program's path is text")?);
    let elsewhere = |printers: &[Printer]| elsewhere::run(printers, tombolo);
    match subject {
        Subject::Corpus => corpus(&field()?, arguments.only.as_deref()),
        Subject::Hangs => hangs(&field()?),
        Subject::Neighbours => neighbours(&field()?, arguments),
        Subject::Amplifiers => amplifiers(&field()?),
        Subject::Processor => elsewhere(&printers::PROCESSOR),
        Subject::Egress => elsewhere(&printers::EGRESS),
        Subject::Residue => elsewhere(&printers::RESIDUE),
        Subject::Uploads => elsewhere(&printers::UPLOADS),
        Subject::Bombs => elsewhere(&printers::BOMBS),
        Subject::Guards => elsewhere(&printers::GUARDS),
        Subject::Postgres => elsewhere(&printers::POSTGRES),
    }
}

fn corpus(field: &Field, only: Option<&str>) -> Result<Vec<Figure>> {
    let mut attacks = attacks::all();
    attacks.retain(|attack| {
        only.is_none_or(|only| attack.name.contains(only) || attack.class.name().contains(only))
    });
    let mut tell = |outcome: &Outcome| {
        let Outcome { attack, took, wrong } = outcome;
        let end = wrong.as_deref().unwrap_or("contained");
        let (class, name) = (attack.class.name(), attack.name);
        // A table that cannot be written is told by the last line.
        say(&format!("{class:12}{name:45}{:8.1} s  {end}\n", took.as_secs_f64())).ok();
    };
    let outcomes = corpus::run(field, &attacks, &mut tell)?;
    let (all, wrong) = (outcomes.all.len(), outcomes.wrong().len());
    let (before, after) = (outcomes.before, outcomes.after);
    let kept = after.saturating_sub(before);
    Ok(vec![
        Figure::new(
            "hostile corpus: contained",
            format!("{} of {all} attacks", all - wrong),
            "all",
            wrong == 0,
        ),
        Figure::new(
            "hostile corpus: memory kept",
            format!(
                "{} beyond {} ({} before the first)",
                mebibytes(kept),
                mebibytes(before),
                mebibytes(outcomes.first)
            ),
            mebibytes(corpus::MEMORY_KEPT_MAX),
            kept <= corpus::MEMORY_KEPT_MAX,
        ),
    ])
}

fn hangs(field: &Field) -> Result<Vec<Figure>> {
    let shown = hangs::run(field, &hangs::WAYS)?;
    for Shown { place, way, after, wrong, .. } in &shown {
        let after = after.map_or("not called".to_owned(), seconds);
        let wrong = wrong.as_deref().unwrap_or_default();
        say(&format!("{place:45}{way:12}{after:>12}  {wrong}\n"))?;
    }
    let wrong = shown.iter().filter(|one| one.wrong.is_some()).count();
    let latest = shown.iter().filter_map(Shown::late).max().unwrap_or_default();
    Ok(vec![Figure::new(
        "hangs: seen after the deadline",
        format!("{} at most, {} of {} hangs", seconds(latest), shown.len() - wrong, shown.len()),
        seconds(hangs::SHOWN_WITHIN),
        wrong == 0,
    )])
}

fn amplifiers(field: &Field) -> Result<Vec<Figure>> {
    let figure = |Taken { name, bytes }: Taken| {
        let bound = mebibytes(amplifiers::TAKEN_MAX);
        let holds = bytes <= amplifiers::TAKEN_MAX;
        Figure::new(format!("amplifier: {name}"), mebibytes(bytes), bound, holds)
    };
    Ok(amplifiers::run(field)?.into_iter().map(figure).collect())
}

fn neighbours(field: &Field, arguments: &Arguments) -> Result<Vec<Figure>> {
    neighbours::start(field)?;
    let lasts = Duration::from_secs(arguments.seconds);
    let mut figures = Vec::new();
    let only = arguments.only.as_deref().unwrap_or_default();
    for (name, attacker) in
        neighbours::ATTACKERS.into_iter().filter(|(name, _)| name.contains(only))
    {
        let pairs = neighbours::pairs(field, attacker, arguments.pairs, lasts)?;
        for pair in &pairs {
            say(&format!("{name:20}{pair}\n"))?;
        }
        let loss = neighbours::median(&pairs, Pair::loss);
        let latency = neighbours::median(&pairs, Pair::latency);
        figures.push(Figure::new(
            format!("neighbours, {name}: throughput lost"),
            percent(loss),
            percent(neighbours::LOSS_MAX),
            loss <= neighbours::LOSS_MAX,
        ));
        figures.push(Figure::new(
            format!("neighbours, {name}: p99 latency"),
            format!("{latency:.2} times"),
            format!("{:.1} times", neighbours::LATENCY_MAX),
            latency <= neighbours::LATENCY_MAX,
        ));
    }
    Ok(figures)
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
