//! From a component's exports to its plugins: what the host calls, told apart by class and number. Not here: the plugins.
//!
//! One instance of a component holds at most one connector, one source task and one sink task, and any number of the others.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::time::Duration;

use crate::bindings::types::Settings as RawSettings;
use crate::bindings::{
    catalog, connector, converter, header_converter, predicate, sink, sink_connector, source,
    source_acknowledgement, source_connector, transformation,
};
use crate::columns::{Batch, Column, ConnectData, Headers, TopicColumn, Values, narrow};
use crate::connector::AnyConnector;
use crate::converter::{AnyConverter, AnyHeaderConverter};
use crate::fault::{Failure, Fault, Result, RowFault};
use crate::plugin::{Entry, Make, MakeSink, MakeSource, PluginKind};
use crate::record::Records;
use crate::row::Row;
use crate::settings::Settings;
use crate::sink::{AnySink, PartitionOffset, SinkContext, TopicPartition};
use crate::slots::Slots;
use crate::source::{AnySource, Poll, SourceOffset};
use crate::source_batch::SourceBatch;
use crate::transformation::Transformations;

/// The entries that [`export!`](crate::export) names by kind.
pub use crate::converter::{converter, header_converter};
pub use crate::predicate::predicate;
pub use crate::sink::sink;
pub use crate::source::source;
pub use crate::source::source as source_acknowledged;
pub use crate::transformation::transformation;

/// A component: a list of plugins. Made by [`export!`](crate::export).
pub trait Component: 'static {
    /// The plugins.
    fn plugins() -> Vec<Entry>;
}

/// The exports of a component.
pub struct Exports<C>(PhantomData<C>);

/// What this instance runs.
#[derive(Default)]
struct Instance {
    connector: Option<Box<dyn AnyConnector>>,
    source: Option<Box<dyn AnySource>>,
    sink: Option<Box<dyn AnySink>>,
    converters: Slots<dyn AnyConverter>,
    header_converters: Slots<dyn AnyHeaderConverter>,
    transformations: Transformations,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

fn instance<T>(use_it: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with_borrow_mut(use_it)
}

/// Forgets all that runs, as a new instance would.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn forget() {
    instance(|instance| *instance = Instance::default());
}

fn not_started(what: &str) -> Fault {
    Fault::fatal(format_args!("the {what} is not started"))
}

fn unknown(class: &str) -> Fault {
    Fault::config(format_args!("no plugin of class {class} in this component"))
}

fn find<C: Component>(class: &str, kind: PluginKind) -> Result<Entry> {
    let mut plugins = C::plugins().into_iter();
    plugins.find(|entry| entry.kind == kind && entry.class == class).ok_or_else(|| unknown(class))
}

fn find_source<C: Component>(class: &str) -> Result<MakeSource> {
    match find::<C>(class, PluginKind::Source)?.make {
        Make::Source(make) => Ok(make),
        _ => Err(unknown(class)),
    }
}

fn find_sink<C: Component>(class: &str) -> Result<MakeSink> {
    match find::<C>(class, PluginKind::Sink)?.make {
        Make::Sink(make) => Ok(make),
        _ => Err(unknown(class)),
    }
}

impl<C: Component> catalog::Guest for Exports<C> {
    fn plugins() -> Vec<catalog::Plugin> {
        C::plugins().iter().map(Entry::describe).collect()
    }

    fn validate(
        class: String,
        kind: PluginKind,
        settings: RawSettings,
    ) -> Result<Vec<catalog::SettingState>> {
        find::<C>(&class, kind)?.validate(&Settings(settings))
    }
}

impl<C: Component> connector::Guest for Exports<C> {
    fn start(class: String, settings: RawSettings) -> Result<()> {
        let start = match find_source::<C>(&class) {
            Ok(make) => make.connector,
            Err(_) => find_sink::<C>(&class)?.connector,
        };
        let started = start(Settings(settings))?;
        instance(|instance| instance.connector = Some(started));
        Ok(())
    }

    fn task_settings(tasks_max: u32) -> Result<Vec<RawSettings>> {
        instance(|instance| {
            let connector = instance.connector.as_mut().ok_or_else(|| not_started("connector"))?;
            let tasks = connector.task_settings(tasks_max)?;
            Ok(tasks.into_iter().map(|settings| settings.0).collect())
        })
    }

    fn watch(wait_ms: u32) -> Result<bool> {
        instance(|instance| {
            let connector = instance.connector.as_mut().ok_or_else(|| not_started("connector"))?;
            connector.watch(Duration::from_millis(wait_ms.into()))
        })
    }

    fn stop() {
        instance(|instance| {
            if let Some(mut connector) = instance.connector.take() {
                connector.stop();
            }
        });
    }
}

impl<C: Component> source_connector::Guest for Exports<C> {
    fn exactly_once_support(
        class: String,
        settings: RawSettings,
    ) -> Result<source_connector::Support> {
        (find_source::<C>(&class)?.support)(&Settings(settings))
    }

    fn can_define_transaction_boundaries(class: String, settings: RawSettings) -> Result<bool> {
        (find_source::<C>(&class)?.boundaries)(&Settings(settings))
    }

    fn alter_offsets(
        class: String,
        settings: RawSettings,
        offsets: Vec<SourceOffset>,
    ) -> Result<bool> {
        (find_source::<C>(&class)?.alter)(&Settings(settings), &offsets)
    }
}

impl<C: Component> sink_connector::Guest for Exports<C> {
    fn alter_offsets(
        class: String,
        settings: RawSettings,
        offsets: Vec<sink_connector::Altered>,
    ) -> Result<bool> {
        (find_sink::<C>(&class)?.alter)(&Settings(settings), &offsets)
    }
}

fn with_source<T>(use_it: impl FnOnce(&mut dyn AnySource) -> Result<T>) -> Result<T> {
    instance(|instance| match instance.source.as_deref_mut() {
        Some(source) => use_it(source),
        None => Err(not_started("source")),
    })
}

impl<C: Component> source::Guest for Exports<C> {
    fn start(class: String, settings: RawSettings) -> Result<()> {
        let task = (find_source::<C>(&class)?.task)(&Settings(settings))?;
        instance(|instance| instance.source = Some(task));
        Ok(())
    }

    fn poll(
        batch: u64,
        rows_max: u32,
        bytes_max: u32,
        wait_ms: u32,
    ) -> Result<source::SourceBatch> {
        let (rows_max, bytes_max) = (rows_max as usize, bytes_max as usize);
        let wait = Duration::from_millis(wait_ms.into());
        let mut records = SourceBatch::new();
        let request = Poll { batch, rows_max, bytes_max, wait };
        with_source(|source| source.poll(&request, &mut records))?;
        Ok(records.finish())
    }

    fn commit(offsets: Vec<SourceOffset>) -> Result<()> {
        with_source(|source| source.commit(&offsets))
    }

    fn stop() {
        if let Some(mut source) = instance(|instance| instance.source.take()) {
            source.stop();
        }
    }
}

impl<C: Component> source_acknowledgement::Guest for Exports<C> {
    fn acknowledge(rows: Vec<source_acknowledgement::Acknowledged>) -> Result<()> {
        with_source(|source| source.acknowledge(&rows))
    }
}

fn with_sink<T>(use_it: impl FnOnce(&mut dyn AnySink) -> Result<T>) -> Result<T> {
    instance(|instance| match instance.sink.as_deref_mut() {
        Some(sink) => use_it(sink),
        None => Err(not_started("sink")),
    })
}

impl<C: Component> sink::Guest for Exports<C> {
    fn start(class: String, settings: RawSettings) -> Result<()> {
        let task = (find_sink::<C>(&class)?.task)(&Settings(settings))?;
        instance(|instance| instance.sink = Some(task));
        Ok(())
    }

    fn open(partitions: Vec<PartitionOffset>) -> Result<Option<sink::Requests>> {
        let mut context = SinkContext::default();
        with_sink(|sink| sink.open(&partitions, &mut context))?;
        Ok(context.into_requests())
    }

    fn put(records: Batch, original: Option<sink::Original>) -> Result<sink::PutResult> {
        let mut context = SinkContext::default();
        let records = Records::new(&records, original.as_ref());
        with_sink(|sink| sink.put(records, &mut context))?;
        Ok(context.into_put())
    }

    fn pre_commit(offsets: Vec<PartitionOffset>) -> Result<sink::CommitResult> {
        let mut context = SinkContext::default();
        let offsets = with_sink(|sink| sink.pre_commit(&offsets, &mut context))?;
        Ok(context.into_commit(offsets))
    }

    fn close(partitions: Vec<TopicPartition>) -> Result<()> {
        with_sink(|sink| sink.close(&partitions))
    }

    fn stop() {
        if let Some(mut sink) = instance(|instance| instance.sink.take()) {
            sink.stop();
        }
    }
}

impl<C: Component> converter::Guest for Exports<C> {
    fn create(id: u32, class: String, settings: RawSettings, is_key: bool) -> Result<()> {
        let Make::Converter(make) = find::<C>(&class, PluginKind::Converter)?.make else {
            return Err(unknown(&class));
        };
        let made = make(&Settings(settings), is_key)?;
        instance(|instance| instance.converters.put(id, made))
    }

    fn to_connect_data(
        id: u32,
        topics: TopicColumn,
        bytes: Column,
        headers: Option<Headers>,
    ) -> Result<ConnectData> {
        instance(|instance| {
            instance.converters.get(id)?.to_connect_data(&topics, &bytes, headers.as_ref())
        })
    }

    fn from_connect_data(
        id: u32,
        topics: TopicColumn,
        values: Values,
    ) -> Result<converter::BytesData> {
        let rows =
            instance(|instance| instance.converters.get(id)?.from_connect_data(&topics, &values))?;
        Ok(converter::BytesData { bytes: rows.bytes, headers: rows.headers, faults: rows.faults })
    }

    fn close(id: u32) {
        instance(|instance| instance.converters.close(id));
    }
}

impl<C: Component> header_converter::Guest for Exports<C> {
    fn create(id: u32, class: String, settings: RawSettings) -> Result<()> {
        let entry = find::<C>(&class, PluginKind::HeaderConverter)?;
        let Make::HeaderConverter(make) = entry.make else { return Err(unknown(&class)) };
        let made = make(&Settings(settings))?;
        instance(|instance| instance.header_converters.put(id, made))
    }

    fn to_connect_data(
        id: u32,
        topics: TopicColumn,
        names: Column,
        bytes: Column,
    ) -> Result<ConnectData> {
        instance(|instance| {
            instance.header_converters.get(id)?.to_connect_data(&topics, &names, &bytes)
        })
    }

    fn from_connect_data(
        id: u32,
        topics: TopicColumn,
        names: Column,
        values: Values,
    ) -> Result<header_converter::HeaderBytes> {
        instance(|instance| {
            instance.header_converters.get(id)?.from_connect_data(&topics, &names, &values)
        })
    }

    fn close(id: u32) {
        instance(|instance| instance.header_converters.close(id));
    }
}

impl<C: Component> transformation::Guest for Exports<C> {
    fn create(id: u32, class: String, settings: RawSettings) -> Result<()> {
        let entry = find::<C>(&class, PluginKind::Transformation)?;
        let Make::Transformation(make) = entry.make else { return Err(unknown(&class)) };
        let made = make(&Settings(settings))?;
        instance(|instance| instance.transformations.steps.put(id, made))
    }

    fn apply(
        chain: Vec<transformation::Step>,
        records: Batch,
    ) -> Result<transformation::Transformed> {
        instance(|instance| instance.transformations.apply(&chain, &records))
    }

    fn close(id: u32) {
        instance(|instance| instance.transformations.steps.close(id));
    }
}

impl<C: Component> predicate::Guest for Exports<C> {
    fn create(id: u32, class: String, settings: RawSettings) -> Result<()> {
        let Make::Predicate(make) = find::<C>(&class, PluginKind::Predicate)?.make else {
            return Err(unknown(&class));
        };
        let made = make(&Settings(settings))?;
        instance(|instance| instance.transformations.predicates.put(id, made))
    }

    fn test(id: u32, records: Batch) -> Result<predicate::Tested> {
        instance(|instance| {
            let predicate = instance.transformations.predicates.get(id)?;
            let mut tested = predicate::Tested { rows: Vec::new(), faults: Vec::new() };
            let mut row = Row::new(&records);
            for place in 0..records.rows as usize {
                row.load(place);
                match predicate.test(&row) {
                    Ok(true) => tested.rows.push(narrow(place)),
                    Ok(false) => {}
                    Err(Failure::Row(problem)) => {
                        tested.faults.push(RowFault { row: narrow(place), problem });
                    }
                    Err(Failure::Call(fault)) => return Err(fault),
                }
            }
            Ok(tested)
        })
    }

    fn close(id: u32) {
        instance(|instance| instance.transformations.predicates.close(id));
    }
}

#[cfg(test)]
mod tests;

/// Makes a crate a component that offers these plugins, by kind.
///
/// The component exports exactly the interfaces that its kinds need. Where there are sources and sinks, they come first, in this order. Sources that
/// [acknowledge](crate::source::Source::acknowledge) are named by `source_acknowledged` instead of `source`.
///
/// ```text
/// tombolo_sdk::export! { source: [MySource], sink: [MySink], transformation: [Upper, Lower] }
/// ```
#[macro_export]
macro_rules! export {
    (@of $($interface:ident)+) => {
        $( $crate::bindings::$interface::$interface!(Exports with_types_in $crate::bindings::$interface); )+
    };
    (@kinds source_acknowledged $($rest:ident)*) => {
        $crate::export!(@of source_acknowledgement);
        $crate::export!(@kinds source $($rest)*);
    };
    (@kinds source sink $($rest:ident)*) => {
        $crate::export!(@of source source_connector);
        $crate::export!(@kinds sink $($rest)*);
    };
    (@kinds source $($rest:ident)*) => { $crate::export!(@of connector source source_connector $($rest)*); };
    (@kinds sink $($rest:ident)*) => { $crate::export!(@of connector sink sink_connector $($rest)*); };
    (@kinds $($rest:ident)*) => { $crate::export!(@of $($rest)*); };
    ($($kind:ident : [$($plugin:ty),+ $(,)?]),+ $(,)?) => {
        /// The plugins of this component.
        #[derive(Debug)]
        pub struct Plugins;
        impl $crate::export::Component for Plugins {
            fn plugins() -> Vec<$crate::plugin::Entry> {
                vec![$($( $crate::export::$kind::<$plugin>() ),+),+]
            }
        }
        #[cfg(target_family = "wasm")]
        mod exports {
            type Exports = $crate::export::Exports<super::Plugins>;
            $crate::export!(@of catalog);
            $crate::export!(@kinds $($kind)+);
        }
    };
}
