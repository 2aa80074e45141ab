//! CBOR against the vectors of the contract, and against itself.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::*;
use crate::logical;

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Valid {
    cbor: String,
    value: Json,
    written: Option<String>,
}

#[derive(Deserialize)]
struct Invalid {
    cbor: String,
    why: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../wit/cbor-vectors.json")).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an item means, in the form of the vectors.
fn meaning(cursor: &mut Cursor<'_>) -> Json {
    match cursor.token().unwrap() {
        Token::Null => json!("null"),
        Token::Boolean(value) => json!({ "boolean": value }),
        Token::Int(value) => json!({ "int": value.to_string() }),
        Token::Float32(value) => json!({ "float32": format!("{:08x}", value.to_bits()) }),
        Token::Float64(value) => json!({ "float64": format!("{:016x}", value.to_bits()) }),
        Token::Text(value) => json!({ "text": value }),
        Token::Bytes(value) => json!({ "bytes": hex(value) }),
        Token::Decimal(value) => json!({ "decimal": crate::java::decimal_to_string(&value) }),
        Token::Date(value) => json!({ "date": value.to_string() }),
        Token::Timestamp(value) => json!({ "timestamp": value.to_string() }),
        Token::Time(value) => json!({ "time": value.to_string() }),
        Token::Array(items) => {
            json!({ "array": (0..items).map(|_| meaning(cursor)).collect::<Vec<_>>() })
        }
        Token::Map(pairs) => {
            let pairs = (0..pairs).map(|_| json!([meaning(cursor), meaning(cursor)]));
            json!({ "map": pairs.collect::<Vec<_>>() })
        }
    }
}

/// Writes a value in the form of the vectors.
fn write_meaning(out: &mut Vec<u8>, value: &Json) {
    let Json::Object(value) = value else { return write::null(out) };
    let (kind, value) = value.iter().next().unwrap();
    let text = value.as_str().unwrap_or_default();
    let number = || text.parse::<i64>().unwrap();
    match kind.as_str() {
        "boolean" => write::boolean(out, value.as_bool().unwrap()),
        "int" => write::int(out, number()),
        "float32" => write::f32(out, f32::from_bits(u32::from_str_radix(text, 16).unwrap())),
        "float64" => write::f64(out, f64::from_bits(u64::from_str_radix(text, 16).unwrap())),
        "text" => write::text(out, text),
        "bytes" => write::bytes(out, &unhex(text)),
        "decimal" => logical::write_decimal(out, text).unwrap(),
        "date" => write::date(out, number()),
        "timestamp" => write::timestamp(out, number()),
        "time" => write::time(out, number()),
        "array" => {
            let items = value.as_array().unwrap();
            let open = write::begin(out);
            items.iter().for_each(|item| write_meaning(out, item));
            write::end_array(out, open, items.len());
        }
        "map" => {
            let pairs = value.as_array().unwrap();
            write::map(out, pairs.len());
            pairs
                .iter()
                .flat_map(|pair| pair.as_array().unwrap())
                .for_each(|item| write_meaning(out, item));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn valid_vectors_are_read_and_written() {
    let vectors = vectors().valid;
    assert!(vectors.len() > 40);
    for vector in vectors {
        let bytes = unhex(&vector.cbor);
        check(&bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.cbor));
        let mut skipped = Cursor::new(&bytes);
        skipped.skip().unwrap();
        assert!(skipped.is_at_end(), "{}", vector.cbor);
        if let Some(depth) = vector.value.get("nested arrays") {
            assert_eq!(bytes.len() as u64, depth.as_u64().unwrap());
            continue;
        }
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(meaning(&mut cursor), vector.value, "{}", vector.cbor);
        assert!(cursor.is_at_end());
        let mut written = Vec::new();
        write_meaning(&mut written, &vector.value);
        assert_eq!(hex(&written), vector.written.unwrap_or(vector.cbor));
    }
}

#[test]
fn invalid_vectors_are_refused() {
    let vectors = vectors().invalid;
    assert!(vectors.len() > 40);
    for vector in vectors {
        let refused = check(&unhex(&vector.cbor));
        assert!(refused.is_err(), "{} passes, but it is {}", vector.cbor, vector.why);
    }
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Order<'a> {
    id: i64,
    item: &'a str,
    price: f64,
    small: f32,
    note: Option<String>,
    tags: Vec<u8>,
    state: State,
    raw: logical::Bytes,
    at: logical::Timestamp,
    day: logical::Date,
    time: logical::Time,
    total: logical::Decimal,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
enum State {
    Open,
    Paid(i64),
    Sent { to: String },
    Split(i64, bool),
}

#[test]
fn a_struct_is_a_map_of_all_its_fields_and_comes_back() {
    for state in
        [State::Open, State::Paid(-5), State::Sent { to: "x".into() }, State::Split(1, true)]
    {
        let order = Order {
            id: i64::MIN,
            item: "naïve",
            price: 0.1,
            small: 0.5,
            note: None,
            tags: (0..30).collect(),
            state,
            raw: logical::Bytes(vec![0, 255]),
            at: logical::Timestamp(-1),
            day: logical::Date(20_000),
            time: logical::Time(86_399_999),
            total: logical::Decimal("-12.50".into()),
        };
        let bytes = to_vec(&order).unwrap();
        check(&bytes).unwrap();
        assert_eq!(from_slice::<Order<'_>>(&bytes).unwrap(), order);
    }
}

#[test]
fn plain_types_read_logical_ones() {
    let mut bytes = Vec::new();
    write::array(&mut bytes, 4);
    write::timestamp(&mut bytes, 1234);
    write::date(&mut bytes, -3);
    write::decimal(&mut bytes, 150, 2);
    write::decimal(&mut bytes, 150, 2);
    let read: (i64, i64, f64, String) = from_slice(&bytes).unwrap();
    assert_eq!(read, (1234, -3, 1.5, "1.50".to_owned()));
}

#[test]
fn errors_say_what_was_expected() {
    let error = from_slice::<Vec<i64>>(&to_vec("text").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: string \"text\", expected a sequence");
    let error = from_slice::<i64>(&[0, 0]).unwrap_err();
    assert_eq!(error.to_string(), "more than one item at byte 1");
    assert_eq!(to_vec(&u64::MAX).unwrap_err().to_string(), "an integer beyond 64 bits");
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut cursor = Cursor::new(&bytes);
        while let Ok(token) = cursor.token() {
            prop_assert!(!token.name().is_empty());
            if cursor.is_at_end() { break }
        }
        drop(from_slice::<Json>(&bytes));
        let mut out = Vec::new();
        drop(crate::json::from_cbor(&bytes, crate::json::Decimals::Numeric, &mut out));
        drop(crate::java::write_value(&mut out, Some(&bytes), 0));
        prop_assert!(Cursor::new(&bytes).skip().is_ok() || check(&bytes).is_err());
    }

    #[test]
    fn decimals_of_any_size_keep_their_value(digits in "-?[1-9][0-9]{0,60}", scale in -50_i32..50) {
        let (unscaled, _) = crate::java::parse_decimal(&digits).unwrap();
        let mut bytes = Vec::new();
        write::decimal_bytes(&mut bytes, &unscaled, scale);
        check(&bytes).unwrap();
        let Token::Decimal(decimal) = Cursor::new(&bytes).token().unwrap() else { panic!() };
        let text = crate::java::decimal_to_plain_string(&Decimal { scale: 0, ..decimal });
        prop_assert_eq!(text, digits);
        let mut back = Vec::new();
        decimal.unscaled.twos_complement(&mut back);
        prop_assert_eq!(back, unscaled);
    }
}
