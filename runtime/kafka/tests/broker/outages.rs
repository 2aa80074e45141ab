//! Brokers that are away, go away and come back: clients wait, say so, go on, and lose nothing.
//!
//! Not here: the dev broker, which is not meant to go away.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tombolo_harness::{Kafka, wait_until};
use tombolo_kafka::{
    Admin, ClientKind, ConsumerEvent, Log, LogClients, ProducerSession, Producers, Stopped,
};

use crate::support::{BUDGET, Broker, DEADLINE, Reader, Rows, new_topic, run, send_all, unique};

fn start(nodes: usize) -> Result<(Kafka, Broker)> {
    let kafka = Kafka::builder().nodes(nodes).heap("-Xmx384M").start()?;
    let broker = Broker { bootstrap: kafka.bootstrap() };
    Ok((kafka, broker))
}

fn waits(reader: &Reader) -> usize {
    reader.events.iter().filter(|event| matches!(event, ConsumerEvent::Waiting(_))).count()
}

#[test]
fn a_broker_that_is_away_at_the_start_is_waited_for() {
    run(async {
        let (mut kafka, broker) = start(1)?;
        let topic = broker.topic(1).await?;
        kafka.kill()?;

        let producers = Producers::new("test");
        let mut session = broker.session(&producers)?;
        let rows = Rows::numbered(&topic, 0, 0..100);
        assert_eq!(session.send(&rows.columns(), 0, 0)?.stopped, Stopped::Done);
        let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
        reader.until("word that no broker is there", |reader| waits(reader) == 1).await?;
        let clients = LogClients::new(
            &broker.settings(ClientKind::Consumer, &[])?,
            &broker.settings(ClientKind::Producer, &[])?,
            "test-log",
            &producers,
        );
        let log = tokio::spawn(async move {
            Log::open(&clients, &new_topic(2, &[("cleanup.policy", "compact")]), |_| {}).await
        });
        // Questions that librdkafka cannot ask anybody are given up, and must not end the process when it can.
        let settings = broker.settings(ClientKind::Admin, &[])?;
        let impatient = Admin::new(&settings, "test-admin", Duration::from_secs(2))?;
        ensure!(impatient.group_offsets("nobody").await.is_err(), "nobody can say");
        // Some attempts pass.
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            reader.turn().await?;
        }
        ensure!(waits(&reader) == 1, "said once: {:?}", reader.events);
        ensure!(!log.is_finished(), "the log waits");

        kafka.start_again()?;
        reader.rows(100).await?;
        let answered =
            async || matches!(impatient.group_offsets("nobody").await.as_deref(), Ok([]));
        wait_until(answered, "the coordinator", DEADLINE).await?;
        let mut settled = Vec::new();
        while settled.len() < 100 {
            tokio::time::timeout(DEADLINE, session.deliveries(&mut settled)).await??;
        }
        ensure!(settled.iter().all(|delivery| delivery.outcome.is_ok()));
        tokio::time::timeout(DEADLINE, log).await???.read_to_end().await?;
        Ok(())
    });
}

#[test]
fn nothing_is_lost_while_a_broker_is_killed_and_comes_back() {
    run(async {
        let (mut kafka, broker) = start(1)?;
        let topic = broker.topic(1).await?;
        let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic], &[])?);
        let mut session = broker.session(&Producers::new("test"))?;
        let (part, mut settled, mut sent) = (2000, Vec::new(), 0);
        for round in 0..4 {
            // With a broker, without one, and with it again; what is in flight stays below the budget.
            for step in 0..3 {
                match (round % 2, step) {
                    (1, 1) => kafka.kill()?,
                    (1, 2) => kafka.start_again()?,
                    _ => {}
                }
                let rows = Rows::numbered(&topic, 0, sent..sent + part);
                let stopped = session.send(&rows.columns(), 0, sent as u64)?;
                assert_eq!((stopped.next_row, stopped.stopped), (part, Stopped::Done));
                sent += part;
                reader.turn().await?;
            }
            while settled.len() < sent {
                tokio::time::timeout(DEADLINE, session.deliveries(&mut settled)).await??;
            }
        }
        ensure!(settled.iter().all(|delivery| delivery.outcome.is_ok()));
        reader.rows(sent).await?;
        let offsets: BTreeSet<i64> = reader.got.iter().map(|got| got.offset).collect();
        ensure!(
            offsets.len() == sent,
            "{} offsets for {sent} rows: each was written once",
            offsets.len()
        );
        let expected: Vec<String> = (0..sent).map(|number| format!("v{number}")).collect();
        ensure!(reader.values() == expected, "all are there, once and in order");
        Ok(())
    });
}

#[test]
fn a_log_is_read_to_its_end_after_its_broker_was_away() {
    run(async {
        let (mut kafka, broker) = start(1)?;
        let clients = LogClients::new(
            &broker.settings(ClientKind::Consumer, &[])?,
            &broker.settings(ClientKind::Producer, &[])?,
            "test-log",
            &Producers::new("test"),
        );
        let topic = new_topic(1, &[("cleanup.policy", "compact")]);
        let log = Log::open(&clients, &topic, |_| {}).await?;
        log.append(&[(&b"key"[..], Some(&b"one"[..]))]).await?;
        log.read_to_end().await?;
        // Its partition has a leader of a later epoch then.
        kafka.kill()?;
        kafka.start_again()?;
        log.append(&[(&b"key"[..], Some(&b"two"[..]))]).await?;
        tokio::time::timeout(DEADLINE, log.read_to_end()).await??;
        Ok(())
    });
}

/// The node that leads each partition of a topic.
fn leaders(broker: &Broker, topic: &str) -> Result<Vec<i32>> {
    let client: BaseConsumer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &broker.bootstrap).create()?;
    let metadata = client.fetch_metadata(Some(topic), DEADLINE)?;
    let found = metadata.topics().first().context("the topic")?;
    Ok(found.partitions().iter().map(|partition| partition.leader()).collect())
}

/// How long it takes to write so many rows.
async fn time_to_write(session: &mut ProducerSession, rows: &Rows, first: u64) -> Result<Duration> {
    let start = Instant::now();
    for delivery in send_all(session, rows, first).await? {
        delivery.outcome?;
    }
    Ok(start.elapsed())
}

#[test]
fn one_topic_loses_its_leader_and_its_neighbour_keeps_its_rate() {
    run(async {
        const ROWS: usize = 50_000;
        let (mut kafka, broker) = start(2)?;
        let topic = broker.topic(2).await?;
        let leaders = leaders(&broker, &topic)?;
        let on_two =
            leaders.iter().position(|&leader| leader == 2).context("a leader on node 2")?;
        let on_one =
            leaders.iter().position(|&leader| leader == 1).context("a leader on node 1")?;

        let producers = Producers::new("test");
        let settings = broker.settings(ClientKind::Producer, &[])?;
        let mut stuck = producers.session(&settings, BUDGET)?;
        let mut neighbour = producers.session(&settings, BUDGET)?;
        let rows = Rows::numbered(&topic, on_one as i32, 0..ROWS);
        time_to_write(&mut neighbour, &rows, 0).await?;
        let before = time_to_write(&mut neighbour, &rows, ROWS as u64).await?;

        kafka.kill_node(2)?;
        let lost = Rows::numbered(&topic, on_two as i32, 0..ROWS);
        let sent = stuck.send(&lost.columns(), 0, 0)?;
        assert_eq!(sent.stopped, Stopped::Budget, "it stops at its own budget");
        let during = time_to_write(&mut neighbour, &rows, 2 * ROWS as u64).await?;
        println!(
            "{ROWS} rows took {before:?} before and {during:?} beside a topic without a leader"
        );
        ensure!(during < before * 3 + Duration::from_secs(1), "{before:?} before, {during:?} now");
        ensure!(stuck.rows_in_flight() == sent.next_row, "nothing of the lost topic was settled");

        kafka.start_node_again(2)?;
        let mut settled = Vec::new();
        while settled.len() < sent.next_row {
            tokio::time::timeout(DEADLINE, stuck.deliveries(&mut settled)).await??;
        }
        ensure!(
            settled.iter().all(|delivery| delivery.outcome.is_ok()),
            "and goes on when it is back"
        );
        Ok(())
    });
}
