//! Flat maps through CBOR and JSON.

use proptest::prelude::*;

use super::*;

fn json(map: &FlatMap) -> String {
    String::from_utf8(crate::json::to_vec(map).unwrap()).unwrap()
}

fn map(members: Vec<(&str, Primitive)>) -> FlatMap {
    FlatMap(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[test]
fn members_keep_their_order_and_print_as_in_kafka_connect() {
    let offset = map(vec![
        ("z", Primitive::Int(-7)),
        ("a", Primitive::Double(1e10)),
        ("f", Primitive::Float(0.1)),
        ("t", Primitive::Text("line\n".into())),
        ("b", Primitive::Bytes(vec![0, 200, 255, 1])),
        ("n", Primitive::Null),
        ("x", Primitive::Double(f64::NAN)),
        ("y", Primitive::Bool(true)),
    ]);
    assert_eq!(
        json(&offset),
        r#"{"z":-7,"a":1.0E10,"f":0.1,"t":"line\n","b":"AMj/AQ==","n":null,"x":"NaN","y":true}"#
    );
}

#[test]
fn only_flat_maps_with_text_keys_are_offsets() {
    for (cbor, why) in [
        (&[0x01][..], "Offset data must be a map"),
        (&[0xa1, 0x01, 0x01], "Offsets may only use String keys"),
        (
            &[0xa1, 0x61, b'k', 0x80],
            "Offsets may only contain primitive types as values, but field k contains ARRAY",
        ),
        (
            &[0xa1, 0x61, b'k', 0xa0],
            "Offsets may only contain primitive types as values, but field k contains MAP",
        ),
        (&[0xa1, 0x61, b'k'], "not a CBOR map: ends early"),
        (&[0xa0, 0x00], "not a CBOR map: bytes after the map"),
        (&[0xbf, 0xff], "not a CBOR map: an indefinite length"),
        (&[0xbb, 255, 255, 255, 255, 255, 255, 255, 255], "not a CBOR map: ends early"),
        (&[0xa1, 0x61, 0xff, 0x01], "not a CBOR map: text that is no UTF-8"),
    ] {
        assert_eq!(FlatMap::from_cbor(cbor).unwrap_err().to_string(), why, "{cbor:02x?}");
    }
}

#[test]
fn the_order_of_members_does_not_tell_partitions_apart() {
    let one = map(vec![("a", Primitive::Int(1)), ("b", Primitive::Text("x".into()))]);
    let other = map(vec![("b", Primitive::Text("x".into())), ("a", Primitive::Int(1))]);
    assert_eq!(one.canonical(), other.canonical());
    assert_ne!(one.canonical(), map(vec![("a", Primitive::Double(1.0))]).canonical());
}

fn primitives() -> impl Strategy<Value = Primitive> {
    prop_oneof![
        Just(Primitive::Null),
        any::<bool>().prop_map(Primitive::Bool),
        any::<i64>().prop_map(Primitive::Int),
        any::<f64>().prop_filter("finite", |double| double.is_finite()).prop_map(Primitive::Double),
        any::<String>().prop_map(Primitive::Text),
    ]
}

fn maps() -> impl Strategy<Value = FlatMap> {
    prop::collection::btree_map(any::<String>(), primitives(), 0..8)
        .prop_map(|members| FlatMap(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_is_written_reads_back(map in maps()) {
        prop_assert_eq!(&FlatMap::from_cbor(&map.to_cbor()).unwrap(), &map);
        let value = serde_json::from_slice(&crate::json::to_vec(&map).unwrap()).unwrap();
        prop_assert_eq!(&FlatMap::from_json(&value).unwrap(), &map);
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(FlatMap::from_cbor(&bytes));
    }
}
