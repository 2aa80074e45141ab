//! Requests about consumer groups.
//!
//! Not here: being a member of one.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as native;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use super::client::Client;
use super::list::Entry;
use super::queue::Event;
use super::request::{Op, Request, array, submit};
use super::{Code, PartitionList, c_string, code, error, owned, take_error};
use crate::error::Error;

/// How long librdkafka itself waits for an answer; its maximum.
///
/// A request that it gives up before it has found the group's coordinator, it frees twice once that is found, and ends the process
/// (its pull request 5397, in no version yet). So our own wait ends first, and what was asked for is answered later to nobody.
const LIBRDKAFKA_WAIT: Duration = Duration::from_secs(60 * 60);

/// The answer, if it comes within `wait`.
async fn answer(request: Request, group: &str, wait: Duration) -> Result<Event, Error> {
    let answer = tokio::time::timeout(wait, request.answer()).await;
    answer.unwrap_or_else(|_| Err(error(code::TIMED_OUT, group, "")))
}

/// Offsets committed by a group: of these partitions, or of all. Partitions without one are left out.
pub(crate) async fn group_offsets(
    client: &Arc<Client>,
    group: &str,
    partitions: Option<&[TopicPartition]>,
    wait: Duration,
) -> Result<Vec<PartitionOffset>, Error> {
    let request = {
        let c_group = c_string(group)?;
        let list = partitions.map(PartitionList::of).transpose()?;
        let op = Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
        submit(client, op, group, LIBRDKAFKA_WAIT, |rk, options, queue| {
            let list = list.as_ref().map_or(std::ptr::null_mut(), PartitionList::ptr);
            // SAFETY: all is live during the calls; the request is copied and destroyed once.
            unsafe {
                take_error(native::rd_kafka_AdminOptions_set_require_stable_offsets(options, 1));
                let one = native::rd_kafka_ListConsumerGroupOffsets_new(c_group.as_ptr(), list);
                let mut all = [one];
                native::rd_kafka_ListConsumerGroupOffsets(rk, all.as_mut_ptr(), 1, options, queue);
                native::rd_kafka_ListConsumerGroupOffsets_destroy(one);
            }
        })
    };
    let event = answer(request, group, wait).await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let groups = unsafe {
        let result = native::rd_kafka_event_ListConsumerGroupOffsets_result(event.ptr);
        array(
            native::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count),
            count,
        )
    };
    // SAFETY: the event lives until the end of this function.
    let entries = unsafe { group_result(groups, group) }?;
    Ok(entries.iter().filter(|entry| entry.offset >= 0).map(Entry::with_offset).collect())
}

/// Sets committed offsets of a group without members.
pub(crate) async fn alter_group_offsets(
    client: &Arc<Client>,
    group: &str,
    offsets: &[PartitionOffset],
    wait: Duration,
) -> Result<(), Error> {
    let request = {
        let (c_group, list) = (c_string(group)?, PartitionList::of_offsets(offsets)?);
        let op = Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS;
        submit(client, op, group, LIBRDKAFKA_WAIT, |rk, options, queue| {
            // SAFETY: all is live during the calls; the request is copied and destroyed once.
            unsafe {
                let one =
                    native::rd_kafka_AlterConsumerGroupOffsets_new(c_group.as_ptr(), list.ptr());
                let mut all = [one];
                native::rd_kafka_AlterConsumerGroupOffsets(rk, all.as_mut_ptr(), 1, options, queue);
                native::rd_kafka_AlterConsumerGroupOffsets_destroy(one);
            }
        })
    };
    let event = answer(request, group, wait).await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let groups = unsafe {
        let result = native::rd_kafka_event_AlterConsumerGroupOffsets_result(event.ptr);
        array(
            native::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut count),
            count,
        )
    };
    // SAFETY: the event lives until the end of this function.
    unsafe { group_result(groups, group) }.map(drop)
}

/// Forgets committed offsets of a group without members.
pub(crate) async fn delete_group_offsets(
    client: &Arc<Client>,
    group: &str,
    partitions: &[TopicPartition],
    wait: Duration,
) -> Result<(), Error> {
    let request = {
        let (c_group, list) = (c_string(group)?, PartitionList::of(partitions)?);
        let op = Op::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS;
        submit(client, op, group, LIBRDKAFKA_WAIT, |rk, options, queue| {
            // SAFETY: all is live during the calls; the request is copied and destroyed once.
            unsafe {
                let one =
                    native::rd_kafka_DeleteConsumerGroupOffsets_new(c_group.as_ptr(), list.ptr());
                let mut all = [one];
                native::rd_kafka_DeleteConsumerGroupOffsets(
                    rk,
                    all.as_mut_ptr(),
                    1,
                    options,
                    queue,
                );
                native::rd_kafka_DeleteConsumerGroupOffsets_destroy(one);
            }
        })
    };
    let event = answer(request, group, wait).await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let groups = unsafe {
        let result = native::rd_kafka_event_DeleteConsumerGroupOffsets_result(event.ptr);
        array(
            native::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &raw mut count),
            count,
        )
    };
    // SAFETY: the event lives until the end of this function.
    unsafe { group_result(groups, group) }.map(drop)
}

/// Deletes a group without members. Answers false when it did not exist.
pub(crate) async fn delete_group(
    client: &Arc<Client>,
    group: &str,
    wait: Duration,
) -> Result<bool, Error> {
    let request = {
        let c_group = c_string(group)?;
        let op = Op::RD_KAFKA_ADMIN_OP_DELETEGROUPS;
        submit(client, op, group, LIBRDKAFKA_WAIT, |rk, options, queue| {
            // SAFETY: all is live during the calls; the object is copied and destroyed once.
            unsafe {
                let one = native::rd_kafka_DeleteGroup_new(c_group.as_ptr());
                let mut all = [one];
                native::rd_kafka_DeleteGroups(rk, all.as_mut_ptr(), 1, options, queue);
                native::rd_kafka_DeleteGroup_destroy(one);
            }
        })
    };
    let event = answer(request, group, wait).await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let groups = unsafe {
        let result = native::rd_kafka_event_DeleteGroups_result(event.ptr);
        array(native::rd_kafka_DeleteGroups_result_groups(result, &raw mut count), count)
    };
    // SAFETY: the event lives until the end of this function.
    match unsafe { group_failure(groups) } {
        None => Ok(true),
        Some((code::GROUP_ID_NOT_FOUND, _)) => Ok(false),
        Some((failed, reason)) => Err(error(failed, group, &reason)),
    }
}

/// The partitions of an answer about one group. Errors: the group's, or the first partition's.
///
/// # Safety
///
/// The entries are live.
unsafe fn group_result(
    groups: &[*const native::rd_kafka_group_result_t],
    group: &str,
) -> Result<Vec<Entry>, Error> {
    // SAFETY: as the caller promises; partitions live as long as their group.
    let entries: Vec<Entry> = unsafe {
        if let Some((failed, reason)) = group_failure(groups) {
            return Err(error(failed, group, &reason));
        }
        let Some(&first) = groups.first() else { return Ok(Vec::new()) };
        PartitionList::read(native::rd_kafka_group_result_partitions(first)).collect()
    };
    match entries.iter().find(|entry| entry.code != code::NONE) {
        Some(entry) => Err(error(entry.code, &format!("{group}, {}", entry.at()), "")),
        None => Ok(entries),
    }
}

/// The error of an answer about one group.
///
/// # Safety
///
/// The entries are live.
unsafe fn group_failure(
    groups: &[*const native::rd_kafka_group_result_t],
) -> Option<(Code, String)> {
    // SAFETY: as the caller promises; an error lives as long as its group.
    unsafe {
        let failed = native::rd_kafka_group_result_error(*groups.first()?);
        let failed_code = native::rd_kafka_error_code(failed) as Code;
        (failed_code != code::NONE)
            .then(|| (failed_code, owned(native::rd_kafka_error_string(failed))))
    }
}
