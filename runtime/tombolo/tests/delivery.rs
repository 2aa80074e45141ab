//! No record is lost, whatever is killed: an uploaded source and sink through a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test that cannot ask Kafka has failed")]

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tombolo_harness::{Kafka, Worker, complete_lines, wait_for};
use tombolo_kafka::{Admin, ClientKind, ClientSettings};
use tombolo_model::offset::{PartitionOffset, TopicPartition};

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

/// How many complete lines a file has.
fn count(file: &Path) -> usize {
    std::fs::read(file).unwrap_or_default().iter().filter(|&&byte| byte == b'\n').count()
}

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
    let (status, uploaded) = worker.upload(tombolo_guests::PIPE).unwrap();
    assert_eq!(status, 201, "{uploaded}");
    assert_eq!(uploaded["plugins"].as_array().unwrap().len(), 2, "{uploaded}");
    let file = worker.files().join("lines.txt");
    let topic = "delivery-numbers";
    let source = json!({
        "connector.class": "test.pipe.NumbersSource",
        "topic": topic, "records": RECORDS, "rate": RATE,
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    let sink = json!({"connector.class": "LinesSink", "topics": topic, "file": file});
    worker.create("numbers", &source).unwrap();
    worker.create("lines", &sink).unwrap();

    let offsets = Offsets::new(kafka);
    let mut position = 0;
    let mut written = 0;
    let mut uncommitted = 0;
    for kill in 1..=KILLS {
        let rows = count(&file) + ROWS_BEFORE_A_KILL;
        wait_for(|| count(&file) >= rows, &format!("rows arrive before kill {kill}"), ARRIVAL)
            .unwrap_or_else(|error| panic!("{error}: {} rows\n{}", count(&file), worker.log()));
        worker.kill().unwrap();
        // The sink had written up to here, and will read again what is not committed.
        position += count(&file) - written;
        written = count(&file);
        let committed = offsets.committed("connect-lines");
        uncommitted += position - committed;
        position = committed;
        worker.start_again().unwrap();
    }
    let distinct = || complete_lines(&file).into_iter().collect::<HashSet<_>>().len();
    wait_for(|| count(&file) >= RECORDS && distinct() == RECORDS, "every record arrives", ARRIVAL)
        .unwrap_or_else(|error| panic!("{error}: {} distinct\n{}", distinct(), worker.log()));

    let lines = complete_lines(&file);
    let repeats = lines.len() - RECORDS;
    let by_source = offsets.rows(topic, 2) - RECORDS;
    println!(
        "{RECORDS} records, {KILLS} kills, {repeats} repeats, {by_source} of them by the source"
    );
    for partition in ["0", "1"] {
        let mut seen = HashSet::new();
        let first: Vec<usize> = lines
            .iter()
            .filter_map(|line| line.split_once(' '))
            .filter(|(of, _)| *of == partition)
            .map(|(_, number)| number.parse().unwrap())
            .filter(|number| seen.insert(*number))
            .collect();
        assert!(first.is_sorted(), "first occurrences are out of order in partition {partition}");
        assert_eq!(first.len(), RECORDS / 2);
    }
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
