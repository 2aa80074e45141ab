//! Apache Kafka's jars: broker and Connect, fetched by Maven into the target folder once.
//!
//! And classes of tests' own, compiled against them. Not here: running them.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
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

/// Compiles a folder of Java sources against the jars, and returns a folder for `plugin.path`: the classes, and whatever else was in the folder.
///
/// Cost: a few seconds of the compiler's, the first time with these sources.
pub fn compile(sources: &Path) -> Result<PathBuf> {
    let files = files_below(sources)?;
    let mut hasher = DefaultHasher::new();
    for file in &files {
        (file, std::fs::read(file)?).hash(&mut hasher);
    }
    let folder = target_folder().join(format!("java-{KAFKA_VERSION}-{:016x}", hasher.finish()));
    // The folder of `plugin.path` holds plugins alone: a file beside them would be taken for one.
    let path = folder.join("path");
    let classes = path.join("plugin");
    let complete = folder.join("complete");
    std::fs::create_dir_all(&classes)?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if !complete.is_file() {
        run_compiler(sources, &files, &classes)?;
        File::create(complete)?;
    }
    Ok(path)
}

fn run_compiler(sources: &Path, files: &[PathBuf], classes: &Path) -> Result<()> {
    let is_java = |file: &&PathBuf| file.extension().is_some_and(|ending| ending == "java");
    let mut command = Command::new("javac");
    command.arg("-d").arg(classes).arg("-cp").arg(folder()?.join("*"));
    command.args(files.iter().filter(is_java));
    let output = command.output().context("run javac, which must be installed")?;
    if !output.status.success() {
        bail!("javac:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    for file in files.iter().filter(|file| !is_java(file)) {
        let to = classes.join(file.strip_prefix(sources)?);
        std::fs::create_dir_all(to.parent().context("a file is in a folder")?)?;
        std::fs::copy(file, to)?;
    }
    Ok(())
}

/// All files below a folder, in order.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
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
