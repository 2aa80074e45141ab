//! PostgreSQL's programs, fetched by Maven into the target folder once.
//!
//! Not here: running them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::target_folder;

/// The newest that is packaged this way.
pub(super) const VERSION: &str = "18.6.0";

/// The folder with `bin`, `lib` and `share`.
///
/// Cost: Maven's and that of unpacking, some 10 seconds, the first time.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = target_folder().join(format!("postgres-{VERSION}"));
    let complete = folder.join("complete");
    if complete.is_file() {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    // Tests of several crates may start at once.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if !complete.is_file() {
        fetch(&folder)?;
        File::create(complete)?;
    }
    Ok(folder)
}

/// An archive in a jar: fetches the one, and unpacks both.
fn fetch(folder: &Path) -> Result<()> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64v8",
        other => bail!("no PostgreSQL is packaged for {other}"),
    };
    let artifact =
        format!("io.zonky.test.postgres:embedded-postgres-binaries-linux-{architecture}:{VERSION}");
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode"]);
    maven.arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy");
    maven.arg(format!("-Dartifact={artifact}"));
    maven.arg(format!("-DoutputDirectory={}", folder.display()));
    run(maven.current_dir(folder))?;
    let jar = file_with_ending(folder, "jar")?;
    run(Command::new("jar").arg("xf").arg(&jar).current_dir(folder))?;
    let archive = file_with_ending(folder, "txz")?;
    run(Command::new("tar").arg("-xJf").arg(&archive).current_dir(folder))?;
    std::fs::remove_file(jar)?;
    std::fs::remove_file(archive)?;
    Ok(())
}

fn file_with_ending(folder: &Path, ending: &str) -> Result<PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) {
            return Ok(path);
        }
    }
    bail!("there is no {ending} in {}", folder.display())
}

/// Runs a command to its end. Errors: with what it says.
pub(super) fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    let words =
        [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned());
    ensure!(output.status.success(), "{command:?}:\n{}", words.concat());
    Ok(())
}
