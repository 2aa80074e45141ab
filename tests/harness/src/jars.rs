//! Apache Kafka's jars: broker and Connect, fetched by Maven into the target folder once.
//!
//! Not here: running them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{root, target_folder};

/// The version in `pom.xml`.
pub const KAFKA_VERSION: &str = "4.3.1";

/// A Java command line with all of Apache Kafka on its class path, and its log on the standard output.
///
/// `options` go to the virtual machine, as `-Xmx1G`. The main class and its arguments are left to the caller.
pub fn java(options: &[&str]) -> Result<Command> {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/log4j2.properties");
    let mut command = Command::new("java");
    command.args(options);
    command.arg(format!("-Dlog4j2.configurationFile={}", log.display()));
    command.arg("-cp").arg(folder()?.join("*"));
    Ok(command)
}

/// The folder with the jars.
///
/// Cost: Maven's, some 15 seconds, the first time.
fn folder() -> Result<PathBuf> {
    let folder = target_folder().join(format!("kafka-{KAFKA_VERSION}"));
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

fn fetch(folder: &Path) -> Result<()> {
    let mut command = Command::new("mvn");
    command.args(["--quiet", "--batch-mode", "--file"]);
    command.arg(root().join("tests/harness/pom.xml"));
    command.arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies");
    command.arg(format!("-DoutputDirectory={}", folder.display()));
    let output = command.output().context("run mvn, which must be installed")?;
    if !output.status.success() {
        bail!("mvn could not fetch Apache Kafka:\n{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}
