//! Java's text against vectors from the real JVM.

use serde::Deserialize;

use super::*;
use crate::cbor::{Cursor, Token, write};

#[derive(Deserialize)]
struct Vector {
    f64: Option<String>,
    f32: Option<String>,
    unscaled: Option<String>,
    scale: Option<i32>,
    text: String,
    plain: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let lines = include_str!("../../tests/vectors/java_numbers.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn floats_print_as_in_the_jvm() {
    let mut doubles = 0;
    let mut floats = 0;
    let mut wrong = Vec::new();
    for vector in vectors() {
        let (text, bits) = if let Some(bits) = vector.f64 {
            doubles += 1;
            let value = f64::from_bits(u64::from_str_radix(&bits, 16).unwrap());
            (double_to_string(value), bits)
        } else if let Some(bits) = vector.f32 {
            floats += 1;
            let value = f32::from_bits(u32::from_str_radix(&bits, 16).unwrap());
            (float_to_string(value), bits)
        } else {
            continue;
        };
        if text != vector.text {
            wrong.push(format!("{bits}: {text}, the JVM prints {}", vector.text));
        }
    }
    assert!(doubles > 300 && floats > 100, "{doubles} doubles, {floats} floats");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn decimals_print_as_in_the_jvm_and_are_read_back() {
    let mut seen = 0;
    for vector in vectors() {
        let (Some(unscaled), Some(scale)) = (vector.unscaled, vector.scale) else { continue };
        seen += 1;
        let (bytes, zero) = parse_decimal(&unscaled).unwrap();
        assert_eq!(zero, 0);
        let mut cbor = Vec::new();
        write::decimal_bytes(&mut cbor, &bytes, scale);
        let Token::Decimal(decimal) = Cursor::new(&cbor).token().unwrap() else { panic!() };
        assert_eq!(decimal_to_string(&decimal), vector.text);
        assert_eq!(Some(decimal_to_plain_string(&decimal)), vector.plain);
        let mut back = Vec::new();
        decimal.unscaled.twos_complement(&mut back);
        assert_eq!(back, bytes, "{unscaled}");
        assert_eq!(parse_decimal(&vector.text), Some((bytes, scale)), "{}", vector.text);
    }
    assert!(seen > 20, "{seen}");
}
