//! Runs a chain of transformations. Not here: sources and sinks.

use crate::bindings::transformation::{Step, Transformed};
use crate::columns::{Batch, narrow};
use crate::fault::{Problem, Result};
use crate::plugin::Make;
use crate::predicate::{Predicate, predicate};
use crate::settings::Settings;
use crate::transformation::{Transformation, Transformations, transformation};

/// A chain of transformations that runs natively.
#[derive(Default)]
pub struct Chain {
    all: Transformations,
    steps: Vec<Step>,
}

impl Chain {
    /// A chain without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a transformation. Errors: as its `create`, and its settings'.
    pub fn then<T: Transformation>(mut self, settings: &Settings) -> Result<Self> {
        let Make::Transformation(make) = transformation::<T>().make else {
            return Err(Problem::data("not a transformation").into());
        };
        let id = narrow(self.steps.len());
        self.all.steps.put(id, make(settings)?)?;
        self.steps.push(Step { id, predicate: None, negate: false });
        Ok(self)
    }

    /// Lets the last step apply to the rows that a predicate chooses.
    pub fn when<P: Predicate>(mut self, settings: &Settings, negate: bool) -> Result<Self> {
        let Make::Predicate(make) = predicate::<P>().make else {
            return Err(Problem::data("not a predicate").into());
        };
        if let Some(step) = self.steps.last_mut() {
            self.all.predicates.put(step.id, make(settings)?)?;
            step.predicate = Some(step.id);
            step.negate = negate;
        }
        Ok(self)
    }

    /// Runs it.
    pub fn apply(&mut self, batch: &Batch) -> Result<Transformed> {
        self.all.apply(&self.steps, batch)
    }
}
