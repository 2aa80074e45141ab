//! `Filter`: drops every row that it gets; which those are, a predicate says.

use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::transformation::{Next, Transformation};

/// The step.
pub(crate) struct Filter;

impl Plugin for Filter {
    type Settings = ();
    const CLASS: &'static str = "org.apache.kafka.connect.transforms.Filter";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Drops records. Use it with a predicate that says which.";
    const READS: Columns = Columns::empty();
}

impl Transformation for Filter {
    fn create((): ()) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn apply(&mut self, _row: &mut Row<'_>) -> Result<Next, Failure> {
        Ok(Next::Drop)
    }
}
