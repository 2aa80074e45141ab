//! Sessions of producers: order, numbers, budgets.
//!
//! Not here: brokers that go away (`outages`).

use std::time::Duration;

use anyhow::{Result, ensure};
use tombolo_kafka::{ClientKind, ConsumedBatch, Producers, Stopped};

use crate::support::{BUDGET, Broker, Reader, Rows, on_both_brokers, send_all, unique};

on_both_brokers!(
    every_row_is_settled_once_with_its_place,
    timestamps_are_written_as_they_are_but_for_0,
    a_session_stops_at_its_budget_alone,
    a_row_that_is_too_large_fails_alone,
    sessions_beyond_one_producers_queue_send_too,
    keys_go_where_java_puts_them,
);

async fn every_row_is_settled_once_with_its_place(broker: Broker) -> Result<()> {
    let topic = broker.topic(3).await?;
    let producers = Producers::new("test");
    let mut session = broker.session(&producers)?;
    let mut rows = Rows::of(&topic);
    for number in 0..30_000 {
        rows.push(number % 3, Some("k"), Some(&format!("v{number}")), &[]);
    }
    // Numbers may start anywhere.
    let first = 1_u64 << 50;
    let mut settled = send_all(&mut session, &rows, first).await?;
    assert_eq!(session.rows_in_flight(), 0);
    settled.sort_by_key(|delivery| delivery.seq);
    for (number, delivery) in settled.iter().enumerate() {
        assert_eq!(delivery.seq, first + number as u64);
        let (partition, offset) = delivery.outcome?;
        assert_eq!((partition, offset), (number as i32 % 3, number as i64 / 3));
    }
    let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
    reader.rows(30_000).await?;
    for index in 0..3 {
        let of: Vec<_> = reader.got.iter().filter(|got| got.partition == index).collect();
        ensure!(
            of.iter().enumerate().all(|(place, got)| {
                got.value == Some(format!("v{}", place as i32 * 3 + index))
            })
        );
    }
    Ok(())
}

async fn timestamps_are_written_as_they_are_but_for_0(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let producers = Producers::new("test");
    let mut session = broker.session(&producers)?;
    let mut rows = Rows::numbered(&topic, 0, 0..5);
    rows.timestamp = vec![0, 1, 1_000, -1, 1_700_000_000_000];
    send_all(&mut session, &rows, 0).await?;
    let mut consumer = broker.consumer(&unique("group"), &[&topic], &[])?;
    let (mut batch, mut read) = (ConsumedBatch::default(), Vec::new());
    while read.len() < 5 {
        consumer.next(&mut batch, 500, 1 << 20, Duration::from_secs(1)).await?;
        read.extend_from_slice(&batch.timestamp);
    }
    let now = read.remove(3);
    assert!(now > 1_700_000_000_000, "{now}");
    assert_eq!(read, [1, 1, 1_000, 1_700_000_000_000]);
    Ok(())
}

async fn a_session_stops_at_its_budget_alone(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let producers = Producers::new("test");
    // Rows linger, so that nothing leaves while we look.
    let settings = broker.settings(ClientKind::Producer, &[("linger.ms", "2000")])?;
    let mut one = producers.session(&settings, 100_000)?;
    let mut other = producers.session(&settings, 100_000)?;
    let mut rows = Rows::of(&topic);
    for _ in 0..200 {
        rows.push(0, None, Some(&"x".repeat(1000)), &[]);
    }
    let columns = rows.columns();
    let stopped = one.send(&columns, 0, 0)?;
    assert_eq!(stopped.stopped, Stopped::Budget);
    assert!((60..100).contains(&stopped.next_row), "{stopped:?}");
    assert_eq!(one.send(&columns, stopped.next_row, 0)?, stopped, "and stays there");
    assert_eq!(other.send(&columns, 150, 0)?.stopped, Stopped::Done, "its neighbour goes on");
    one.capacity().await?;
    let more = one.send(&columns, stopped.next_row, stopped.next_row as u64)?;
    assert!(more.next_row > stopped.next_row, "{more:?}");
    one.flush().await?;
    other.flush().await?;
    // A row that is larger than the whole budget passes alone.
    let mut large = Rows::of(&topic);
    large.push(0, None, Some(&"x".repeat(200_000)), &[]);
    large.push(0, None, Some("small"), &[]);
    let sent = one.send(&large.columns(), 0, 1000)?;
    assert_eq!((sent.next_row, sent.stopped), (1, Stopped::Budget));
    Ok(())
}

async fn a_row_that_is_too_large_fails_alone(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let producers = Producers::new("test");
    let mut session = broker.session(&producers)?;
    let mut rows = Rows::numbered(&topic, 0, 0..2);
    rows.push(0, None, Some(&"x".repeat(2 << 20)), &[]);
    rows.push(0, None, Some("after"), &[]);
    let mut settled = send_all(&mut session, &rows, 0).await?;
    settled.sort_by_key(|delivery| delivery.seq);
    let failed = settled[2].outcome.unwrap_err();
    assert_eq!(failed.name(), "MSG_SIZE_TOO_LARGE");
    assert!(!failed.is_retriable());
    assert_eq!(settled[3].outcome?, (0, 2));
    Ok(())
}

async fn sessions_beyond_one_producers_queue_send_too(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let producers = Producers::new("test");
    let mut sessions = Vec::new();
    // A fifth budget of 8 MiB does not fit the 32 MiB of one producer.
    for _ in 0..5 {
        sessions.push(broker.session(&producers)?);
    }
    for (place, session) in sessions.iter_mut().enumerate() {
        send_all(session, &Rows::numbered(&topic, 0, place..place + 1), 0).await?;
    }
    let other = broker.settings(ClientKind::Producer, &[("linger.ms", "1")])?;
    drop(sessions);
    let mut alone = producers.session(&other, BUDGET)?;
    send_all(&mut alone, &Rows::numbered(&topic, 0, 0..1), 0).await?;
    Ok(())
}

async fn keys_go_where_java_puts_them(broker: Broker) -> Result<()> {
    // The hashes are those of Kafka's own test of `Utils.murmur2`, without their sign, modulo six.
    let cases = [
        ("21", 0),
        ("foobar", 0),
        ("a-little-bit-long-string", 2),
        ("a-little-bit-longer-string", 5),
        ("abc", 3),
    ];
    let topic = broker.topic(6).await?;
    let mut rows = Rows::of(&topic);
    for (key, _) in cases {
        rows.push(-1, Some(key), Some(key), &[]);
    }
    let mut settled = broker.write(&rows).await?;
    settled.sort_by_key(|delivery| delivery.seq);
    let found: Vec<i32> = settled.iter().map(|delivery| delivery.outcome.unwrap().0).collect();
    assert_eq!(found, cases.map(|(_, partition)| partition));
    Ok(())
}
