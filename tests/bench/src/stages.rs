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
    let mut command = Command::new(program);
    command.arg(target_folder().join(COMPONENTS));
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
}
