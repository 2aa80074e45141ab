//! How members join and a generation begins. Not here: assignments, heartbeats and leaving (`group`).

use std::time::Instant;

use kafka_protocol::ResponseError;

use super::{Answer, Group, Join, JoinAnswer, Joined, JoinedMember, Member, Phase, Ticket};

fn refused(ticket: Ticket, member_id: &str, error: ResponseError) -> Vec<Answer> {
    let answer = JoinAnswer { member_id: member_id.to_owned(), result: Err(error) };
    vec![Answer::Join(ticket, answer)]
}

impl Group {
    /// A member joins, or joins again.
    pub(crate) fn join(&mut self, ticket: Ticket, join: &Join, now: Instant) -> Vec<Answer> {
        if join.session_timeout.is_zero() {
            return refused(ticket, &join.member_id, ResponseError::InvalidSessionTimeout);
        }
        if !self.is_compatible(join) {
            return refused(ticket, &join.member_id, ResponseError::InconsistentGroupProtocol);
        }
        match (join.member_id.is_empty(), &join.instance_id) {
            (true, Some(instance)) => match self.static_ids.get(instance).cloned() {
                Some(old) => self.replace_static(ticket, &old, join, now),
                None => self.admit(ticket, join.new_id.clone(), join, now),
            },
            (true, None) if join.asks_twice => {
                self.pending.insert(join.new_id.clone(), now + join.session_timeout);
                refused(ticket, &join.new_id, ResponseError::MemberIdRequired)
            }
            (true, None) => self.admit(ticket, join.new_id.clone(), join, now),
            (false, _) => self.join_known(ticket, join, now),
        }
    }

    fn is_compatible(&self, join: &Join) -> bool {
        if join.protocols.is_empty() || join.protocol_type.is_empty() {
            return false;
        }
        let all_know = |name: &str| {
            self.members.values().filter(|m| m.id != join.member_id).all(|m| m.knows(name))
        };
        self.members.is_empty()
            || (self.protocol_type == join.protocol_type
                && join.protocols.iter().any(|protocol| all_know(&protocol.name)))
    }

    /// A member joins under an id it was given.
    fn join_known(&mut self, ticket: Ticket, join: &Join, now: Instant) -> Vec<Answer> {
        let id = &join.member_id;
        if let Some(instance) = &join.instance_id {
            match self.static_ids.get(instance) {
                None => return refused(ticket, id, ResponseError::UnknownMemberId),
                Some(current) if current != id => {
                    return refused(ticket, id, ResponseError::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.pending.remove(id).is_some() {
            return self.admit(ticket, id.clone(), join, now);
        }
        let Some(member) = self.members.get_mut(id) else {
            return refused(ticket, id, ResponseError::UnknownMemberId);
        };
        let is_unchanged = member.protocols == join.protocols;
        member.update(join, now);
        let is_leader = *id == self.leader;
        match self.phase {
            // It did not hear the answer, or has no reason to disturb the others.
            Phase::Assigning { .. } if is_unchanged => self.current(ticket, id, is_leader),
            Phase::Stable if is_unchanged && !is_leader => self.current(ticket, id, false),
            _ => self.wait_for_others(ticket, &join.member_id, now),
        }
    }

    /// A new member joins.
    fn admit(&mut self, ticket: Ticket, id: String, join: &Join, now: Instant) -> Vec<Answer> {
        self.protocol_type.clone_from(&join.protocol_type);
        if let Some(instance) = &join.instance_id {
            self.static_ids.insert(instance.clone(), id.clone());
        }
        self.members.insert(id.clone(), Member::new(id.clone(), join, now));
        // While the first members of a group gather, each new one gives the next a chance.
        if let Phase::Joining { deadline, not_before } = &mut self.phase
            && now < *not_before
        {
            *not_before = (now + self.initial_delay).min(*deadline);
        }
        self.wait_for_others(ticket, &id, now)
    }

    /// A static member came back, as after a restart: it gets the place it had, under a new id.
    fn replace_static(
        &mut self,
        ticket: Ticket,
        old: &str,
        join: &Join,
        now: Instant,
    ) -> Vec<Answer> {
        let id = join.new_id.clone();
        let Some(before) = self.members.remove(old) else {
            return self.admit(ticket, id, join, now);
        };
        let mut member = Member::new(id.clone(), join, now);
        member.assignment = before.assignment.clone();
        let is_unchanged = before.protocols == member.protocols;
        let mut answers = before.refuse(ResponseError::FencedInstanceId);
        if let Some(instance) = &join.instance_id {
            self.static_ids.insert(instance.clone(), id.clone());
        }
        self.members.insert(id.clone(), member);
        let was_leader = self.leader == old;
        if was_leader {
            self.leader.clone_from(&id);
        }
        if self.phase != Phase::Stable || !is_unchanged {
            answers.extend(self.wait_for_others(ticket, &id, now));
            return answers;
        }
        let mut joined = self.joined(was_leader && join.may_skip_assignment);
        if join.may_skip_assignment {
            joined.skip_assignment = was_leader;
        } else if was_leader {
            // An older client that heard it leads would make a new assignment, of which nobody else would hear.
            old.clone_into(&mut joined.leader);
        }
        answers.push(Answer::Join(ticket, JoinAnswer { member_id: id, result: Ok(joined) }));
        answers
    }

    fn current(&self, ticket: Ticket, id: &str, is_leader: bool) -> Vec<Answer> {
        let result = Ok(self.joined(is_leader));
        vec![Answer::Join(ticket, JoinAnswer { member_id: id.to_owned(), result })]
    }

    fn joined(&self, is_leader: bool) -> Joined {
        let describe = |member: &Member| JoinedMember {
            id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(&self.protocol),
        };
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            members: if is_leader { self.members.values().map(describe).collect() } else { vec![] },
        }
    }

    fn wait_for_others(&mut self, ticket: Ticket, id: &str, now: Instant) -> Vec<Answer> {
        let mut answers = Vec::new();
        if let Some(member) = self.members.get_mut(id)
            && let Some(earlier) = member.joining.replace(ticket)
        {
            answers.extend(refused(earlier, id, ResponseError::RebalanceInProgress));
        }
        answers.extend(self.rebalance(now));
        answers
    }

    /// Makes all members join again, if they are not doing so already.
    pub(super) fn rebalance(&mut self, now: Instant) -> Vec<Answer> {
        let mut answers = Vec::new();
        if !matches!(self.phase, Phase::Joining { .. }) {
            let delay = match self.phase {
                Phase::Empty => self.initial_delay,
                _ => Default::default(),
            };
            let deadline = now + self.longest_rebalance();
            self.phase = Phase::Joining { deadline, not_before: (now + delay).min(deadline) };
            for member in self.members.values_mut() {
                if let Some(ticket) = member.syncing.take() {
                    member.heard(now);
                    answers.push(Answer::Sync(ticket, Err(ResponseError::RebalanceInProgress)));
                }
            }
        }
        answers.extend(self.complete_join(now));
        answers
    }

    fn longest_rebalance(&self) -> std::time::Duration {
        self.members.values().map(|m| m.rebalance_timeout).max().unwrap_or_default()
    }

    pub(super) fn all_joined(&self) -> bool {
        self.members.values().all(|member| member.joining.is_some())
    }

    /// Begins a generation if nobody is waited for any more.
    pub(super) fn complete_join(&mut self, now: Instant) -> Vec<Answer> {
        let Phase::Joining { deadline, not_before } = self.phase else { return Vec::new() };
        if now < not_before || (now < deadline && !self.all_joined()) {
            return Vec::new();
        }
        let mut answers = Vec::new();
        // Static members keep their place until their session ends: they may be restarting.
        for id in self.ids_where(|m| m.joining.is_none() && m.instance_id.is_none()) {
            answers.extend(self.drop_member(&id));
        }
        self.generation = self.generation.wrapping_add(1).max(1);
        let has_joined = |member: &&Member| member.joining.is_some();
        let Some(first) = self.members.values().find(has_joined).map(|m| m.id.clone()) else {
            self.begin_without_members(now);
            return answers;
        };
        if self.members.get(&self.leader).is_none_or(|leader| leader.joining.is_none()) {
            self.leader = first;
        }
        self.protocol = self.chosen_protocol();
        self.phase = Phase::Assigning { deadline: now + self.longest_rebalance() };
        for member in self.members.values_mut() {
            member.assignment.clear();
        }
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else { continue };
            let Some(ticket) = member.joining.take() else { continue };
            member.heard(now);
            answers.extend(self.current(ticket, &id, id == self.leader));
        }
        answers
    }

    fn begin_without_members(&mut self, now: Instant) {
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.protocol.clear();
            self.leader.clear();
        } else {
            // Only static members are left, and none has come yet.
            let deadline = now + self.longest_rebalance();
            self.phase = Phase::Joining { deadline, not_before: now };
        }
    }

    /// Of the protocols that all know, the one that most prefer; the leader's order decides between equals.
    fn chosen_protocol(&self) -> String {
        let known_to_all = |name: &str| self.members.values().all(|member| member.knows(name));
        let favourite = |member: &Member| {
            member.protocols.iter().find(|p| known_to_all(&p.name)).map(|p| p.name.clone())
        };
        let votes: Vec<String> = self.members.values().filter_map(favourite).collect();
        let votes_for = |name: &str| votes.iter().filter(|vote| *vote == name).count();
        let leader = self.members.get(&self.leader);
        let candidates = leader.into_iter().flat_map(|leader| leader.protocols.iter().rev());
        let candidates = candidates.filter(|protocol| known_to_all(&protocol.name));
        let best = candidates.max_by_key(|protocol| votes_for(&protocol.name));
        best.map(|protocol| protocol.name.clone()).unwrap_or_default()
    }
}
