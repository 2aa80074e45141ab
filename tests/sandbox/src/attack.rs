//! An attack: a row of the corpus.
//!
//! Not here: the rows (`attacks`), and carrying them out (`corpus`).

use anyhow::Result;

use crate::field::Field;

/// What an attack goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Processor time.
    Cpu,
    /// Memory of guest and host.
    Memory,
    /// What a guest says about its own memory, and about what it was given.
    Abi,
    /// Calls of the host.
    HostCalls,
    /// Logs, metrics, statuses.
    Output,
    /// Records, offsets, topics.
    Kafka,
    /// Other machines, and this one.
    Network,
    /// What must not be told.
    Secrets,
    /// The compiler.
    Compile,
    /// Starting, stopping, replacing.
    Lifecycle,
    /// The check of an upload.
    Upload,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Cpu,
        Self::Memory,
        Self::Abi,
        Self::HostCalls,
        Self::Output,
        Self::Kafka,
        Self::Network,
        Self::Secrets,
        Self::Compile,
        Self::Lifecycle,
        Self::Upload,
    ];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Abi => "abi",
            Self::HostCalls => "host calls",
            Self::Output => "output",
            Self::Kafka => "kafka",
            Self::Network => "network",
            Self::Secrets => "secrets",
            Self::Compile => "compile",
            Self::Lifecycle => "lifecycle",
            Self::Upload => "upload",
        }
    }
}

/// Settings of a connector. `{rest}`, `{broker}`, `{canary}`, `{open}`, `{config}`, `{status}` and `{offset}` stand for what the field has there.
pub type Pairs = &'static [(&'static str, &'static str)];

/// How it is carried out.
#[derive(Clone, Copy)]
pub enum Way {
    /// By the source of the guest `attacks`, with these settings beside the attack's name.
    Source(Pairs),
    /// By its sink, which gets the neighbour's rows.
    Sink(Pairs),
    /// By an upload that is refused.
    Upload(fn() -> Vec<u8>),
    /// By a component that is taken: its source of this number, with these settings.
    Component(fn(u16) -> Vec<u8>, Pairs),
    /// By a course of requests.
    Course(fn(&Field) -> Result<()>),
}

/// How it ends when the sandbox holds.
#[derive(Clone, Copy)]
pub enum Ends {
    /// The connector or its task is failed, and its trace holds all of these.
    Failed(&'static [&'static str]),
    /// The upload is answered with 400, and the message holds all of these.
    Refused(&'static [&'static str]),
    /// It does no harm: the connector runs on, and this is so.
    Harmless(fn(&Field) -> Result<()>),
}

/// An attack.
#[derive(Clone, Copy)]
pub struct Attack {
    /// What it goes for.
    pub class: Class,
    /// Its name, which is what the guest knows it by.
    pub name: &'static str,
    /// How it is carried out.
    pub way: Way,
    /// How it ends.
    pub ends: Ends,
}

impl Attack {
    /// What its connector is called.
    pub fn connector(&self) -> String {
        let plain = |char: char| if char.is_ascii_alphanumeric() { char } else { '-' };
        format!("{}-{}", self.class.name(), self.name).chars().map(plain).collect()
    }
}

/// Nothing more than that it runs on.
pub fn nothing_more(_field: &Field) -> Result<()> {
    Ok(())
}

/// A row that a source of the guest carries out.
pub const fn source(class: Class, name: &'static str, pairs: Pairs, ends: Ends) -> Attack {
    Attack { class, name, way: Way::Source(pairs), ends }
}

/// A row that a sink of the guest carries out.
pub const fn sink(class: Class, name: &'static str, pairs: Pairs, ends: Ends) -> Attack {
    Attack { class, name, way: Way::Sink(pairs), ends }
}

/// A row that is an upload, refused with these words.
pub const fn upload(
    class: Class,
    name: &'static str,
    component: fn() -> Vec<u8>,
    words: &'static [&'static str],
) -> Attack {
    Attack { class, name, way: Way::Upload(component), ends: Ends::Refused(words) }
}

/// A row that is a course of requests, which fails where the sandbox does not hold.
pub const fn course(class: Class, name: &'static str, course: fn(&Field) -> Result<()>) -> Attack {
    Attack { class, name, way: Way::Course(course), ends: Ends::Harmless(nothing_more) }
}
