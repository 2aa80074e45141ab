//! Records in columns: what crosses the sandbox wall, and what the record path passes along.
//!
//! Not here: the bytes of a value, which only plugins read, and the wall itself.

mod append;

/// Byte strings, one per row, in one buffer.
///
/// Shape: `ends` never decreases and ends at `data.len()`; `nulls` ascends; a null row has no bytes. A column with no `ends` is null in every
/// row of its batch. [`Column::check`] holds a column from outside to this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Where each row ends in `data`, null rows too.
    pub ends: Vec<u32>,
    /// Rows that are null, ascending.
    pub nulls: Vec<u32>,
    /// The bytes of all rows, one after another.
    pub data: Vec<u8>,
}

/// Why columns cannot be used. Completes "the plugin returned …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found}, expected {expected}")]
pub struct Malformed {
    /// The column or list at fault, as `value.bytes.ends`.
    pub what: String,
    /// What it holds.
    pub found: String,
    /// What it should hold.
    pub expected: String,
}

impl Malformed {
    /// A complaint about `what`.
    pub fn new(
        what: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), found: found.into(), expected: expected.into() }
    }
}

impl Column {
    /// Appends a row.
    pub fn push(&mut self, row: &[u8]) {
        self.data.extend_from_slice(row);
        self.end_row();
    }

    /// Appends a null row.
    pub fn push_null(&mut self) {
        self.nulls.push(u32::try_from(self.ends.len()).unwrap_or(u32::MAX));
        self.end_row();
    }

    /// Appends a row, or a null one.
    pub fn push_option(&mut self, row: Option<&[u8]>) {
        match row {
            Some(row) => self.push(row),
            None => self.push_null(),
        }
    }

    /// Ends the row whose bytes were appended to `data`.
    pub fn end_row(&mut self) {
        self.ends.push(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
    }

    /// The bytes of a row; none when it is null, or not there.
    ///
    /// Cost: a binary search in `nulls` for an empty row. Use [`Column::iter`] to walk.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let bytes = self.bytes(row)?;
        let null = bytes.is_empty()
            && u32::try_from(row).is_ok_and(|row| self.nulls.binary_search(&row).is_ok());
        (!null).then_some(bytes)
    }

    /// The bytes of a row, without looking whether it is null.
    fn bytes(&self, row: usize) -> Option<&[u8]> {
        let end = *self.ends.get(row)? as usize;
        let start = match row.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.data.get(start..end)
    }

    /// All rows, null ones as none.
    pub fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0_usize;
        let mut nulls = self.nulls.iter().copied().peekable();
        self.ends.iter().enumerate().map(move |(row, &end)| {
            let bytes = self.data.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            if nulls.next_if(|&null| null as usize == row).is_some() { None } else { Some(bytes) }
        })
    }

    /// Number of rows; 0 also for a column that is null throughout.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Whether every row is null because nothing was sent.
    pub fn is_absent(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets the rows and keeps the memory.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.nulls.clear();
        self.data.clear();
    }

    /// These rows of this column, in this order.
    pub fn gather(&self, origin: &[u32]) -> Column {
        if self.is_absent() {
            return Column::default();
        }
        let mut out = Column { ends: Vec::with_capacity(origin.len()), ..Column::default() };
        for &row in origin {
            out.push_option(self.get(row as usize));
        }
        out
    }

    /// Holds a column from outside to its shape: absent or `rows` rows.
    pub fn check(&self, what: &str, rows: usize) -> Result<(), Malformed> {
        let wrong = |part: &str, found: String, expected: String| {
            Err(Malformed::new(format!("{what}.{part}"), found, expected))
        };
        if self.ends.is_empty() {
            if !self.data.is_empty() || !self.nulls.is_empty() {
                return wrong(
                    "ends",
                    "no rows but bytes or nulls".to_owned(),
                    "all empty".to_owned(),
                );
            }
            return Ok(());
        }
        if self.ends.len() != rows {
            return wrong("ends", format!("{} rows", self.ends.len()), format!("{rows} rows"));
        }
        let mut before = 0;
        for (row, &end) in self.ends.iter().enumerate() {
            if end < before {
                return wrong("ends", format!("{end} at row {row}"), format!("at least {before}"));
            }
            before = end;
        }
        if before as usize != self.data.len() {
            return wrong(
                "ends",
                format!("a last end of {before}"),
                format!("{}", self.data.len()),
            );
        }
        self.check_nulls(what, rows)
    }

    fn check_nulls(&self, what: &str, rows: usize) -> Result<(), Malformed> {
        let mut before = None;
        for &null in &self.nulls {
            let ascends = before.is_none_or(|before| null > before);
            let empty = self.bytes(null as usize).is_some_and(<[u8]>::is_empty);
            if !ascends || null as usize >= rows || !empty {
                return Err(Malformed::new(
                    format!("{what}.nulls"),
                    format!("{null}"),
                    "ascending numbers of rows without bytes".to_owned(),
                ));
            }
            before = Some(null);
        }
        Ok(())
    }
}

/// Connect data, one value per row.
///
/// Shape: each row of `bytes` is one CBOR item in the profile of `wit/cbor.md`; `schemas` is empty (no schema in any row) or has a number per row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// One CBOR item a row; a null row is the only null.
    pub bytes: Column,
    /// Number of each row's schema within the task; 0 means none.
    pub schemas: Vec<u32>,
}

impl Values {
    /// The schema of a row, 0 for none.
    pub fn schema(&self, row: usize) -> u32 {
        self.schemas.get(row).copied().unwrap_or(0)
    }

    /// These rows, in this order.
    pub fn gather(&self, origin: &[u32]) -> Values {
        Values { bytes: self.bytes.gather(origin), schemas: gather(&self.schemas, origin) }
    }

    /// Holds values from outside to their shape. Whether a schema number is known, the sandbox checks.
    pub fn check(&self, what: &str, rows: usize) -> Result<(), Malformed> {
        self.bytes.check(&format!("{what}.bytes"), rows)?;
        check_len(&format!("{what}.schemas"), self.schemas.len(), rows)
    }
}

/// Headers of all rows, one after another.
///
/// Shape: `ends` is empty (no headers at all) or says for each row where its headers end in `names` and `values`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Where each row's headers end.
    pub ends: Vec<u32>,
    /// Name of each header, UTF-8, never null.
    pub names: Column,
    /// Value of each header.
    pub values: Values,
}

impl Headers {
    /// Where the headers of a row stand in `names` and `values`.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let end = self.ends.get(row).map_or(0, |&end| end as usize);
        let start =
            row.checked_sub(1).and_then(|row| self.ends.get(row)).map_or(0, |&end| end as usize);
        start..end.max(start)
    }

    /// How many headers there are in all rows together.
    pub fn count(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// These rows, in this order.
    pub fn gather(&self, origin: &[u32]) -> Headers {
        if self.ends.is_empty() {
            return Headers::default();
        }
        let mut rows = Vec::new();
        let mut ends = Vec::with_capacity(origin.len());
        for &row in origin {
            rows.extend(self.range(row as usize).filter_map(|header| u32::try_from(header).ok()));
            ends.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        }
        Headers { ends, names: self.names.gather(&rows), values: self.values.gather(&rows) }
    }

    /// Holds headers from outside to their shape.
    pub fn check(&self, what: &str, rows: usize) -> Result<(), Malformed> {
        check_len(&format!("{what}.ends"), self.ends.len(), rows)?;
        let mut before = 0;
        for &end in &self.ends {
            if end < before {
                let expected = format!("at least {before}");
                return Err(Malformed::new(format!("{what}.ends"), format!("{end}"), expected));
            }
            before = end;
        }
        let count = before as usize;
        self.names.check(&format!("{what}.names"), count)?;
        let named = self.names.rows() == count && self.names.nulls.is_empty();
        let utf8 = self.names.iter().flatten().all(|name| std::str::from_utf8(name).is_ok());
        if !named || !utf8 {
            return Err(Malformed::new(
                format!("{what}.names"),
                format!("{} names, some null or not UTF-8", self.names.rows()),
                format!("{count} names in UTF-8"),
            ));
        }
        self.values.check(&format!("{what}.values"), count)
    }
}

/// What a record's timestamp means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimestampType {
    /// The record has none.
    #[default]
    None,
    /// Set by its producer.
    CreateTime,
    /// Set by the broker when it was appended.
    LogAppendTime,
}

/// Rows that travel together.
///
/// Shape: a list is empty or has exactly `rows` entries. Empty means, in every row: topic 0, partition -1 (not chosen), offset -1 (not in Kafka
/// yet), timestamp -1 (none), schema 0, no headers; a column without `ends` is null in every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Number of rows.
    pub rows: u32,
    /// Names used by `topic`.
    pub topics: Vec<String>,
    /// Index into `topics` per row.
    pub topic: Vec<u32>,
    /// Kafka partition per row, -1 where it is not chosen.
    pub partition: Vec<i32>,
    /// Kafka offset per row, -1 where the row is not in Kafka yet.
    pub offset: Vec<i64>,
    /// Milliseconds since the epoch per row, -1 for none.
    pub timestamp: Vec<i64>,
    /// What `timestamp` means.
    pub timestamp_types: Vec<TimestampType>,
    /// Keys.
    pub key: Values,
    /// Values.
    pub value: Values,
    /// Headers.
    pub headers: Headers,
}

impl Batch {
    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The name of a row's topic; none when it has no topic or an index out of range.
    pub fn topic_of(&self, row: usize) -> Option<&str> {
        let index = self.topic.get(row).copied().unwrap_or(0) as usize;
        self.topics.get(index).map(String::as_str)
    }

    /// Bytes in the columns, as limits on a batch count them.
    pub fn byte_count(&self) -> usize {
        let values = |values: &Values| {
            values.bytes.data.len() + 4 * (values.bytes.ends.len() + values.schemas.len())
        };
        values(&self.key)
            + values(&self.value)
            + values(&self.headers.values)
            + self.headers.names.data.len()
            + 4 * self.headers.ends.len()
            + 24 * self.rows as usize
    }

    /// These rows, in this order.
    ///
    /// Cost: a copy of the chosen rows.
    pub fn gather(&self, origin: &[u32]) -> Batch {
        Batch {
            rows: u32::try_from(origin.len()).unwrap_or(u32::MAX),
            topics: self.topics.clone(),
            topic: gather(&self.topic, origin),
            partition: gather(&self.partition, origin),
            offset: gather(&self.offset, origin),
            timestamp: gather(&self.timestamp, origin),
            timestamp_types: gather(&self.timestamp_types, origin),
            key: self.key.gather(origin),
            value: self.value.gather(origin),
            headers: self.headers.gather(origin),
        }
    }

    /// Holds a batch from outside to its shape.
    ///
    /// Errors: the first list at fault, by name. Cost: linear in rows and headers.
    pub fn check(&self, what: &str) -> Result<(), Malformed> {
        let rows = self.rows as usize;
        let lists = [
            ("topic", self.topic.len()),
            ("partition", self.partition.len()),
            ("offset", self.offset.len()),
            ("timestamp", self.timestamp.len()),
            ("timestamp-types", self.timestamp_types.len()),
        ];
        for (name, len) in lists {
            check_len(&format!("{what}.{name}"), len, rows)?;
        }
        check_indices(&format!("{what}.topic"), &self.topic, self.topics.len())?;
        self.key.check(&format!("{what}.key"), rows)?;
        self.value.check(&format!("{what}.value"), rows)?;
        self.headers.check(&format!("{what}.headers"), rows)
    }
}

/// These rows of a list that is empty or complete.
pub fn gather<T: Copy + Default>(list: &[T], origin: &[u32]) -> Vec<T> {
    if list.is_empty() {
        return Vec::new();
    }
    origin.iter().map(|&row| list.get(row as usize).copied().unwrap_or_default()).collect()
}

/// A list is empty or has an entry per row.
pub fn check_len(what: &str, len: usize, rows: usize) -> Result<(), Malformed> {
    if len == 0 || len == rows {
        return Ok(());
    }
    Err(Malformed::new(what, format!("{len} entries"), format!("none or {rows}")))
}

/// Every index is below `len`.
pub fn check_indices(what: &str, indices: &[u32], len: usize) -> Result<(), Malformed> {
    match indices.iter().find(|&&index| index as usize >= len) {
        None => Ok(()),
        Some(index) => Err(Malformed::new(what, format!("{index}"), format!("below {len}"))),
    }
}

#[cfg(test)]
mod tests;
