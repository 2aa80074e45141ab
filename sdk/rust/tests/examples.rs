//! The examples do what they say, and stay as small as the guide promises.

#[path = "../examples/lines_sink.rs"]
mod lines_sink;
#[path = "../examples/ticks_source.rs"]
mod ticks_source;

use serde::Serialize;
use tombolo_sdk::settings::Settings;
use tombolo_sdk::testing::{self, SinkRecords, SinkTask, SourceTask};

#[derive(Serialize)]
struct Order {
    id: i64,
    item: &'static str,
}

#[test]
fn the_sink_writes_good_records_to_the_log_and_reports_the_others() {
    testing::reset();
    let settings = [("prefix", "sold")].into();
    let mut sink = SinkTask::start::<lines_sink::LinesSink>(&settings).unwrap();
    let mut records = SinkRecords::new();
    records.record("orders", 0, 0).value(&Order { id: 1, item: "lamp" }).unwrap();
    records.record("orders", 0, 1).value("no order").unwrap();
    let answer = sink.put(records).unwrap();
    assert_eq!(answer.faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [1]);
    let lines: Vec<String> = testing::logged().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["sold 1: lamp"]);
    let answer = sink.pre_commit(&[("orders", 0, 2)]).unwrap();
    assert_eq!(answer.offsets[0].offset, 2);
}

#[test]
fn the_source_goes_on_where_it_was() {
    testing::reset();
    let settings: Settings = [("topic", "ticks")].into();
    let mut source = SourceTask::start::<ticks_source::TicksSource>(&settings).unwrap();
    let polled = source.poll(3).unwrap();
    assert_eq!(polled.records().get(2).unwrap().key::<i64>().unwrap(), 2);
    source.commit(&polled).unwrap();
    source.poll(3).unwrap();
    let mut source = SourceTask::start::<ticks_source::TicksSource>(&settings).unwrap();
    assert_eq!(source.poll(1).unwrap().records().get(0).unwrap().key::<i64>().unwrap(), 3);
}

#[test]
fn a_working_sink_takes_less_than_sixty_lines() {
    let lines = include_str!("../examples/lines_sink.rs").lines().count();
    assert!(lines < 60, "{lines}");
}
