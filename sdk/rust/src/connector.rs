//! The connector itself: how many tasks it wants, with which settings. One instance per connector, apart from its tasks.
//!
//! Most connectors need no type of their own: see [`OneTask`] and [`EveryTask`]. Not here: what a task does (`source`, `sink`).

use std::marker::PhantomData;
use std::time::Duration;

pub use crate::bindings::source_connector::Support;
use crate::fault::Result;
use crate::settings::{Configuration, Settings};

/// A connector. Calls never overlap.
///
/// Follows `org.apache.kafka.connect.connector.Connector`.
pub trait Connector: Sized + 'static {
    /// Its settings.
    type Settings: Configuration;

    /// Starts it. `all` are the settings as they were written, to be handed to tasks.
    ///
    /// Errors: fail the connector.
    fn start(settings: Self::Settings, all: Settings) -> Result<Self>;

    /// One list of settings per task, at most `tasks_max`.
    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>>;

    /// Whether there is a reason to change the tasks: true has [`Connector::task_settings`] asked for again; an error fails the connector.
    ///
    /// Called again and again while the connector is started, not more often than each `wait`. It may wait so long, and need not.
    fn watch(&mut self, wait: Duration) -> Result<bool> {
        let _ = wait;
        Ok(false)
    }

    /// Stops it.
    fn stop(&mut self) {}
}

/// A connector with one task, which gets the connector's settings.
pub struct OneTask<S> {
    all: Settings,
    settings: PhantomData<S>,
}

impl<S: Configuration> Connector for OneTask<S> {
    type Settings = S;

    fn start(_settings: S, all: Settings) -> Result<Self> {
        Ok(Self { all, settings: PhantomData })
    }

    fn task_settings(&mut self, _tasks_max: u32) -> Result<Vec<Settings>> {
        Ok(vec![self.all.clone()])
    }
}

/// A connector with as many tasks as it may have. Each gets the connector's settings.
pub struct EveryTask<S> {
    all: Settings,
    settings: PhantomData<S>,
}

impl<S: Configuration> Connector for EveryTask<S> {
    type Settings = S;

    fn start(_settings: S, all: Settings) -> Result<Self> {
        Ok(Self { all, settings: PhantomData })
    }

    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        Ok(vec![self.all.clone(); tasks_max as usize])
    }
}

/// A connector whose type is forgotten.
pub(crate) trait AnyConnector {
    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>>;
    fn watch(&mut self, wait: Duration) -> Result<bool>;
    fn stop(&mut self);
}

impl<C: Connector> AnyConnector for C {
    fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        Connector::task_settings(self, tasks_max)
    }

    fn watch(&mut self, wait: Duration) -> Result<bool> {
        Connector::watch(self, wait)
    }

    fn stop(&mut self) {
        Connector::stop(self);
    }
}

pub(crate) fn start<C: Connector>(all: Settings) -> Result<Box<dyn AnyConnector>> {
    let settings = C::Settings::read(&all)?;
    Ok(Box::new(C::start(settings, all)?))
}
