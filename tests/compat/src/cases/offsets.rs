//! Reading, altering and resetting offsets by REST. Follows `OffsetsApiIntegrationTest`. Not here: exactly-once.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::offsets_sink as sink;
use super::offsets_source as source;
use crate::case::Case;
use crate::connector::Connector;
use crate::scene::{Scene, config};

/// Tasks of each connector.
pub(super) const TASKS: usize = 2;

/// Records in each partition of a topic, and of each task of a source.
pub(super) const RECORDS: usize = 10;

/// What a worker says where the connector left the offsets to it.
const LEFT_TO_WORKER: [&str; 2] = [
    "The Connect framework-managed offsets for this connector have been ",
    " successfully. However, if this connector manages offsets externally, they will need to be manually ",
];

macro_rules! from {
    ($test:literal) => {
        concat!("OffsetsApiIntegrationTest.", $test)
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new(
        "offsets/of_an_unknown_connector",
        from!("testGetNonExistentConnectorOffsets"),
        |scene| scene.connector().ask("GET", "/offsets", None)?.expect_error(404, ""),
    ),
    Case::new("offsets/of_a_sink", from!("testGetSinkConnectorOffsets"), |scene| {
        sink::get(scene, scene.broker(), &json!({}))
    }),
    Case::new(
        "offsets/of_a_sink_with_a_group_of_its_own",
        from!("testGetSinkConnectorOffsetsOverriddenConsumerGroupId"),
        |scene| {
            sink::get(scene, scene.broker(), &sink::own_group(scene))?;
            sink::expect_own_group(scene)
        },
    ),
    Case::new(
        "offsets/of_a_sink_from_another_cluster",
        from!("testGetSinkConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| {
            let other = scene.stage().other_cluster()?;
            sink::get(scene, &other, &sink::other_cluster(&other))
        },
    ),
    Case::new("offsets/of_a_source", from!("testGetSourceConnectorOffsets"), |scene| {
        source::get(scene, &json!({}))
    }),
    Case::new(
        "offsets/of_a_source_with_an_offsets_topic_of_its_own",
        from!("testGetSourceConnectorOffsetsCustomOffsetsTopic"),
        |scene| source::get(scene, &source::own_topic(scene)),
    ),
    Case::new(
        "offsets/of_a_source_to_another_cluster",
        from!("testGetSourceConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| source::get(scene, &source::other_cluster(&scene.stage().other_cluster()?)),
    ),
    Case::new(
        "offsets/of_an_unknown_connector_altered",
        from!("testAlterOffsetsNonExistentConnector"),
        |scene| {
            let offsets = json!({"offsets": [{"partition": {}, "offset": {}}]});
            scene.connector().ask("PATCH", "/offsets", Some(&offsets))?.expect_error(404, "")
        },
    ),
    Case::new(
        "offsets/of_a_connector_that_is_not_stopped_altered",
        from!("testAlterOffsetsNonStoppedConnector"),
        source::not_stopped,
    ),
    Case::new("offsets/of_a_sink_altered", from!("testAlterSinkConnectorOffsets"), |scene| {
        sink::alter(scene, scene.broker(), &json!({}))
    }),
    Case::new(
        "offsets/of_a_sink_with_a_group_of_its_own_altered",
        from!("testAlterSinkConnectorOffsetsOverriddenConsumerGroupId"),
        |scene| {
            sink::alter(scene, scene.broker(), &sink::own_group(scene))?;
            sink::expect_own_group(scene)
        },
    ),
    Case::new(
        "offsets/of_a_sink_from_another_cluster_altered",
        from!("testAlterSinkConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| {
            let other = scene.stage().other_cluster()?;
            sink::alter(scene, &other, &sink::other_cluster(&other))
        },
    ),
    Case::new(
        "offsets/of_a_sink_with_a_task_that_does_not_stop_altered",
        from!("testAlterSinkConnectorOffsetsZombieSinkTasks"),
        |scene| {
            sink::zombie(scene, |connector| {
                let at = sink::at(&scene.topic("t"), 0, &Value::Null);
                connector.ask("PATCH", "/offsets", Some(&json!({"offsets": [at]})))
            })
        },
    ),
    Case::new(
        "offsets/of_a_sink_altered_by_wrong_requests",
        from!("testAlterSinkConnectorOffsetsInvalidRequestBody"),
        sink::wrong_requests,
    ),
    Case::new("offsets/of_a_source_altered", from!("testAlterSourceConnectorOffsets"), |scene| {
        source::alter(scene, &json!({}))
    }),
    Case::new(
        "offsets/of_a_source_with_an_offsets_topic_of_its_own_altered",
        from!("testAlterSourceConnectorOffsetsCustomOffsetsTopic"),
        |scene| source::alter(scene, &source::own_topic(scene)),
    ),
    Case::new(
        "offsets/of_a_source_to_another_cluster_altered",
        from!("testAlterSourceConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| source::alter(scene, &source::other_cluster(&scene.stage().other_cluster()?)),
    ),
    Case::new(
        "offsets/of_a_source_altered_by_wrong_requests",
        from!("testAlterSourceConnectorOffsetsInvalidRequestBody"),
        source::wrong_requests,
    ),
    Case::new("offsets/of_a_sink_reset", from!("testResetSinkConnectorOffsets"), |scene| {
        sink::reset(scene, scene.broker(), &json!({}))
    }),
    Case::new(
        "offsets/of_a_sink_with_a_group_of_its_own_reset",
        from!("testResetSinkConnectorOffsetsOverriddenConsumerGroupId"),
        |scene| {
            sink::reset(scene, scene.broker(), &sink::own_group(scene))?;
            sink::expect_own_group(scene)
        },
    ),
    Case::new(
        "offsets/of_a_sink_from_another_cluster_reset",
        from!("testResetSinkConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| {
            let other = scene.stage().other_cluster()?;
            sink::reset(scene, &other, &sink::other_cluster(&other))
        },
    ),
    Case::new(
        "offsets/of_a_sink_with_a_task_that_does_not_stop_reset",
        from!("testResetSinkConnectorOffsetsZombieSinkTasks"),
        |scene| sink::zombie(scene, |connector| connector.ask("DELETE", "/offsets", None)),
    ),
    Case::new("offsets/of_a_source_reset", from!("testResetSourceConnectorOffsets"), |scene| {
        source::reset(scene, &json!({}))
    }),
    Case::new(
        "offsets/of_a_source_with_an_offsets_topic_of_its_own_reset",
        from!("testResetSourceConnectorOffsetsCustomOffsetsTopic"),
        |scene| source::reset(scene, &source::own_topic(scene)),
    ),
    Case::new(
        "offsets/of_a_source_to_another_cluster_reset",
        from!("testResetSourceConnectorOffsetsDifferentKafkaClusterTargeted"),
        |scene| source::reset(scene, &source::other_cluster(&scene.stage().other_cluster()?)),
    ),
];

/// A change of offsets that leaves them to the worker, which says so. `done` is `altered` or `reset`.
pub(super) fn expect_left_to_worker(answer: &Value, done: &str) -> Result<()> {
    let [before, between] = LEFT_TO_WORKER;
    let expected = format!("{before}{done}{between}{done} in the system that the connector uses.");
    ensure!(answer["message"] == expected, "expected {expected:?}, got {answer}");
    Ok(())
}

/// Sends these offsets, which must be taken, and again while a task that was just stopped is still in its group.
pub(super) fn change(
    connector: &Connector<'_>,
    scene: &Scene<'_>,
    offsets: Option<&Value>,
) -> Result<Value> {
    let method = if offsets.is_some() { "PATCH" } else { "DELETE" };
    let mut last = None;
    let taken = || {
        let answer = connector.ask(method, "/offsets", offsets);
        let is_busy = answer.as_ref().is_ok_and(|answer| {
            answer.status == 500 && answer.text.contains("this operation can be safely retried")
        });
        last = Some(answer);
        !is_busy
    };
    scene.wait("the offsets are taken", taken)?;
    Ok(last.unwrap_or_else(|| connector.ask(method, "/offsets", offsets))?.expect(200)?.json())
}

/// A sink's or a source's configuration with two tasks, and more.
pub(super) fn base(class: &str, more: &Value) -> Value {
    crate::scene::changed(&config(class, &json!({"tasks.max": TASKS.to_string()})), more)
}
