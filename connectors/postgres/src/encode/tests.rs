//! What becomes of each value in each column.

use super::*;
use tombolo_sdk::cbor::to_vec;
use tombolo_sdk::logical::{Bytes, Date, Decimal as DecimalText, Time, Timestamp};

/// The field without its length, none for null.
fn written<T: serde::Serialize>(value: T, kind: Kind) -> Result<Option<Vec<u8>>, Unwritten> {
    let item = to_vec(&value).unwrap();
    let (mut out, mut cursor) = (vec![7], Cursor::new(&item));
    let form = match write(&mut out, &mut cursor, kind, Form::Native) {
        Err(Unwritten::Form(form)) => {
            (out, cursor) = (vec![7], Cursor::new(&item));
            write(&mut out, &mut cursor, kind, form).map(|()| form)
        }
        done => done.map(|()| Form::Native),
    };
    if let Err(error) = form {
        assert_eq!(out, [7], "nothing is left of what failed");
        return Err(error);
    }
    assert!(cursor.is_at_end(), "the item is passed");
    let len = i32::from_be_bytes(out[1..5].try_into().unwrap());
    let field = out[5..].to_vec();
    assert_eq!(len, if field.is_empty() && len == -1 { -1 } else { field.len() as i32 });
    Ok((len >= 0).then_some(field))
}

fn check<T: serde::Serialize>(value: T, kind: Kind, expected: &[u8]) {
    assert_eq!(written(value, kind), Ok(Some(expected.to_vec())), "{kind:?}");
}

#[test]
fn values_take_the_columns_form() {
    check(true, Kind::Boolean, &[1]);
    check(-2, Kind::Int2, &[0xff, 0xfe]);
    check(70_000, Kind::Int4, &[0, 1, 0x11, 0x70]);
    check(3.0, Kind::Int8, &[0, 0, 0, 0, 0, 0, 0, 3]);
    check(DecimalText("5".to_owned()), Kind::Int2, &[0, 5]);
    check(1.5_f32, Kind::Float4, &[0x3f, 0xc0, 0, 0]);
    check(2, Kind::Float8, &[0x40, 0, 0, 0, 0, 0, 0, 0]);
    check(DecimalText("-1.5".to_owned()), Kind::Float8, &[0xbf, 0xf8, 0, 0, 0, 0, 0, 0]);
    check(
        DecimalText("1.50".to_owned()),
        Kind::Numeric,
        &[0, 2, 0, 0, 0, 0, 0, 2, 0, 1, 0x13, 0x88],
    );
    check(0.1_f32, Kind::Numeric, &[0, 1, 0xff, 0xff, 0, 0, 0, 1, 3, 0xe8]);
    check(Bytes(vec![1, 2]), Kind::Bytes, &[1, 2]);
    check(Date(10_957), Kind::Date, &[0; 4]);
    check(Timestamp(946_684_800_001), Kind::Date, &[0; 4]);
    check(Time(1), Kind::Time, &[0, 0, 0, 0, 0, 0, 3, 0xe8]);
    check(Timestamp(946_684_800_001), Kind::TimestampTz, &[0, 0, 0, 0, 0, 0, 3, 0xe8]);
    check(Date(10_957), Kind::Timestamp, &[0; 8]);
    let uuid = [
        0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0,
    ];
    check("123e4567-e89b-12d3-a456-426614174000", Kind::Uuid, &uuid);
}

#[test]
fn text_and_documents_take_most_values() {
    check("naïve", Kind::Text, "naïve".as_bytes());
    check(-5, Kind::Text, b"-5");
    check(Timestamp(0), Kind::Text, b"1970-01-01T00:00:00Z");
    check(DecimalText("1.50".to_owned()), Kind::Text, b"1.50");
    check(vec![1, 2], Kind::Text, b"[1,2]");
    check("{\"a\":1}", Kind::Json, b"{\"a\":1}");
    check(vec![Some("x"), None], Kind::Jsonb, b"\x01[\"x\",null]");
    check(7, Kind::Jsonb, b"\x017");
    check(Date(0), Kind::Json, b"\"1970-01-01\"");
}

#[test]
fn text_goes_into_any_column_for_postgresql_to_read() {
    check("2026-01-01", Kind::TimestampTz, b"2026-01-01");
    check("12", Kind::Int4, b"12");
    check("red", Kind::Other, b"red");
    check(5, Kind::Other, b"5");
    check(vec![vec![Some("a\"\\")], vec![None]], Kind::Other, br#"{{"a\"\\"},{NULL}}"#);
    check(Bytes(vec![0xab]), Kind::Other, b"\\xab");
}

#[test]
fn null_is_null_everywhere() {
    for kind in [Kind::Boolean, Kind::Text, Kind::Jsonb, Kind::Other, Kind::Numeric] {
        assert_eq!(written(None::<bool>, kind), Ok(None));
    }
}

#[test]
fn what_does_not_fit_is_told_apart() {
    assert_eq!(written(40_000, Kind::Int2), Err(Unwritten::Range));
    assert_eq!(written(1e300, Kind::Float4), Err(Unwritten::Range));
    assert_eq!(written(Timestamp(i64::MAX), Kind::Timestamp), Err(Unwritten::Range));
    assert_eq!(written(1.5, Kind::Int4), Err(Unwritten::Type("a float")));
    assert_eq!(written(1, Kind::Boolean), Err(Unwritten::Type("an integer")));
    assert_eq!(written(1, Kind::Timestamp), Err(Unwritten::Type("an integer")));
    assert_eq!(written(vec![1], Kind::Int4), Err(Unwritten::Type("an array")));
    assert_eq!(written(Bytes(vec![1]), Kind::Text), Err(Unwritten::Type("bytes")));
    assert_eq!(written("xyz", Kind::Uuid), Err(Unwritten::Type("text that is no UUID")));
    let half = [0x82, 0x01];
    let (mut out, mut cursor) = (Vec::new(), Cursor::new(&half));
    let broken = write(&mut out, &mut cursor, Kind::Jsonb, Form::Native);
    assert!(matches!(broken, Err(Unwritten::Malformed(_))), "{broken:?}");
}
