//! The suite's command: plays cases on Apache Kafka Connect, on Tombolo, or on a worker that is there, and prints the table.
//!
//! Not here: the cases, which are the library's.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use tombolo_compat::case::Case;
use tombolo_compat::peer::Peer;
use tombolo_compat::play::play;
use tombolo_compat::report;
use tombolo_compat::stage::{Foreign, Stage, Surroundings};
use tombolo_compat::verdict::Verdict;
use tombolo_compat::{broker, cases};
use tombolo_harness::{Kafka, root, target_folder};

/// Plays the conformance suite on Apache Kafka Connect and on Tombolo.
#[derive(Parser)]
struct Arguments {
    /// Only cases whose name or origin contains one of these words.
    words: Vec<String>,
    /// Only one of the two programs.
    #[arg(long, value_enum)]
    peer: Option<Peer>,
    /// Our program; without, it is built first.
    #[arg(long)]
    tombolo: Option<PathBuf>,
    /// The API of a worker that runs already, as http://127.0.0.1:8083; it must have the kit.
    #[arg(long, requires = "bootstrap", requires = "files", requires = "peer")]
    url: Option<String>,
    /// Addresses of that worker's brokers.
    #[arg(long, requires = "url")]
    bootstrap: Option<String>,
    /// A folder that the suite and that worker's connectors may read and write.
    #[arg(long, requires = "url")]
    files: Option<PathBuf>,
    /// Store the answers of Kafka Connect that Tombolo is held to, in place of comparing with them.
    #[arg(long)]
    record: bool,
    /// Only name the cases.
    #[arg(long)]
    list: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let cases = chosen(&arguments.words);
    ensure!(!cases.is_empty(), "no case is named so");
    if arguments.list {
        let names = cases.iter().map(|case| format!("{}  {}\n", case.name, case.from));
        say(&names.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let verdicts = play_all(&arguments, &cases)?;
    say(&report::table(&verdicts))?;
    let wrong = verdicts.iter().any(Verdict::is_wrong);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(words: &[String]) -> Vec<&'static Case> {
    let named = |case: &&Case| {
        let has = |word: &String| case.name.contains(word) || case.from.contains(word);
        words.is_empty() || words.iter().any(has)
    };
    cases::all().filter(named).collect()
}

fn play_all(arguments: &Arguments, cases: &[&'static Case]) -> Result<Vec<Verdict>> {
    let peers = arguments.peer.map_or(Peer::ALL.to_vec(), |peer| vec![peer]);
    let folder = tempfile::Builder::new().prefix("tombolo-compat-").tempdir()?;
    let mut around = Surroundings {
        bootstrap: String::new(),
        tombolo: target_folder().join("release/tombolo"),
        folder: folder.path().canonicalize()?,
        records: arguments.record,
    };
    if let (Some(url), Some(bootstrap), Some(files), [peer]) =
        (&arguments.url, &arguments.bootstrap, &arguments.files, peers.as_slice())
    {
        around.bootstrap.clone_from(bootstrap);
        let foreign = Foreign { url: url.clone(), files: files.canonicalize()? };
        return Ok(play(&Stage::foreign(*peer, around, foreign)?, cases, &tell));
    }
    match &arguments.tombolo {
        Some(program) => around.tombolo = std::path::absolute(program)?,
        None if peers.contains(&Peer::Tombolo) => build()?,
        None => {}
    }
    let kafka = Kafka::start(&broker::SETTINGS)?;
    around.bootstrap = kafka.bootstrap();
    let stages: Result<Vec<Stage>> =
        peers.into_iter().map(|peer| Stage::new(peer, around.clone())).collect();
    let stages = stages?;
    let verdicts = std::thread::scope(|scope| {
        let playing: Vec<_> =
            stages.iter().map(|stage| scope.spawn(|| play(stage, cases, &tell))).collect();
        playing.into_iter().map(|one| one.join()).collect::<Result<Vec<_>, _>>()
    });
    let Ok(verdicts) = verdicts else { bail!("playing panicked") };
    let verdicts: Vec<Verdict> = verdicts.into_iter().flatten().collect();
    if verdicts.iter().any(Verdict::is_wrong) {
        // Logs tell more than the table.
        say(&format!("the workers' logs are kept in {}\n", folder.keep().display()))?;
    }
    Ok(verdicts)
}

/// Builds the program under test beside this one.
fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    // The whole workspace, as the tests build it: with fewer packages, features differ, and much would be built once more.
    cargo.args(["build", "--release", "--workspace", "--exclude=tombolo-guest-programs"]);
    cargo.args(["--bin=tombolo"]).current_dir(root());
    ensure!(cargo.status().context("run cargo")?.success(), "cargo could not build tombolo");
    Ok(())
}

fn tell(verdict: &Verdict) {
    let word = report::word(verdict);
    let why = report::complaint(verdict).unwrap_or_default();
    // Nobody may listen any more.
    say(&format!("{:8} {word:16} {}\n{why}", verdict.peer.name(), verdict.case.name)).ok();
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
