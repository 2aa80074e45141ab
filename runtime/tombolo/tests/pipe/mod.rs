//! The guest `pipe` between a source of numbers and a file: every record is known, so that none is lost unseen.
//!
//! Not here: what happens to worker and Kafka meanwhile.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::{Worker, complete_lines, wait_for};

/// A source `numbers` and a sink `lines`, and what arrives.
pub(crate) struct Pipe {
    file: PathBuf,
    records: usize,
}

impl Pipe {
    /// Uploads the guest, and starts both on a topic of two partitions: so many records, so many a second.
    pub(crate) fn start(worker: &Worker, topic: &str, records: usize, rate: usize) -> Result<Self> {
        let (status, uploaded) = worker.upload(tombolo_guests::PIPE)?;
        let plugins = uploaded.get("plugins").and_then(Value::as_array).map(Vec::len);
        ensure!((status, plugins) == (201, Some(2)), "{status}: {uploaded}");
        let file = worker.files().join("lines.txt");
        let source = json!({
            "connector.class": "test.pipe.NumbersSource",
            "topic": topic, "records": records, "rate": rate,
            "topic.creation.default.partitions": 2,
            "topic.creation.default.replication.factor": 1,
        });
        let sink = json!({"connector.class": "LinesSink", "topics": topic, "file": file});
        worker.create("numbers", &source)?;
        worker.create("lines", &sink)?;
        Ok(Self { file, records })
    }

    /// How many complete lines the file has.
    pub(crate) fn rows(&self) -> usize {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        bytes.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// Waits for so many lines.
    pub(crate) fn wait_for_rows(
        &self,
        worker: &Worker,
        rows: usize,
        patience: Duration,
    ) -> Result<()> {
        wait_for(|| self.rows() >= rows, &format!("{rows} rows arrive"), patience)
            .with_context(|| format!("{} rows\n{}", self.rows(), worker.log()))
    }

    /// Waits until every record is there, holds their first occurrences to their order in each partition, and returns how many came again.
    pub(crate) fn wait_for_all(&self, worker: &Worker, patience: Duration) -> Result<usize> {
        let records = self.records;
        let distinct = || complete_lines(&self.file).into_iter().collect::<HashSet<_>>().len();
        wait_for(|| self.rows() >= records && distinct() == records, "every record", patience)
            .with_context(|| format!("{} distinct\n{}", distinct(), worker.log()))?;
        let lines = complete_lines(&self.file);
        for partition in ["0", "1"] {
            let mut seen = HashSet::new();
            let numbers = lines
                .iter()
                .filter_map(|line| line.split_once(' '))
                .filter(|(of, _)| *of == partition)
                .map(|(_, number)| number.parse::<usize>());
            let mut first = numbers.collect::<Result<Vec<_>, _>>()?;
            first.retain(|number| seen.insert(*number));
            ensure!(first.is_sorted(), "first occurrences are out of order in {partition}");
            ensure!(first.len() == records / 2, "{} of {partition}", first.len());
        }
        Ok(lines.len() - records)
    }
}
