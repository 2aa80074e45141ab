//! All groups, and the requests that wait for them. Not here: what a group does (`group`).

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use kafka_protocol::ResponseError;
use tokio::sync::oneshot;

use crate::group::{Answer, Group, Join, JoinAnswer, MemberKey, Synced, Ticket};

/// A request that waits.
#[derive(Debug)]
enum Waiting {
    Join(oneshot::Sender<JoinAnswer>),
    Sync(oneshot::Sender<Result<Synced, ResponseError>>),
}

/// All groups by id.
#[derive(Debug)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
    waiting: HashMap<Ticket, Waiting>,
    last_ticket: Ticket,
    initial_delay: Duration,
}

impl Groups {
    /// No groups yet; `initial_delay` as `Config::initial_rebalance_delay`.
    pub(crate) fn new(initial_delay: Duration) -> Self {
        Self { by_id: BTreeMap::new(), waiting: HashMap::new(), last_ticket: 0, initial_delay }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.by_id.iter()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// The answer arrives when the group is complete, or at once.
    pub(crate) fn join(&mut self, id: &str, join: &Join) -> oneshot::Receiver<JoinAnswer> {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.wait(Waiting::Join(sender));
        let delay = self.initial_delay;
        let group = self.by_id.entry(id.to_owned()).or_insert_with(|| Group::new(delay));
        let answers = group.join(ticket, join, Instant::now());
        self.deliver(answers);
        receiver
    }

    /// The answer arrives when the leader has assigned, or at once.
    pub(crate) fn sync(
        &mut self,
        id: &str,
        member: &MemberKey<'_>,
        assignments: Vec<(String, bytes::Bytes)>,
    ) -> oneshot::Receiver<Result<Synced, ResponseError>> {
        let (sender, receiver) = oneshot::channel();
        let ticket = self.wait(Waiting::Sync(sender));
        let answers = match self.by_id.get_mut(id) {
            Some(group) => group.sync(ticket, member, assignments, Instant::now()),
            None => vec![Answer::Sync(ticket, Err(ResponseError::UnknownMemberId))],
        };
        self.deliver(answers);
        receiver
    }

    pub(crate) fn heartbeat(
        &mut self,
        id: &str,
        member: &MemberKey<'_>,
    ) -> Result<(), ResponseError> {
        let group = self.by_id.get_mut(id).ok_or(ResponseError::UnknownMemberId)?;
        group.heartbeat(member, Instant::now())
    }

    pub(crate) fn leave(
        &mut self,
        id: &str,
        member_id: &str,
        instance_id: Option<&str>,
    ) -> Result<(), ResponseError> {
        let group = self.by_id.get_mut(id).ok_or(ResponseError::UnknownMemberId)?;
        let (result, answers) = group.leave(member_id, instance_id, Instant::now());
        self.deliver(answers);
        result
    }

    /// Whether offsets of a group may be committed by who asks.
    pub(crate) fn may_commit(
        &mut self,
        id: &str,
        member: &MemberKey<'_>,
    ) -> Result<(), ResponseError> {
        match self.by_id.get_mut(id) {
            Some(group) => group.may_commit(member, Instant::now()),
            // After a restart of the broker, for instance: the member has to join again.
            None if member.generation >= 0 => Err(ResponseError::IllegalGeneration),
            None => Ok(()),
        }
    }

    /// Does what time demands, and forgets groups without members and offsets.
    pub(crate) fn tick(&mut self, now: Instant, has_offsets: impl Fn(&str) -> bool) {
        let answers: Vec<_> = self.by_id.values_mut().flat_map(|group| group.tick(now)).collect();
        self.deliver(answers);
        self.by_id.retain(|id, group| !group.is_unused() || has_offsets(id));
    }

    /// When `tick` has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.by_id.values().filter_map(Group::deadline).min()
    }

    fn wait(&mut self, waiting: Waiting) -> Ticket {
        self.last_ticket += 1;
        self.waiting.insert(self.last_ticket, waiting);
        self.last_ticket
    }

    /// Hands out answers. A client that went away does not hear its own, which is as it should be.
    fn deliver(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            match answer {
                Answer::Join(ticket, answer) => {
                    if let Some(Waiting::Join(sender)) = self.waiting.remove(&ticket) {
                        drop(sender.send(answer));
                    }
                }
                Answer::Sync(ticket, answer) => {
                    if let Some(Waiting::Sync(sender)) = self.waiting.remove(&ticket) {
                        drop(sender.send(answer));
                    }
                }
            }
        }
    }
}
