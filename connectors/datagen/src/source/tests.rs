//! The generator: the same seed makes the same, tasks share one sequence, offsets resume exactly, rates hold.

use std::collections::BTreeSet;

use tombolo_sdk::cbor;
use tombolo_sdk::settings::Configuration;
use tombolo_sdk::testing::{self, Polled, SourceTask};

use super::*;

const TOPIC: (&str, &str) = ("topic", "t");
const FAST: (&str, &str) = ("rate", "0");

fn rows(polled: &Polled) -> Vec<(i64, Vec<u8>)> {
    let row = |record: tombolo_sdk::record::Record<'_>| {
        (record.key::<i64>().unwrap(), record.value_bytes().unwrap().to_vec())
    };
    polled.records().iter().map(row).collect()
}

fn poll(settings: &Settings, rows_max: usize) -> Vec<(i64, Vec<u8>)> {
    testing::reset();
    rows(&SourceTask::start::<DatagenSource>(settings).unwrap().poll(rows_max).unwrap())
}

#[test]
fn the_same_seed_makes_the_same_records_and_another_seed_others() {
    for quickstart in ["orders", "users", "clicks"] {
        for schema in ["false", "true"] {
            let settings = |seed| {
                Settings::from([TOPIC, FAST, ("quickstart", quickstart), ("schema", schema)])
                    .with("seed", seed)
            };
            let first = poll(&settings(7), 100);
            assert_eq!(first.len(), 100);
            assert_eq!(first, poll(&settings(7), 100), "{quickstart}");
            assert_ne!(first, poll(&settings(8), 100), "{quickstart}");
            first.iter().for_each(|(_, value)| cbor::check(value).unwrap());
        }
    }
}

#[test]
fn orders_have_the_fields_that_the_demo_works_on() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "their names are the test")]
    struct Order {
        order_id: i64,
        customer: String,
        email: String,
        card: String,
        item: String,
        quantity: i64,
        price: f64,
        currency: String,
        at: i64,
    }
    for (key, value) in poll(&[TOPIC, FAST].into(), 50) {
        let order: Order = cbor::from_slice(&value).unwrap();
        assert_eq!(order.order_id, key);
        assert!(order.price > 0.0 && (1..10).contains(&order.quantity));
        assert!(order.card.starts_with("0000-"), "no bank gives out such numbers");
    }
}

#[test]
fn a_schema_lists_the_fields_in_the_order_of_the_value() {
    for quickstart in ["orders", "users", "clicks"] {
        testing::reset();
        let settings = [TOPIC, FAST, ("schema", "true"), ("quickstart", quickstart)].into();
        let polled = SourceTask::start::<DatagenSource>(&settings).unwrap().poll(1).unwrap();
        let record = polled.records().get(0).unwrap();
        let schema = record.value_schema().unwrap();
        let mut cursor = cbor::Cursor::new(record.value_bytes().unwrap());
        assert_eq!(cursor.map().unwrap(), Some(schema.fields.len()));
        for field in &schema.fields {
            assert_eq!(cursor.text_bytes().unwrap(), Some(field.name.as_bytes()));
            cursor.skip().unwrap();
        }
    }
}

#[test]
fn tasks_share_one_sequence_up_to_its_end() {
    let all = Settings::from([TOPIC, FAST, ("records.max", "10")]);
    let settings = DatagenSettings::read(&all).unwrap();
    let mut connector = DatagenConnector::start(settings, all.clone()).unwrap();
    let whole: BTreeSet<_> = poll(&all, 100).into_iter().collect();
    assert_eq!(whole.len(), 10);
    let mut shared = BTreeSet::new();
    for task in connector.task_settings(3).unwrap() {
        testing::reset();
        let mut task = SourceTask::start::<DatagenSource>(&task).unwrap();
        shared.extend(rows(&task.poll(100).unwrap()));
        assert!(task.poll(100).unwrap().is_empty(), "nothing after the end");
    }
    assert_eq!(shared, whole);
}

#[test]
fn a_restart_goes_on_exactly_behind_the_committed_offset() {
    testing::reset();
    let settings = [TOPIC, FAST].into();
    let mut task = SourceTask::start::<DatagenSource>(&settings).unwrap();
    let first = task.poll(5).unwrap();
    task.commit(&first).unwrap();
    let lost = rows(&task.poll(5).unwrap());
    let mut again = SourceTask::start::<DatagenSource>(&settings).unwrap();
    assert_eq!(rows(&again.poll(5).unwrap()), lost);
}

#[test]
fn no_more_records_come_than_are_due() {
    testing::reset();
    let settings = [TOPIC, ("rate", "200")].into();
    let mut task = SourceTask::start::<DatagenSource>(&settings).unwrap();
    let began = Instant::now();
    let mut made = 0;
    while made < 20 {
        made += task.poll_within(1000, usize::MAX, Duration::from_millis(50)).unwrap().len();
        assert!(
            made as f64 <= began.elapsed().as_secs_f64() * 200.0,
            "{made} after {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let error = |name, value| {
        DatagenSettings::read(&Settings::from([TOPIC]).with(name, value)).unwrap_err().to_string()
    };
    assert_eq!(
        error("quickstart", "cars"),
        "Invalid value cars for configuration quickstart: String must be one of: orders, users, clicks"
    );
    assert_eq!(
        error("rate", "-1"),
        "Invalid value -1 for configuration rate: Value must be at least 0"
    );
    assert_eq!(
        error("rate", "inf"),
        "Invalid value inf for configuration rate: Value must be a finite number"
    );
}
