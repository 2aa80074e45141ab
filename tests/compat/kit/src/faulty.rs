//! A transformation that fails with two records. Follows `FaultyPassthrough` of Kafka Connect's tests. Not here: who retries.

use tombolo_sdk::cbor;
use tombolo_sdk::columns::Columns;
use tombolo_sdk::fault::{Failure, Fault, Problem, Result};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::row::Row;
use tombolo_sdk::transformation::{Next, Transformation};

/// Fails once with `value-4`, in a way that is worth another try, and always with `value-7`.
pub(crate) struct FaultyPassthrough {
    has_failed: bool,
}

impl Plugin for FaultyPassthrough {
    type Settings = ();
    const CLASS: &'static str = "tombolo.kit.FaultyPassthrough";
    const VERSION: &'static str = crate::VERSION;
    const DOC: &'static str = "Fails once with value-4, and always with value-7.";
    const READS: Columns = Columns::VALUE;
}

impl Transformation for FaultyPassthrough {
    fn create(_settings: ()) -> Result<Self> {
        Ok(Self { has_failed: false })
    }

    fn apply(&mut self, row: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        let value = row.value().and_then(|value| cbor::from_slice::<&str>(value).ok());
        match value {
            Some("value-4") if !self.has_failed => {
                self.has_failed = true;
                let why = "Error when value='value-4'. A reattempt with this record will succeed.";
                Err(Fault::retriable(why).into())
            }
            // What is to be tried again here is a call, and never a row that stays bad: a row's fault takes its place at once.
            Some("value-7") => {
                let class = "org.apache.kafka.connect.errors.RetriableException";
                Err(Problem::of(class, "Error when value='value-7'").into())
            }
            _ => Ok(Next::Keep),
        }
    }
}
