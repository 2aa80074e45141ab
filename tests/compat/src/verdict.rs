//! What came of a case on one program, and what is known to differ. Not here: the table (`report`).

use std::time::Duration;

use crate::case::Case;
use crate::peer::Peer;

/// Cases that Tombolo does not pass and never will, each with the reason that `docs/differences.md` gives.
pub const KNOWN: &[(&str, &str)] = &[
    ("offsets/of_a_sink_with_a_task_that_does_not_stop_altered", DROPPED),
    ("offsets/of_a_sink_with_a_task_that_does_not_stop_reset", DROPPED),
    ("outages/a_request_in_vain_says_what_the_worker_waits_for", GIVEN_UP),
];

const DROPPED: &str = "a task that does not stop is dropped, and has left its group";

const GIVEN_UP: &str = "a write that Kafka does not answer is given up before its request is";

/// Cases that Tombolo does not pass yet, each with what is missing. One that passes must be taken out.
pub const NOT_YET: &[(&str, &str)] = &[];

/// What came of a case.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// What does not hold.
    Failed(String),
    /// The stage has no such worker.
    NotPlayed,
}

/// A case on one program.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The case.
    pub case: &'static Case,
    /// The program.
    pub peer: Peer,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// How an outcome is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// As it has to be.
    Good,
    /// A failure that is listed, with its reason.
    Listed(&'static str),
    /// A failure that nobody knows of.
    Bad,
    /// Listed as failing, and passes.
    Better,
    /// Nothing was learned.
    None,
}

impl Verdict {
    /// How it is to be taken.
    pub fn judgement(&self) -> Judgement {
        let listed = listed(self.peer, self.case.name);
        match (&self.outcome, listed) {
            (Outcome::NotPlayed, _) => Judgement::None,
            (Outcome::Passed, None) => Judgement::Good,
            (Outcome::Passed, Some(_)) => Judgement::Better,
            (Outcome::Failed(_), None) => Judgement::Bad,
            (Outcome::Failed(_), Some(reason)) => Judgement::Listed(reason),
        }
    }

    /// Whether it must not be so.
    pub fn is_wrong(&self) -> bool {
        matches!(self.judgement(), Judgement::Bad | Judgement::Better)
    }
}

/// Why a case is known to fail.
fn listed(peer: Peer, case: &str) -> Option<&'static str> {
    let lists = KNOWN.iter().chain(NOT_YET);
    let mut found = lists.filter(|(name, _)| *name == case).map(|(_, reason)| *reason);
    found.next().filter(|_| peer == Peer::Tombolo)
}
