//! Predicates: choose the rows to which a transformation applies. Not here: the transformation.

use crate::fault::{Failure, Result};
use crate::plugin::{Entry, Make, Plugin, PluginKind};
use crate::row::Row;
use crate::settings::{Configuration, Settings};

/// A predicate.
///
/// Follows `org.apache.kafka.connect.transforms.predicates.Predicate`.
pub trait Predicate: Plugin {
    /// Makes one.
    fn create(settings: Self::Settings) -> Result<Self>;

    /// Whether it holds for this row. A row's failure takes the row out of the chain.
    fn test(&mut self, row: &Row<'_>) -> std::result::Result<bool, Failure>;
}

/// A predicate whose type is forgotten.
pub(crate) trait AnyPredicate {
    fn test(&mut self, row: &Row<'_>) -> std::result::Result<bool, Failure>;
}

impl<P: Predicate> AnyPredicate for P {
    fn test(&mut self, row: &Row<'_>) -> std::result::Result<bool, Failure> {
        Predicate::test(self, row)
    }
}

/// The catalogue's entry of a predicate. For [`export!`](crate::export).
pub fn predicate<P: Predicate>() -> Entry {
    let make = Make::Predicate(|settings: &Settings| {
        Ok(Box::new(P::create(P::Settings::read(settings)?)?))
    });
    Entry::of::<P>(PluginKind::Predicate, make)
}
