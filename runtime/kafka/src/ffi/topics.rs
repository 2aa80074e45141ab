//! Requests about topics and their partitions.
//!
//! Not here: reading and writing them.

use std::ffi::c_int;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as native;
use tombolo_model::offset::{PartitionOffset, TopicPartition};

use super::client::Client;
use super::request::{Op, array, submit};
use super::{
    Code, Explanation, PartitionList, c_string, code, error, owned, read_code, take_error,
};
use crate::admin::{NewTopic, TopicInfo};
use crate::error::Error;

/// An offset to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offsets {
    /// The first still there.
    Beginning,
    /// The next to be written.
    End {
        /// Before the first transaction that is still open.
        committed_only: bool,
    },
}

/// The topic, or none when it does not exist.
pub(crate) async fn topic(
    client: &Arc<Client>,
    name: &str,
    wait: Duration,
) -> Result<Option<TopicInfo>, Error> {
    let request = {
        let c_name = c_string(name)?;
        submit(client, Op::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, name, wait, |rk, options, queue| {
            let mut names = [c_name.as_ptr()];
            // SAFETY: all is live during the calls; names are copied.
            unsafe {
                let topics = native::rd_kafka_TopicCollection_of_topic_names(
                    names.as_mut_ptr(),
                    names.len(),
                );
                native::rd_kafka_DescribeTopics(rk, topics, options, queue);
                native::rd_kafka_TopicCollection_destroy(topics);
            }
        })
    };
    let event = request.answer().await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries; errors and partitions belong to the entry.
    unsafe {
        let result = native::rd_kafka_event_DescribeTopics_result(event.ptr);
        let topics = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let Some(&topic) = array(topics, count).first() else { return Ok(None) };
        let failed = native::rd_kafka_TopicDescription_error(topic);
        if !failed.is_null() {
            let failed_code = native::rd_kafka_error_code(failed) as Code;
            if failed_code == code::UNKNOWN_TOPIC_OR_PART {
                return Ok(None);
            }
            if failed_code != code::NONE {
                let reason = owned(native::rd_kafka_error_string(failed));
                return Err(error(failed_code, name, &reason));
            }
        }
        let mut partitions = 0;
        native::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        Ok(Some(TopicInfo { name: name.to_owned(), partitions }))
    }
}

/// Creates a topic. Answers false when it existed already.
pub(crate) async fn create_topic(
    client: &Arc<Client>,
    topic: &NewTopic,
    wait: Duration,
) -> Result<bool, Error> {
    let op = Op::RD_KAFKA_ADMIN_OP_CREATETOPICS;
    let request = {
        let native_topic = NativeTopic::new(topic)?;
        submit(client, op, &topic.name, wait, |rk, options, queue| {
            let mut topics = [native_topic.0];
            // SAFETY: all is live during the call; the topic is copied.
            unsafe {
                native::rd_kafka_CreateTopics(
                    rk,
                    topics.as_mut_ptr(),
                    topics.len(),
                    options,
                    queue,
                );
            }
        })
    };
    let event = request.answer().await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let results = unsafe {
        let result = native::rd_kafka_event_CreateTopics_result(event.ptr);
        array(native::rd_kafka_CreateTopics_result_topics(result, &raw mut count), count)
    };
    // SAFETY: the event lives until the end of this function.
    unsafe { topic_result(results, code::TOPIC_ALREADY_EXISTS) }
}

/// Deletes a topic. Answers false when it did not exist.
pub(crate) async fn delete_topic(
    client: &Arc<Client>,
    name: &str,
    wait: Duration,
) -> Result<bool, Error> {
    let request = {
        let c_name = c_string(name)?;
        submit(client, Op::RD_KAFKA_ADMIN_OP_DELETETOPICS, name, wait, |rk, options, queue| {
            // SAFETY: all is live during the calls; the object is copied and destroyed once.
            unsafe {
                let topic = native::rd_kafka_DeleteTopic_new(c_name.as_ptr());
                let mut topics = [topic];
                native::rd_kafka_DeleteTopics(
                    rk,
                    topics.as_mut_ptr(),
                    topics.len(),
                    options,
                    queue,
                );
                native::rd_kafka_DeleteTopic_destroy(topic);
            }
        })
    };
    let event = request.answer().await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    let results = unsafe {
        let result = native::rd_kafka_event_DeleteTopics_result(event.ptr);
        array(native::rd_kafka_DeleteTopics_result_topics(result, &raw mut count), count)
    };
    // SAFETY: the event lives until the end of this function.
    unsafe { topic_result(results, code::UNKNOWN_TOPIC_OR_PART) }
}

/// The settings of a topic; secret ones are left out.
pub(crate) async fn topic_settings(
    client: &Arc<Client>,
    name: &str,
    wait: Duration,
) -> Result<Vec<(String, String)>, Error> {
    let op = Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS;
    let request = {
        let resource = Resource::topic(name)?;
        submit(client, op, name, wait, |rk, options, queue| {
            let mut resources = [resource.0];
            // SAFETY: all is live during the call; the resource is copied.
            unsafe {
                native::rd_kafka_DescribeConfigs(rk, resources.as_mut_ptr(), 1, options, queue);
            }
        })
    };
    let event = request.answer().await?;
    let mut settings = Vec::new();
    let (mut count, mut entry_count) = (0, 0);
    // SAFETY: the event is of this type and live; the arrays have the counts given.
    unsafe {
        let result = native::rd_kafka_event_DescribeConfigs_result(event.ptr);
        let found = native::rd_kafka_DescribeConfigs_result_resources(result, &raw mut count);
        for &resource in array(found, count) {
            resource_result(resource, name)?;
            let entries = native::rd_kafka_ConfigResource_configs(resource, &raw mut entry_count);
            for &entry in array(entries, entry_count) {
                let value = native::rd_kafka_ConfigEntry_value(entry);
                if !value.is_null() {
                    settings.push((owned(native::rd_kafka_ConfigEntry_name(entry)), owned(value)));
                }
            }
        }
    }
    Ok(settings)
}

/// Changes settings of a topic; none takes a setting back to its default.
pub(crate) async fn alter_topic_settings(
    client: &Arc<Client>,
    name: &str,
    changes: &[(&str, Option<&str>)],
    wait: Duration,
) -> Result<(), Error> {
    let op = Op::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
    let request = {
        let resource = Resource::topic(name)?;
        for &(setting, value) in changes {
            resource.change(setting, value)?;
        }
        submit(client, op, name, wait, |rk, options, queue| {
            let mut resources = [resource.0];
            // SAFETY: all is live during the call; the resource is copied.
            unsafe {
                native::rd_kafka_IncrementalAlterConfigs(
                    rk,
                    resources.as_mut_ptr(),
                    1,
                    options,
                    queue,
                );
            }
        })
    };
    let event = request.answer().await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries.
    unsafe {
        let result = native::rd_kafka_event_IncrementalAlterConfigs_result(event.ptr);
        let found =
            native::rd_kafka_IncrementalAlterConfigs_result_resources(result, &raw mut count);
        array(found, count).iter().try_for_each(|&resource| resource_result(resource, name))
    }
}

/// Offsets of these partitions. Errors: the first partition's.
pub(crate) async fn offsets(
    client: &Arc<Client>,
    partitions: &[TopicPartition],
    which: Offsets,
    wait: Duration,
) -> Result<Vec<PartitionOffset>, Error> {
    use native::rd_kafka_IsolationLevel_t as Isolation;
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let (spec, committed_only) = match which {
        Offsets::Beginning => (i64::from(native::RD_KAFKA_OFFSET_BEGINNING), false),
        Offsets::End { committed_only } => (i64::from(native::RD_KAFKA_OFFSET_END), committed_only),
    };
    let isolation = if committed_only {
        Isolation::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
    } else {
        Isolation::RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
    };
    let request = {
        let mut list = PartitionList::with_capacity(partitions.len());
        for at in partitions {
            list.push(&at.topic, at.partition, Some(spec))?;
        }
        let op = Op::RD_KAFKA_ADMIN_OP_LISTOFFSETS;
        submit(client, op, "list offsets", wait, |rk, options, queue| {
            // SAFETY: all is live during the calls; the list is copied.
            unsafe {
                take_error(native::rd_kafka_AdminOptions_set_isolation_level(options, isolation));
                native::rd_kafka_ListOffsets(rk, list.ptr(), options, queue);
            }
        })
    };
    let event = request.answer().await?;
    let mut count = 0;
    // SAFETY: the event is of this type and live; the array has `count` entries, each with a partition.
    unsafe {
        let result = native::rd_kafka_event_ListOffsets_result(event.ptr);
        let infos = native::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        array(infos, count)
            .iter()
            .map(|&info| {
                let entry = &*native::rd_kafka_ListOffsetsResultInfo_topic_partition(info);
                let at = TopicPartition::new(owned(entry.topic), entry.partition);
                match read_code(&raw const entry.err) {
                    code::NONE => Ok(PartitionOffset { at, offset: entry.offset }),
                    failed => Err(error(failed, &at.topic, "")),
                }
            })
            .collect()
    }
}

/// A topic to create.
struct NativeTopic(*mut native::rd_kafka_NewTopic_t);

impl NativeTopic {
    fn new(topic: &NewTopic) -> Result<NativeTopic, Error> {
        let name = c_string(&topic.name)?;
        let mut explanation = Explanation::new();
        // SAFETY: the name and the buffer are live during the call; the object is ours.
        let made = unsafe {
            native::rd_kafka_NewTopic_new(
                name.as_ptr(),
                topic.partitions,
                c_int::from(topic.replication_factor),
                explanation.0.as_mut_ptr(),
                explanation.0.len(),
            )
        };
        if made.is_null() {
            let reason = format!("{}: {}", topic.name, explanation.text());
            return Err(Error::Refused { code: "INVALID_ARGUMENT".to_owned(), reason });
        }
        let made = NativeTopic(made);
        for (setting, value) in &topic.settings {
            let (setting, value) = (c_string(setting)?, c_string(value)?);
            // SAFETY: all is live during the call, which copies; it fails only for a null setting.
            unsafe {
                native::rd_kafka_NewTopic_set_config(made.0, setting.as_ptr(), value.as_ptr());
            }
        }
        Ok(made)
    }
}

impl Drop for NativeTopic {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_NewTopic_destroy(self.0) };
    }
}

/// A topic whose settings are asked for or changed.
struct Resource(*mut native::rd_kafka_ConfigResource_t);

impl Resource {
    fn topic(name: &str) -> Result<Resource, Error> {
        let kind = native::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
        let name = c_string(name)?;
        // SAFETY: the name is live during the call; the object is ours.
        Ok(Resource(unsafe { native::rd_kafka_ConfigResource_new(kind, name.as_ptr()) }))
    }

    fn change(&self, setting: &str, value: Option<&str>) -> Result<(), Error> {
        use native::rd_kafka_AlterConfigOpType_t as Change;
        let c_setting = c_string(setting)?;
        let c_value = value.map(c_string).transpose()?;
        let (change, c_value) = match &c_value {
            Some(value) => (Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, value.as_ptr()),
            None => (Change::RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE, std::ptr::null()),
        };
        // SAFETY: all is live during the call, which copies.
        let failed = take_error(unsafe {
            native::rd_kafka_ConfigResource_add_incremental_config(
                self.0,
                c_setting.as_ptr(),
                change,
                c_value,
            )
        });
        match failed {
            Some((failed, reason)) => Err(error(failed, setting, &reason)),
            None => Ok(()),
        }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        // SAFETY: ours, destroyed once.
        unsafe { native::rd_kafka_ConfigResource_destroy(self.0) };
    }
}

/// Whether the one topic of an answer is as wanted: false when it already was (`already`).
///
/// # Safety
///
/// The entries are live.
unsafe fn topic_result(
    results: &[*const native::rd_kafka_topic_result_t],
    already: Code,
) -> Result<bool, Error> {
    let Some(&result) = results.first() else {
        return Err(error(code::TIMED_OUT, "topic", "an answer without topics"));
    };
    // SAFETY: as the caller promises.
    unsafe {
        let failed = native::rd_kafka_topic_result_error(result) as Code;
        if failed == code::NONE || failed == already {
            return Ok(failed == code::NONE);
        }
        let name = owned(native::rd_kafka_topic_result_name(result));
        Err(error(failed, &name, &owned(native::rd_kafka_topic_result_error_string(result))))
    }
}

/// Whether settings were found or changed.
///
/// # Safety
///
/// The entry is live.
unsafe fn resource_result(
    resource: *const native::rd_kafka_ConfigResource_t,
    name: &str,
) -> Result<(), Error> {
    // SAFETY: as the caller promises.
    let (failed, reason) = unsafe {
        (
            native::rd_kafka_ConfigResource_error(resource) as Code,
            owned(native::rd_kafka_ConfigResource_error_string(resource)),
        )
    };
    if failed == code::NONE { Ok(()) } else { Err(error(failed, name, &reason)) }
}
