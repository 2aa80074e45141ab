//! No record is lost, whatever is killed: an uploaded source and sink through a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test that cannot ask Kafka has failed")]

mod pipe;

use std::time::Duration;

use tombolo_harness::{Kafka, Worker};
use tombolo_kafka::{Admin, ClientKind, ClientSettings};
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::pipe::Pipe;

/// Records in all.
const RECORDS: usize = 100_000;
/// Records a second.
const RATE: usize = 10_000;
/// How often the worker is killed.
const KILLS: usize = 3;
/// New rows before each kill.
const ROWS_BEFORE_A_KILL: usize = 10_000;
/// How often offsets are committed. What is not committed at a kill is delivered again.
const FLUSH: Duration = Duration::from_millis(500);
/// Longest wait for rows.
const ARRIVAL: Duration = Duration::from_secs(120);

#[test]
fn every_record_arrives_though_the_worker_is_killed_three_times() {
    let kafka = Kafka::shared().unwrap();
    let flush = FLUSH.as_millis().to_string();
    let settings = [
        ("offset.flush.interval.ms", flush.as_str()),
        // Kafka gives a killed worker's partitions to the next one only when its session ends.
        ("consumer.session.timeout.ms", "10000"),
    ];
    let mut worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &settings).unwrap();
    let topic = "delivery-numbers";
    let pipe = Pipe::start(&worker, topic, RECORDS, RATE).unwrap();

    let offsets = Offsets::new(kafka);
    let mut position = 0;
    let mut written = 0;
    let mut uncommitted = 0;
    for _ in 0..KILLS {
        pipe.wait_for_rows(&worker, pipe.rows() + ROWS_BEFORE_A_KILL, ARRIVAL).unwrap();
        worker.kill().unwrap();
        // The sink had written up to here, and will read again what is not committed.
        position += pipe.rows() - written;
        written = pipe.rows();
        let committed = offsets.committed("connect-lines");
        uncommitted += position - committed;
        position = committed;
        worker.start_again().unwrap();
    }
    let repeats = pipe.wait_for_all(&worker, ARRIVAL).unwrap();
    let by_source = offsets.rows(topic, 2) - RECORDS;
    println!(
        "{RECORDS} records, {KILLS} kills, {repeats} repeats, {by_source} of them by the source"
    );
    // A kill repeats what was not committed. Of the source: at most the rows of an interval, and of as long again for a commit that was on its way. Of
    // the sink, which takes in a backlog much faster than that: what its group had not committed.
    let interval = usize::try_from((2 * FLUSH).as_millis()).unwrap() * RATE / 1_000;
    assert!(by_source <= KILLS * interval, "{by_source} rows came twice from the source");
    let by_sink = repeats - by_source;
    assert!(by_sink <= uncommitted, "{by_sink} rows again, but only {uncommitted} uncommitted");
}

/// What Kafka knows of the test's group and topic.
struct Offsets {
    runtime: tokio::runtime::Runtime,
    admin: Admin,
}

impl Offsets {
    fn new(kafka: &Kafka) -> Self {
        let settings = [("bootstrap.servers", kafka.bootstrap())].into_iter().collect();
        let (settings, _) = ClientSettings::translate(ClientKind::Admin, &settings).unwrap();
        let admin = Admin::new(&settings, "delivery", ARRIVAL).unwrap();
        Self { runtime: tokio::runtime::Runtime::new().unwrap(), admin }
    }

    /// Rows that a group has committed, of all partitions.
    fn committed(&self, group: &str) -> usize {
        sum(&self.runtime.block_on(self.admin.group_offsets(group)).unwrap())
    }

    /// Rows in a topic.
    fn rows(&self, topic: &str, partitions: i32) -> usize {
        let all: Vec<_> = (0..partitions).map(|one| TopicPartition::new(topic, one)).collect();
        sum(&self.runtime.block_on(self.admin.end_offsets(&all)).unwrap())
    }
}

fn sum(offsets: &[PartitionOffset]) -> usize {
    offsets.iter().map(|of| usize::try_from(of.offset).unwrap()).sum()
}
