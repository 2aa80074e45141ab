//! A chain of transformations, cut into segments: each runs in one component in one call.
//!
//! A predicate of the same component travels with its step; one of another component is asked first, and the step gets the rows it chose. Not
//! here: what happens to rows that a step could not process.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use tombolo_model::batch::{Batch, Malformed};
use tombolo_model::fault::Stage;
use tombolo_model::plugin::Columns;
use tombolo_model::role::{Applied, Result, TransformationChain};
use tombolo_model::transformed::{StepFault, Transformed};

use crate::convert::{self, Lent};
use crate::exports::exported;
use crate::host::schemas::SharedSchemas;
use crate::instance::Terms;
use crate::merge::{Pick, merge};
use crate::role::answer;
use crate::shared::{Created, Shared};
use crate::v0::exports::tombolo::connect::transformation as contract;

/// A chain.
pub(crate) struct Chain {
    segments: Vec<Segment>,
}

/// Steps that run in one call.
struct Segment {
    shared: Arc<Shared>,
    steps: Vec<Step>,
    /// Columns that any of its steps or their predicates look at.
    reads: Columns,
    /// Number of its first step in the chain.
    first: u32,
    /// The predicate of its only step, if another component has it.
    chosen_by: Option<Chooser>,
}

/// One transformation, with the predicate of its own component.
pub(crate) struct Step {
    pub(crate) transformation: Created,
    pub(crate) predicate: Option<(Created, bool)>,
    pub(crate) reads: Columns,
}

/// A predicate of another component than the transformation's.
pub(crate) struct Chooser {
    pub(crate) predicate: Created,
    pub(crate) negate: bool,
    pub(crate) reads: Columns,
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self { segments: Vec::new() }
    }

    /// Adds a step, to the last segment if it can run in the same call.
    pub(crate) fn push(&mut self, step: Step, chosen_by: Option<Chooser>) {
        let first = self.segments.iter().map(|segment| segment.steps.len()).sum::<usize>();
        let shared = Arc::clone(&step.transformation.shared);
        if let Some(last) = self.segments.last_mut()
            && Arc::ptr_eq(&last.shared, &shared)
            && chosen_by.is_none()
            && last.chosen_by.is_none()
        {
            last.reads = last.reads.union(step.reads);
            last.steps.push(step);
            return;
        }
        let reads = step.reads;
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        self.segments.push(Segment { shared, steps: vec![step], reads, first, chosen_by });
    }
}

#[async_trait]
impl TransformationChain for Chain {
    async fn apply(&mut self, batch: &mut Batch) -> Result<Applied> {
        let expected = batch.byte_count();
        let [only] = self.segments.as_slice() else {
            return self.apply_in_turn(batch, expected).await;
        };
        only.apply(batch, expected).await
    }
}

impl Chain {
    /// Segment after segment. The batch as it was is kept, for a fault of a later one.
    ///
    /// What each may answer follows from the batch given to the first: else each could make it larger, and all together without end.
    async fn apply_in_turn(&mut self, batch: &mut Batch, expected: usize) -> Result<Applied> {
        let before = batch.clone();
        let mut all = Applied::default();
        for segment in &self.segments {
            match segment.apply(batch, expected).await {
                Ok(applied) => all = after(all, applied),
                Err(fault) => {
                    *batch = before;
                    return Err(fault);
                }
            }
        }
        Ok(all)
    }
}

/// What two segments did together, told of the rows given to the first.
fn after(first: Applied, second: Applied) -> Applied {
    let trace = |row: u32| match &first.origin {
        Some(origin) => origin.get(row as usize).copied().unwrap_or(row),
        None => row,
    };
    let faults =
        second.faults.into_iter().map(|fault| StepFault { row: trace(fault.row), ..fault });
    let mut all = first.faults.clone();
    all.extend(faults);
    let origin = match second.origin {
        Some(origin) => Some(origin.into_iter().map(trace).collect()),
        None => first.origin,
    };
    Applied { origin, faults: all }
}

impl Segment {
    async fn apply(&self, batch: &mut Batch, expected: usize) -> Result<Applied> {
        match &self.chosen_by {
            None => self.transform(batch, expected).await,
            Some(chooser) => self.transform_chosen(batch, expected, chooser).await,
        }
    }

    /// One call for all steps. The batch is as it was after a fault.
    async fn transform(&self, batch: &mut Batch, expected: usize) -> Result<Applied> {
        let chain: Vec<_> = self
            .steps
            .iter()
            .map(|step| contract::Step {
                id: step.transformation.id,
                predicate: step.predicate.as_ref().map(|(predicate, _)| predicate.id),
                negate: step.predicate.as_ref().is_some_and(|(_, negate)| *negate),
            })
            .collect();
        let (rows, steps) = (batch.rows, chain.len());
        let before = &*batch;
        let lent = Lent::new(before, self.reads);
        let bytes_max = self.shared.answer_bytes_max(expected);
        let transformed = self.shared.call(
            Terms {
                bytes_out: expected,
                ..Terms::with(Stage::Transformation, before.byte_count())
            },
            async |store, exports| {
                let transformation = exported(&exports.transformation)?;
                transformation.call_apply(store, &chain, lent.param()).await
            },
            |answer, schemas| {
                let answer = checked(answer, rows, steps, schemas)?;
                let bytes = answer.copied_bytes(before);
                if bytes > bytes_max {
                    let expected = format!("rows that take at most {bytes_max}");
                    return Err(Malformed::new("origin", format!("{bytes} bytes"), expected));
                }
                Ok(answer)
            },
        );
        let mut transformed = transformed.await?;
        let faults = std::mem::take(&mut transformed.faults);
        let faults =
            faults.into_iter().map(|fault| StepFault { step: fault.step + self.first, ..fault });
        let faults = faults.collect();
        let origin = (!transformed.is_one_to_one(rows)).then(|| transformed.origin.clone());
        *batch = transformed.onto(std::mem::take(batch));
        self.shared.gave_out(batch.byte_count());
        Ok(Applied { origin, faults })
    }

    /// Asks the predicate, transforms the rows it chose, and puts the others back between them.
    ///
    /// Cost: a copy of the batch; only where transformation and predicate are of different components.
    async fn transform_chosen(
        &self,
        batch: &mut Batch,
        expected: usize,
        chooser: &Chooser,
    ) -> Result<Applied> {
        let (holds, mut faults) = chooser.test(batch, self.first).await?;
        let faulty: HashSet<u32> = faults.iter().map(|fault| fault.row).collect();
        let (chosen, rest): (Vec<u32>, Vec<u32>) = (0..batch.rows)
            .filter(|row| !faulty.contains(row))
            .partition(|row| (holds.binary_search(row).is_ok()) != chooser.negate);
        if chosen.is_empty() && faulty.is_empty() {
            return Ok(Applied::default());
        }
        let mut part = batch.gather(&chosen);
        let applied = if chosen.is_empty() {
            Applied::default()
        } else {
            self.transform(&mut part, expected).await?
        };
        let place = |row: u32| chosen.get(row as usize).copied().unwrap_or(row);
        let came_from = |row: u32| match &applied.origin {
            Some(origin) => origin.get(row as usize).copied().map_or(row, place),
            None => place(row),
        };
        let mut picks: Vec<(u32, Pick)> =
            rest.iter().map(|&row| (row, Pick::Before(row))).collect();
        picks.extend((0..part.rows).map(|row| (came_from(row), Pick::After(row))));
        picks.sort_by_key(|(row, _)| *row);
        let (origin, picks): (Vec<u32>, Vec<Pick>) = picks.into_iter().unzip();
        faults.extend(
            applied.faults.into_iter().map(|fault| StepFault { row: place(fault.row), ..fault }),
        );
        *batch = merge(batch, &part, &picks);
        Ok(Applied { origin: Some(origin), faults })
    }
}

impl Chooser {
    /// The rows for which the predicate holds, and those of which it cannot tell.
    async fn test(&self, batch: &Batch, step: u32) -> Result<(Vec<u32>, Vec<StepFault>)> {
        let rows = batch.rows as usize;
        let lent = Lent::new(batch, self.reads);
        let tested = self.predicate.shared.call(
            Terms::with(Stage::Transformation, batch.byte_count()),
            async |store, exports| {
                let predicate = exported(&exports.predicate)?;
                predicate.call_test(store, self.predicate.id, lent.param()).await
            },
            |tested, _| {
                let ascends = tested.rows.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
                if !ascends || tested.rows.last().is_some_and(|&last| last as usize >= rows) {
                    let expected = format!("ascending numbers below {rows}");
                    return Err(Malformed::new("rows", "others", expected));
                }
                let faults = answer::row_faults(tested.faults, rows)?.into_iter();
                let faults =
                    faults.map(|fault| StepFault { step, row: fault.row, problem: fault.problem });
                Ok((tested.rows, faults.collect()))
            },
        );
        tested.await
    }
}

/// An answer that the batch may take.
fn checked(
    answer: contract::Transformed,
    rows: u32,
    steps: usize,
    schemas: &SharedSchemas,
) -> std::result::Result<Transformed, Malformed> {
    let faults = answer.faults.into_iter().map(|fault| StepFault {
        step: fault.step,
        row: fault.row,
        problem: convert::problem(fault.problem),
    });
    let mut transformed = Transformed {
        origin: answer.origin,
        topic: answer.topic.map(|topic| (topic.topics, topic.topic)),
        partition: answer.partition,
        timestamp: answer.timestamp,
        key: answer.key.map(convert::taken_values),
        value: answer.value.map(convert::taken_values),
        headers: answer.headers.map(convert::taken_headers),
        faults: faults.collect(),
    };
    transformed.check(rows, steps)?;
    // A row that was split may fail in more than one part: its record has one dead letter.
    let faults = std::mem::take(&mut transformed.faults);
    transformed.faults = answer::first_of_each(faults, rows as usize, |fault| fault.row);
    if let Some((topics, _)) = &transformed.topic
        && topics.is_empty()
        && !transformed.origin.is_empty()
    {
        return Err(Malformed::new("topic.topics", "none", "a name for each row"));
    }
    let changed = [("key", &transformed.key), ("value", &transformed.value)];
    for (what, values) in changed {
        if let Some(values) = values {
            answer::known_schemas(what, &values.schemas, schemas)?;
        }
    }
    if let Some(headers) = &transformed.headers {
        answer::known_schemas("headers.values", &headers.values.schemas, schemas)?;
    }
    Ok(transformed)
}
