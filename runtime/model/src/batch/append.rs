//! One batch behind another.
//!
//! Not here: choosing rows (`gather`).

use super::{Batch, Column, Headers, TimestampType, Values};

impl Column {
    /// Appends the `more` rows of `other` to the `rows` of this one. A column that is absent is null in all of them.
    pub fn append(&mut self, rows: usize, other: &Column, more: usize) {
        if self.is_absent() && other.is_absent() {
            return;
        }
        if self.is_absent() {
            self.push_nulls(rows);
        }
        if other.is_absent() {
            return self.push_nulls(more);
        }
        let (row, byte) = (number(self.rows()), number(self.data.len()));
        self.ends.extend(other.ends.iter().map(|end| byte.saturating_add(*end)));
        self.nulls.extend(other.nulls.iter().map(|null| row.saturating_add(*null)));
        self.data.extend_from_slice(&other.data);
    }

    /// Appends null rows.
    pub fn push_nulls(&mut self, rows: usize) {
        (0..rows).for_each(|_| self.push_null());
    }
}

impl Values {
    /// Appends the `more` rows of `other` to the `rows` of these.
    pub fn append(&mut self, rows: usize, other: &Values, more: usize) {
        self.bytes.append(rows, &other.bytes, more);
        append(&mut self.schemas, rows, &other.schemas, (more, 0));
    }
}

impl Headers {
    /// Appends the headers of the `more` rows of `other` to those of `rows` rows.
    pub fn append(&mut self, rows: usize, other: &Headers, more: usize) {
        if self.ends.is_empty() && other.ends.is_empty() {
            return;
        }
        let (count, added) = (self.count(), other.count());
        self.ends.resize(rows, 0);
        let ends = (0..more).map(|row| number(count + other.range(row).end));
        self.ends.extend(ends);
        self.names.append(count, &other.names, added);
        self.values.append(count, &other.values, added);
    }
}

impl Batch {
    /// Appends the rows of another batch.
    ///
    /// Cost: a copy of them.
    pub fn append(&mut self, other: &Batch) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            return self.clone_from(other);
        }
        let (rows, more) = (self.rows as usize, other.rows as usize);
        self.append_topics(other);
        append(&mut self.partition, rows, &other.partition, (more, -1));
        append(&mut self.offset, rows, &other.offset, (more, -1));
        append(&mut self.timestamp, rows, &other.timestamp, (more, -1));
        let none = TimestampType::None;
        append(&mut self.timestamp_types, rows, &other.timestamp_types, (more, none));
        self.key.append(rows, &other.key, more);
        self.value.append(rows, &other.value, more);
        self.headers.append(rows, &other.headers, more);
        self.rows += other.rows;
    }

    /// Appends the topics of the other's rows. Rows without a topic keep none: their index is out of range.
    fn append_topics(&mut self, other: &Batch) {
        let (rows, more) = (self.rows as usize, other.rows as usize);
        if self.topics == other.topics {
            return append(&mut self.topic, rows, &other.topic, (more, 0));
        }
        let known = number(self.topics.len());
        if self.topic.is_empty() {
            let first = if known == 0 { u32::MAX } else { 0 };
            self.topic.resize(rows, first);
        }
        let index = |row: usize| match other.topics.is_empty() {
            true => u32::MAX,
            false => known.saturating_add(other.topic.get(row).copied().unwrap_or(0)),
        };
        self.topic.extend((0..more).map(index));
        self.topics.extend_from_slice(&other.topics);
    }
}

/// Appends a list of `more` entries to one of `rows`, where an empty one stands for the default in each.
fn append<T: Copy + PartialEq>(
    list: &mut Vec<T>,
    rows: usize,
    other: &[T],
    (more, default): (usize, T),
) {
    if list.is_empty() && other.is_empty() {
        return;
    }
    list.resize(rows, default);
    list.extend_from_slice(other);
    list.resize(rows + more, default);
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(rows: &[Option<&str>]) -> Column {
        let mut column = Column::default();
        rows.iter().for_each(|row| column.push_option(row.map(str::as_bytes)));
        column
    }

    /// Two rows with everything in them.
    fn full() -> Batch {
        Batch {
            rows: 2,
            topics: vec!["t".into(), "u".into()],
            topic: vec![1, 0],
            partition: vec![3, 4],
            offset: vec![7, 8],
            timestamp: vec![1, 2],
            timestamp_types: vec![TimestampType::CreateTime; 2],
            key: Values { bytes: column(&[Some("k"), None]), schemas: vec![5, 0] },
            value: Values { bytes: column(&[Some("v"), Some("")]), schemas: vec![] },
            headers: Headers {
                ends: vec![0, 2],
                names: column(&[Some("a"), Some("b")]),
                values: Values { bytes: column(&[None, Some("1")]), schemas: vec![0, 9] },
            },
        }
    }

    #[test]
    fn the_parts_of_a_batch_make_it_again() {
        let whole = {
            let mut whole = full();
            whole.append(&full());
            whole
        };
        whole.check("whole").unwrap();
        for cut in 0..=4 {
            let mut parts = whole.gather(&(0..cut).collect::<Vec<_>>());
            parts.append(&whole.gather(&(cut..4).collect::<Vec<_>>()));
            assert_eq!(parts, whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_one_part_does_not_have_is_what_that_means() {
        let bare = || Batch { rows: 1, topics: vec!["t".into()], ..Batch::default() };
        for bare_first in [true, false] {
            let (mut batch, more) = if bare_first { (bare(), full()) } else { (full(), bare()) };
            batch.append(&more);
            batch.check("batch").unwrap();
            let at = if bare_first { 0 } else { 2 };
            let row = batch.gather(&[at]);
            assert_eq!(row.topic_of(0), Some("t"));
            assert_eq!((row.partition, row.offset, row.timestamp), (vec![-1], vec![-1], vec![-1]));
            assert_eq!(row.timestamp_types, [TimestampType::None]);
            assert_eq!((row.key.bytes.get(0), row.key.schema(0)), (None, 0));
            assert_eq!(row.headers.count(), 0);
            assert_eq!(batch.gather(&[at, 1]).topic_of(0), Some("t"));
        }
        let mut none = Batch { rows: 1, ..Batch::default() };
        none.append(&none.clone());
        assert_eq!(none, Batch { rows: 2, ..Batch::default() });
    }

    #[test]
    fn a_row_without_a_topic_does_not_get_another_ones() {
        let bare = || Batch { rows: 1, ..Batch::default() };
        let named = || Batch { rows: 1, topics: vec!["t".into()], ..Batch::default() };
        let mut batch = bare();
        batch.append(&named());
        batch.append(&bare());
        let topics: Vec<Option<&str>> = (0..3).map(|row| batch.topic_of(row)).collect();
        assert_eq!(topics, [None, Some("t"), None]);
    }
}
