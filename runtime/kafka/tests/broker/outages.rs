//! A node that goes away: what waits for it, and what must not.
//!
//! Not here: a broker that is away altogether, which no test shows yet.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tombolo_harness::Kafka;
use tombolo_kafka::{ClientKind, ProducerSession, Producers, Stopped};

use crate::support::{BUDGET, Broker, DEADLINE, Rows, run, send_all};

fn start(nodes: usize) -> Result<(Kafka, Broker)> {
    let kafka = Kafka::builder().nodes(nodes).heap("-Xmx384M").start()?;
    let broker = Broker { bootstrap: kafka.bootstrap() };
    Ok((kafka, broker))
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
