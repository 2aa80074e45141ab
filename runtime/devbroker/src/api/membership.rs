//! JoinGroup, SyncGroup, Heartbeat, LeaveGroup: what members of a group do.

use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use uuid::Uuid;

use super::{Call, code, text};
use crate::group::{Join, JoinAnswer, Joined, MemberKey, Protocol};

/// Longest session that Kafka allows (`group.max.session.timeout.ms`).
const SESSION_TIMEOUT_MAX: Duration = Duration::from_secs(1_800);

/// Shortest wait for members to join again, so that a member that forgot to say does not make the group spin.
const REBALANCE_TIMEOUT_MIN: Duration = Duration::from_millis(100);

fn milliseconds(from: i32) -> Duration {
    Duration::from_millis(u64::try_from(from).unwrap_or(0))
}

pub(crate) async fn join(call: &Call<'_>, request: JoinGroupRequest) -> JoinGroupResponse {
    let asked = request.member_id.to_string();
    let refuse = |error| answer_join(call, JoinAnswer { member_id: asked, result: Err(error) });
    if request.group_id.is_empty() {
        return refuse(ResponseError::InvalidGroupId);
    }
    let join = read_join(call, &request);
    if join.session_timeout > SESSION_TIMEOUT_MAX {
        return refuse(ResponseError::InvalidSessionTimeout);
    }
    let answer = {
        let mut coordinator = call.state.coordinator();
        coordinator.groups.join(&request.group_id, &join)
    };
    call.state.timer.notify_one();
    match answer.await {
        Ok(answer) => answer_join(call, answer),
        // The group was deleted meanwhile.
        Err(_) => refuse(ResponseError::UnknownMemberId),
    }
}

fn read_join(call: &Call<'_>, request: &JoinGroupRequest) -> Join {
    let instance_id = request.group_instance_id.as_ref().map(ToString::to_string);
    let name = instance_id.as_deref().unwrap_or(call.client_id);
    let session_timeout = milliseconds(request.session_timeout_ms);
    let rebalance_timeout = match call.version {
        0 => session_timeout,
        _ => milliseconds(request.rebalance_timeout_ms),
    };
    let protocol = |p: &kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol| {
        Protocol { name: p.name.to_string(), metadata: p.metadata.clone() }
    };
    Join {
        member_id: request.member_id.to_string(),
        new_id: format!("{name}-{}", Uuid::new_v4()),
        instance_id,
        client_id: call.client_id.to_owned(),
        client_host: call.peer.host.clone(),
        session_timeout,
        rebalance_timeout: rebalance_timeout.max(REBALANCE_TIMEOUT_MIN),
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.iter().map(protocol).collect(),
        asks_twice: call.version >= 4,
        may_skip_assignment: call.version >= 9,
    }
}

fn answer_join(call: &Call<'_>, answer: JoinAnswer) -> JoinGroupResponse {
    let response = JoinGroupResponse::default().with_member_id(text(answer.member_id));
    match answer.result {
        Ok(joined) => describe_joined(response, joined),
        Err(error) => response
            .with_error_code(error.code())
            .with_generation_id(-1)
            // Null is understood from version 7 on.
            .with_protocol_name((call.version < 7).then(|| text(""))),
    }
}

fn describe_joined(response: JoinGroupResponse, joined: Joined) -> JoinGroupResponse {
    let member = |member: crate::group::JoinedMember| {
        JoinGroupResponseMember::default()
            .with_member_id(text(member.id))
            .with_group_instance_id(member.instance_id.map(text))
            .with_metadata(member.metadata)
    };
    response
        .with_generation_id(joined.generation)
        .with_protocol_type(Some(text(joined.protocol_type)))
        .with_protocol_name(Some(text(joined.protocol)))
        .with_leader(text(joined.leader))
        .with_skip_assignment(joined.skip_assignment)
        .with_members(joined.members.into_iter().map(member).collect())
}

pub(crate) async fn sync(call: &Call<'_>, request: SyncGroupRequest) -> SyncGroupResponse {
    let member = MemberKey {
        id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let assignments = request.assignments.iter();
    let assignments =
        assignments.map(|one| (one.member_id.to_string(), one.assignment.clone())).collect();
    let answer = {
        let mut coordinator = call.state.coordinator();
        coordinator.groups.sync(&request.group_id, &member, assignments)
    };
    call.state.timer.notify_one();
    let response = SyncGroupResponse::default();
    match answer.await.unwrap_or(Err(ResponseError::UnknownMemberId)) {
        Ok(synced) => response
            .with_protocol_type(Some(text(synced.protocol_type)))
            .with_protocol_name(Some(text(synced.protocol)))
            .with_assignment(synced.assignment),
        Err(error) => response.with_error_code(error.code()),
    }
}

pub(crate) fn heartbeat(call: &Call<'_>, request: HeartbeatRequest) -> HeartbeatResponse {
    let member = MemberKey {
        id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let alive = call.state.coordinator().groups.heartbeat(&request.group_id, &member);
    HeartbeatResponse::default().with_error_code(code(&alive))
}

pub(crate) fn leave(call: &Call<'_>, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let mut coordinator = call.state.coordinator();
    let mut leave = |id: &str, instance_id: Option<&str>| {
        code(&coordinator.groups.leave(&request.group_id, id, instance_id))
    };
    let response = if call.version < 3 {
        LeaveGroupResponse::default().with_error_code(leave(&request.member_id, None))
    } else {
        let mut members = Vec::with_capacity(request.members.len());
        for member in request.members {
            let error = leave(&member.member_id, member.group_instance_id.as_deref());
            members.push(
                MemberResponse::default()
                    .with_member_id(member.member_id)
                    .with_group_instance_id(member.group_instance_id)
                    .with_error_code(error),
            );
        }
        LeaveGroupResponse::default().with_members(members)
    };
    drop(coordinator);
    call.state.timer.notify_one();
    response
}
