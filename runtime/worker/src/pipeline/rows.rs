//! A batch on its way, with the row that each of its rows came from.
//!
//! Not here: who changes it.

use std::sync::Arc;

use tombolo_model::fault::Problem;
use tombolo_model::{Batch, Fault, Stage};

/// Rows on their way through a pipeline.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// What is left of them.
    pub(crate) batch: Batch,
    /// The original row of each row, never decreasing; none while they correspond one to one.
    pub(crate) origin: Option<Vec<u32>>,
    /// Rows that could not be processed. They are gone.
    pub(crate) bad: Vec<Bad>,
    /// An original row that ends the task, and why. Rows from there on are gone.
    pub(crate) failed: Option<(u32, Fault)>,
}

/// A row that could not be processed.
#[derive(Clone, Debug)]
pub(crate) struct Bad {
    /// Its original row.
    pub(crate) row: u32,
    /// Where it failed.
    pub(crate) stage: Stage,
    /// The class of the plugin that could not process it.
    pub(crate) class: Arc<str>,
    /// What went wrong.
    pub(crate) problem: Problem,
}

impl Rows {
    /// All rows of a batch, none of which has moved.
    pub(crate) fn new(batch: Batch) -> Self {
        Self { batch, origin: None, bad: Vec::new(), failed: None }
    }

    /// The original row of a row.
    pub(crate) fn original(&self, row: u32) -> u32 {
        match &self.origin {
            None => row,
            Some(origin) => origin.get(row as usize).copied().unwrap_or(row),
        }
    }

    /// Takes over that the rows were chosen anew: `chosen` names the row before for each row now.
    pub(crate) fn chosen(&mut self, chosen: Vec<u32>) {
        self.origin = Some(match self.origin.take() {
            None => chosen,
            Some(origin) => {
                chosen.iter().map(|&row| origin.get(row as usize).copied().unwrap_or(row)).collect()
            }
        });
    }

    /// Keeps the rows that are not in `bad`, which ascends.
    ///
    /// Cost: a copy of the rows that stay; bad rows are rare.
    pub(crate) fn drop_rows(&mut self, bad: &[u32]) {
        if bad.is_empty() {
            return;
        }
        let kept: Vec<u32> =
            (0..self.batch.rows).filter(|row| bad.binary_search(row).is_err()).collect();
        self.batch = self.batch.gather(&kept);
        self.chosen(kept);
    }

    /// Ends the task at an original row, unless an earlier one does: rows from there on are gone.
    pub(crate) fn fail_at(&mut self, original: u32, fault: Fault) {
        if self.failed.as_ref().is_some_and(|(row, _)| *row <= original) {
            return;
        }
        let first = (0..self.batch.rows).find(|&row| self.original(row) >= original);
        if let Some(first) = first {
            let gone: Vec<u32> = (first..self.batch.rows).collect();
            self.drop_rows(&gone);
        }
        self.failed = Some((original, fault));
    }

    /// Puts bad rows in order, each once, without those behind the row that ends the task.
    pub(crate) fn settle_bad(&mut self) {
        if let Some((last, _)) = self.failed {
            self.bad.retain(|bad| bad.row <= last);
        }
        self.bad.sort_by_key(|bad| bad.row);
        self.bad.dedup_by_key(|bad| bad.row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u32) -> Rows {
        Rows::new(Batch {
            rows: count,
            offset: (0..i64::from(count)).collect(),
            ..Batch::default()
        })
    }

    #[test]
    fn rows_lead_back_through_every_change() {
        let mut rows = rows(5);
        rows.drop_rows(&[1]);
        assert_eq!(rows.origin.as_deref(), Some([0, 2, 3, 4].as_slice()));
        rows.batch = rows.batch.gather(&[1, 1, 3]);
        rows.chosen(vec![1, 1, 3]);
        assert_eq!(rows.origin.as_deref(), Some([2, 2, 4].as_slice()));
        assert_eq!(rows.batch.offset, [2, 2, 4]);
        assert_eq!((rows.original(1), rows.original(2)), (2, 4));
    }

    #[test]
    fn the_earliest_row_that_ends_the_task_counts_and_those_before_it_stay() {
        let mut rows = rows(5);
        rows.fail_at(3, Fault::fatal(Stage::KeyConverter, "late"));
        rows.fail_at(1, Fault::fatal(Stage::ValueConverter, "early"));
        rows.fail_at(2, Fault::fatal(Stage::ValueConverter, "later"));
        assert_eq!(rows.batch.offset, [0]);
        assert_eq!(rows.failed.unwrap().1.message, "early");
    }

    #[test]
    fn bad_rows_are_told_in_order_each_once_up_to_the_one_that_ends_the_task() {
        let bad = |row, message: &str| Bad {
            row,
            stage: Stage::ValueConverter,
            class: "c".into(),
            problem: Problem { message: message.to_owned(), class: None, trace: None },
        };
        let mut rows = rows(5);
        rows.bad = vec![bad(3, "late"), bad(2, "first"), bad(2, "second"), bad(0, "early")];
        rows.fail_at(2, Fault::fatal(Stage::ValueConverter, "first"));
        rows.settle_bad();
        let told: Vec<(u32, &str)> =
            rows.bad.iter().map(|bad| (bad.row, bad.problem.message.as_str())).collect();
        assert_eq!(told, [(0, "early"), (2, "first")]);
    }
}
