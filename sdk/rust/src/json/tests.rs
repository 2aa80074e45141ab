//! JSON to CBOR and back, with serde_json as the witness.

use proptest::prelude::*;
use serde_json::Value as Tree;

use super::*;
use crate::cbor;

fn to_cbor(json: &[u8], numbers: Numbers) -> Result<(Vec<u8>, usize), Error> {
    let mut out = Vec::new();
    let end = Transcoder::new(numbers).transcode(json, &mut out)?;
    Ok((out, end))
}

fn round(json: &str) -> String {
    let (bytes, _) = to_cbor(json.as_bytes(), Numbers::Connect).unwrap();
    if bytes != [0xf6] {
        cbor::check(&bytes).unwrap();
    }
    let mut out = Vec::new();
    from_cbor(&bytes, Decimals::Base64, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn values_come_back_as_jackson_writes_them() {
    for (json, expected) in [
        ("null", "null"),
        (" true ", "true"),
        ("\u{feff}[]", "[]"),
        ("{}", "{}"),
        ("[1, -2 ,3]", "[1,-2,3]"),
        (r#"{"b":{"a":[]}, "a" :"x"}"#, r#"{"b":{"a":[]},"a":"x"}"#),
        ("007", "7"),
        ("-0", "0"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "-9223372036854775808"),
        ("-18446744073709551617", "-1"),
        ("1.50", "1.5"),
        ("-0.0", "0.0"),
        ("1e2", "100.0"),
        ("12345678901234567890.5", "1.2345678901234567E19"),
        ("1E400", "\"Infinity\""),
        (r#""a\u00e9\n\"\\\/\ud83d\ude00\ud800""#, r#""aé\n\"\\/\uD83D\uDE00�""#),
        ("\"\u{7f}\u{80}€\"", "\"\u{7f}\u{80}€\""),
    ] {
        assert_eq!(round(json), expected, "{json}");
    }
}

#[test]
fn of_a_member_given_twice_the_last_value_stays_in_the_first_place() {
    assert_eq!(round(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    assert_eq!(round(r#"{"a":1,"\u0061":[2]}"#), r#"{"a":[2]}"#);
    assert_eq!(round(r#"[{"x":{"k":1,"k":{"k":2,"k":3}}}]"#), r#"[{"x":{"k":{"k":3}}}]"#);
    let many: Vec<String> = (0..300).map(|key| format!("\"key{}\":{key}", key % 250)).collect();
    let Tree::Object(read) =
        serde_json::from_str(&round(&format!("{{{}}}", many.join(",")))).unwrap()
    else {
        panic!()
    };
    assert_eq!(read.len(), 250);
    assert_eq!(read["key49"], 299);
    assert_eq!(read.keys().next().unwrap(), "key0");
}

#[test]
fn what_is_no_json_is_refused_where_it_shows() {
    for (json, at, why) in [
        ("", 0, Why::EndOfInput),
        ("[1", 2, Why::EndOfInput),
        ("[1,]", 3, Why::Unexpected(b']')),
        ("{\"a\" 1}", 5, Why::Unexpected(b'1')),
        ("{a:1}", 1, Why::Unexpected(b'a')),
        ("nul", 3, Why::EndOfInput),
        ("truex", 4, Why::Unexpected(b'x')),
        ("1x", 1, Why::Unexpected(b'x')),
        ("1.", 2, Why::EndOfInput),
        ("-", 1, Why::EndOfInput),
        ("1e+", 3, Why::EndOfInput),
        (".5", 0, Why::Unexpected(b'.')),
        ("\"a", 2, Why::EndOfInput),
        ("\"a\n\"", 2, Why::Control(b'\n')),
        ("\"\\x\"", 1, Why::Escape),
        ("\"\\u12g4\"", 1, Why::Escape),
        ("'a'", 0, Why::Unexpected(b'\'')),
    ] {
        let error = to_cbor(json.as_bytes(), Numbers::Connect).unwrap_err();
        assert_eq!((error.at, error.why), (at, why), "{json}");
    }
    assert_eq!(to_cbor(b"\"\xff\"", Numbers::Connect).unwrap_err().why, Why::Utf8);
    let deep = "[".repeat(DEPTH_MAX + 1);
    assert_eq!(to_cbor(deep.as_bytes(), Numbers::Connect).unwrap_err().why, Why::Depth);
    let deepest = "[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX);
    assert_eq!(round(&deepest), deepest);
}

#[test]
fn what_follows_the_first_value_is_left() {
    assert_eq!(to_cbor(b"{\"a\":1} x", Numbers::Connect).unwrap().1, 7);
    assert_eq!(to_cbor(b"\"a\"x", Numbers::Connect).unwrap().1, 3);
}

#[test]
fn exact_numbers_lose_nothing() {
    let exact = |json: &str| {
        let (bytes, _) = to_cbor(json.as_bytes(), Numbers::Exact).unwrap();
        let mut out = Vec::new();
        from_cbor(&bytes, Decimals::Numeric, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for text in [
        "1",
        "-9223372036854775808",
        "9223372036854775808",
        "0.1000",
        "123456789012345678901234567890.123",
    ] {
        assert_eq!(exact(text), text);
    }
    assert_eq!(exact("1.5e3"), "1.5E+3");
}

#[test]
fn the_reader_pulls_tokens_and_lends_slices() {
    let mut reader = Reader::new(br#" {"schema": {"a":[1,2]}, "payload": "x"} "#);
    assert_eq!(reader.token().unwrap(), Token::Object);
    assert!(reader.member(true).unwrap().unwrap().is("schema"));
    assert_eq!(reader.skip().unwrap(), br#"{"a":[1,2]}"#);
    assert!(reader.member(false).unwrap().unwrap().is("payload"));
    let Token::Text(text) = reader.token().unwrap() else { panic!() };
    assert_eq!(text.raw, "x");
    assert!(reader.member(false).unwrap().is_none());
    assert_eq!(reader.peek(), None);
}

#[test]
fn maps_with_other_keys_than_text_become_pairs() {
    let map = std::collections::BTreeMap::from([(1, "a"), (2, "b")]);
    let mut out = Vec::new();
    from_cbor(&cbor::to_vec(&map).unwrap(), Decimals::Base64, &mut out).unwrap();
    assert_eq!(out, br#"[[1,"a"],[2,"b"]]"#);
}

/// Any JSON without a repeated member, whose numbers a tree keeps.
fn any_json() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::from),
        any::<i64>().prop_map(Tree::from),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite() && *value != 0.0)
            .prop_map(Tree::from),
        ".{0,40}".prop_map(Tree::from),
    ];
    leaf.prop_recursive(5, 60, 40, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Tree::from),
            prop::collection::vec((".{0,20}", inner), 0..40)
                .prop_map(|members| Tree::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_comes_back_as_it_was(tree in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) };
        let back: Tree = serde_json::from_str(&round(&text.unwrap())).unwrap();
        prop_assert_eq!(back, tree);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        drop(to_cbor(&bytes, Numbers::Exact));
        prop_assert!(Reader::new(&bytes).skip().map_or(0, <[u8]>::len) <= bytes.len());
    }

    #[test]
    fn what_serde_json_reads_is_read(text in "[\\[\\]{}\",:0-9.eE+\\-a-z\\\\ ]{0,30}") {
        let theirs = serde_json::from_str::<Tree>(&text);
        let ours = to_cbor(text.as_bytes(), Numbers::Connect);
        if theirs.is_ok() { prop_assert!(ours.is_ok(), "{}", text); }
    }
}
