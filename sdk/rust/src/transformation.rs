//! Transformations: change rows one by one, in a chain that runs within one call. Not here: the row (`row`) and the answer's columns (`transformed`).

use crate::bindings::transformation::{Step, StepFault, Transformed};
use crate::columns::{Batch, narrow};
use crate::fault::{Failure, Fault, Result};
use crate::plugin::{Entry, Make, Plugin, PluginKind};
use crate::predicate::AnyPredicate;
use crate::row::Row;
use crate::settings::{Configuration, Settings};
use crate::slots::Slots;
use crate::transformed::Output;

/// A transformation.
///
/// A column that it changes in some rows only must be among those it [reads](Plugin::READS), or the other rows would lose what they have there.
/// Follows `org.apache.kafka.connect.transforms.Transformation`.
pub trait Transformation: Plugin {
    /// Whether it may answer [`Next::More`]: the row is kept for its copies then, which costs a copy of it.
    const SPLITS: bool = false;

    /// Makes one.
    fn create(settings: Self::Settings) -> Result<Self>;

    /// Changes a row, and says what becomes of it. A row's failure takes the row out of the chain.
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure>;
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Keep,
    /// It is dropped.
    Drop,
    /// It goes on, and the step is asked again for the same row, with [`Row::copy`] one higher. Only of a step that [splits](Transformation::SPLITS).
    More,
}

/// A transformation whose type is forgotten.
pub(crate) trait AnyTransformation {
    fn splits(&self) -> bool;
    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure>;
}

impl<T: Transformation> AnyTransformation for T {
    fn splits(&self) -> bool {
        T::SPLITS
    }

    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        Transformation::apply(self, row)
    }
}

/// The transformations and predicates of an instance.
#[derive(Default)]
pub(crate) struct Transformations {
    pub(crate) steps: Slots<dyn AnyTransformation>,
    pub(crate) predicates: Slots<dyn AnyPredicate>,
}

/// A step, found.
struct Found {
    transformation: usize,
    predicate: Option<usize>,
    negate: bool,
    splits: bool,
}

impl Transformations {
    /// Runs a chain over a batch, row by row, so that a row stays in the cache through all steps.
    ///
    /// Errors: an id that was not created; what a step reports for the call as a whole.
    pub(crate) fn apply(&mut self, chain: &[Step], batch: &Batch) -> Result<Transformed> {
        let steps = chain.iter().map(|step| self.find(step)).collect::<Result<Vec<_>>>()?;
        let mut chain = Chain { all: self, steps: &steps, output: Output::new(batch) };
        let mut row = Row::new(batch);
        let mut faults = Vec::new();
        for place in 0..batch.rows {
            row.load(place as usize);
            let before = chain.output.rows();
            match chain.run(0, &mut row) {
                Ok(()) => {}
                Err((_, Failure::Call(fault))) => return Err(fault),
                Err((step, Failure::Row(problem))) => {
                    chain.output.truncate(before);
                    faults.push(StepFault { step: narrow(step), row: place, problem });
                }
            }
        }
        Ok(chain.output.finish(faults))
    }

    fn find(&self, step: &Step) -> Result<Found> {
        let transformation = self.steps.place(step.id)?;
        let predicate = step.predicate.map(|id| self.predicates.place(id)).transpose()?;
        let splits = self.steps.at(transformation).is_some_and(|found| found.splits());
        Ok(Found { transformation, predicate, negate: step.negate, splits })
    }
}

/// A chain on its way through a batch.
struct Chain<'c, 'b> {
    all: &'c mut Transformations,
    steps: &'c [Found],
    output: Output<'b>,
}

/// The step at which a row failed, and how.
type Failed = (usize, Failure);

impl Chain<'_, '_> {
    /// Runs the steps from `first` on, and puts what is left of the row into the output.
    fn run(&mut self, first: usize, row: &mut Row<'_>) -> std::result::Result<(), Failed> {
        for (step, found) in self.steps.iter().enumerate().skip(first) {
            let failed = |failure| (step, failure);
            if !self.applies(found, row).map_err(failed)? {
                continue;
            }
            if found.splits {
                if !self.split(step, found, row)? {
                    return Ok(());
                }
            } else if self.apply(found, row).map_err(failed)? == Next::Drop {
                return Ok(());
            }
        }
        self.output.emit(row);
        Ok(())
    }

    #[inline]
    fn applies(&mut self, found: &Found, row: &Row<'_>) -> std::result::Result<bool, Failure> {
        let Some(place) = found.predicate else { return Ok(true) };
        match self.all.predicates.at_mut(place) {
            Some(predicate) => Ok(predicate.test(row)? != found.negate),
            None => Err(Fault::fatal("a predicate of the chain is gone").into()),
        }
    }

    #[inline]
    fn apply(&mut self, found: &Found, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        match self.all.steps.at_mut(found.transformation) {
            Some(transformation) => transformation.apply(row),
            None => Err(Fault::fatal("a transformation of the chain is gone").into()),
        }
    }

    /// Runs the rest of the chain for every copy but the last, which is left in `row`; false when there is none.
    fn split(
        &mut self,
        step: usize,
        found: &Found,
        row: &mut Row<'_>,
    ) -> std::result::Result<bool, Failed> {
        let whole = row.clone();
        let mut copy = 0;
        loop {
            row.set_copy(copy);
            match self.apply(found, row).map_err(|failure| (step, failure))? {
                Next::Keep => return Ok(true),
                Next::Drop => return Ok(false),
                Next::More => self.run(step + 1, row)?,
            }
            row.clone_from(&whole);
            copy += 1;
        }
    }
}

/// The catalogue's entry of a transformation. For [`export!`](crate::export).
pub fn transformation<T: Transformation>() -> Entry {
    let make = Make::Transformation(|settings: &Settings| {
        Ok(Box::new(T::create(T::Settings::read(settings)?)?))
    });
    Entry::of::<T>(PluginKind::Transformation, make)
}

#[cfg(test)]
mod tests;
