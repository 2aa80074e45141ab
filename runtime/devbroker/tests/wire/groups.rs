//! Groups: joining, assigning, offsets, and what administrators see and do.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::*;

use crate::client::*;

fn join_request(group: &str, member: &str, protocol_type: &str) -> JoinGroupRequest {
    use join_group_request::JoinGroupRequestProtocol;
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("p"))
        .with_metadata(Bytes::from_static(b"metadata"));
    JoinGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(60_000)
        .with_member_id(text(member))
        .with_protocol_type(text(protocol_type))
        .with_protocols(vec![protocol])
}

/// Joins as clients do: asks for an id, then joins with it.
async fn join(client: &mut Client, group: &str, protocol_type: &str) -> JoinGroupResponse {
    let first = client.send(9, &join_request(group, "", protocol_type)).await;
    assert_eq!(first.error_code, ResponseError::MemberIdRequired.code());
    client.send(9, &join_request(group, &first.member_id, protocol_type)).await
}

async fn sync(
    client: &mut Client,
    group: &str,
    joined: &JoinGroupResponse,
    assignments: &[(&str, &'static str)],
) -> SyncGroupResponse {
    use sync_group_request::SyncGroupRequestAssignment;
    let assignment = |(id, to): &(&str, &'static str)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(id))
            .with_assignment(Bytes::from(*to))
    };
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(assignments.iter().map(assignment).collect());
    client.send(5, &request).await
}

async fn commit(client: &mut Client, group: &str, member: (&str, i32), offset: i64) -> i16 {
    use offset_commit_request::*;
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text("note")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_member_id(text(member.0))
        .with_generation_id_or_member_epoch(member.1)
        .with_topics(vec![topic]);
    client.send(8, &request).await.topics[0].partitions[0].error_code
}

/// All offsets of a group: topic, partition, offset, note.
async fn committed(client: &mut Client, group: &str) -> Vec<(String, i32, i64, String)> {
    use offset_fetch_request::OffsetFetchRequestGroup;
    let group =
        OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    let answer = client.send(8, &request).await;
    let mut out = vec![];
    for topic in &answer.groups[0].topics {
        for p in &topic.partitions {
            let note = p.metadata.as_ref().unwrap().to_string();
            out.push((topic.name.to_string(), p.partition_index, p.committed_offset, note));
        }
    }
    out
}

#[tokio::test]
async fn two_members_share_work_of_any_protocol_type() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let (mut one, mut two) = (Client::to(&broker).await, Client::to(&broker).await);
    let (a, b) = tokio::join!(join(&mut one, "g", "connect"), join(&mut two, "g", "connect"));
    assert_eq!((a.error_code, b.error_code, a.generation_id), (0, 0, b.generation_id));
    assert_eq!(a.leader, b.leader);
    let (leader, follower) = if a.leader == a.member_id { (&a, &b) } else { (&b, &a) };
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0));
    assert!(leader.members.iter().all(|member| member.metadata == "metadata"));
    let all = [(&*leader.member_id, "L"), (&*follower.member_id, "F")];
    let synced = async |client: &mut Client, me: &JoinGroupResponse| {
        let assignments: &[_] = if me.leader == me.member_id { &all } else { &[] };
        sync(client, "g", me, assignments).await.assignment
    };
    let (for_a, for_b) = tokio::join!(synced(&mut one, &a), synced(&mut two, &b));
    let (for_leader, for_follower) =
        if a.leader == a.member_id { (for_a, for_b) } else { (for_b, for_a) };
    assert_eq!((&for_leader[..], &for_follower[..]), (&b"L"[..], &b"F"[..]));
    let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text("g"))]);
    let described = one.send(5, &request).await.groups.remove(0);
    assert_eq!((&*described.group_state, &*described.protocol_type), ("Stable", "connect"));
    assert_eq!(described.members.len(), 2);
    assert_eq!(&*described.members[0].client_host, "/127.0.0.1");
    let member = leave_group_request::MemberIdentity::default().with_member_id(a.member_id.clone());
    let request =
        LeaveGroupRequest::default().with_group_id(GroupId(text("g"))).with_members(vec![member]);
    assert_eq!(one.send(5, &request).await.members[0].error_code, 0);
    let request = HeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_generation_id(b.generation_id)
        .with_member_id(b.member_id);
    let error = two.send(4, &request).await.error_code;
    assert_eq!(error, ResponseError::RebalanceInProgress.code());
}

#[tokio::test]
async fn offsets_are_for_members_and_survive_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let joined = join(&mut client, "g", "consumer").await;
    sync(&mut client, "g", &joined, &[(&*joined.member_id, "")]).await;
    let me = (&*joined.member_id, joined.generation_id);
    for (member, error) in [
        (me, 0),
        ((me.0, me.1 + 1), ResponseError::IllegalGeneration.code()),
        (("stranger", me.1), ResponseError::UnknownMemberId.code()),
        (("", -1), ResponseError::UnknownMemberId.code()),
    ] {
        assert_eq!(commit(&mut client, "g", member, 5).await, error, "{member:?}");
    }
    assert_eq!(commit(&mut client, "free", ("", -1), 7).await, 0);
    let broker = crash(broker, dir.path()).await;
    let mut client = Client::to(&broker).await;
    assert_eq!(committed(&mut client, "g").await, [("t".into(), 0, 5, "note".into())]);
    assert_eq!(committed(&mut client, "free").await, [("t".into(), 0, 7, "note".into())]);
    assert_eq!(committed(&mut client, "unknown").await, []);
    let illegal = ResponseError::IllegalGeneration.code();
    assert_eq!(commit(&mut client, "g", me, 6).await, illegal, "it has to join again");
}

#[tokio::test]
async fn groups_are_listed_by_state_and_deleted_when_empty() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let joined = join(&mut client, "busy", "consumer").await;
    sync(&mut client, "busy", &joined, &[(&*joined.member_id, "")]).await;
    commit(&mut client, "busy", (&*joined.member_id, joined.generation_id), 1).await;
    commit(&mut client, "idle", ("", -1), 1).await;
    let mut list = async |states: &[&str], types: &[&str]| {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|state| text(state)).collect())
            .with_types_filter(types.iter().map(|kind| text(kind)).collect());
        let groups = client.send(5, &request).await.groups;
        groups.iter().map(|group| group.group_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(&[], &[]).await, ["busy", "idle"]);
    assert_eq!(list(&["Stable"], &["classic"]).await, ["busy"]);
    assert_eq!(list(&["Empty"], &[]).await, ["idle"]);
    assert_eq!(list(&[], &["consumer"]).await, [""; 0]);
    use offset_delete_request::*;
    let mut delete_offset = async |group: &str| {
        let partition = OffsetDeleteRequestPartition::default();
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(topic_name("t"))
            .with_partitions(vec![partition]);
        let request = OffsetDeleteRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_topics(vec![topic]);
        let answer = client.send(0, &request).await;
        let of_partition = || answer.topics[0].partitions[0].error_code;
        if answer.error_code != 0 { answer.error_code } else { of_partition() }
    };
    let not_found = ResponseError::GroupIdNotFound.code();
    assert_eq!(delete_offset("idle").await, 0);
    assert_eq!(delete_offset("nobody").await, not_found);
    assert_eq!(delete_offset("busy").await, ResponseError::GroupSubscribedToTopic.code());
    commit(&mut client, "idle", ("", -1), 1).await;
    let names = ["busy", "idle", "nobody"].map(|name| GroupId(text(name))).to_vec();
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let answer = client.send(2, &request).await;
    let errors: Vec<i16> = answer.results.iter().map(|result| result.error_code).collect();
    assert_eq!(errors, [ResponseError::NonEmptyGroup.code(), 0, not_found]);
    assert_eq!(committed(&mut client, "idle").await, []);
}

#[tokio::test]
async fn a_member_whose_connection_breaks_is_missed_when_its_session_ends() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut lost = Client::to(&broker).await;
    let short = |member: &str| join_request("g", member, "consumer").with_session_timeout_ms(200);
    let first = lost.send(9, &short("")).await;
    let joined = lost.send(9, &short(&first.member_id)).await;
    sync(&mut lost, "g", &joined, &[]).await;
    drop(lost);
    let mut next = Client::to(&broker).await;
    let joined = join(&mut next, "g", "consumer").await;
    assert_eq!((joined.error_code, joined.members.len()), (0, 1));
    assert_eq!(joined.leader, joined.member_id);
}
