//! A converter seen a row at a time: what this crate's converters are, and the loops over columns around them.
//!
//! Not here: the formats.

use tombolo_sdk::columns::{
    BytesRows, Column, ConnectData, Headers, SchemaNumber, TopicColumn, Values, Written,
};
use tombolo_sdk::converter::{Converter, HeaderConverter};
use tombolo_sdk::fault::{Failure, Fault, Problem};
use tombolo_sdk::plugin::Plugin;
use tombolo_sdk::settings::Configuration;

/// What one row became, or why it did not.
pub(crate) type Read = Result<(Written, SchemaNumber), Failure>;

/// A format: what a row of bytes means, and the bytes that mean a value.
pub(crate) trait Format: Sized + 'static {
    /// Its settings.
    type Settings: Configuration;
    /// The class by which configurations name it.
    const CLASS: &'static str;
    /// What it does.
    const DOC: &'static str;

    /// By its settings.
    fn new(settings: Self::Settings) -> Result<Self, Fault>;

    /// Appends as CBOR what these bytes mean; none is null.
    fn read(&mut self, bytes: Option<&[u8]>, out: &mut Vec<u8>) -> Read;

    /// Appends the bytes that mean this value.
    fn write(
        &mut self,
        value: Option<&[u8]>,
        schema: SchemaNumber,
        out: &mut Vec<u8>,
    ) -> Result<Written, Failure>;
}

/// Reads a column, row by row. What ends the call ends it here.
fn read_all(format: &mut impl Format, bytes: &Column, out: &mut ConnectData) -> Result<(), Fault> {
    for row in bytes.iter() {
        let mut ended = None;
        out.row(|buffer| format.read(row, buffer).map_err(|failure| problem(failure, &mut ended)));
        if let Some(fault) = ended {
            return Err(fault);
        }
    }
    Ok(())
}

/// Writes values, row by row.
fn write_all(format: &mut impl Format, values: &Values, out: &mut BytesRows) -> Result<(), Fault> {
    // Values without bytes in any row may still be nulls of a schema.
    let rows = values.bytes.rows().max(values.schemas.len());
    for (row, value) in values.bytes.rows_to(rows).enumerate() {
        let mut ended = None;
        out.row(|buffer| {
            let written = format.write(value, values.schema(row), buffer);
            written.map_err(|failure| problem(failure, &mut ended))
        });
        if let Some(fault) = ended {
            return Err(fault);
        }
    }
    Ok(())
}

fn problem(failure: Failure, ended: &mut Option<Fault>) -> Problem {
    match failure {
        Failure::Row(problem) => problem,
        Failure::Call(fault) => {
            let problem = fault.problem().clone();
            *ended = Some(fault);
            problem
        }
    }
}

/// A format as a plugin: a converter and a header converter by its rows.
///
/// The SDK's traits are about columns; this is the one place where columns are walked.
#[derive(Debug)]
pub(crate) struct ByRow<F>(F);

impl<F: Format> Plugin for ByRow<F> {
    type Settings = F::Settings;
    const CLASS: &'static str = F::CLASS;
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = F::DOC;
}

impl<F: Format> Converter for ByRow<F> {
    fn create(settings: F::Settings, _is_key: bool) -> Result<Self, Fault> {
        F::new(settings).map(Self)
    }

    fn to_connect_data(
        &mut self,
        _topics: &TopicColumn,
        bytes: &Column,
        _headers: Option<&Headers>,
        out: &mut ConnectData,
    ) -> Result<(), Fault> {
        read_all(&mut self.0, bytes, out)
    }

    fn from_connect_data(
        &mut self,
        _topics: &TopicColumn,
        values: &Values,
        out: &mut BytesRows,
    ) -> Result<(), Fault> {
        write_all(&mut self.0, values, out)
    }
}

impl<F: Format> HeaderConverter for ByRow<F> {
    fn create(settings: F::Settings) -> Result<Self, Fault> {
        F::new(settings).map(Self)
    }

    fn to_connect_data(
        &mut self,
        _topics: &TopicColumn,
        _names: &Column,
        bytes: &Column,
        out: &mut ConnectData,
    ) -> Result<(), Fault> {
        read_all(&mut self.0, bytes, out)
    }

    fn from_connect_data(
        &mut self,
        _topics: &TopicColumn,
        _names: &Column,
        values: &Values,
        out: &mut BytesRows,
    ) -> Result<(), Fault> {
        write_all(&mut self.0, values, out)
    }
}
