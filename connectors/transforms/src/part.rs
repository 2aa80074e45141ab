//! A transformation of keys or values, under two class names: `…$Key` and `…$Value`.
//!
//! Not here: transformations of whole records.

use std::marker::PhantomData;

use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::{Part, Row};
use tombolo_sdk::settings::Configuration;
use tombolo_sdk::transformation::{Next, Transformation};

/// What a transformation does with the part that it is made for.
pub(crate) trait PartStep: Sized + 'static {
    /// Its settings.
    type Settings: Configuration;
    /// Its class for keys.
    const KEY_CLASS: &'static str;
    /// Its class for values.
    const VALUE_CLASS: &'static str;
    /// What it does.
    const DOC: &'static str;
    /// Columns that it looks at besides its part.
    const ALSO_READS: Columns = Columns::empty();

    /// By its settings.
    fn new(settings: Self::Settings) -> Result<Self, Fault>;

    /// Changes a part of a row.
    fn apply(&mut self, part: Part, row: &mut Row<'_>) -> Result<(), Failure>;
}

/// Keys or values, as a type.
pub(crate) trait Side: 'static {
    /// The part.
    const PART: Part;
    /// Its column.
    const COLUMN: Columns;
}

/// Keys.
pub(crate) enum Key {}

/// Values.
pub(crate) enum Value {}

impl Side for Key {
    const PART: Part = Part::Key;
    const COLUMN: Columns = Columns::KEY;
}

impl Side for Value {
    const PART: Part = Part::Value;
    const COLUMN: Columns = Columns::VALUE;
}

/// A step on keys or on values.
pub(crate) struct On<S, P> {
    step: P,
    side: PhantomData<S>,
}

impl<S: Side, P: PartStep> Plugin for On<S, P> {
    type Settings = P::Settings;
    const CLASS: &'static str = match S::PART {
        Part::Key => P::KEY_CLASS,
        Part::Value => P::VALUE_CLASS,
    };
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = P::DOC;
    const READS: Columns = P::ALSO_READS.union(S::COLUMN);
}

impl<S: Side, P: PartStep> Transformation for On<S, P> {
    fn create(settings: P::Settings) -> Result<Self, Fault> {
        Ok(Self { step: P::new(settings)?, side: PhantomData })
    }

    #[inline]
    fn apply(&mut self, row: &mut Row<'_>) -> Result<Next, Failure> {
        self.step.apply(S::PART, row)?;
        Ok(Next::Keep)
    }
}
