//! What only the inside can provoke or see: a producer that dies, and what rows cost.

use std::time::Duration;

use tombolo_harness::Kafka;
use tombolo_model::{Column, Settings};

use super::*;
use crate::admin::Admin;
use crate::consumer::{ConsumedBatch, Consumer, ConsumerEvent, Subscription};
use crate::settings::ClientKind;

fn settings(kind: ClientKind) -> ClientSettings {
    let bootstrap = Kafka::shared().unwrap().bootstrap();
    let java: Settings = [("bootstrap.servers", bootstrap.as_str())].into_iter().collect();
    ClientSettings::translate(kind, &java).unwrap().0
}

/// Rows with their own numbers as values, and a header.
struct Numbered {
    topics: [String; 1],
    partition: Vec<i32>,
    none: Column,
    value: Column,
    header_ends: Vec<u32>,
    header_names: Column,
    header_values: Column,
}

impl Numbered {
    fn new(topic: &str, count: u32) -> Numbered {
        let mut rows = Numbered {
            topics: [topic.to_owned()],
            partition: vec![0; count as usize],
            none: Column::default(),
            value: Column::default(),
            header_ends: (1..=count).collect(),
            header_names: Column::default(),
            header_values: Column::default(),
        };
        for number in 0..count {
            rows.value.push(number.to_string().as_bytes());
            rows.header_names.push(b"h");
            rows.header_values.push(number.to_string().as_bytes());
        }
        rows
    }

    fn columns(&self) -> ProduceRows<'_> {
        ProduceRows {
            rows: self.partition.len(),
            topics: &self.topics,
            topic: &[],
            partition: &self.partition,
            timestamp: &[],
            key: &self.none,
            value: &self.value,
            header_ends: &self.header_ends,
            header_names: &self.header_names,
            header_values: &self.header_values,
        }
    }
}

async fn create(topic: &str) {
    let admin = Admin::new(&settings(ClientKind::Admin), "test", Duration::from_secs(60)).unwrap();
    let new_topic = crate::admin::NewTopic {
        name: topic.to_owned(),
        partitions: 1,
        replication_factor: 1,
        settings: Vec::new(),
    };
    admin.create_topic(&new_topic).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_dies_is_replaced_and_its_rows_are_sent_again_in_order() {
    const ROWS: u32 = 20_000;
    let topic = format!("dies-{}", std::process::id());
    create(&topic).await;
    let producers = Producers::new("test");
    // A pause before each batch leaves, so that every death finds rows waiting.
    let settings_of_both = settings(ClientKind::Producer).with("linger.ms", "100");
    let mut session = producers.session(&settings_of_both, 8 << 20).unwrap();
    let mut neighbour = producers.session(&settings_of_both, 8 << 20).unwrap();
    let (rows, other) = (Numbered::new(&topic, ROWS), Numbered::new(&topic, 10));

    let (mut row, mut deaths, mut settled) = (0, 0, Vec::new());
    let (mut other_sent, mut other_settled) = (0, Vec::new());
    while row < rows.columns().rows {
        let columns = rows.columns();
        let part = ProduceRows { rows: (row + 1000).min(columns.rows), ..columns };
        row = session.send(&part, row, row as u64).unwrap().next_row;
        if row / 5000 > deaths {
            deaths += 1;
            session.provoke_fatal_error();
        }
        session.capacity().await.unwrap();
        if other_sent < 10 {
            other_sent =
                neighbour.send(&other.columns(), other_sent, other_sent as u64).unwrap().next_row;
        }
    }
    assert_eq!(deaths, 4);
    while settled.len() < ROWS as usize {
        session.deliveries(&mut settled).await.unwrap();
    }
    while other_settled.len() < 10 {
        neighbour.deliveries(&mut other_settled).await.unwrap();
    }
    settled.sort_unstable_by_key(|delivery| delivery.seq);
    for (delivery, seq) in settled.iter().zip(0..) {
        assert_eq!((delivery.seq, delivery.outcome.map(|_| ())), (seq, Ok(())));
    }
    assert!(other_settled.iter().all(|delivery| delivery.outcome.is_ok()));
    first_occurrences_are_in_order(&topic, ROWS).await;
}

/// Every number is there, the first occurrences in order, each with its header.
async fn first_occurrences_are_in_order(topic: &str, count: u32) {
    let subscription = Subscription::Topics(vec![topic.to_owned()]);
    let mut consumer =
        Consumer::new(&settings(ClientKind::Consumer), topic, "test", subscription).unwrap();
    let mut batch = ConsumedBatch::default();
    let (mut next, mut small) = (0, 0);
    let start = tokio::time::Instant::now();
    while next < count || small < 10 {
        assert!(start.elapsed() < Duration::from_secs(60), "{next} of {count}, {small} of 10");
        let wait = Duration::from_millis(100);
        if consumer.next(&mut batch, 500, 1 << 20, wait).await.unwrap() != ConsumerEvent::Records {
            continue;
        }
        assert_eq!(batch.header_values.data, batch.value.data);
        for value in batch.value.iter().flatten() {
            let number: u32 = std::str::from_utf8(value).unwrap().parse().unwrap();
            // The neighbour's rows are the numbers up to ten.
            small += u32::from(number < 10);
            assert!(number <= next || number < 10, "{number} came before {next}");
            next += u32::from(number == next);
        }
    }
}

#[test]
fn headers_count_by_their_number_too() {
    let mut rows = Numbered::new("t", 3);
    // All headers are the second row's, two bytes each.
    rows.header_ends = vec![0, 3, 3];
    let columns = rows.columns();
    let costs: Vec<usize> = (0..3).map(|row| columns.cost(row)).collect();
    assert_eq!(costs, [257, 257 + 3 * (64 + 2), 257]);
    assert!(columns.has_too_many_headers(1, 11) && !columns.has_too_many_headers(1, 12));
    assert!(!columns.has_too_many_headers(0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_more_headers_than_a_record_may_have_is_refused_and_others_go() {
    const HEADERS: u32 = 500_000;
    let producers = Producers::new("test");
    let mut session = producers.session(&settings(ClientKind::Producer), 8 << 20).unwrap();
    let topic = format!("headers-{}", std::process::id());
    create(&topic).await;
    let mut rows = Numbered::new(&topic, 3);
    rows.header_ends = vec![0, HEADERS, HEADERS];
    (rows.header_names, rows.header_values) = (Column::default(), Column::default());
    for _ in 0..HEADERS {
        rows.header_names.push(b"h");
        rows.header_values.push(b"");
    }
    let (mut row, mut settled) = (0, Vec::new());
    while row < 3 {
        row = session.send(&rows.columns(), row, row as u64).unwrap().next_row;
        session.capacity().await.unwrap();
    }
    while settled.len() < 3 {
        session.deliveries(&mut settled).await.unwrap();
    }
    settled.sort_unstable_by_key(|delivery| delivery.seq);
    let too_large = |row: &Delivery| row.outcome.is_err_and(DeliveryError::is_too_large);
    assert_eq!(settled.iter().map(too_large).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(settled.iter().filter(|row| row.outcome.is_ok()).count(), 2);
}

#[test]
fn numbers_come_back_whole() {
    let cases = [
        (0, 0),
        (5, 7),
        (line::SEQ_MASK, line::SEQ_MASK),
        (line::SEQ_MASK, line::SEQ_MASK + 3),
        (line::SEQ_MASK + 1, line::SEQ_MASK + 3),
        ((7 << line::SEQ_BITS) - 1, (7 << line::SEQ_BITS) + 100),
    ];
    for (seq, last) in cases {
        assert_eq!(session::widened(seq & line::SEQ_MASK, last), seq);
    }
}
