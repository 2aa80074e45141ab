//! A case: what is played, where it comes from, and what it needs. Not here: any of them (`cases`).

use anyhow::Result;

use crate::scene::Scene;

/// Settings of a worker, names and values.
pub type Settings = &'static [(&'static str, &'static str)];

/// What a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Any worker: the one that most cases share, or one that somebody else started.
    Worker,
    /// A worker with these settings, shared by the cases that need the same.
    WorkerWith(Settings),
    /// To start workers by itself.
    Workers,
}

/// A case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What holds, as `restart/connector_alone_is_restarted`.
    pub name: &'static str,
    /// Apache's test that it re-expresses, as `ConnectorRestartApiIntegrationTest.testRestartUnknownConnector`.
    pub from: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Plays it. An error says what does not hold.
    pub play: fn(&Scene<'_>) -> Result<()>,
}

impl Case {
    /// A case for any worker.
    pub const fn new(
        name: &'static str,
        from: &'static str,
        play: fn(&Scene<'_>) -> Result<()>,
    ) -> Self {
        Self { name, from, needs: Needs::Worker, play }
    }

    /// The same for a worker with these settings.
    #[must_use]
    pub const fn with(mut self, settings: Settings) -> Self {
        self.needs = Needs::WorkerWith(settings);
        self
    }

    /// The same, with workers of its own.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.needs = Needs::Workers;
        self
    }

    /// Its name without what Kafka does not allow in one.
    pub fn slug(&self) -> String {
        self.name.replace(['/', '_', ' '], "-")
    }
}
