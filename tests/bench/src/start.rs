//! From a program's start to its first answer, with ten connectors in its internal topics.
//!
//! Not here: from a connector's creation to its first row, which each run measures.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::peer::{Peer, Surroundings, Worker};

/// Connectors that the worker finds at its start.
const CONNECTORS: usize = 10;

/// Prepares ten running connectors, then measures `rounds` starts.
pub fn starts(peer: Peer, rounds: usize, around: &Surroundings) -> Result<Vec<Duration>> {
    let name = format!("start-{}", peer.name());
    let worker = Worker::start(peer, &name, around)?;
    let file = around.folder.join("idle.txt");
    std::fs::write(&file, "")?;
    for number in 0..CONNECTORS {
        let connector = format!("idle-{number}");
        worker.api.create(&json!({
            "name": connector,
            "config": {
                "connector.class": "FileStreamSource",
                "file": file.display().to_string(),
                "topic": connector,
                "tasks.max": "1",
            }
        }))?;
        worker.api.wait_until_running(&connector)?;
    }
    worker.stop()?;
    (0..rounds).map(|_| start(peer, &name, around)).collect()
}

fn start(peer: Peer, name: &str, around: &Surroundings) -> Result<Duration> {
    let worker = Worker::start(peer, name, around)?;
    let (time, found) = (worker.start, worker.connectors.len());
    // An early answer from a worker that has not read its topics would be worth nothing.
    ensure!(found == CONNECTORS, "the first answer lists {found} connectors");
    worker.stop()?;
    Ok(time)
}
