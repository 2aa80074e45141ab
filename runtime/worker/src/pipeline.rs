//! Converters and transformations of a task: batches go through as columns, and every row leads back to the one it came from.
//!
//! Not here: where batches come from and go to (`source_task`, `sink_task`), and what becomes of bad rows (`tolerance`).

mod build;
mod calls;
mod header_columns;
mod incoming;
mod outgoing;
mod parts;
mod rows;

use std::sync::Arc;

use tombolo_model::fault::RowFault;
use tombolo_model::role::{Applied, Converter, HeaderConverter, TransformationChain};
use tombolo_model::{Fault, Stage, Values};

pub(crate) use build::{build, build_plain};
pub(crate) use outgoing::produce_rows;
pub(crate) use rows::{Bad, Rows};

use crate::tolerance::{ErrorPolicy, exceeded};
use calls::{Transform, Transformed};

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
    class: Arc<str>,
    /// Whether the converter looks at the records' headers.
    reads_headers: bool,
}

struct HeaderConversion {
    converter: Box<dyn HeaderConverter>,
    class: Arc<str>,
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
    classes: Vec<Arc<str>>,
}

impl Pipeline {
    /// The class of the plugin that works at a stage; none where it is not known.
    pub(crate) fn class_at(&self, stage: Stage) -> Option<Arc<str>> {
        match stage {
            Stage::KeyConverter => Some(Arc::clone(&self.key.class)),
            Stage::ValueConverter => Some(Arc::clone(&self.value.class)),
            Stage::HeaderConverter => Some(Arc::clone(&self.header.class)),
            Stage::Transformation => self.chain.as_ref()?.classes.first().cloned(),
            _ => None,
        }
    }

    /// Puts the rows through the transformations.
    async fn transform(&mut self, rows: &mut Rows) -> Result<(), Fault> {
        let Some(chain) = &mut self.chain else { return Ok(()) };
        if rows.batch.is_empty() {
            return Ok(());
        }
        let count = rows.batch.rows;
        let mut call = Transform { chain: &mut *chain.transformations, batch: &mut rows.batch };
        let Transformed { batch, applied } =
            parts::make(&mut call, (Stage::Transformation, count), &self.policy).await?;
        let Applied { origin, faults } = applied;
        rows.batch = batch;
        let bad: Vec<Bad> = faults
            .into_iter()
            .map(|fault| Bad {
                row: rows.original(fault.row),
                stage: Stage::Transformation,
                class: chain.classes.get(fault.step as usize).cloned().unwrap_or_default(),
                problem: fault.problem,
            })
            .collect();
        if let Some(origin) = origin {
            rows.chosen(origin);
        }
        self.policy.take_out(rows, bad);
        Ok(())
    }
}

impl ErrorPolicy {
    /// Notes bad rows, which have left the batch. The first that may not be skipped ends the task; rows before it stay.
    fn take_out(&self, rows: &mut Rows, bad: Vec<Bad>) {
        if !self.skips()
            && let Some(first) = bad.iter().min_by_key(|bad| bad.row)
        {
            rows.fail_at(first.row, exceeded(first.stage, &first.problem));
        }
        rows.bad.extend(bad);
    }

    /// Lets rows go that could not be converted.
    fn take_out_converted(
        &self,
        rows: &mut Rows,
        (stage, class): (Stage, &Arc<str>),
        faults: Vec<RowFault>,
    ) {
        if faults.is_empty() {
            return;
        }
        let mut gone: Vec<u32> = faults.iter().map(|fault| fault.row).collect();
        gone.sort_unstable();
        let bad: Vec<Bad> = faults
            .into_iter()
            .map(|RowFault { row, problem }| Bad {
                row: rows.original(row),
                stage,
                class: Arc::clone(class),
                problem,
            })
            .collect();
        rows.drop_rows(&gone);
        self.take_out(rows, bad);
    }
}

#[cfg(test)]
mod tests;
