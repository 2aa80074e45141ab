//! Compacted topics as logs.
//!
//! Not here: stored formats.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Result;
use tombolo_kafka::{ClientKind, Log, LogClients, NewTopic, Producers};

use crate::support::{Broker, new_topic, on_both_brokers};

on_both_brokers!(
    a_log_is_read_to_its_end_and_followed,
    what_was_appended_is_seen_after_reading_to_the_end,
    three_logs_open_quickly,
);

type Seen = Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>;

fn clients(broker: &Broker, producers: &Producers) -> Result<LogClients> {
    let consumer = broker.settings(ClientKind::Consumer, &[])?;
    let producer = broker.settings(ClientKind::Producer, &[])?;
    Ok(LogClients::new(&consumer, &producer, "test-log", producers))
}

async fn open(clients: &LogClients, topic: &NewTopic) -> Result<(Log, Seen)> {
    let seen = Seen::default();
    let into = Arc::clone(&seen);
    let log = Log::open(clients, topic, move |record| {
        let mut map = into.lock().unwrap();
        let key = record.key.unwrap_or_default().to_vec();
        match record.value {
            Some(value) => map.insert(key, value.to_vec()),
            None => map.remove(&key),
        };
    })
    .await?;
    Ok((log, seen))
}

fn compacted(partitions: i32) -> NewTopic {
    new_topic(partitions, &[("cleanup.policy", "compact")])
}

async fn a_log_is_read_to_its_end_and_followed(broker: Broker) -> Result<()> {
    let producers = Producers::new("test");
    let clients = clients(&broker, &producers)?;
    let topic = compacted(5);
    let (log, seen) = open(&clients, &topic).await?;
    assert_eq!(log.partitions(), 5);
    assert!(seen.lock().unwrap().is_empty());
    let entries: Vec<(Vec<u8>, Vec<u8>)> =
        (0..1000).map(|n| (format!("k{n}").into_bytes(), format!("v{n}").into_bytes())).collect();
    let records: Vec<(&[u8], Option<&[u8]>)> =
        entries.iter().map(|(key, value)| (key.as_slice(), Some(value.as_slice()))).collect();
    log.append(&records).await?;
    log.append(&[(b"k7", None)]).await?;

    let (_other, again) = open(&clients, &topic).await?;
    assert_eq!(again.lock().unwrap().len(), 999, "all is there when a log is open");
    log.append(&[(b"news", Some(b"1"))]).await?;
    let follows = async || again.lock().unwrap().contains_key(b"news".as_slice());
    tombolo_harness::wait_until(follows, "the news", crate::support::DEADLINE).await?;
    assert_eq!(
        broker
            .admin()?
            .topic_settings(&topic.name)
            .await?
            .iter()
            .find(|(name, _)| name == "cleanup.policy")
            .map(|(_, value)| value.as_str()),
        Some("compact")
    );
    Ok(())
}

async fn what_was_appended_is_seen_after_reading_to_the_end(broker: Broker) -> Result<()> {
    let producers = Producers::new("test");
    let clients = clients(&broker, &producers)?;
    let (log, seen) = open(&clients, &compacted(3)).await?;
    let start = Instant::now();
    for round in 0..100_u8 {
        log.append(&[(b"key", Some(&[round]))]).await?;
        log.read_to_end().await?;
        assert_eq!(seen.lock().unwrap().get(b"key".as_slice()), Some(&vec![round]));
    }
    // A reader's broker answers it nothing while it waits for news, up to a quarter of a second: half of that each time would be 12 s.
    let took = start.elapsed();
    assert!(took.as_secs() < 6, "{took:?}: the end was asked for where news are waited for");
    Ok(())
}

async fn three_logs_open_quickly(broker: Broker) -> Result<()> {
    let producers = Producers::new("test");
    let topics = [compacted(1), compacted(5), compacted(25)];
    for topic in &topics {
        let (log, _) = open(&clients(&broker, &producers)?, topic).await?;
        for key in 0..10_u8 {
            log.append(&[(&[key], Some(b"value"))]).await?;
        }
    }
    let start = Instant::now();
    let clients = clients(&broker, &Producers::new("again"))?;
    let [one, five, many] = &topics;
    let (one, five, many) =
        tokio::try_join!(open(&clients, one), open(&clients, five), open(&clients, many))?;
    let took = start.elapsed();
    println!("three logs were open after {took:?}");
    for (_, seen) in [&one, &five, &many] {
        assert_eq!(seen.lock().unwrap().len(), 10);
    }
    assert!(took.as_secs() < 3, "{took:?}: something waited for a broker that had nothing to say");
    Ok(())
}
