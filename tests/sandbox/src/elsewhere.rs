//! Figures that tests and programs of other crates print: they are run, and their lines taken.
//!
//! Each holds its own bound, and fails where it is passed. Not here: those tests.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use tombolo_harness::{root, target_folder};

use crate::figure::Figure;

/// How packages are chosen: all of them, as tests build them. With fewer, features differ, and wasmtime would be built once more.
const ALL: [&str; 3] = ["--release", "--workspace", "--exclude=tombolo-guest-programs"];

/// What prints figures.
#[derive(Clone, Copy, Debug)]
pub enum Printer {
    /// A test: its target for cargo, and its name there.
    Test(&'static str, &'static str),
    /// A program below `target/release`, with these arguments.
    Program(&'static str, &'static [&'static str]),
}

/// A figure of a line that is printed.
#[derive(Clone, Copy, Debug)]
pub struct Printed {
    /// What is measured.
    pub what: &'static str,
    /// What the line begins with; the figure follows.
    pub line: &'static str,
    /// What it must not pass.
    pub bound: &'static str,
}

/// Builds the program under test, and the programs that print figures.
pub fn build() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.arg("build").args(ALL).current_dir(root());
    cargo.args(["--bin=tombolo", "--bin=tombolo-bench"]);
    cargo.args(["--example=stages", "--example=mutated_uploads"]);
    anyhow::ensure!(cargo.status().context("run cargo")?.success(), "{cargo:?} failed");
    Ok(())
}

/// Runs a printer, and takes its figures.
pub fn run(printer: Printer, figures: &[Printed], tombolo: &Path) -> Result<Vec<Figure>> {
    let mut command = match printer {
        Printer::Test(target, name) => {
            let mut cargo = Command::new("cargo");
            cargo.arg("test").args(ALL).arg(target).args(["--", name, "--nocapture"]);
            cargo
        }
        Printer::Program(program, arguments) => {
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
    let said = String::from_utf8_lossy(&output.stdout);
    let ended_well = output.status.success();
    if !ended_well {
        let errors = String::from_utf8_lossy(&output.stderr);
        let both = format!("{said}{errors}");
        let from = both.len().saturating_sub(TOLD_OF_A_FAILURE);
        let end = both.get(both.ceil_char_boundary(from)..).unwrap_or_default();
        anyhow::bail!("{command:?} failed: {end}");
    }
    let figure = |one: &Printed| {
        let found = last(&said, one.line);
        let holds = found.is_some();
        Figure::new(one.what, found.unwrap_or("nothing was told"), one.bound, holds)
    };
    Ok(figures.iter().map(figure).collect())
}

/// Bytes of what a printer that failed said last.
const TOLD_OF_A_FAILURE: usize = 4_000;

/// What follows on the last line that has this. Before it may stand what the test's own program says.
fn last<'a>(said: &'a str, begin: &str) -> Option<&'a str> {
    said.lines().rev().find_map(|line| line.split_once(begin)).map(|(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_wherever_it_begins() {
        let said = "test a ... bill: 1 %\nbill: 2 % of 3 s\n ok\n";
        assert_eq!(last(said, "bill: "), Some("2 % of 3 s"));
        assert_eq!(last("test a ... bill: 1 %\n", "bill: "), Some("1 %"));
        assert_eq!(last(said, "runaway: "), None);
    }
}
