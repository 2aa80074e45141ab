//! Tests of a group as a state machine.

use std::collections::VecDeque;

use super::*;

const SESSION: Duration = Duration::from_secs(10);
const REBALANCE: Duration = Duration::from_secs(60);
const DELAY: Duration = Duration::from_secs(3);

/// A group with a clock, and the answers that were given.
struct Play {
    group: Group,
    now: Instant,
    last_ticket: Ticket,
    answers: Vec<Answer>,
    ids: VecDeque<String>,
}

impl Play {
    fn new(initial_delay: Duration) -> Self {
        Self {
            group: Group::new(initial_delay),
            now: Instant::now(),
            last_ticket: 0,
            answers: vec![],
            ids: VecDeque::new(),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        self.last_ticket
    }

    fn join(&mut self, join: &Join) -> Ticket {
        let ticket = self.ticket();
        let answers = self.group.join(ticket, join, self.now);
        self.answers.extend(answers);
        ticket
    }

    fn sync(&mut self, id: &str, generation: i32, assignments: &[(&str, &'static str)]) -> Ticket {
        let ticket = self.ticket();
        let key = MemberKey { id, instance_id: None, generation };
        let assignments =
            assignments.iter().map(|(id, to)| ((*id).to_owned(), Bytes::from(*to))).collect();
        let answers = self.group.sync(ticket, &key, assignments, self.now);
        self.answers.extend(answers);
        ticket
    }

    fn leave(&mut self, id: &str) {
        let (left, answers) = self.group.leave(id, None, self.now);
        left.unwrap();
        self.answers.extend(answers);
    }

    fn heartbeat(&mut self, id: &str) -> Result<(), ResponseError> {
        let generation = self.group.generation;
        self.group.heartbeat(&MemberKey { id, instance_id: None, generation }, self.now)
    }

    /// Lets time pass, and does on the way what it demands; each deadline must bring something.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100 {
            match self.group.deadline() {
                Some(deadline) if deadline <= end => {
                    self.now = self.now.max(deadline);
                    let answers = self.group.tick(self.now);
                    self.answers.extend(answers);
                }
                _ => {
                    self.now = end;
                    return;
                }
            }
        }
        panic!("the group's deadlines do not move: {:?}", self.group);
    }

    fn joined(&self, ticket: Ticket) -> Option<Result<Joined, ResponseError>> {
        self.answers.iter().find_map(|answer| match answer {
            Answer::Join(of, answer) if *of == ticket => Some(answer.result.clone()),
            _ => None,
        })
    }

    fn member_id(&self, ticket: Ticket) -> String {
        let id = self.answers.iter().find_map(|answer| match answer {
            Answer::Join(of, answer) if *of == ticket => Some(answer.member_id.clone()),
            _ => None,
        });
        id.expect("an answer")
    }

    fn synced(&self, ticket: Ticket) -> Option<Result<Bytes, ResponseError>> {
        self.answers.iter().find_map(|answer| match answer {
            Answer::Sync(of, answer) if *of == ticket => Some(answer.clone().map(|s| s.assignment)),
            _ => None,
        })
    }

    /// Members a and b, stable in generation 1, led by a.
    fn of_two() -> Self {
        let mut play = Self::new(DELAY);
        let (a, b) = (play.join(&new("a")), play.join(&new("b")));
        play.pass(DELAY);
        assert_eq!(play.joined(a).unwrap().unwrap().members.len(), 2);
        assert_eq!(play.joined(b).unwrap().unwrap().generation, 1);
        let b = play.sync("b", 1, &[]);
        play.sync("a", 1, &[("a", "A"), ("b", "B")]);
        assert_eq!(play.synced(b), Some(Ok(Bytes::from("B"))));
        assert_eq!(play.group.state_name(), "Stable");
        play
    }
}

/// A request of a new member that gets an id without being asked to come back with it.
fn new(new_id: &str) -> Join {
    Join {
        member_id: String::new(),
        new_id: new_id.to_owned(),
        instance_id: None,
        client_id: "client".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout: SESSION,
        rebalance_timeout: REBALANCE,
        protocol_type: "consumer".into(),
        protocols: protocols(&["range"]),
        asks_twice: false,
        may_skip_assignment: false,
    }
}

fn again(id: &str) -> Join {
    Join { member_id: id.to_owned(), ..new("unused") }
}

fn fixed(instance: &str, new_id: &str) -> Join {
    Join { instance_id: Some(instance.to_owned()), may_skip_assignment: true, ..new(new_id) }
}

fn protocols(names: &[&'static str]) -> Vec<Protocol> {
    let protocol = |name: &&'static str| Protocol {
        name: (*name).to_owned(),
        metadata: Bytes::from_static(name.as_bytes()),
    };
    names.iter().map(protocol).collect()
}

#[test]
fn the_first_members_wait_for_each_other_and_then_the_leader_assigns() {
    Play::of_two();
}

#[test]
fn each_new_member_prolongs_the_first_wait_a_little() {
    let mut play = Play::new(DELAY);
    let a = play.join(&new("a"));
    play.pass(DELAY / 2);
    let b = play.join(&new("b"));
    play.pass(DELAY * 3 / 4);
    assert_eq!(play.joined(a), None);
    play.pass(DELAY / 4);
    assert!(play.joined(a).is_some() && play.joined(b).is_some());
}

#[test]
fn a_client_that_knows_how_is_asked_to_come_back_with_its_id() {
    let mut play = Play::new(Duration::ZERO);
    let first = play.join(&Join { asks_twice: true, ..new("a") });
    assert_eq!(play.joined(first), Some(Err(ResponseError::MemberIdRequired)));
    assert_eq!(play.member_id(first), "a");
    assert!(!play.group.has_members());
    let second = play.join(&again("a"));
    assert_eq!(play.joined(second).unwrap().unwrap().leader, "a");
    let stranger = play.join(&again("x"));
    assert_eq!(play.joined(stranger), Some(Err(ResponseError::UnknownMemberId)));
    let late = play.join(&Join { asks_twice: true, ..new("b") });
    assert_eq!(play.member_id(late), "b");
    // The leader keeps alive, while the other does not come back.
    for _ in 0..3 {
        play.sync("a", 1, &[]);
        play.pass(SESSION / 2);
    }
    let too_late = play.join(&again("b"));
    assert_eq!(play.joined(too_late), Some(Err(ResponseError::UnknownMemberId)));
}

#[test]
fn a_third_member_makes_the_others_join_again() {
    let mut play = Play::of_two();
    let c = play.join(&new("c"));
    assert_eq!(play.heartbeat("a"), Err(ResponseError::RebalanceInProgress));
    assert_eq!(play.group.state_name(), "PreparingRebalance");
    let sync = play.sync("b", 1, &[]);
    assert_eq!(play.synced(sync), Some(Err(ResponseError::RebalanceInProgress)));
    let (a, b) = (play.join(&again("a")), play.join(&again("b")));
    for ticket in [a, b, c] {
        let joined = play.joined(ticket).unwrap().unwrap();
        assert_eq!((joined.generation, joined.leader.as_str()), (2, "a"));
        assert_eq!(joined.members.len(), if ticket == a { 3 } else { 0 });
    }
    assert_eq!(play.group.state_name(), "CompletingRebalance");
    assert_eq!(play.heartbeat("b"), Ok(()));
    let old = play.sync("b", 1, &[]);
    assert_eq!(play.synced(old), Some(Err(ResponseError::IllegalGeneration)));
}

#[test]
fn who_does_not_join_again_in_time_is_dropped() {
    let mut play = Play::of_two();
    let c = play.join(&new("c"));
    play.join(&again("a"));
    // It sends heartbeats, but is too busy to join.
    for _ in 0..12 {
        assert_eq!(play.heartbeat("b"), Err(ResponseError::RebalanceInProgress));
        play.pass(REBALANCE / 12);
    }
    assert_eq!(play.joined(c).unwrap().unwrap().generation, 2);
    assert_eq!(play.heartbeat("b"), Err(ResponseError::UnknownMemberId));
}

#[test]
fn who_falls_silent_is_dropped_and_the_others_go_on() {
    let mut play = Play::of_two();
    play.pass(SESSION / 2);
    play.heartbeat("b").unwrap();
    play.pass(SESSION * 3 / 4);
    assert_eq!(play.heartbeat("b"), Err(ResponseError::RebalanceInProgress));
    let b = play.join(&again("b"));
    let joined = play.joined(b).unwrap().unwrap();
    assert_eq!((joined.generation, joined.leader.as_str()), (2, "b"));
}

#[test]
fn who_leaves_is_gone_at_once_and_the_last_leaves_an_empty_group() {
    let mut play = Play::of_two();
    play.leave("a");
    assert_eq!(play.heartbeat("b"), Err(ResponseError::RebalanceInProgress));
    let b = play.join(&again("b"));
    assert_eq!(play.joined(b).unwrap().unwrap().leader, "b");
    play.leave("b");
    assert_eq!(play.group.state_name(), "Empty");
    assert!(play.group.is_unused());
    assert_eq!(play.group.deadline(), None);
    let (left, _) = play.group.leave("b", None, play.now);
    assert_eq!(left, Err(ResponseError::UnknownMemberId));
}

#[test]
fn a_leader_that_never_assigns_is_replaced() {
    let mut play = Play::new(Duration::ZERO);
    let a = play.join(&new("a"));
    assert!(play.joined(a).is_some());
    let b = play.join(&new("b"));
    let a = play.join(&again("a"));
    assert_eq!(play.joined(a).unwrap().unwrap().leader, "a");
    assert!(play.joined(b).is_some());
    let waiting = play.sync("b", 2, &[]);
    for _ in 0..12 {
        play.heartbeat("a").unwrap_or_default();
        play.pass(REBALANCE / 12);
    }
    assert_eq!(play.synced(waiting), Some(Err(ResponseError::RebalanceInProgress)));
    let b = play.join(&again("b"));
    assert_eq!(play.joined(b).unwrap().unwrap().leader, "b");
}

#[test]
fn a_member_that_asks_again_hears_the_same_and_disturbs_nobody() {
    let mut play = Play::of_two();
    let b = play.join(&again("b"));
    assert_eq!(play.joined(b).unwrap().unwrap().generation, 1);
    let sync = play.sync("b", 1, &[]);
    assert_eq!(play.synced(sync), Some(Ok(Bytes::from("B"))));
    assert_eq!(play.group.state_name(), "Stable");
    play.join(&again("a"));
    assert_eq!(play.group.state_name(), "PreparingRebalance", "a leader means it");
}

#[test]
fn changed_metadata_means_a_new_generation() {
    let mut play = Play::of_two();
    let b = play.join(&Join { protocols: protocols(&["range", "sticky"]), ..again("b") });
    assert_eq!(play.joined(b), None);
    assert_eq!(play.group.state_name(), "PreparingRebalance");
}

#[test]
fn members_must_have_a_protocol_in_common_and_the_favourite_is_chosen() {
    let mut play = Play::new(DELAY);
    for (id, names) in [
        ("a", &["range", "roundrobin", "sticky"][..]),
        ("b", &["sticky", "range", "unknown"]),
        ("c", &["sticky", "range"]),
    ] {
        play.join(&Join { protocols: protocols(names), ..new(id) });
    }
    let stranger = play.join(&Join { protocols: protocols(&["other"]), ..new("x") });
    let connect = play.join(&Join { protocol_type: "connect".into(), ..new("y") });
    let inconsistent = Some(Err(ResponseError::InconsistentGroupProtocol));
    assert_eq!(play.joined(stranger), inconsistent);
    assert_eq!(play.joined(connect), inconsistent);
    play.pass(DELAY);
    assert_eq!(play.group.protocol(), "sticky");
    let joined = play.joined(1).unwrap().unwrap();
    assert!(joined.members.iter().all(|member| member.metadata == "sticky"));
}

#[test]
fn a_static_member_that_comes_back_gets_its_place_without_a_rebalance() {
    let mut play = Play::new(Duration::ZERO);
    play.join(&fixed("one", "a1"));
    play.sync_as("a1", "one", 1, &[("a1", "A")]);
    let b = play.join(&fixed("two", "b1"));
    let a = play.join(&Join { member_id: "a1".into(), ..fixed("one", "unused") });
    assert!(play.joined(a).is_some() && play.joined(b).is_some());
    play.sync_as("a1", "one", 2, &[("a1", "A"), ("b1", "B")]);
    // The follower restarts.
    let b = play.join(&fixed("two", "b2"));
    let joined = play.joined(b).unwrap().unwrap();
    assert_eq!((joined.generation, joined.leader.as_str()), (2, "a1"));
    assert!(!joined.skip_assignment && joined.members.is_empty());
    let sync = play.sync_as("b2", "two", 2, &[]);
    assert_eq!(play.synced(sync), Some(Ok(Bytes::from("B"))));
    // The leader restarts, and hears that the assignment stands.
    let a = play.join(&fixed("one", "a2"));
    let joined = play.joined(a).unwrap().unwrap();
    assert_eq!((joined.leader.as_str(), joined.skip_assignment), ("a2", true));
    assert_eq!(joined.members.len(), 2);
    // An older client hears that it follows.
    let a = play.join(&Join { may_skip_assignment: false, ..fixed("one", "a3") });
    let joined = play.joined(a).unwrap().unwrap();
    assert_eq!((joined.leader.as_str(), joined.skip_assignment), ("a2", false));
    // Its predecessor is fenced.
    let key = MemberKey { id: "a2", instance_id: Some("one"), generation: 2 };
    assert_eq!(play.group.heartbeat(&key, play.now), Err(ResponseError::FencedInstanceId));
    let (left, _) = play.group.leave("a2", Some("one"), play.now);
    assert_eq!(left, Err(ResponseError::FencedInstanceId));
    let (left, _) = play.group.leave("", Some("one"), play.now);
    assert_eq!(left, Ok(()), "an administrator names the instance alone");
}

impl Play {
    fn sync_as(
        &mut self,
        id: &str,
        instance: &str,
        generation: i32,
        assignments: &[(&str, &'static str)],
    ) -> Ticket {
        let ticket = self.ticket();
        let key = MemberKey { id, instance_id: Some(instance), generation };
        let assignments =
            assignments.iter().map(|(id, to)| ((*id).to_owned(), Bytes::from(*to))).collect();
        let answers = self.group.sync(ticket, &key, assignments, self.now);
        self.answers.extend(answers);
        ticket
    }
}

#[test]
fn a_static_member_keeps_its_place_through_a_rebalance_until_its_session_ends() {
    let mut play = Play::new(Duration::ZERO);
    let long = Join { session_timeout: REBALANCE * 3, ..fixed("one", "a1") };
    play.join(&long);
    play.sync_as("a1", "one", 1, &[("a1", "A")]);
    let b = play.join(&new("b"));
    play.pass(REBALANCE);
    let joined = play.joined(b).unwrap().unwrap();
    assert_eq!((joined.leader.as_str(), joined.members.len()), ("b", 2));
    play.sync("b", 2, &[("b", "B"), ("a1", "A")]);
    let a = play.join(&Join { instance_id: Some("one".into()), ..again("a1") });
    assert!(matches!(play.joined(a), Some(Ok(joined)) if joined.generation == 2));
    for _ in 0..40 {
        play.pass(SESSION / 2);
        play.heartbeat("b").unwrap_or_default();
    }
    assert!(play.group.members().all(|member| member.id == "b"));
}

#[test]
fn offsets_may_be_committed_by_members_and_by_others_while_there_are_none() {
    let mut play = Play::of_two();
    let mut may = |id: &str, generation| {
        let key = MemberKey { id, instance_id: None, generation };
        play.group.may_commit(&key, play.now)
    };
    assert_eq!(may("a", 1), Ok(()));
    assert_eq!(may("a", 0), Err(ResponseError::IllegalGeneration));
    assert_eq!(may("x", 1), Err(ResponseError::UnknownMemberId));
    assert_eq!(may("", -1), Err(ResponseError::UnknownMemberId));
    let mut empty = Group::new(DELAY);
    let key = MemberKey { id: "", instance_id: None, generation: -1 };
    assert_eq!(empty.may_commit(&key, play.now), Ok(()));
    let key = MemberKey { id: "", instance_id: None, generation: 1 };
    assert_eq!(empty.may_commit(&key, play.now), Err(ResponseError::UnknownMemberId));
}

mod any_order {
    //! Whatever clients do in whatever order: every request is answered once, and time always moves on.

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        New { is_fixed: bool },
        Again(usize),
        Sync(usize),
        Heartbeat(usize),
        Leave(usize),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<bool>().prop_map(|is_fixed| Step::New { is_fixed }),
            (0usize..5).prop_map(Step::Again),
            (0usize..5).prop_map(Step::Sync),
            (0usize..5).prop_map(Step::Heartbeat),
            (0usize..5).prop_map(Step::Leave),
            (0u64..40).prop_map(Step::Pass),
        ]
    }

    proptest! {
        #[test]
        fn everyone_is_answered(steps in proptest::collection::vec(step(), 1..60)) {
            let mut play = Play::new(DELAY);
            for (i, step) in steps.into_iter().enumerate() {
                let known = |n: usize, play: &Play| play.ids.get(n % play.ids.len().max(1)).cloned();
                match step {
                    Step::New { is_fixed } => {
                        let id = format!("m{i}");
                        let join = if is_fixed { fixed("one", &id) } else { new(&id) };
                        play.join(&join);
                        play.ids.push_front(id);
                    }
                    Step::Again(n) => if let Some(id) = known(n, &play) {
                        play.join(&again(&id));
                    },
                    Step::Sync(n) => if let Some(id) = known(n, &play) {
                        let generation = play.group.generation;
                        play.sync(&id, generation, &[]);
                    },
                    Step::Heartbeat(n) => if let Some(id) = known(n, &play) {
                        play.heartbeat(&id).unwrap_or_default();
                    },
                    Step::Leave(n) => if let Some(id) = known(n, &play) {
                        let (_, answers) = play.group.leave(&id, None, play.now);
                        play.answers.extend(answers);
                    },
                    Step::Pass(seconds) => play.pass(Duration::from_secs(seconds)),
                }
            }
            play.pass(REBALANCE * 10);
            prop_assert!(!play.group.has_members(), "all fell silent: {:?}", play.group);
            prop_assert_eq!(play.group.deadline(), None);
            let mut tickets: Vec<Ticket> = play.answers.iter().map(|answer| match answer {
                Answer::Join(ticket, _) | Answer::Sync(ticket, _) => *ticket,
            }).collect();
            tickets.sort();
            prop_assert_eq!(tickets, (1..=play.last_ticket).collect::<Vec<_>>());
        }
    }
}
