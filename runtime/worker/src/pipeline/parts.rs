//! A call that failed as a whole is made again for fewer and fewer of its rows, until only those are bad that fail alone.
//!
//! Not here: the calls (`calls`), and what becomes of bad rows (`tolerance`).

use std::ops::Range;

use tombolo_model::fault::Problem;
use tombolo_model::{Fault, FaultKind, Stage};

use crate::metrics::Calls;
use crate::tolerance::{ErrorPolicy, Retries, problem_of};

/// A call of a plugin about rows. After a fault its input is as it was.
pub(super) trait Call {
    /// What the plugin answers.
    type Answer: Answer;

    /// Makes the call about all rows.
    fn all(&mut self) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Makes the call about these rows, which ascend.
    fn some(&mut self, rows: &[u32]) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// An answer about rows, which can be put together from answers about parts of them.
pub(super) trait Answer: Default {
    /// The answer about one row that failed alone.
    fn failed(problem: Problem) -> Self;

    /// Appends the answer about the next `more` rows to this about the `rows` before them.
    fn append(&mut self, rows: u32, next: Self, more: u32);
}

/// Makes a call about so many rows at a stage. Where it fails as a whole, but not for good, it is made again for its rows in halves, down to single rows, in
/// their order. Each call that fails for now counts as a failure of its first row, which is given the time that Kafka Connect gives a record.
///
/// Errors: a fault that is not about rows; a fault for now, where the task stops: then nothing is known of the rows, and they come again.
///
/// Cost: none beyond the call where it answers. Else a copy of the rows, and two calls for each halving.
pub(super) async fn make<C: Call>(
    call: &mut C,
    (stage, rows): (Stage, u32),
    policy: &ErrorPolicy,
) -> Result<C::Answer, Fault> {
    let (calls, retries) = (policy.stages.of(stage), policy.retries());
    match calls.time(rows, call.all()).await {
        Err(fault) if is_of_rows(&fault) => {
            in_parts(call, (calls, rows), policy, (fault, retries)).await
        }
        answer => answer,
    }
}

async fn in_parts<C: Call>(
    call: &mut C,
    (calls, rows): (&Calls, u32),
    policy: &ErrorPolicy,
    (fault, mut retries): (Fault, Retries<'_>),
) -> Result<C::Answer, Fault> {
    let (mut answer, mut open, mut failure) = (C::Answer::default(), Vec::new(), Some(fault));
    open.push(0..rows);
    while let Some(range) = open.pop() {
        let outcome = match failure.take() {
            Some(fault) => Err(fault),
            None => {
                let rows: Vec<u32> = range.clone().collect();
                calls.time(range.end - range.start, call.some(&rows)).await
            }
        };
        let part = match outcome {
            Ok(part) => part,
            Err(fault) if is_of_rows(&fault) => {
                let may_retry = retries.again(&fault).await;
                if fault.is_retriable() && policy.stopping.is_cancelled() {
                    return Err(fault);
                }
                match halves(&range) {
                    Some((first, second)) => {
                        open.extend([second, first]);
                        continue;
                    }
                    None if may_retry => {
                        open.push(range);
                        continue;
                    }
                    None => C::Answer::failed(problem_of(fault)),
                }
            }
            Err(fault) => return Err(fault),
        };
        answer.append(range.start, part, range.end - range.start);
        retries = policy.retries();
    }
    Ok(answer)
}

/// Whether a fault of a call may be the fault of some of its rows.
fn is_of_rows(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Record | FaultKind::Retriable { .. })
}

/// The halves of a range, unless it is a single row.
fn halves(range: &Range<u32>) -> Option<(Range<u32>, Range<u32>)> {
    let middle = range.start + (range.end - range.start) / 2;
    (middle > range.start).then_some((range.start..middle, middle..range.end))
}
