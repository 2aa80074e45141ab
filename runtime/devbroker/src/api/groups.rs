//! DescribeGroups, ListGroups, DeleteGroups: groups as an administrator sees them.

use std::collections::BTreeMap;

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Call, code, text};
use crate::group::{Group, Member};

/// All groups here are of the older of Kafka's two protocols.
const TYPE: &str = "classic";

/// What has only offsets.
const EMPTY: &str = "Empty";

/// What is not there.
const DEAD: &str = "Dead";

pub(crate) fn describe(call: &Call<'_>, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let coordinator = call.state.coordinator();
    let one = |id: GroupId| {
        let described = match coordinator.groups.get(&id) {
            Some(group) => describe_one(group),
            None if coordinator.offsets().of(&id).is_some() => {
                DescribedGroup::default().with_group_state(text(EMPTY))
            }
            None => DescribedGroup::default().with_group_state(text(DEAD)),
        };
        described.with_group_id(id)
    };
    DescribeGroupsResponse::default().with_groups(request.groups.into_iter().map(one).collect())
}

fn describe_one(group: &Group) -> DescribedGroup {
    let member = |member: &Member| {
        DescribedGroupMember::default()
            .with_member_id(text(&member.id))
            .with_group_instance_id(member.instance_id.as_ref().map(text))
            .with_client_id(text(&member.client_id))
            .with_client_host(text(&member.client_host))
            .with_member_metadata(member.metadata(group.protocol()))
            .with_member_assignment(member.assignment.clone())
    };
    DescribedGroup::default()
        .with_group_state(text(group.state_name()))
        .with_protocol_type(text(group.protocol_type()))
        .with_protocol_data(text(group.protocol()))
        .with_members(group.members().map(member).collect())
}

pub(crate) fn list(call: &Call<'_>, request: ListGroupsRequest) -> ListGroupsResponse {
    let coordinator = call.state.coordinator();
    let with_offsets = coordinator.offsets().groups().map(|(id, _)| (id, ("", EMPTY)));
    let mut groups: BTreeMap<&String, (&str, &str)> = with_offsets.collect();
    for (id, group) in coordinator.groups.all() {
        groups.insert(id, (group.protocol_type(), group.state_name()));
    }
    let passes = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let listed = groups
        .into_iter()
        .filter(|(_, (_, state))| passes(&request.states_filter, state))
        .filter(|_| passes(&request.types_filter, TYPE))
        .map(|(id, (protocol_type, state))| {
            ListedGroup::default()
                .with_group_id(GroupId(text(id)))
                .with_protocol_type(text(protocol_type))
                .with_group_state(text(state))
                .with_group_type(text(TYPE))
        });
    ListGroupsResponse::default().with_groups(listed.collect())
}

pub(crate) fn delete(call: &Call<'_>, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut coordinator = call.state.coordinator();
    let mut results = Vec::with_capacity(request.groups_names.len());
    for id in request.groups_names {
        let deleted = code(&coordinator.delete_group(&id));
        results.push(DeletableGroupResult::default().with_group_id(id).with_error_code(deleted));
    }
    DeleteGroupsResponse::default().with_results(results)
}
