//! A component's exports, called as the host calls them.

use super::*;
use crate::cbor;
use crate::columns::{BytesRows, Written};
use crate::connector::{Connector, Support};
use crate::fault::Problem;
use crate::plugin::Plugin;
use crate::predicate::Predicate;
use crate::record::Record;
use crate::settings::{ConfigError, Configuration, Definition, Key};
use crate::sink::Sink;
use crate::source::Acknowledged;
use crate::source::Source;
use crate::testing;
use crate::transformation::{Next, Transformation};

/// Everything a plugin can be, in one type.
struct Everything {
    seen: Vec<String>,
}

const GOOD: Key<bool> = Key::new("good").default("true");

struct EverythingSettings {
    good: bool,
}

impl Configuration for EverythingSettings {
    const KEYS: &'static [&'static dyn Definition] = &[&GOOD];
    fn read(settings: &Settings) -> std::result::Result<Self, ConfigError> {
        Ok(Self { good: GOOD.get(settings)? })
    }
}

impl Plugin for Everything {
    type Settings = EverythingSettings;
    const CLASS: &'static str = "Everything";
    const VERSION: &'static str = "1.2";
    const DOC: &'static str = "All of it.";

    fn validate(settings: &EverythingSettings) -> Result<Vec<catalog::SettingState>> {
        if settings.good { Ok(Vec::new()) } else { Err(Fault::config("not good")) }
    }
}

struct Watching {
    asked: u32,
}

impl Connector for Watching {
    type Settings = EverythingSettings;
    fn start(_: EverythingSettings, all: Settings) -> Result<Self> {
        assert_eq!(all.get("x"), Some("y"));
        Ok(Self { asked: 0 })
    }
    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        Ok((0..tasks_max).map(|task| Settings::default().with("task", task)).collect())
    }
    fn watch(&mut self, _: Duration) -> Result<bool> {
        self.asked += 1;
        Ok(self.asked == 2)
    }
}

impl Source for Everything {
    type Connector = Watching;
    fn start(_: EverythingSettings) -> Result<Self> {
        Ok(Self { seen: Vec::new() })
    }
    fn poll(&mut self, request: &Poll, batch: &mut SourceBatch) -> Result<()> {
        let partition = batch.partition_bytes(vec![0xa0]);
        batch.record_with("t", partition, |out| out.push(0xa0)).value(&self.seen)?;
        batch.end_transaction();
        batch.record_with("t", partition, |out| out.push(0xa0)).value(&request.batch)?;
        batch.abort_transaction();
        Ok(())
    }
    fn commit(&mut self, offsets: &[SourceOffset]) -> Result<()> {
        self.seen.push(format!("commit of {}", offsets.len()));
        Ok(())
    }
    fn acknowledge(&mut self, rows: &[Acknowledged]) -> Result<()> {
        self.seen.extend(
            rows.iter().map(|row| format!("{}/{} at {:?}", row.batch, row.row, row.written)),
        );
        Ok(())
    }
    fn exactly_once_support(settings: &EverythingSettings) -> Support {
        if settings.good { Support::Supported } else { Support::Unsupported }
    }
    fn can_define_transaction_boundaries(_: &EverythingSettings) -> bool {
        true
    }
    fn alter_offsets(_: &EverythingSettings, offsets: &[SourceOffset]) -> Result<bool> {
        Ok(offsets.iter().all(|offset| offset.offset.is_none()))
    }
}

impl Sink for Everything {
    type Connector = Watching;
    fn start(_: EverythingSettings) -> Result<Self> {
        Ok(Self { seen: Vec::new() })
    }
    fn open(&mut self, partitions: &[PartitionOffset], context: &mut SinkContext) -> Result<()> {
        context.rewind(
            partitions.iter().map(|partition| PartitionOffset { offset: 7, ..partition.clone() }),
        );
        Ok(())
    }
    fn put(&mut self, records: Records<'_>, context: &mut SinkContext) -> Result<()> {
        if records.is_empty() {
            context.timeout(Duration::from_millis(1500));
            context.request_commit();
        }
        for record in records {
            match record.value::<i64>() {
                Ok(_) => context.pause([record.origin().at]),
                Err(problem) => context.report(&record, problem),
            }
        }
        Ok(())
    }
    fn pre_commit(
        &mut self,
        offsets: &[PartitionOffset],
        context: &mut SinkContext,
    ) -> Result<Vec<PartitionOffset>> {
        context.resume(offsets.iter().map(|offset| offset.at.clone()));
        for offset in offsets {
            context.report_late(offset.clone(), Problem::data("late"));
        }
        Ok(Vec::new())
    }
    fn alter_offsets(_: &EverythingSettings, offsets: &[sink_connector::Altered]) -> Result<bool> {
        Ok(offsets.iter().all(|altered| altered.offset.is_none()))
    }
}

impl crate::converter::Converter for Everything {
    fn create(settings: EverythingSettings, is_key: bool) -> Result<Self> {
        if !settings.good {
            return Err(Fault::config("not good"));
        }
        Ok(Self { seen: vec![is_key.to_string()] })
    }
    fn to_connect_data(
        &mut self,
        _: &TopicColumn,
        bytes: &Column,
        _: Option<&Headers>,
        out: &mut ConnectData,
    ) -> Result<()> {
        for row in bytes.iter() {
            out.row(|buffer| {
                let Some(row) = row else { return Ok((Written::Null, 0)) };
                cbor::write::bytes(buffer, row);
                if row.is_empty() { Err(Problem::data("empty")) } else { Ok((Written::Item, 0)) }
            });
        }
        Ok(())
    }
    fn from_connect_data(
        &mut self,
        _: &TopicColumn,
        values: &Values,
        out: &mut BytesRows,
    ) -> Result<()> {
        for row in values.bytes.iter() {
            out.row(|buffer| match row {
                None => Ok(Written::Null),
                Some(row) => {
                    buffer.extend_from_slice(row);
                    if row == [0xf5] { Err(Problem::data("true")) } else { Ok(Written::Item) }
                }
            });
        }
        Ok(())
    }
}

impl Transformation for Everything {
    fn create(_: EverythingSettings) -> Result<Self> {
        Ok(Self { seen: Vec::new() })
    }
    fn apply(&mut self, _: &mut Row<'_>) -> std::result::Result<Next, Failure> {
        Ok(Next::Drop)
    }
}

impl Predicate for Everything {
    fn create(_: EverythingSettings) -> Result<Self> {
        Ok(Self { seen: Vec::new() })
    }
    fn test(&mut self, row: &Row<'_>) -> std::result::Result<bool, Failure> {
        Ok(cbor::from_slice::<i64>(row.value().unwrap_or_default())? > 1)
    }
}

mod component {
    #![expect(unreachable_pub, reason = "at the root of a crate it can be reached")]

    use super::Everything;

    crate::export! {
        source: [Everything], sink: [Everything], converter: [Everything], transformation: [Everything], predicate: [Everything]
    }
}

use component::Plugins;

type Host = Exports<Plugins>;

const CLASS: &str = "Everything";

fn class() -> String {
    CLASS.to_owned()
}

fn settings() -> RawSettings {
    Settings::from([("x", "y")]).0
}

fn at(offset: i64) -> PartitionOffset {
    PartitionOffset { at: TopicPartition { topic: "t".into(), partition: 1 }, offset }
}

fn column(rows: &[Option<&[u8]>]) -> Column {
    let mut column = Column::new();
    rows.iter().for_each(|row| column.push_option(*row));
    column
}

fn no_topics() -> TopicColumn {
    TopicColumn { topics: Vec::new(), topic: Vec::new() }
}

fn message<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    outcome.unwrap_err().problem().message.clone()
}

#[test]
fn the_catalogue_is_made_of_what_is_exported() {
    let plugins = <Host as catalog::Guest>::plugins();
    let kinds: Vec<_> = plugins.iter().map(|plugin| plugin.kind).collect();
    use PluginKind::{Converter, Predicate, Sink, Source, Transformation};
    assert_eq!(kinds, [Source, Sink, Converter, Transformation, Predicate]);
    let first = &plugins[0];
    assert_eq!(
        (first.class.as_str(), first.version.as_str(), first.doc.as_str()),
        (CLASS, "1.2", "All of it.")
    );
    assert_eq!(first.settings[0].name, "good");
}

#[test]
fn validation_names_what_is_wrong_and_asks_the_plugin_when_nothing_is() {
    let validate = |kind, good: &str| {
        <Host as catalog::Guest>::validate(class(), kind, Settings::from([("good", good)]).0)
    };
    assert_eq!(validate(PluginKind::Sink, "true").unwrap(), []);
    let states = validate(PluginKind::Sink, "maybe").unwrap();
    assert_eq!(states[0].name, "good");
    assert_eq!(
        states[0].errors,
        ["Invalid value maybe for configuration good: Expected value to be either true or false"]
    );
    assert_eq!(message(validate(PluginKind::Sink, "false")), "not good");
    assert!(
        message(validate(PluginKind::HeaderConverter, "true"))
            .contains("no plugin of class Everything")
    );
}

#[test]
fn a_connector_names_its_tasks_and_asks_to_be_asked_again() {
    testing::reset();
    type Guest = Host;
    assert_eq!(
        message(<Guest as connector::Guest>::task_settings(1)),
        "the connector is not started"
    );
    <Guest as connector::Guest>::start(class(), settings()).unwrap();
    assert_eq!(<Guest as connector::Guest>::task_settings(3).unwrap().len(), 3);
    assert!(!<Guest as connector::Guest>::watch(1).unwrap());
    assert!(<Guest as connector::Guest>::watch(1).unwrap());
    <Guest as connector::Guest>::stop();
    assert!(<Guest as connector::Guest>::watch(1).is_err());
    let support = |good: &str| {
        let settings = Settings::from([("good", good)]).0;
        <Host as source_connector::Guest>::exactly_once_support(class(), settings).unwrap()
    };
    assert_eq!((support("true"), support("false")), (Support::Supported, Support::Unsupported));
    assert!(
        <Host as source_connector::Guest>::can_define_transaction_boundaries(class(), settings())
            .unwrap()
    );
    let forget = SourceOffset { partition: vec![0xa0], offset: None };
    assert!(
        <Host as source_connector::Guest>::alter_offsets(class(), settings(), vec![forget])
            .unwrap()
    );
    let altered = sink_connector::Altered { at: at(0).at, offset: Some(1) };
    assert!(
        !<Host as sink_connector::Guest>::alter_offsets(class(), settings(), vec![altered])
            .unwrap()
    );
}

#[test]
fn a_source_is_polled_acknowledged_and_committed() {
    testing::reset();
    assert_eq!(message(<Host as source::Guest>::commit(Vec::new())), "the source is not started");
    <Host as source::Guest>::start(class(), settings()).unwrap();
    <Host as source::Guest>::commit(Vec::new()).unwrap();
    let row = Acknowledged { batch: 4, row: 2, written: Some((0, 9)) };
    <Host as source_acknowledgement::Guest>::acknowledge(vec![row]).unwrap();
    let batch = <Host as source::Guest>::poll(5, 10, 1000, 0).unwrap();
    let seen: Vec<String> = cbor::from_slice(batch.records.value.bytes.get(0).unwrap()).unwrap();
    assert_eq!(seen, ["commit of 0", "4/2 at Some((0, 9))"]);
    assert_eq!(batch.records.value.bytes.get(1), Some(&[5][..]));
    let boundaries: Vec<_> =
        batch.boundaries.iter().map(|boundary| (boundary.after_rows, boundary.kind)).collect();
    assert_eq!(boundaries, [(1, source::BoundaryKind::Commit), (2, source::BoundaryKind::Abort)]);
    <Host as source::Guest>::stop();
    assert!(<Host as source::Guest>::poll(6, 10, 1000, 0).is_err());
}

#[test]
fn a_sink_answers_with_faults_and_requests() {
    testing::reset();
    <Host as sink::Guest>::start(class(), settings()).unwrap();
    let asked = <Host as sink::Guest>::open(vec![at(0)]).unwrap().unwrap();
    assert_eq!(asked.rewind, [at(7)]);
    let mut batch = Batch::new();
    batch.rows = 2;
    batch.value.push(Some(&[1]), 0);
    batch.value.push(Some(b"\x61x"), 0);
    let original = sink::Original {
        topics: vec!["consumed".into()],
        topic: vec![0, 0],
        partition: vec![8, 9],
        offset: vec![1, 2],
    };
    let put = <Host as sink::Guest>::put(batch, Some(original)).unwrap();
    assert_eq!(put.faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [1]);
    assert!(
        put.faults[0].problem.message.starts_with("the value cannot be read: invalid type: string")
    );
    assert_eq!(
        put.requests.unwrap().pause,
        [TopicPartition { topic: "consumed".into(), partition: 8 }]
    );
    let idle = <Host as sink::Guest>::put(Batch::new(), None).unwrap().requests.unwrap();
    assert_eq!((idle.commit, idle.timeout_ms), (true, Some(1500)));
    let commit = <Host as sink::Guest>::pre_commit(vec![at(3)]).unwrap();
    assert_eq!(commit.offsets, []);
    let requests = commit.requests.unwrap();
    assert_eq!(requests.resume, [at(3).at]);
    assert_eq!(requests.faults[0].at, at(3));
    <Host as sink::Guest>::close(vec![at(0).at]).unwrap();
    <Host as sink::Guest>::stop();
    assert_eq!(message(<Host as sink::Guest>::close(Vec::new())), "the sink is not started");
}

#[test]
fn numbers_that_were_not_created_are_fatal_and_a_failed_create_leaves_none() {
    testing::reset();
    type Converters = Host;
    let convert =
        |id| <Converters as converter::Guest>::from_connect_data(id, no_topics(), Values::new());
    let create = |id, good: &str| {
        let settings = Settings::from([("good", good)]).0;
        <Converters as converter::Guest>::create(id, class(), settings, true)
    };
    assert!(matches!(convert(1), Err(Fault::Fatal(_))));
    assert!(matches!(create(1, "false"), Err(Fault::Config(_))));
    assert_eq!(message(convert(1)), "id 1 is not known");
    create(1, "true").unwrap();
    convert(1).unwrap();
    assert_eq!(message(create(1, "true")), "id 1 is in use");
    <Converters as converter::Guest>::close(1);
    assert_eq!(message(convert(1)), "id 1 is not known");
    create(1, "true").unwrap();
    let step = |id, predicate| transformation::Step { id, predicate, negate: false };
    let apply = |step| <Host as transformation::Guest>::apply(vec![step], Batch::new());
    assert_eq!(message(apply(step(9, None))), "id 9 is not known");
    <Host as transformation::Guest>::create(9, class(), settings()).unwrap();
    apply(step(9, None)).unwrap();
    assert!(matches!(apply(step(9, Some(4))), Err(Fault::Fatal(_))));
    assert!(matches!(<Host as predicate::Guest>::test(4, Batch::new()), Err(Fault::Fatal(_))));
    <Host as predicate::Guest>::create(4, class(), settings()).unwrap();
    apply(step(9, Some(4))).unwrap();
}

#[test]
fn a_row_that_cannot_be_converted_is_null_and_named() {
    testing::reset();
    <Host as converter::Guest>::create(1, class(), settings(), false).unwrap();
    let rows = column(&[Some(b"a"), None, Some(b""), Some(b"b")]);
    let data = <Host as converter::Guest>::to_connect_data(1, no_topics(), rows, None).unwrap();
    let bytes: Vec<_> = data.values.bytes.iter().collect();
    assert_eq!(bytes, [Some(&b"\x41a"[..]), None, None, Some(b"\x41b")]);
    assert_eq!(data.faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [2]);
    let values = Values { bytes: column(&[Some(&[0xf5]), Some(&[1])]), schemas: Vec::new() };
    let back = <Host as converter::Guest>::from_connect_data(1, no_topics(), values).unwrap();
    assert_eq!(back.bytes.iter().collect::<Vec<_>>(), [None, Some(&[1][..])]);
    assert_eq!(back.faults[0].row, 0);
}

#[test]
fn a_predicate_alone_names_the_rows_it_holds_for() {
    testing::reset();
    <Host as predicate::Guest>::create(1, class(), settings()).unwrap();
    let mut batch = Batch::new();
    for value in [&[1][..], &[2], &[0x60], &[3]] {
        batch.value.push(Some(value), 0);
        batch.rows += 1;
    }
    let tested = <Host as predicate::Guest>::test(1, batch).unwrap();
    assert_eq!(tested.rows, [1, 3]);
    assert_eq!(tested.faults[0].row, 2);
}

#[test]
fn a_record_reads_null_as_none_and_its_last_header() {
    let mut records = testing::SinkRecords::new();
    records.record("t", 2, 5).header("h", &1).unwrap().header("h", &2).unwrap();
    let batch = records.into_batch();
    let record: Record<'_> = Records::new(&batch, None).get(0).unwrap();
    assert_eq!(record.value::<Option<i64>>().unwrap(), None);
    assert!(record.value::<i64>().unwrap_err().message.starts_with("the value cannot be read"));
    assert_eq!(record.header::<i64>("h").unwrap(), Some(2));
    assert_eq!(record.header::<i64>("other").unwrap(), None);
    assert_eq!(record.origin().offset, 5);
}
