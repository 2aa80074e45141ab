//! A group of the classic protocol as a pure state machine: members join, one of them assigns, all hear of it. Any
//! protocol type (`consumer`, `connect`). Not here: answering over the network (`coordinator::groups`), offsets.
//!
//! Requests that wait are named by a [`Ticket`]; every call answers with the tickets that are settled by it. Time comes
//! from outside. Follows `ClassicGroup` and `GroupMetadataManager` of Kafka.

mod member;
mod rebalance;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;

pub(crate) use member::{Member, Protocol};

/// Names a request that waits for the group.
pub(crate) type Ticket = u64;

/// What a waiting request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Join(Ticket, JoinAnswer),
    Sync(Ticket, Result<Synced, ResponseError>),
}

/// The answer to a member that wants to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinAnswer {
    /// The id it has now, or asked with.
    pub member_id: String,
    pub result: Result<Joined, ResponseError>,
}

/// A member's place in a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Joined {
    pub generation: i32,
    pub protocol_type: String,
    pub protocol: String,
    pub leader: String,
    /// For a leader that came back under its instance id: the assignment stands, do not make a new one.
    pub skip_assignment: bool,
    /// All members, for the leader only.
    pub members: Vec<JoinedMember>,
}

/// What the leader hears of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub id: String,
    pub instance_id: Option<String>,
    pub metadata: Bytes,
}

/// A member's assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    pub protocol_type: String,
    pub protocol: String,
    pub assignment: Bytes,
}

/// A request to join.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Empty for a new member.
    pub member_id: String,
    /// The id that a new member gets. Made by the caller, since it is random.
    pub new_id: String,
    pub instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout: Duration,
    pub rebalance_timeout: Duration,
    pub protocol_type: String,
    pub protocols: Vec<Protocol>,
    /// Whether the client knows that it must ask again with the id it is given (KIP-394).
    pub asks_twice: bool,
    /// Whether the client knows that an assignment can be skipped (KIP-814).
    pub may_skip_assignment: bool,
}

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    /// Members join. Complete when all have, but not before `not_before`; those missing at `deadline` are dropped.
    Joining {
        deadline: Instant,
        not_before: Instant,
    },
    /// All have joined; the leader makes the assignment. Who has not asked for it by `deadline` is dropped.
    Assigning {
        deadline: Instant,
    },
    Stable,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    phase: Phase,
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    members: BTreeMap<String, Member>,
    /// Member ids of static members by instance id.
    static_ids: BTreeMap<String, String>,
    /// Ids given out and not used yet, and when they expire.
    pending: BTreeMap<String, Instant>,
    /// How long the first members of an empty group wait for others.
    initial_delay: Duration,
}

impl Group {
    pub(crate) fn new(initial_delay: Duration) -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: BTreeMap::new(),
            static_ids: BTreeMap::new(),
            pending: BTreeMap::new(),
            initial_delay,
        }
    }

    /// Kafka's name of the phase.
    pub(crate) fn state_name(&self) -> &'static str {
        match self.phase {
            Phase::Empty => "Empty",
            Phase::Joining { .. } => "PreparingRebalance",
            Phase::Assigning { .. } => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }

    pub(crate) fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    /// The assignor's name in a consumer group.
    pub(crate) fn protocol(&self) -> &str {
        &self.protocol
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether nothing is lost by forgetting the group.
    pub(crate) fn is_unused(&self) -> bool {
        self.members.is_empty() && self.pending.is_empty()
    }

    /// A member asks for its assignment; the leader brings those of all.
    pub(crate) fn sync(
        &mut self,
        ticket: Ticket,
        member: &MemberKey<'_>,
        assignments: Vec<(String, Bytes)>,
        now: Instant,
    ) -> Vec<Answer> {
        if let Err(error) = self.check(member) {
            return vec![Answer::Sync(ticket, Err(error))];
        }
        let is_leader = member.id == self.leader;
        let Some(asking) = self.members.get_mut(member.id) else {
            return vec![Answer::Sync(ticket, Err(ResponseError::UnknownMemberId))];
        };
        asking.heard(now);
        match self.phase {
            Phase::Empty => vec![Answer::Sync(ticket, Err(ResponseError::UnknownMemberId))],
            Phase::Joining { .. } => {
                vec![Answer::Sync(ticket, Err(ResponseError::RebalanceInProgress))]
            }
            Phase::Stable => {
                let assignment = asking.assignment.clone();
                vec![Answer::Sync(ticket, Ok(self.synced(assignment)))]
            }
            Phase::Assigning { .. } => {
                let mut answers = Vec::new();
                if let Some(earlier) = asking.syncing.replace(ticket) {
                    let error = Err(ResponseError::RebalanceInProgress);
                    answers.push(Answer::Sync(earlier, error));
                }
                if is_leader {
                    answers.extend(self.assign(assignments, now));
                }
                answers
            }
        }
    }

    fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: Instant) -> Vec<Answer> {
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
        }
        self.phase = Phase::Stable;
        let mut waiting = Vec::new();
        for member in self.members.values_mut() {
            if let Some(ticket) = member.syncing.take() {
                member.heard(now);
                waiting.push((ticket, member.assignment.clone()));
            }
        }
        let answer = |(ticket, assignment)| Answer::Sync(ticket, Ok(self.synced(assignment)));
        waiting.into_iter().map(answer).collect()
    }

    fn synced(&self, assignment: Bytes) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment,
        }
    }

    /// A member says that it is alive, and hears whether it has to join again.
    pub(crate) fn heartbeat(
        &mut self,
        member: &MemberKey<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        self.check(member)?;
        if let Some(member) = self.members.get_mut(member.id) {
            member.heard(now);
        }
        match self.phase {
            Phase::Joining { .. } => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// Whether offsets may be committed by a member, or by a client that is none: generation -1 and no id.
    pub(crate) fn may_commit(
        &mut self,
        member: &MemberKey<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        if member.generation < 0 && self.members.is_empty() {
            return Ok(());
        }
        self.check(member)?;
        if let Some(member) = self.members.get_mut(member.id) {
            member.heard(now);
        }
        match self.phase {
            Phase::Assigning { .. } => Err(ResponseError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member leaves; a static one may be named by its instance alone.
    pub(crate) fn leave(
        &mut self,
        id: &str,
        instance_id: Option<&str>,
        now: Instant,
    ) -> (Result<(), ResponseError>, Vec<Answer>) {
        let unknown = (Err(ResponseError::UnknownMemberId), Vec::new());
        let id = match instance_id {
            None => id.to_owned(),
            Some(instance) => match self.static_ids.get(instance) {
                None => return unknown,
                Some(current) if !id.is_empty() && id != current => {
                    return (Err(ResponseError::FencedInstanceId), Vec::new());
                }
                Some(current) => current.clone(),
            },
        };
        if self.pending.remove(&id).is_some() {
            return (Ok(()), Vec::new());
        }
        if !self.members.contains_key(&id) {
            return unknown;
        }
        let mut answers = self.drop_member(&id);
        answers.extend(self.rebalance(now));
        (Ok(()), answers)
    }

    /// Does what time demands.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Answer> {
        self.pending.retain(|_, expires| *expires > now);
        let silent = self.ids_where(|member| member.is_silent(now));
        let mut answers = Vec::new();
        for id in &silent {
            tracing::debug!(member = %id, "a member of a group fell silent");
            answers.extend(self.drop_member(id));
        }
        match self.phase {
            Phase::Assigning { deadline } if deadline <= now => {
                for id in self.ids_where(|member| member.syncing.is_none()) {
                    answers.extend(self.drop_member(&id));
                }
                answers.extend(self.rebalance(now));
            }
            Phase::Joining { .. } => answers.extend(self.complete_join(now)),
            _ if !silent.is_empty() => answers.extend(self.rebalance(now)),
            _ => {}
        }
        answers
    }

    /// When `tick` has something to do, unless something else happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Empty | Phase::Stable => None,
            Phase::Assigning { deadline } => Some(deadline),
            Phase::Joining { deadline, not_before } => match self.all_joined() {
                true => Some(not_before),
                false => Some(deadline.max(not_before)),
            },
        };
        let members = self.members.values().filter_map(Member::deadline);
        members.chain(self.pending.values().copied()).chain(phase).min()
    }

    fn ids_where(&self, is_meant: impl Fn(&Member) -> bool) -> Vec<String> {
        self.members.values().filter(|m| is_meant(m)).map(|m| m.id.clone()).collect()
    }

    /// Fails for who is not a member of this generation.
    fn check(&self, member: &MemberKey<'_>) -> Result<(), ResponseError> {
        if let Some(instance) = member.instance_id {
            match self.static_ids.get(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(id) if id != member.id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if !self.members.contains_key(member.id) {
            return Err(ResponseError::UnknownMemberId);
        }
        if member.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        Ok(())
    }

    /// Removes a member, and tells what it waits for.
    fn drop_member(&mut self, id: &str) -> Vec<Answer> {
        let Some(member) = self.members.remove(id) else { return Vec::new() };
        if let Some(instance) = &member.instance_id
            && self.static_ids.get(instance).is_some_and(|current| current == id)
        {
            self.static_ids.remove(instance);
        }
        member.refuse(ResponseError::UnknownMemberId)
    }
}

/// Who a member says it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemberKey<'a> {
    pub id: &'a str,
    pub instance_id: Option<&'a str>,
    pub generation: i32,
}

#[cfg(test)]
mod tests;
