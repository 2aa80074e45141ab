//! Settings are read with Kafka's rules and refused in Kafka's words.

use std::time::Duration;

use super::*;

const TOPIC: Key<String> = Key::new("topic").non_empty();
const FILE: Key<Option<String>> = Key::new("file");
const ROWS: Key<u32> = Key::new("rows").default("10").between(1, 100);
const PAUSE: Key<Duration> = Key::new("pause.ms").default("500");
const FORMAT: Key<String> = Key::new("format").default("a").one_of(&["a", "b"]);
const TOKEN: Key<Password> = Key::new("token")
    .default("")
    .check(|text| if text.contains(' ') { Err("No space allowed".to_owned()) } else { Ok(()) });
const NAMES: Key<Vec<String>> = Key::new("names").default("");
const STRICT: Key<bool> = Key::new("strict").default("false");

fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings(pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[test]
fn values_are_read_with_defaults_and_without_surrounding_space() {
    let given =
        settings(&[("topic", " t "), ("rows", " 7 "), ("names", "a , b,"), ("strict", "TRUE ")]);
    assert_eq!(TOPIC.get(&given).unwrap(), " t ");
    assert_eq!(ROWS.get(&given).unwrap(), 7);
    assert_eq!(NAMES.get(&given).unwrap(), ["a", "b", ""]);
    assert!(STRICT.get(&given).unwrap());
    assert_eq!(FILE.get(&given).unwrap(), None);
    assert_eq!(PAUSE.get(&given).unwrap(), Duration::from_millis(500));
    assert_eq!(ROWS.get(&settings(&[])).unwrap(), 10);
    assert_eq!(NAMES.get(&settings(&[])).unwrap(), Vec::<String>::new());
}

#[test]
fn errors_name_the_key_the_value_and_what_was_expected() {
    let check = |key: &dyn Definition, value: &str, expected: &str| {
        let name = key.describe().name;
        let error = key.error(&settings(&[(&name, value)])).unwrap();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.key, name);
    };
    check(&ROWS, "x", "Invalid value x for configuration rows: Not a number of type INT");
    check(&ROWS, "0", "Invalid value 0 for configuration rows: Value must be at least 1");
    check(&ROWS, "101", "Invalid value 101 for configuration rows: Value must be no more than 100");
    check(&PAUSE, "-1", "Invalid value -1 for configuration pause.ms: Value must be at least 0");
    check(&FORMAT, "c", "Invalid value c for configuration format: String must be one of: a, b");
    check(&TOPIC, "", "Invalid value  for configuration topic: String must be non-empty");
    check(&TOKEN, "a b", "Invalid value [hidden] for configuration token: No space allowed");
    check(
        &STRICT,
        "yes",
        "Invalid value yes for configuration strict: Expected value to be either true or false",
    );
    assert_eq!(
        TOPIC.get(&settings(&[])).unwrap_err().to_string(),
        "Missing required configuration \"topic\" which has no default value."
    );
}

#[test]
fn the_catalogue_says_what_is_required() {
    assert!(TOPIC.describe().required);
    assert!(!FILE.describe().required);
    assert!(!ROWS.describe().required);
    assert_eq!(ROWS.describe().default.as_deref(), Some("10"));
}

#[test]
fn secrets_do_not_show() {
    let token = TOKEN.get(&settings(&[("token", "s3cret")])).unwrap();
    assert_eq!(format!("{token} {token:?}"), "[hidden] [hidden]");
    assert_eq!(token.reveal(), "s3cret");
}
