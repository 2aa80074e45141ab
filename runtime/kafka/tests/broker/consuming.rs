//! Members of groups: what they read, from where, and how they share.
//!
//! Not here: outages.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tombolo_kafka::{ClientKind, Consumer, ConsumerEvent, Subscription, record_at};
use tombolo_model::batch::TimestampType;

use crate::support::{
    Broker, DEADLINE, Reader, Rows, at, new_topic, on_both_brokers, partition, unique,
};

on_both_brokers!(
    records_come_whole_and_in_order,
    a_new_member_starts_where_the_group_committed,
    limits_of_a_batch_hold,
    a_seek_is_exact_and_a_paused_partition_is_silent,
    eager_members_share_partitions_and_take_over,
    cooperative_members_keep_what_they_keep,
    a_pattern_finds_topics_that_come_later,
    a_task_that_does_not_poll_leaves_and_comes_back,
    without_a_reset_policy_a_missing_offset_is_an_error,
    one_record_is_read_again_at_its_offset,
);

async fn records_come_whole_and_in_order(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let mut rows = Rows::of(&topic);
    rows.push(0, None, Some("plain"), &[]);
    rows.push(0, Some("k"), None, &[("a", Some("1")), ("b", None), ("a", Some(""))]);
    rows.push(0, Some(""), Some(""), &[]);
    rows.timestamp = vec![1_700_000_000_123, 5, -1];
    broker.write(&rows).await?;

    let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
    reader.rows(3).await?;
    let batch = &reader.batch;
    ensure!(batch.rows == 3, "{batch:?}");
    assert_eq!(
        (batch.topics.as_slice(), batch.topic.as_slice()),
        ([topic].as_slice(), [0, 0, 0].as_slice())
    );
    assert_eq!(batch.offset, [0, 1, 2]);
    assert_eq!(
        batch.key.iter().collect::<Vec<_>>(),
        [None, Some(b"k".as_slice()), Some(b"".as_slice())]
    );
    assert_eq!(
        batch.value.iter().collect::<Vec<_>>(),
        [Some(b"plain".as_slice()), None, Some(b"".as_slice())]
    );
    assert_eq!(batch.header_ends, [0, 3, 3]);
    let names: Vec<_> = batch.header_names.iter().flatten().collect();
    assert_eq!(names, [b"a", b"b", b"a"]);
    assert_eq!(
        batch.header_values.iter().collect::<Vec<_>>(),
        [Some(b"1".as_slice()), None, Some(b"".as_slice())]
    );
    assert_eq!(batch.timestamp[..2], [1_700_000_000_123, 5]);
    assert!(batch.timestamp[2] > 1_700_000_000_000, "a row without a time gets the producer's");
    assert_eq!(batch.timestamp_types, [TimestampType::CreateTime; 3]);
    reader.consumer.close().await;
    Ok(())
}

async fn a_new_member_starts_where_the_group_committed(broker: Broker) -> Result<()> {
    let topic = broker.topic(2).await?;
    let group = unique("group");
    broker.write(&Rows::numbered(&topic, 0, 0..10)).await?;

    let mut first = Reader::new(broker.consumer(&group, &[&topic], &[])?);
    let mut start = first.assigned().await?;
    start.sort_by_key(|start| start.at.partition);
    assert_eq!(
        start,
        [at(&topic, 0, 0), at(&topic, 1, 0)],
        "the beginning, as nothing is committed"
    );
    first.rows(10).await?;
    first.consumer.commit(&[at(&topic, 0, 4)])?;
    first
        .until("the answer to a commit", |reader| {
            reader.events.contains(&ConsumerEvent::Committed(Ok(())))
        })
        .await?;
    first.consumer.commit_sync(&[at(&topic, 0, 7)], DEADLINE).await?;
    first.consumer.close().await;

    let mut second = Reader::new(broker.consumer(&group, &[&topic], &[])?);
    let mut start = second.assigned().await?;
    start.sort_by_key(|start| start.at.partition);
    assert_eq!(start, [at(&topic, 0, 7), at(&topic, 1, 0)]);
    second.rows(3).await?;
    assert_eq!(second.values(), ["v7", "v8", "v9"]);
    second.consumer.close().await;
    Ok(())
}

async fn limits_of_a_batch_hold(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let mut rows = Rows::of(&topic);
    for _ in 0..30 {
        rows.push(0, None, Some(&"x".repeat(1000)), &[]);
    }
    rows.push(0, None, Some(&"y".repeat(20_000)), &[]);
    rows.push(0, None, Some("last"), &[]);
    broker.write(&rows).await?;

    let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
    reader.assigned().await?;
    let (mut batches, mut offsets) = (Vec::new(), Vec::new());
    let start = std::time::Instant::now();
    while offsets.len() < 32 {
        ensure!(start.elapsed() < DEADLINE, "{offsets:?}");
        let wait = Duration::from_millis(100);
        if reader.consumer.next(&mut reader.batch, 7, 5000, wait).await? == ConsumerEvent::Records {
            batches.push((reader.batch.rows, reader.batch.value.data.len()));
            offsets.extend_from_slice(&reader.batch.offset);
        }
    }
    assert_eq!(offsets, (0..32).collect::<Vec<i64>>());
    for (rows, bytes) in batches {
        assert!(rows <= 7 && (bytes <= 5000 || rows == 1), "{rows} rows, {bytes} bytes");
    }
    Ok(())
}

async fn a_seek_is_exact_and_a_paused_partition_is_silent(broker: Broker) -> Result<()> {
    let topic = broker.topic(2).await?;
    broker.write(&Rows::numbered(&topic, 0, 0..1000)).await?;
    broker.write(&Rows::numbered(&topic, 1, 0..10)).await?;
    let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
    reader.assigned().await?;
    // Before reading begins, after it has begun, and again at once.
    reader.consumer.seek(&[at(&topic, 0, 990)]);
    reader.rows(20).await?;
    let of_first = |reader: &Reader| -> Vec<i64> {
        reader.got.iter().filter(|got| got.partition == 0).map(|got| got.offset).collect()
    };
    assert_eq!(of_first(&reader), (990..1000).collect::<Vec<i64>>());
    reader.got.clear();
    reader.consumer.seek(&[at(&topic, 0, 3)]);
    reader.consumer.seek(&[at(&topic, 0, 500), at(&topic, 1, 10)]);
    reader.rows(500).await?;
    assert_eq!(of_first(&reader), (500..1000).collect::<Vec<i64>>());

    reader.got.clear();
    reader.consumer.pause(&[partition(&topic, 0)])?;
    reader.consumer.seek(&[at(&topic, 1, 0)]);
    broker.write(&Rows::numbered(&topic, 0, 1000..1010)).await?;
    reader.rows(10).await?;
    assert!(reader.got.iter().all(|got| got.partition == 1), "{:?}", reader.got);
    reader.got.clear();
    reader.consumer.resume(&[partition(&topic, 0)])?;
    reader.rows(10).await?;
    assert_eq!(of_first(&reader), (1000..1010).collect::<Vec<i64>>());
    Ok(())
}

/// Two readers take turns until `enough` holds of both.
async fn together(
    one: &mut Reader,
    other: &mut Reader,
    what: &str,
    enough: impl Fn(&Reader, &Reader) -> bool,
) -> Result<()> {
    let start = std::time::Instant::now();
    while !enough(one, other) {
        ensure!(start.elapsed() < DEADLINE, "in vain: {what}: {:?} {:?}", one.events, other.events);
        one.turn().await?;
        other.turn().await?;
    }
    Ok(())
}

async fn eager_members_share_partitions_and_take_over(broker: Broker) -> Result<()> {
    let topic = broker.topic(4).await?;
    let group = unique("group");
    let mut one = Reader::new(broker.consumer(&group, &[&topic], &[])?);
    assert_eq!(one.assigned().await?.len(), 4);
    let mut other = Reader::new(broker.consumer(&group, &[&topic], &[])?);
    together(&mut one, &mut other, "two and two", |one, other| {
        one.consumer.assignment().len() == 2 && other.consumer.assignment().len() == 2
    })
    .await?;
    let revoked = one.events.iter().find_map(|event| match event {
        ConsumerEvent::Revoked(partitions) => Some(partitions.len()),
        _ => None,
    });
    assert_eq!(revoked, Some(4), "all are given back: {:?}", one.events);
    other.consumer.close().await;
    one.until("all four again", |one| one.consumer.assignment().len() == 4).await?;
    Ok(())
}

async fn cooperative_members_keep_what_they_keep(broker: Broker) -> Result<()> {
    let topic = broker.topic(4).await?;
    let group = unique("group");
    let assignor = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let cooperative = [("partition.assignment.strategy", assignor)];
    let mut one = Reader::new(broker.consumer(&group, &[&topic], &cooperative)?);
    assert_eq!(one.assigned().await?.len(), 4);
    let mut other = Reader::new(broker.consumer(&group, &[&topic], &cooperative)?);
    together(&mut one, &mut other, "two and two", |one, other| {
        one.consumer.assignment().len() == 2 && other.consumer.assignment().len() == 2
    })
    .await?;
    let revoked: usize = one
        .events
        .iter()
        .map(|event| match event {
            ConsumerEvent::Revoked(partitions) => partitions.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(revoked, 2, "only those that move are given back: {:?}", one.events);
    Ok(())
}

async fn a_pattern_finds_topics_that_come_later(broker: Broker) -> Result<()> {
    let prefix = unique("family");
    let mut topic = new_topic(1, &[]);
    let settings = broker.settings(ClientKind::Consumer, &[("metadata.max.age.ms", "200")])?;
    let wanted = prefix.clone();
    let matches = Box::new(move |name: &str| name.starts_with(&wanted));
    let group = unique("group");
    let consumer = Consumer::new(&settings, &group, "test", Subscription::Pattern(matches))?;
    let mut reader = Reader::new(consumer);
    for name in ["a", "b"] {
        topic.name = format!("{prefix}-{name}");
        broker.admin()?.create_topic(&topic).await?;
        broker.write(&Rows::numbered(&topic.name, 0, 0..1)).await?;
        let known = reader.batch.topics.len();
        reader.until(&topic.name, |reader| reader.batch.topics.len() > known).await?;
    }
    assert_eq!(reader.batch.topics, [format!("{prefix}-a"), format!("{prefix}-b")]);
    Ok(())
}

async fn a_task_that_does_not_poll_leaves_and_comes_back(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let group = unique("group");
    let short = [("max.poll.interval.ms", "6000"), ("session.timeout.ms", "6000")];
    let mut slow = Reader::new(broker.consumer(&group, &[&topic], &short)?);
    slow.assigned().await?;
    let mut waiting = Reader::new(broker.consumer(&group, &[&topic], &short)?);
    // The slow one does not poll at all: its partition goes to the other.
    waiting
        .until("the partition of the slow one", |other| other.consumer.assignment().len() == 1)
        .await?;
    waiting.consumer.close().await;
    slow.events.clear();
    slow.assigned().await?;
    assert!(
        slow.events
            .iter()
            .any(|event| matches!(event, ConsumerEvent::Lost(_) | ConsumerEvent::Revoked(_))),
        "{:?}",
        slow.events
    );
    broker.write(&Rows::numbered(&topic, 0, 0..3)).await?;
    slow.rows(3).await?;
    Ok(())
}

async fn without_a_reset_policy_a_missing_offset_is_an_error(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    let mut reader = Reader::new(broker.consumer(
        &unique("group"),
        &[&topic],
        &[("auto.offset.reset", "none")],
    )?);
    let error = reader.rows(1).await.unwrap_err();
    assert!(error.to_string().contains("auto.offset.reset is none"), "{error}");
    Ok(())
}

async fn one_record_is_read_again_at_its_offset(broker: Broker) -> Result<()> {
    let topic = broker.topic(1).await?;
    broker.write(&Rows::numbered(&topic, 0, 0..5)).await?;
    let mut rows = Rows::of(&topic);
    rows.push(0, Some("k"), None, &[("a", Some("1")), ("b", None)]);
    rows.push(0, None, Some("last"), &[]);
    rows.timestamp = vec![1_700_000_000_123, 5];
    broker.write(&rows).await?;
    let settings = broker.settings(ClientKind::Consumer, &[])?;
    let read = async |offset| record_at(&settings, "test", &at(&topic, 0, offset), DEADLINE).await;
    let batch = read(5).await?.context("a record")?;
    assert_eq!((batch.rows, batch.offset.as_slice()), (1, [5].as_slice()));
    assert_eq!(batch.topics, std::slice::from_ref(&topic));
    assert_eq!((batch.key.get(0), batch.value.get(0)), (Some(b"k".as_slice()), None));
    assert_eq!(
        (batch.header_ends.as_slice(), batch.timestamp[0]),
        ([2].as_slice(), 1_700_000_000_123)
    );
    assert_eq!(read(6).await?.context("a record")?.value.get(0), Some(b"last".as_slice()));
    for offset in [7, 1000] {
        assert_eq!(read(offset).await?, None, "there is none at {offset}");
    }
    Ok(())
}
