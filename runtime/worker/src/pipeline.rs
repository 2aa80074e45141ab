//! Converters and transformations of a task: batches go through as columns, and every row leads back to the one it came from.
//!
//! Not here: where batches come from and go to (`source_task`, `sink_task`), and what becomes of bad rows (`tolerance`).

mod build;
mod header_columns;
mod incoming;
mod outgoing;
mod rows;

use tombolo_model::fault::{Problem, RowFault};
use tombolo_model::role::{Applied, Converter, HeaderConverter, TransformationChain};
use tombolo_model::{Fault, FaultKind, Stage, Values};

pub(crate) use build::build;
pub(crate) use outgoing::produce_rows;
pub(crate) use rows::{Origin, Rows};

use crate::tolerance::{ErrorPolicy, Executing};

/// A task's converters and transformations.
pub(crate) struct Pipeline {
    key: Conversion,
    value: Conversion,
    header: HeaderConversion,
    chain: Option<Chain>,
    policy: ErrorPolicy,
    /// Reused: the topic of each header.
    header_topics: Vec<u32>,
}

struct Conversion {
    converter: Box<dyn Converter>,
    class: String,
    /// Whether the converter looks at the records' headers.
    reads_headers: bool,
}

struct HeaderConversion {
    converter: Box<dyn HeaderConverter>,
    class: String,
}

/// Which of a record's two converted columns.
#[derive(Clone, Copy)]
enum Side {
    Key,
    Value,
}

impl Side {
    fn of<'a>(self, key: &'a mut Values, value: &'a mut Values) -> &'a mut Values {
        match self {
            Self::Key => key,
            Self::Value => value,
        }
    }

    fn stage(self) -> Stage {
        match self {
            Self::Key => Stage::KeyConverter,
            Self::Value => Stage::ValueConverter,
        }
    }
}

struct Chain {
    transformations: Box<dyn TransformationChain>,
    /// Class of each step.
    classes: Vec<String>,
}

impl Pipeline {
    /// Puts the rows through the transformations.
    async fn transform(&mut self, rows: &mut Rows, from: Origin<'_>) -> Result<(), Fault> {
        let Some(chain) = &mut self.chain else { return Ok(()) };
        if rows.batch.is_empty() {
            return Ok(());
        }
        let mut retries = self.policy.retries();
        let applied = loop {
            match chain.transformations.apply(&mut rows.batch).await {
                Err(fault) if retries.again(&fault).await => {}
                other => break other,
            }
        };
        let Applied { origin, faults } = match applied {
            Ok(applied) => applied,
            Err(fault) => {
                let class = chain.classes.first().map_or("", String::as_str);
                let at = Executing { stage: Stage::Transformation, class };
                return self.policy.judge_all(rows, from, at, fault);
            }
        };
        let before: Vec<u32> = faults.iter().map(|fault| rows.original(fault.row)).collect();
        if let Some(origin) = origin {
            rows.chosen(origin);
        }
        let bad = faults.iter().zip(before).map(|(fault, original)| {
            let class = chain.classes.get(fault.step as usize).map_or("", String::as_str);
            (original, Executing { stage: Stage::Transformation, class }, &fault.problem)
        });
        self.policy.judge_rows(rows, from, bad);
        Ok(())
    }
}

impl ErrorPolicy {
    /// Judges bad rows, by original row. The first that may not be skipped ends the task; rows before it stay.
    fn judge_rows<'a>(
        &self,
        rows: &mut Rows,
        from: Origin<'_>,
        bad: impl Iterator<Item = (u32, Executing<'a>, &'a Problem)>,
    ) {
        if self.skips() {
            bad.for_each(|(row, at, problem)| drop(self.judge(at, from.record(row), problem)));
        } else if let Some((row, at, problem)) = bad.min_by_key(|(row, ..)| *row)
            && let Err(fault) = self.judge(at, from.record(row), problem)
        {
            rows.fail_at(row, fault);
        }
    }

    /// Judges the faults of a conversion and lets the bad rows go.
    fn judge_converted(
        &self,
        rows: &mut Rows,
        from: Origin<'_>,
        at: Executing<'_>,
        faults: &[RowFault],
    ) {
        if faults.is_empty() {
            return;
        }
        let mut bad: Vec<u32> = faults.iter().map(|fault| fault.row).collect();
        let originals: Vec<u32> = bad.iter().map(|&row| rows.original(row)).collect();
        bad.sort_unstable();
        rows.drop_rows(&bad);
        let judged = originals.into_iter().zip(faults);
        self.judge_rows(rows, from, judged.map(|(row, fault)| (row, at, &fault.problem)));
    }

    /// Judges a call that failed as a whole. Where the fault is about records, it is every row's.
    fn judge_all(
        &self,
        rows: &mut Rows,
        from: Origin<'_>,
        at: Executing<'_>,
        fault: Fault,
    ) -> Result<(), Fault> {
        // A call that was given up because the task stops says nothing about its rows: they come again.
        let is_over = !fault.is_retriable() || !self.stopping.is_cancelled();
        if !is_over || !matches!(fault.kind, FaultKind::Record | FaultKind::Retriable { .. }) {
            return Err(fault);
        }
        let problem = Problem { message: fault.message, class: fault.class, trace: fault.trace };
        let faults: Vec<RowFault> =
            (0..rows.batch.rows).map(|row| RowFault { row, problem: problem.clone() }).collect();
        self.judge_converted(rows, from, at, &faults);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
