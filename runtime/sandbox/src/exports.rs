//! The interfaces that a component exports, each looked up by its name: none is required of every component but the catalog.
//!
//! Not here: calling them.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::host::Host;
use crate::v0::exports::tombolo::connect as contract;

/// The package of the contract, and the version whose interfaces are known here.
const PACKAGE: &str = "tombolo:connect";
const VERSION: &str = "0.1.0";

/// Where the exports of a component are.
#[derive(Clone)]
pub(crate) struct Indices {
    catalog: contract::catalog::GuestIndices,
    connector: Option<contract::connector::GuestIndices>,
    source_connector: Option<contract::source_connector::GuestIndices>,
    sink_connector: Option<contract::sink_connector::GuestIndices>,
    source: Option<contract::source::GuestIndices>,
    pub(crate) acknowledgement: Option<contract::source_acknowledgement::GuestIndices>,
    sink: Option<contract::sink::GuestIndices>,
    converter: Option<contract::converter::GuestIndices>,
    header_converter: Option<contract::header_converter::GuestIndices>,
    transformation: Option<contract::transformation::GuestIndices>,
    predicate: Option<contract::predicate::GuestIndices>,
}

/// The exports of one instance.
pub(crate) struct Exports {
    pub(crate) catalog: contract::catalog::Guest,
    pub(crate) connector: Option<contract::connector::Guest>,
    pub(crate) source_connector: Option<contract::source_connector::Guest>,
    pub(crate) sink_connector: Option<contract::sink_connector::Guest>,
    pub(crate) source: Option<contract::source::Guest>,
    pub(crate) acknowledgement: Option<contract::source_acknowledgement::Guest>,
    pub(crate) sink: Option<contract::sink::Guest>,
    pub(crate) converter: Option<contract::converter::Guest>,
    pub(crate) header_converter: Option<contract::header_converter::Guest>,
    pub(crate) transformation: Option<contract::transformation::Guest>,
    pub(crate) predicate: Option<contract::predicate::Guest>,
}

type Result<T> = wasmtime::Result<T>;

impl Indices {
    /// Finds the exports of a component.
    ///
    /// Errors: an interface that is there but lacks a function, by name.
    pub(crate) fn new(pre: &InstancePre<Host>) -> Result<Self> {
        Ok(Self {
            catalog: contract::catalog::GuestIndices::new(pre)?,
            connector: find(pre, "connector", contract::connector::GuestIndices::new)?,
            source_connector: find(
                pre,
                "source-connector",
                contract::source_connector::GuestIndices::new,
            )?,
            sink_connector: find(
                pre,
                "sink-connector",
                contract::sink_connector::GuestIndices::new,
            )?,
            source: find(pre, "source", contract::source::GuestIndices::new)?,
            acknowledgement: find(
                pre,
                "source-acknowledgement",
                contract::source_acknowledgement::GuestIndices::new,
            )?,
            sink: find(pre, "sink", contract::sink::GuestIndices::new)?,
            converter: find(pre, "converter", contract::converter::GuestIndices::new)?,
            header_converter: find(
                pre,
                "header-converter",
                contract::header_converter::GuestIndices::new,
            )?,
            transformation: find(
                pre,
                "transformation",
                contract::transformation::GuestIndices::new,
            )?,
            predicate: find(pre, "predicate", contract::predicate::GuestIndices::new)?,
        })
    }

    /// The exports of an instance.
    ///
    /// Errors: a function whose type is not the contract's, by name.
    pub(crate) fn load(&self, store: &mut Store<Host>, instance: &Instance) -> Result<Exports> {
        Ok(Exports {
            catalog: self.catalog.load(&mut *store, instance)?,
            connector: load(&self.connector, |i| i.load(&mut *store, instance))?,
            source_connector: load(&self.source_connector, |i| i.load(&mut *store, instance))?,
            sink_connector: load(&self.sink_connector, |i| i.load(&mut *store, instance))?,
            source: load(&self.source, |i| i.load(&mut *store, instance))?,
            acknowledgement: load(&self.acknowledgement, |i| i.load(&mut *store, instance))?,
            sink: load(&self.sink, |i| i.load(&mut *store, instance))?,
            converter: load(&self.converter, |i| i.load(&mut *store, instance))?,
            header_converter: load(&self.header_converter, |i| i.load(&mut *store, instance))?,
            transformation: load(&self.transformation, |i| i.load(&mut *store, instance))?,
            predicate: load(&self.predicate, |i| i.load(&mut *store, instance))?,
        })
    }
}

/// An interface that the catalog promised. One that is not exported was refused at upload.
pub(crate) fn exported<T>(interface: &Option<T>) -> Result<&T> {
    interface.as_ref().ok_or_else(|| wasmtime::Error::msg("the interface is not exported"))
}

/// Looks up an interface that need not be there.
fn find<T>(
    pre: &InstancePre<Host>,
    interface: &str,
    new: fn(&InstancePre<Host>) -> Result<T>,
) -> Result<Option<T>> {
    let name = format!("{PACKAGE}/{interface}@{VERSION}");
    match pre.component().get_export_index(None, &name) {
        Some(_) => new(pre).map(Some),
        None => Ok(None),
    }
}

fn load<I, G>(indices: &Option<I>, load: impl FnOnce(&I) -> Result<G>) -> Result<Option<G>> {
    indices.as_ref().map(load).transpose()
}
