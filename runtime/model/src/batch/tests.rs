//! Columns from outside are held to their shape; rows are found and gathered.

use super::*;

fn column(rows: &[Option<&[u8]>]) -> Column {
    let mut column = Column::default();
    for row in rows {
        column.push_option(*row);
    }
    column
}

#[test]
fn rows_come_back_as_they_were_pushed() {
    let rows: [Option<&[u8]>; 4] = [Some(b"a"), None, Some(b""), Some(b"bcd")];
    let column = column(&rows);
    assert_eq!(column.iter().collect::<Vec<_>>(), rows);
    for (row, expected) in rows.iter().enumerate() {
        assert_eq!(column.get(row), *expected);
    }
    assert_eq!(column.get(4), None);
    assert_eq!(column.check("c", 4), Ok(()));
    assert_eq!(column.gather(&[3, 3, 1]), self::column(&[Some(b"bcd"), Some(b"bcd"), None]));
}

#[test]
fn a_lying_column_is_refused_by_name() {
    let check = |ends: &[u32], nulls: &[u32], data: &[u8], expected: &str| {
        let column = Column { ends: ends.into(), nulls: nulls.into(), data: data.into() };
        let error = column.check("value.bytes", 2).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    check(&[1], &[], b"x", "value.bytes.ends: 1 rows, expected 2 rows");
    check(&[2, 1], &[], b"x", "value.bytes.ends: 1 at row 1, expected at least 2");
    check(&[1, 9], &[], b"x", "value.bytes.ends: a last end of 9, expected 1");
    check(&[1, 1], &[0], b"x", "value.bytes.nulls: 0");
    check(&[0, 1], &[7], b"x", "value.bytes.nulls: 7");
    check(&[0, 0], &[1, 0], b"", "value.bytes.nulls: 0");
    check(&[], &[], b"x", "value.bytes.ends: no rows but bytes");
}

#[test]
fn headers_follow_their_row() {
    let headers = Headers {
        ends: vec![1, 1, 3],
        names: column(&[Some(b"a"), Some(b"b"), Some(b"c")]),
        values: Values { bytes: column(&[Some(b"1"), None, Some(b"3")]), schemas: vec![] },
    };
    assert_eq!(headers.check("h", 3), Ok(()));
    assert_eq!(headers.range(0), 0..1);
    assert_eq!(headers.range(1), 1..1);
    assert_eq!(headers.range(2), 1..3);
    let last = headers.gather(&[2, 1]);
    assert_eq!(last.ends, [2, 2]);
    assert_eq!(last.names, column(&[Some(b"b"), Some(b"c")]));
    assert!(headers.check("h", 2).is_err());
}

#[test]
fn a_batch_with_an_index_out_of_range_is_refused() {
    let batch = Batch {
        rows: 1,
        topics: vec!["t".into()],
        topic: vec![1],
        key: Values { bytes: column(&[Some(b"k")]), schemas: vec![] },
        ..Batch::default()
    };
    assert_eq!(batch.check("batch").unwrap_err().to_string(), "batch.topic: 1, expected below 1");
    assert_eq!(batch.topic_of(0), None);
}
