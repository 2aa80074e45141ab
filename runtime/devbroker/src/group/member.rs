//! A member of a group. Not here: what the group does with it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::{Answer, Join, JoinAnswer, Ticket};

/// A way of assigning that a member knows, with what it says to the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    pub name: String,
    pub metadata: Bytes,
}

/// A member.
#[derive(Debug)]
pub(crate) struct Member {
    pub id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// In order of preference.
    pub protocols: Vec<Protocol>,
    pub assignment: Bytes,
    pub(super) rebalance_timeout: Duration,
    session_timeout: Duration,
    silent_from: Instant,
    /// Its request to join that waits for the others.
    pub(super) joining: Option<Ticket>,
    /// Its request for the assignment that waits for the leader.
    pub(super) syncing: Option<Ticket>,
}

impl Member {
    pub(super) fn new(id: String, join: &Join, now: Instant) -> Self {
        let mut member = Self {
            id,
            instance_id: join.instance_id.clone(),
            client_id: String::new(),
            client_host: String::new(),
            protocols: Vec::new(),
            assignment: Bytes::new(),
            rebalance_timeout: Duration::ZERO,
            session_timeout: Duration::ZERO,
            silent_from: now,
            joining: None,
            syncing: None,
        };
        member.update(join, now);
        member
    }

    /// Takes over what a member says of itself when it joins.
    pub(super) fn update(&mut self, join: &Join, now: Instant) {
        self.client_id.clone_from(&join.client_id);
        self.client_host.clone_from(&join.client_host);
        self.protocols.clone_from(&join.protocols);
        self.rebalance_timeout = join.rebalance_timeout;
        self.session_timeout = join.session_timeout;
        self.heard(now);
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.silent_from = now + self.session_timeout;
    }

    /// When it counts as dead. Never while it waits for an answer, as it cannot send heartbeats then.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.joining.is_none() && self.syncing.is_none()).then_some(self.silent_from)
    }

    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= now)
    }

    pub(super) fn knows(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|known| known.name == protocol)
    }

    /// What it says to the leader under a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let known = self.protocols.iter().find(|known| known.name == protocol);
        known.map(|known| known.metadata.clone()).unwrap_or_default()
    }

    /// Settles what it waits for with an error.
    pub(super) fn refuse(mut self, error: ResponseError) -> Vec<Answer> {
        let member_id = self.id.clone();
        let join = self
            .joining
            .take()
            .map(|ticket| Answer::Join(ticket, JoinAnswer { member_id, result: Err(error) }));
        let sync = self.syncing.take().map(|ticket| Answer::Sync(ticket, Err(error)));
        join.into_iter().chain(sync).collect()
    }
}
