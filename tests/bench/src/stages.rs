//! What each stage costs by itself: the crossing of the wall beside a memcpy, and the shipped plugins.
//!
//! Not here: measuring them, which an example of the sandbox's crate does; it is built with the program, so that wasmtime is built once.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tombolo_harness::target_folder;

/// Where the program's build leaves the shipped components, below the target folder.
const COMPONENTS: &str = "guests/wasm32-wasip2/guest";

/// CPU time of each stage, per record in nanoseconds, by name.
pub fn stages(program: &Path) -> Result<Vec<(String, f64)>> {
    figures(program, &[])
}

/// A stage with and without guards: ticks, meters and limits of plugins.
#[derive(Debug, PartialEq)]
pub struct Guarded {
    /// The stage.
    pub name: String,
    /// CPU time per record, in nanoseconds.
    pub with: f64,
    /// The same where plugins are held to nothing.
    pub without: f64,
}

/// What guards cost at some stages.
pub fn guards(program: &Path) -> Result<Vec<Guarded>> {
    pairs(&figures(program, &["--guards"])?)
}

fn pairs(figures: &[(String, f64)]) -> Result<Vec<Guarded>> {
    let pair = |pair: &[(String, f64)]| match pair {
        [(name, with), (_, without)] => {
            let name = name.strip_suffix(", guarded").context("first with guards")?;
            Ok(Guarded { name: name.to_owned(), with: *with, without: *without })
        }
        _ => anyhow::bail!("a figure without its other"),
    };
    figures.chunks(2).map(pair).collect()
}

fn figures(program: &Path, arguments: &[&str]) -> Result<Vec<(String, f64)>> {
    let mut command = Command::new(program);
    command.arg(target_folder().join(COMPONENTS)).args(arguments);
    let output = command.output().with_context(|| format!("run {}", program.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed:\n{errors}", program.display());
    String::from_utf8(output.stdout)?.lines().map(stage).collect()
}

fn stage(line: &str) -> Result<(String, f64)> {
    let (name, figure) = line.split_once('\t').context("a stage has a name and a figure")?;
    Ok((name.to_owned(), figure.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_a_name_and_a_figure() {
        assert_eq!(stage("JSON converter\t519.0").unwrap(), ("JSON converter".to_owned(), 519.0));
        assert!(stage("JSON converter").is_err());
    }

    #[test]
    fn guards_are_measured_in_pairs() {
        let figures = [("copy, guarded".to_owned(), 11.0), ("copy, unguarded".to_owned(), 10.0)];
        let expected = Guarded { name: "copy".to_owned(), with: 11.0, without: 10.0 };
        assert_eq!(pairs(&figures).unwrap(), [expected]);
        assert!(pairs(&figures[1..]).is_err());
    }
}
