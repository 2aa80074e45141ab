//! Figures that tests and programs of other crates print: they are run, and their lines taken.
//!
//! Each holds its own bound, and fails or says so where it is passed. Not here: those tests.

pub mod printers;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use tombolo_harness::{root, target_folder};

use crate::figure::Figure;

/// How packages are chosen: all of them, as tests build them. With fewer, features differ, and wasmtime would be built once more.
const ALL: [&str; 3] = ["--release", "--workspace", "--exclude=tombolo-guest-programs"];

/// Bytes of what a printer that failed said last.
const TOLD_OF_A_FAILURE: usize = 4_000;

/// What a printer that does not fail says where a bound is passed.
const FAILS: &str = "FAILS";

/// What prints figures, and which.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// What it is.
    pub of: Of,
    /// The lines that it prints.
    pub lines: &'static [Printed],
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// A test: its target for cargo, and its name there.
    Test(&'static str, &'static str),
    /// A program below `target/release`, with these arguments; `{tombolo}` stands for the program under test.
    Program(&'static str, &'static [&'static str]),
}

/// Lines that begin alike.
#[derive(Clone, Copy, Debug)]
pub struct Printed {
    /// What is measured.
    pub what: &'static str,
    /// How they begin; the figure follows.
    pub begin: &'static str,
    /// What it must not pass.
    pub bound: &'static str,
}

/// Builds the program under test, and the programs that print figures.
pub fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.arg("build").args(ALL).current_dir(root());
    cargo.args(["--bin=tombolo", "--bin=tombolo-bench"]);
    cargo.args(["--example=stages", "--example=mutated_uploads", "--example=postgres_kills"]);
    ensure!(cargo.status().context("run cargo")?.success(), "{cargo:?} failed");
    Ok(())
}

/// Runs printers, and takes their figures.
pub fn run(printers: &[Printer], tombolo: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for printer in printers {
        let said = said(&printer.of, tombolo)?;
        for line in printer.lines {
            let found = found(&said, line.begin);
            ensure!(!found.is_empty(), "{:?} does not say {:?}: {said}", printer.of, line.begin);
            let figure = |of: &str| Figure::new(line.what, of, line.bound, !of.contains(FAILS));
            figures.extend(found.into_iter().map(figure));
        }
    }
    Ok(figures)
}

/// What a printer says. Errors: it fails.
fn said(of: &Of, tombolo: &Path) -> Result<String> {
    let mut command = match of {
        Of::Test(target, name) => {
            let mut cargo = Command::new("cargo");
            cargo.arg("test").args(ALL).arg(target).args(["--", name, "--nocapture"]);
            cargo
        }
        Of::Program(program, arguments) => {
            let mut command = Command::new(target_folder().join("release").join(program));
            let named = |argument: &&str| match *argument {
                "{tombolo}" => tombolo.as_os_str().to_owned(),
                other => other.into(),
            };
            command.args(arguments.iter().map(named));
            command
        }
    };
    let output = command.current_dir(root()).output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let all = said + &String::from_utf8_lossy(&output.stderr);
        let from = all.ceil_char_boundary(all.len().saturating_sub(TOLD_OF_A_FAILURE));
        bail!("{command:?} failed: {}", all.get(from..).unwrap_or_default());
    }
    Ok(said)
}

/// What follows on each line that begins so. The test's own program may say something before it on the same line.
fn found<'a>(said: &'a str, begin: &str) -> Vec<&'a str> {
    said.lines().filter_map(|line| line.split_once(begin)).map(|(_, rest)| rest.trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_wherever_they_begin() {
        let said = "test a ... bill: 1 %\nbill: 2 % of 3 s\n ok\n";
        assert_eq!(found(said, "bill: "), ["1 %", "2 % of 3 s"]);
        assert!(found(said, "runaway: ").is_empty());
    }
}
