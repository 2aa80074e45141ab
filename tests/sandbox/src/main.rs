//! The command: measures what it is asked for, and prints it.
//!
//! Not here: measuring, which is the library's.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use tombolo_harness::{root, target_folder};
use tombolo_sandbox_tests::amplifiers::Taken;
use tombolo_sandbox_tests::corpus::Outcome;
use tombolo_sandbox_tests::field::{CALL_TIMEOUT, Field};
use tombolo_sandbox_tests::hangs::Shown;
use tombolo_sandbox_tests::neighbours::Pair;
use tombolo_sandbox_tests::{amplifiers, attacks, corpus, hangs, neighbours};

/// Attacks the sandbox, and prints what came of it.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_values_t = Figure::value_variants().to_vec())]
    figures: Vec<Figure>,
    /// Only attacks whose class or name holds this.
    #[arg(long)]
    only: Option<String>,
    /// Pairs of runs of each attacker beside neighbours; the table shows medians.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Seconds of each of these runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The program under test; without, it is built first.
    #[arg(long)]
    tombolo: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// The hostile corpus, through a real worker.
    Corpus,
    /// A hang in every exported function.
    Hangs,
    /// Memory of the host that the worst amplifiers take.
    Amplifiers,
    /// What attackers cost their neighbours.
    Neighbours,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.tombolo.is_none() {
        build()?;
    }
    let tombolo = match &arguments.tombolo {
        Some(path) => std::path::absolute(path)?,
        None => target_folder().join("release/tombolo"),
    };
    let tombolo = tombolo.to_str().context("the program's path is text")?.to_owned();
    let mut all_hold = true;
    for figure in &arguments.figures {
        all_hold &= match figure {
            Figure::Corpus => corpus(&tombolo, arguments.only.as_deref())?,
            Figure::Hangs => hangs(&tombolo)?,
            Figure::Amplifiers => amplifiers(&tombolo)?,
            Figure::Neighbours => neighbours(&tombolo, &arguments)?,
        };
    }
    ensure!(all_hold, "the sandbox does not hold");
    Ok(())
}

/// Builds the program under test, beside this one.
fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    // The whole workspace, as the tests build it: with fewer packages, features differ, and wasmtime would be built once more.
    cargo.args(["build", "--release", "--workspace", "--exclude=tombolo-guest-programs"]);
    cargo.args(["--bin=tombolo"]).current_dir(root());
    ensure!(cargo.status().context("run cargo")?.success(), "cargo could not build tombolo");
    Ok(())
}

fn corpus(tombolo: &str, only: Option<&str>) -> Result<bool> {
    let field = Field::start(tombolo)?;
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
    let outcomes = corpus::run(&field, &attacks, &mut tell)?;
    let wrong = outcomes.wrong().len();
    say(&format!(
        "corpus: {} attacks, {wrong} not contained; memory {:.1} MiB before, {:.1} MiB after\n",
        outcomes.all.len(),
        mebibytes(outcomes.before),
        mebibytes(outcomes.after),
    ))?;
    Ok(wrong == 0 && outcomes.after <= outcomes.before + corpus::MEMORY_KEPT_MAX)
}

fn hangs(tombolo: &str) -> Result<bool> {
    let field = Field::start(tombolo)?;
    let shown = hangs::run(&field, &hangs::WAYS)?;
    for Shown { place, way, after, wrong } in &shown {
        let after =
            after.map_or("not called".to_owned(), |after| format!("{:.2} s", after.as_secs_f64()));
        let wrong = wrong.as_deref().unwrap_or_default();
        say(&format!("{place:45}{way:12}{after:>12}  {wrong}\n"))?;
    }
    let wrong = shown.iter().filter(|one| one.wrong.is_some()).count();
    let longest = shown.iter().filter_map(|one| one.after).max().unwrap_or_default();
    say(&format!(
        "hangs: {} hangs, {wrong} not shown in time; the last shows {:.2} s after the call, of a deadline of {:.0} s\n",
        shown.len(),
        longest.as_secs_f64(),
        CALL_TIMEOUT.as_secs_f64(),
    ))?;
    Ok(wrong == 0)
}

fn amplifiers(tombolo: &str) -> Result<bool> {
    let field = Field::start(tombolo)?;
    let mut hold = true;
    for Taken { name, bytes } in amplifiers::run(&field)? {
        hold &= bytes <= amplifiers::TAKEN_MAX;
        say(&format!("{name:45}{:8.1} MiB\n", mebibytes(bytes)))?;
    }
    say(&format!(
        "amplifiers: quota {:.0} MiB, most allowed {:.0} MiB\n",
        mebibytes(amplifiers::QUOTA),
        mebibytes(amplifiers::TAKEN_MAX),
    ))?;
    Ok(hold)
}

fn neighbours(tombolo: &str, arguments: &Arguments) -> Result<bool> {
    let field = Field::start(tombolo)?;
    neighbours::start(&field)?;
    let lasts = Duration::from_secs(arguments.seconds);
    let mut hold = true;
    for (name, attacker) in neighbours::ATTACKERS {
        let pair = |_| neighbours::pair(&field, attacker, lasts);
        let pairs = (0..arguments.pairs).map(pair).collect::<Result<Vec<Pair>>>()?;
        let loss = neighbours::median(&pairs, Pair::loss);
        let latency = neighbours::median(&pairs, Pair::latency);
        hold &= loss <= neighbours::LOSS_MAX && latency <= neighbours::LATENCY_MAX;
        say(&format!(
            "{name:20}{:10.0} rows/s beside a good one{:10.0} beside it: {:5.1} % lost; p99 {:.1} ms and {:.1} ms: {latency:.2} times\n",
            neighbours::median(&pairs, |pair| pair.good.rate),
            neighbours::median(&pairs, |pair| pair.bad.rate),
            loss * 100.0,
            neighbours::median(&pairs, |pair| pair.good.p99.as_secs_f64()) * 1e3,
            neighbours::median(&pairs, |pair| pair.bad.p99.as_secs_f64()) * 1e3,
        ))?;
    }
    Ok(hold)
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
