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

/// Reads a script's answers.
pub(super) fn read(script: &str) -> Result<Vec<Exchange>> {
    let path = file(script);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is recorded with --record", path.display()))?;
    let stored: Value = serde_json::from_str(&text)?;
    let exchanges = stored.as_array().context("the file holds an array")?.iter().map(|one| {
        let request = one["request"].as_str().unwrap_or_default().to_owned();
        Exchange { request, answer: one["answer"].clone() }
    });
    Ok(exchanges.collect())
}

/// Writes a script's answers.
pub(super) fn write(script: &str, exchanges: &[Exchange]) -> Result<()> {
    let path = file(script);
    std::fs::create_dir_all(path.parent().context("the file is in a folder")?)?;
    let stored: Vec<Value> = exchanges
        .iter()
        .map(|one| json!({ "request": one.request, "answer": one.answer }))
        .collect();
    std::fs::write(path, serde_json::to_string_pretty(&stored)? + "\n")?;
    Ok(())
}
