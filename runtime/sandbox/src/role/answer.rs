//! Checks that several roles make of an answer, beyond a column's shape.
//!
//! Not here: the shape of columns and batches (`model::batch`).

use tombolo_model::batch::{Column, Headers, Malformed, Values, check_indices};
use tombolo_model::fault::RowFault;

use crate::convert;
use crate::host::schemas::SharedSchemas;
use crate::v0::tombolo::connect::types;

/// No answer: nothing to check.
pub(crate) fn none((): (), _: &SharedSchemas) -> Result<(), Malformed> {
    Ok(())
}

/// An answer of which everything can be true.
pub(crate) fn as_it_is(answer: bool, _: &SharedSchemas) -> Result<bool, Malformed> {
    Ok(answer)
}

/// Schema numbers were all given out in this task.
pub(crate) fn known_schemas(
    what: &str,
    numbers: &[u32],
    schemas: &SharedSchemas,
) -> Result<(), Malformed> {
    match schemas.unknown_among(numbers) {
        None => Ok(()),
        Some(number) => Err(Malformed::new(
            format!("{what}.schemas"),
            format!("{number}"),
            "numbers of schemas defined in this task",
        )),
    }
}

/// Values in shape, with known schemas.
pub(crate) fn values(
    what: &str,
    values: &Values,
    rows: usize,
    schemas: &SharedSchemas,
) -> Result<(), Malformed> {
    values.check(what, rows)?;
    known_schemas(what, &values.schemas, schemas)
}

/// Headers in shape, with known schemas.
pub(crate) fn headers(
    what: &str,
    headers: &Headers,
    rows: usize,
    schemas: &SharedSchemas,
) -> Result<(), Malformed> {
    headers.check(what, rows)?;
    known_schemas(&format!("{what}.values"), &headers.values.schemas, schemas)
}

/// Faults of rows that are there, the first of each row: a record has one dead letter, however often a plugin speaks of it.
pub(crate) fn row_faults(
    faults: Vec<types::RowFault>,
    rows: usize,
) -> Result<Vec<RowFault>, Malformed> {
    let numbers: Vec<u32> = faults.iter().map(|fault| fault.row).collect();
    check_indices("faults.row", &numbers, rows)?;
    Ok(first_of_each(convert::row_faults(faults), rows, |fault| fault.row))
}

/// The first of those that are about one row.
pub(crate) fn first_of_each<T>(all: Vec<T>, rows: usize, row: impl Fn(&T) -> u32) -> Vec<T> {
    let mut seen = vec![false; if all.is_empty() { 0 } else { rows }];
    let mut is_first = |one: &T| {
        let seen = seen.get_mut(row(one) as usize);
        seen.is_some_and(|seen| !std::mem::replace(seen, true))
    };
    all.into_iter().filter(|one| is_first(one)).collect()
}

/// Rows with a fault are null.
pub(crate) fn null_where_faulty(
    what: &str,
    column: &Column,
    faults: &[RowFault],
) -> Result<(), Malformed> {
    match faults.iter().find(|fault| column.get(fault.row as usize).is_some()) {
        None => Ok(()),
        Some(fault) => Err(Malformed::new(
            what,
            format!("a value at row {}, which has a fault", fault.row),
            "null there",
        )),
    }
}

/// An offset in Kafka.
pub(crate) fn kafka_offset(what: &str, offset: i64) -> Result<(), Malformed> {
    if offset >= 0 { Ok(()) } else { Err(Malformed::new(what, offset.to_string(), "at least 0")) }
}

/// Connect data in shape, with its faults.
pub(crate) fn connect_data(
    data: types::ConnectData,
    rows: usize,
    schemas: &SharedSchemas,
) -> Result<(Values, Vec<RowFault>), Malformed> {
    let taken = convert::taken_values(data.values);
    values("values", &taken, rows, schemas)?;
    let faults = row_faults(data.faults, rows)?;
    null_where_faulty("values", &taken.bytes, &faults)?;
    Ok((taken, faults))
}

/// Bytes in shape, with their faults.
pub(crate) fn bytes(
    bytes: types::ColumnResult,
    faults: Vec<types::RowFault>,
    rows: usize,
) -> Result<(Column, Vec<RowFault>), Malformed> {
    let bytes = convert::taken_column(bytes);
    bytes.check("bytes", rows)?;
    let faults = row_faults(faults, rows)?;
    null_where_faulty("bytes", &bytes, &faults)?;
    Ok((bytes, faults))
}
