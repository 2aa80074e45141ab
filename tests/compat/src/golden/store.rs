//! The files of stored answers: one for each script, below the version of Kafka that gave them. Not here: what is compared.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tombolo_harness::jars::KAFKA_VERSION;

use super::exchange::Exchange;

fn file(script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(KAFKA_VERSION);
    folder.join(format!("{script}.json"))
}

/// Reads what a script's file holds.
pub(super) fn content(script: &str) -> Result<Value> {
    let path = file(script);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is recorded with --record", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// Reads a script's answers.
pub(super) fn read(script: &str) -> Result<Vec<Exchange>> {
    let stored = content(script)?;
    let exchanges = stored.as_array().context("the file holds an array")?.iter().map(|one| {
        let request = one["request"].as_str().unwrap_or_default().to_owned();
        Exchange { request, answer: one["answer"].clone() }
    });
    Ok(exchanges.collect())
}

/// Writes a script's answers.
pub(super) fn write(script: &str, exchanges: &[Exchange]) -> Result<()> {
    let stored: Vec<Value> = exchanges
        .iter()
        .map(|one| json!({ "request": one.request, "answer": one.answer }))
        .collect();
    write_content(script, &stored.into())
}

/// Writes what a script's file is to hold.
pub(super) fn write_content(script: &str, content: &Value) -> Result<()> {
    let path = file(script);
    std::fs::create_dir_all(path.parent().context("the file is in a folder")?)?;
    std::fs::write(path, serde_json::to_string_pretty(content)? + "\n")?;
    Ok(())
}
