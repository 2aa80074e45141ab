//! The table by itself, without a guest.

use super::*;
use crate::limits::Refused;

fn schema(r#type: SchemaType) -> Schema {
    Schema {
        r#type,
        optional: false,
        name: None,
        version: None,
        doc: None,
        parameters: vec![],
        default: None,
        fields: vec![],
        key: None,
        value: None,
    }
}

fn named(name: usize) -> Schema {
    Schema { name: Some(name.to_string()), ..schema(SchemaType::Text) }
}

#[test]
fn the_same_schema_has_the_same_number() {
    let mut table = Table::default();
    assert_eq!(table.define(schema(SchemaType::Text), 1, |_| true), Ok(1));
    assert_eq!(table.define(schema(SchemaType::Int8), 1, |_| true), Ok(2));
    assert_eq!(table.define(schema(SchemaType::Text), 1, |_| true), Ok(1));
    assert_eq!(table.bytes, 2);
    assert_eq!(table.get(2).map(|schema| schema.r#type), Some(SchemaType::Int8));
    assert_eq!((table.get(0), table.get(3)), (None, None));
}

#[test]
fn what_cannot_be_a_schema_is_refused() {
    let mut table = Table::default();
    table.define(schema(SchemaType::Text), 1, |_| true).unwrap();
    let field = |name: &str, schema| Field { name: name.into(), schema };
    let check = |definition: Schema, expected: &str| {
        let found = table.check(&definition);
        assert_eq!(found, Err(expected.to_owned()));
    };
    check(schema(SchemaType::Array), "value: missing");
    check(
        Schema { key: Some(1), value: Some(2), ..schema(SchemaType::Map) },
        "value: no schema has the number 2",
    );
    check(Schema { value: Some(1), ..schema(SchemaType::Text) }, "value: not for Text");
    check(
        Schema { fields: vec![field("a", 1)], ..schema(SchemaType::Text) },
        "fields: not for Text",
    );
    let fields = |fields| Schema { fields, ..schema(SchemaType::Struct) };
    check(fields(vec![field("a", 1), field("a", 1)]), "fields: \"a\" is empty or there twice");
    check(fields(vec![field("", 1)]), "fields: \"\" is empty or there twice");
    check(fields(vec![field("a", 0)]), "fields: \"a\": no schema has the number 0");
    check(
        Schema { default: Some(vec![0x61]), ..schema(SchemaType::Text) },
        "default: it is not CBOR: cut short",
    );
    let twice = vec![("p".to_owned(), "1".to_owned()), ("p".to_owned(), "2".to_owned())];
    check(
        Schema { parameters: twice, ..schema(SchemaType::Text) },
        "parameters: \"p\" is there twice",
    );
}

#[test]
fn a_full_table_still_takes_the_batch_and_a_new_one_reuses_no_number() {
    let shared = SharedSchemas::default();
    let define = |name| shared.with(|table| table.define(named(name), 300, |_| true));
    for number in 1..SCHEMAS_MAX {
        define(number).unwrap();
    }
    assert!(!shared.is_full());
    for number in SCHEMAS_MAX..=SCHEMAS_MAX * OVER {
        define(number).unwrap();
        assert!(shared.is_full());
    }
    assert_eq!(define(0), Err(Refusal::Full));
    let last = u32::try_from(SCHEMAS_MAX * OVER).unwrap();
    assert_eq!(shared.unknown_among(&[0, 1, last]), None);

    shared.start_anew();
    assert!(!shared.is_full());
    assert_eq!(shared.unknown_among(&[0, last]), Some(last));
    assert_eq!(define(1), Ok(last + 1));
    assert_eq!(shared.unknown_among(&[last + 1]), None);
    assert!(shared.with(|table| table.get(1).is_none()));
}

#[test]
fn bytes_fill_a_table_too() {
    let shared = SharedSchemas::default();
    shared.with(|table| table.define(named(1), SCHEMA_BYTES_MAX, |_| true)).unwrap();
    assert!(shared.is_full());
    assert_eq!(
        shared.with(|table| table.define(named(2), SCHEMA_BYTES_MAX + 1, |_| true)),
        Err(Refusal::Full)
    );
}

#[test]
fn bytes_count_in_the_memory_of_the_component_that_defined_the_schema() {
    let one = SharedSchemas::default().for_component();
    let other = one.for_component();
    let mut budget = Budget::new(1_000, Arc::default(), Arc::default());
    assert_eq!(one.define(named(1), 400, &mut budget), Ok(1));
    assert_eq!(one.define(named(1), 400, &mut budget), Ok(1), "it is there already");
    assert_eq!(
        other.define(named(2), 300, &mut Budget::new(300, Arc::default(), Arc::default())),
        Ok(2)
    );
    assert_eq!((budget.used(), one.defined_bytes(), other.defined_bytes()), (400, 400, 300));
    assert_eq!(one.define(named(3), 601, &mut budget), Err(Refusal::NoMemory));
    let refused = Refused::Own { wanted: 1_001, max: 1_000 };
    assert_eq!((budget.refused(), one.defined_bytes()), (Some(refused), 400));
    other.start_anew();
    assert_eq!((one.defined_bytes(), other.defined_bytes()), (0, 0));
}
