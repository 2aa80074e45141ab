//! What every plugin says of itself, and the entry it becomes in its component's catalogue.
//!
//! Not here: what each kind of plugin does.

use crate::bindings::catalog;
pub use crate::bindings::catalog::PluginKind;
use crate::columns::Columns;
use crate::connector::{AnyConnector, Support};
use crate::converter::{AnyConverter, AnyHeaderConverter};
use crate::fault::Result;
use crate::predicate::AnyPredicate;
use crate::settings::{Configuration, SettingState, Settings, states};
use crate::sink::{Altered, AnySink};
use crate::source::{AnySource, SourceOffset};
use crate::transformation::AnyTransformation;

/// What every plugin says of itself.
pub trait Plugin: Sized + 'static {
    /// Its settings.
    type Settings: Configuration;

    /// The class by which configurations name it.
    const CLASS: &'static str;

    /// Its version: `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;

    /// What it does, in a sentence.
    const DOC: &'static str;

    /// The columns it looks at; the others arrive empty.
    const READS: Columns = Columns::all();

    /// Checks beyond the settings' own: reachability, what depends on other values. Only called when all of them can be read. No side effects.
    fn validate(settings: &Self::Settings) -> Result<Vec<SettingState>> {
        let _ = settings;
        Ok(Vec::new())
    }
}

/// A plugin in its component's catalogue.
pub struct Entry {
    pub(crate) kind: PluginKind,
    pub(crate) class: &'static str,
    describe: fn(PluginKind) -> catalog::Plugin,
    validate: fn(&Settings) -> Result<Vec<SettingState>>,
    pub(crate) make: Make,
}

/// Makes instances of a plugin.
pub(crate) enum Make {
    Source(MakeSource),
    Sink(MakeSink),
    Converter(fn(&Settings, bool) -> Result<Box<dyn AnyConverter>>),
    HeaderConverter(fn(&Settings) -> Result<Box<dyn AnyHeaderConverter>>),
    Transformation(fn(&Settings) -> Result<Box<dyn AnyTransformation>>),
    Predicate(fn(&Settings) -> Result<Box<dyn AnyPredicate>>),
}

pub(crate) struct MakeSource {
    pub(crate) task: fn(&Settings) -> Result<Box<dyn AnySource>>,
    pub(crate) connector: fn(Settings) -> Result<Box<dyn AnyConnector>>,
    pub(crate) support: fn(&Settings) -> Result<Support>,
    pub(crate) boundaries: fn(&Settings) -> Result<bool>,
    pub(crate) alter: fn(&Settings, &[SourceOffset]) -> Result<bool>,
}

pub(crate) struct MakeSink {
    pub(crate) task: fn(&Settings) -> Result<Box<dyn AnySink>>,
    pub(crate) connector: fn(Settings) -> Result<Box<dyn AnyConnector>>,
    pub(crate) alter: fn(&Settings, &[Altered]) -> Result<bool>,
}

impl Entry {
    pub(crate) fn of<P: Plugin>(kind: PluginKind, make: Make) -> Self {
        Self { kind, class: P::CLASS, describe: describe::<P>, validate: validate::<P>, make }
    }

    pub(crate) fn describe(&self) -> catalog::Plugin {
        (self.describe)(self.kind)
    }

    pub(crate) fn validate(&self, settings: &Settings) -> Result<Vec<SettingState>> {
        (self.validate)(settings)
    }
}

fn describe<P: Plugin>(kind: PluginKind) -> catalog::Plugin {
    catalog::Plugin {
        class: P::CLASS.to_owned(),
        kind,
        version: P::VERSION.to_owned(),
        doc: P::DOC.to_owned(),
        settings: P::Settings::KEYS.iter().map(|key| key.describe()).collect(),
        reads: P::READS,
    }
}

fn validate<P: Plugin>(settings: &Settings) -> Result<Vec<SettingState>> {
    let states = states::<P::Settings>(settings);
    match P::Settings::read(settings) {
        Ok(settings) if states.is_empty() => P::validate(&settings),
        _ => Ok(states),
    }
}
