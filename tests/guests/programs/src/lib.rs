//! What the guests beside it share: the bindings, and a plugin of every kind that returns what it gets.
//!
//! A guest overrides the part of [`Behaviour`] in which it misbehaves. Not here: the SDK, which would not let it; and the guests, one file each.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;

pub mod bindings;

use bindings::exports::tombolo::connect::{
    catalog, connector, converter, header_converter, predicate, sink, sink_connector, source,
    source_acknowledgement, source_connector, transformation,
};
use bindings::tombolo::connect::types::{
    Batch, Column, Columns, Fault, Headers, PartitionOffset, Settings, SourceOffset,
    TopicPartition, Values,
};

pub use bindings::{exports::tombolo::connect as interfaces, tombolo::connect as host};

pub mod rows;
pub use rows::problem;
use rows::{faulty_rows, split_faults};

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// What the instance remembers between calls.
#[derive(Default)]
pub struct State {
    /// Settings of the last start.
    pub settings: BTreeMap<String, String>,
    /// Batches that were put and not polled yet.
    pub put: VecDeque<Batch>,
    /// Settings of converters, transformations and predicates, by the interface's initial and id.
    pub created: BTreeMap<(char, u32), BTreeMap<String, String>>,
    /// Calls that have no answer of their own, for `poll` to tell of.
    pub heard: Vec<String>,
}

/// Works on what the instance remembers.
pub fn state<T>(work: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(work)
}

fn create(interface: char, id: u32, settings: Settings) -> Result<(), Fault> {
    let settings: BTreeMap<_, _> = settings.into_iter().collect();
    if let Some(why) = settings.get("create.error") {
        return Err(Fault::Config(problem(why)));
    }
    state(|state| state.created.insert((interface, id), settings));
    Ok(())
}

/// The setting `lie` of what was created last.
pub fn created() -> Option<String> {
    state(|state| state.created.values().last()?.get("lie").cloned())
}

/// A setting of a converter, transformation or predicate.
fn setting(interface: char, id: u32, name: &str) -> Option<String> {
    state(|state| state.created.get(&(interface, id))?.get(name).cloned())
}

/// What a guest does. Each default returns what it gets.
pub trait Behaviour {
    /// What its classes are called, as `guest.EchoSink`.
    const NAME: &str = "Echo";

    /// The catalog: a class of every kind.
    fn plugins() -> Vec<catalog::Plugin> {
        use catalog::PluginKind::*;
        [
            ("Source", Source),
            ("Sink", Sink),
            ("Converter", Converter),
            ("HeaderConverter", HeaderConverter),
            ("Transformation", Transformation),
            ("Predicate", Predicate),
        ]
        .map(|(noun, kind)| plugin(&format!("guest.{}{noun}", Self::NAME), kind))
        .into()
    }

    /// Comes first in every function that a component exports, with its name, as `sink.put`, and the settings that it was given, if any.
    /// What it fails with is what the function answers, where that has a fault.
    fn at(_place: &str, _given: &[(String, String)]) -> Result<(), Fault> {
        Ok(())
    }

    /// Validation: a state for each setting, with the value of `error` as its error.
    fn validate(settings: Settings) -> Result<Vec<catalog::SettingState>, Fault> {
        let states = settings.into_iter().map(|(name, value)| catalog::SettingState {
            errors: if name == "error" { vec![value] } else { vec![] },
            name,
            recommended: None,
            visible: None,
        });
        Ok(states.collect())
    }

    /// Start of a connector or a task.
    fn start(settings: Settings) -> Result<(), Fault> {
        state(|state| state.settings = settings.into_iter().collect());
        Ok(())
    }

    /// A connector's wait for changes: over at once, with one where `watch` is `changed`.
    fn watch() -> Result<bool, Fault> {
        Ok(state(|state| state.settings.get("watch").is_some_and(|watch| watch == "changed")))
    }

    /// Rows of a source: what was put before.
    fn poll(_rows_max: u32, _bytes_max: u32) -> Result<source::SourceBatch, Fault> {
        let records = state(|state| state.put.pop_front()).unwrap_or_else(rows::empty);
        Ok(rows::source_batch(records))
    }

    /// Rows for a sink. A row is bad if its key is `fault`.
    fn put(records: Batch) -> Result<sink::PutResult, Fault> {
        let faults = faulty_rows(&records.key.bytes);
        state(|state| state.put.push_back(records));
        Ok(sink::PutResult { faults, requests: None })
    }

    /// Offsets of a sink: all of them durable.
    fn pre_commit(offsets: Vec<PartitionOffset>) -> Result<sink::CommitResult, Fault> {
        Ok(sink::CommitResult { offsets, requests: None })
    }

    /// Bytes to connect data: the same bytes. A row is bad if it is `fault`.
    fn to_connect_data(bytes: Column) -> Result<converter::ConnectData, Fault> {
        let (bytes, faults) = split_faults(bytes);
        Ok(converter::ConnectData { values: Values { bytes, schemas: vec![] }, faults })
    }

    /// A chain: each step does what its `mode` says.
    fn apply(
        chain: Vec<transformation::Step>,
        records: Batch,
    ) -> Result<transformation::Transformed, Fault> {
        rows::apply(chain, records)
    }

    /// A predicate: holds for values that start with its setting `prefix`.
    fn test(id: u32, records: Batch) -> Result<predicate::Tested, Fault> {
        Ok(predicate::Tested { rows: rows::holding(id, &records), faults: vec![] })
    }
}

/// A class of the catalog.
pub fn plugin(class: &str, kind: catalog::PluginKind) -> catalog::Plugin {
    let setting = catalog::Setting {
        name: "mode".into(),
        type_: catalog::SettingType::Text,
        default: Some("as it is".into()),
        required: false,
        importance: catalog::Importance::Low,
        doc: "What to do.".into(),
        group: None,
        order: -1,
        width: catalog::Width::None,
        display_name: "mode".into(),
        dependents: vec![],
        recommended: vec![],
    };
    catalog::Plugin {
        class: class.into(),
        kind,
        version: "1.0".into(),
        doc: "Returns what it gets.".into(),
        settings: vec![setting],
        reads: Columns::all(),
    }
}

/// A component of this behaviour; `export!(Component<…>)`.
pub struct Component<B>(PhantomData<B>);

impl<B: Behaviour> catalog::Guest for Component<B> {
    fn plugins() -> Vec<catalog::Plugin> {
        let mut plugins = B::plugins();
        if let (Err(Fault::Fatal(problem)), Some(first)) =
            (B::at("catalog.plugins", &[]), plugins.first_mut())
        {
            first.doc = problem.message;
        }
        plugins
    }
    fn validate(
        _class: String,
        _kind: catalog::PluginKind,
        settings: Settings,
    ) -> Result<Vec<catalog::SettingState>, Fault> {
        B::at("catalog.validate", &settings)?;
        B::validate(settings)
    }
}

impl<B: Behaviour> connector::Guest for Component<B> {
    fn start(_class: String, settings: Settings) -> Result<(), Fault> {
        B::at("connector.start", &settings)?;
        B::start(settings)
    }
    fn task_settings(tasks_max: u32) -> Result<Vec<Settings>, Fault> {
        B::at("connector.task-settings", &[])?;
        let settings: Settings = state(|state| state.settings.clone().into_iter().collect());
        Ok(vec![settings; tasks_max as usize])
    }
    fn watch(_wait_ms: u32) -> Result<bool, Fault> {
        B::at("connector.watch", &[])?;
        B::watch()
    }
    fn stop() {
        B::at("connector.stop", &[]).ok();
    }
}

impl<B: Behaviour> source_connector::Guest for Component<B> {
    fn exactly_once_support(
        _class: String,
        settings: Settings,
    ) -> Result<source_connector::Support, Fault> {
        B::at("source-connector.exactly-once-support", &settings)?;
        let exactly = settings.iter().any(|(name, _)| name == "exactly.once");
        Ok(if exactly {
            source_connector::Support::Supported
        } else {
            source_connector::Support::Unsupported
        })
    }
    fn can_define_transaction_boundaries(
        _class: String,
        settings: Settings,
    ) -> Result<bool, Fault> {
        B::at("source-connector.can-define-transaction-boundaries", &settings)?;
        Ok(settings.iter().any(|(name, _)| name == "boundaries"))
    }
    fn alter_offsets(
        _class: String,
        settings: Settings,
        offsets: Vec<SourceOffset>,
    ) -> Result<bool, Fault> {
        B::at("source-connector.alter-offsets", &settings)?;
        Ok(!offsets.is_empty())
    }
}

impl<B: Behaviour> sink_connector::Guest for Component<B> {
    fn alter_offsets(
        _class: String,
        settings: Settings,
        offsets: Vec<sink_connector::Altered>,
    ) -> Result<bool, Fault> {
        B::at("sink-connector.alter-offsets", &settings)?;
        Ok(!offsets.is_empty())
    }
}

impl<B: Behaviour> source::Guest for Component<B> {
    fn start(_class: String, settings: Settings) -> Result<(), Fault> {
        B::at("source.start", &settings)?;
        B::start(settings)
    }
    fn poll(
        _batch: u64,
        rows_max: u32,
        bytes_max: u32,
        _wait_ms: u32,
    ) -> Result<source::SourceBatch, Fault> {
        B::at("source.poll", &[])?;
        B::poll(rows_max, bytes_max)
    }
    fn commit(offsets: Vec<SourceOffset>) -> Result<(), Fault> {
        B::at("source.commit", &[])?;
        state(|state| state.heard.push(format!("commit of {}", offsets.len())));
        Ok(())
    }
    fn stop() {
        B::at("source.stop", &[]).ok();
    }
}

impl<B: Behaviour> source_acknowledgement::Guest for Component<B> {
    fn acknowledge(rows: Vec<source_acknowledgement::Acknowledged>) -> Result<(), Fault> {
        B::at("source-acknowledgement.acknowledge", &[])?;
        for row in rows {
            let heard = format!("row {} of {}: {:?}", row.row, row.batch, row.written);
            state(|state| state.heard.push(heard));
        }
        Ok(())
    }
}

impl<B: Behaviour> sink::Guest for Component<B> {
    fn start(_class: String, settings: Settings) -> Result<(), Fault> {
        B::at("sink.start", &settings)?;
        B::start(settings)
    }
    /// Answers with a request of every kind, where the setting `requests` is there.
    fn open(partitions: Vec<PartitionOffset>) -> Result<Option<sink::Requests>, Fault> {
        B::at("sink.open", &[])?;
        if !state(|state| state.settings.contains_key("requests")) {
            return Ok(None);
        }
        let at = |list: &[PartitionOffset]| list.iter().map(|one| one.at.clone()).collect();
        Ok(Some(sink::Requests {
            pause: at(&partitions),
            resume: at(&partitions),
            commit: true,
            timeout_ms: Some(250),
            faults: partitions
                .iter()
                .map(|at| sink::RecordFault { at: at.clone(), problem: problem("late") })
                .collect(),
            rewind: partitions,
        }))
    }
    fn put(records: Batch, _original: Option<sink::Original>) -> Result<sink::PutResult, Fault> {
        B::at("sink.put", &[])?;
        B::put(records)
    }
    fn pre_commit(offsets: Vec<PartitionOffset>) -> Result<sink::CommitResult, Fault> {
        B::at("sink.pre-commit", &[])?;
        B::pre_commit(offsets)
    }
    fn close(partitions: Vec<TopicPartition>) -> Result<(), Fault> {
        B::at("sink.close", &[])?;
        state(|state| state.heard.push(format!("close of {}", partitions.len())));
        Ok(())
    }
    fn stop() {
        B::at("sink.stop", &[]).ok();
    }
}

impl<B: Behaviour> converter::Guest for Component<B> {
    fn create(id: u32, _class: String, settings: Settings, _is_key: bool) -> Result<(), Fault> {
        B::at("converter.create", &settings)?;
        create('c', id, settings)
    }
    fn to_connect_data(
        _id: u32,
        _topics: converter::TopicColumn,
        bytes: Column,
        _headers: Option<Headers>,
    ) -> Result<converter::ConnectData, Fault> {
        B::at("converter.to-connect-data", &[])?;
        B::to_connect_data(bytes)
    }
    /// With the setting `headers`, adds to each row a header with that name and its topic as the value.
    fn from_connect_data(
        id: u32,
        topics: converter::TopicColumn,
        values: Values,
    ) -> Result<converter::BytesData, Fault> {
        B::at("converter.from-connect-data", &[])?;
        let (bytes, faults) = split_faults(values.bytes);
        let name = setting('c', id, "headers");
        let headers = name.map(|name| rows::topic_headers(&name, &topics, bytes.ends.len()));
        Ok(converter::BytesData { bytes, headers, faults })
    }
    fn close(id: u32) {
        B::at("converter.close", &[]).ok();
        state(|state| state.created.remove(&('c', id)));
    }
}

impl<B: Behaviour> header_converter::Guest for Component<B> {
    fn create(id: u32, _class: String, settings: Settings) -> Result<(), Fault> {
        B::at("header-converter.create", &settings)?;
        create('h', id, settings)
    }
    fn to_connect_data(
        _id: u32,
        _topics: converter::TopicColumn,
        _names: Column,
        bytes: Column,
    ) -> Result<converter::ConnectData, Fault> {
        B::at("header-converter.to-connect-data", &[])?;
        B::to_connect_data(bytes)
    }
    fn from_connect_data(
        _id: u32,
        _topics: converter::TopicColumn,
        _names: Column,
        values: Values,
    ) -> Result<header_converter::HeaderBytes, Fault> {
        B::at("header-converter.from-connect-data", &[])?;
        let (bytes, faults) = split_faults(values.bytes);
        Ok(header_converter::HeaderBytes { bytes, faults })
    }
    fn close(id: u32) {
        B::at("header-converter.close", &[]).ok();
        state(|state| state.created.remove(&('h', id)));
    }
}

impl<B: Behaviour> transformation::Guest for Component<B> {
    fn create(id: u32, _class: String, settings: Settings) -> Result<(), Fault> {
        B::at("transformation.create", &settings)?;
        create('t', id, settings)
    }
    fn apply(
        chain: Vec<transformation::Step>,
        records: Batch,
    ) -> Result<transformation::Transformed, Fault> {
        B::at("transformation.apply", &[])?;
        B::apply(chain, records)
    }
    fn close(id: u32) {
        B::at("transformation.close", &[]).ok();
        state(|state| state.created.remove(&('t', id)));
    }
}

impl<B: Behaviour> predicate::Guest for Component<B> {
    fn create(id: u32, _class: String, settings: Settings) -> Result<(), Fault> {
        B::at("predicate.create", &settings)?;
        create('p', id, settings)
    }
    fn test(id: u32, records: Batch) -> Result<predicate::Tested, Fault> {
        B::at("predicate.test", &[])?;
        B::test(id, records)
    }
    fn close(id: u32) {
        B::at("predicate.close", &[]).ok();
        state(|state| state.created.remove(&('p', id)));
    }
}
