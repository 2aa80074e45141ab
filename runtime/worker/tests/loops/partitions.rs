//! Sink tasks and their partitions: rebalances, rewinds, pauses, and topics that appear.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tombolo_model::offset::PartitionOffset;
use tombolo_model::role::SinkRequests;
use tombolo_model::status::{State, TargetState};
use tombolo_model::{Fault, Stage};

use crate::support::sink::{
    Answer, Call, SinkScript, asking, at, committed, is_empty_put, numbered, offset,
};
use crate::support::{Cluster, Fixture, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_reads_again_from_where_it_rewinds_to() {
    let mut fixture = Fixture::new("rewound", &[]).await;
    let topic = fixture.cluster.new_topic("rewound", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let (of, mut has_rewound) = (topic.clone(), false);
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let rewind = match call {
            Call::Open(_) => vec![offset(&of, 0, 4), offset("not-mine", 7, 0)],
            Call::Put(rows) if !has_rewound && rows.iter().any(|row| row.offset == 9) => {
                has_rewound = true;
                vec![offset(&of, 0, 7)]
            }
            _ => Vec::new(),
        };
        Ok(asking(SinkRequests { rewind, ..SinkRequests::default() }))
    });
    fixture.start_task(0).await;
    until("rows are read again", || script.values().len() >= 9).await;
    committed(&fixture, &topic, 0, 10).await;
    fixture.stop_task(0).await;
    assert_eq!(script.values(), [numbered(0, 4, 10), numbered(0, 7, 10)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_a_sink_pauses_is_not_read_until_it_resumes_it() {
    let mut fixture = Fixture::new("partly", &[]).await;
    let topic = fixture.cluster.new_topic("partly", 2).await;
    let of = topic.clone();
    let resumes = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&resumes);
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let paused = at(&of, 1);
        let requests = match call {
            Call::Open(_) => SinkRequests { pause: vec![paused], ..SinkRequests::default() },
            Call::Put(_) if asked.load(Ordering::SeqCst) => {
                SinkRequests { resume: vec![paused], ..SinkRequests::default() }
            }
            _ => SinkRequests::default(),
        };
        Ok(asking(requests))
    });
    fixture.cluster.produce_numbered(&topic, 0, 5).await;
    fixture.cluster.produce_numbered(&topic, 1, 5).await;
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 5).await;
    until("it is asked twice more", || script.count(is_empty_put) >= 2).await;
    assert!(script.rows().iter().all(|row| row.partition == 0));
    // A pause of the connector in between changes nothing about it.
    fixture.worker.set_target_state(&fixture.name, TargetState::Paused);
    fixture.wait_for_state(0, State::Paused).await;
    fixture.worker.set_target_state(&fixture.name, TargetState::Started);
    fixture.wait_for_state(0, State::Running).await;
    fixture.cluster.produce_numbered(&topic, 0, 5).await;
    until("the other partition is read", || script.rows().len() == 10).await;
    assert!(script.rows().iter().all(|row| row.partition == 0));
    resumes.store(true, Ordering::SeqCst);
    committed(&fixture, &topic, 1, 5).await;
    fixture.stop_task(0).await;
}

/// Very many partitions of a topic that has one.
fn others(topic: &str) -> impl Iterator<Item = PartitionOffset> {
    (1..20_000).map(move |partition| offset(topic, partition, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sink_says_of_very_many_partitions_that_it_does_not_have_has_no_effect() {
    let mut fixture = Fixture::new("others", &[]).await;
    let topic = fixture.cluster.new_topic("others", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let of = topic.clone();
    let script = SinkScript::install(&mut fixture, &topic, move |call| {
        let requests = SinkRequests {
            rewind: others(&of).collect(),
            pause: others(&of).map(|other| other.at).collect(),
            resume: others(&of).map(|other| other.at).collect(),
            ..SinkRequests::default()
        };
        let mut offsets = match call {
            Call::PreCommit(asked) => asked.clone(),
            _ => Vec::new(),
        };
        offsets.extend(others(&of));
        Ok(Answer { requests, offsets: Some(offsets), ..Answer::default() })
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 10).await;
    fixture.stop_task(0).await;
    assert_eq!(script.values(), numbered(0, 0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_the_sink_fails_takes_it_back_to_the_last_one() {
    let mut fixture = Fixture::new("back", &[]).await;
    let topic = fixture.cluster.new_topic("back", 1).await;
    fixture.cluster.produce_numbered(&topic, 0, 10).await;
    let mut has_failed = false;
    let script = SinkScript::install(&mut fixture, &topic, move |call| match call {
        Call::PreCommit(offsets) if !has_failed && offsets[0].offset == 10 => {
            has_failed = true;
            Err(Fault::fatal(Stage::TaskPut, "cannot flush"))
        }
        _ => Ok(Answer::default()),
    });
    fixture.start_task(0).await;
    committed(&fixture, &topic, 0, 10).await;
    fixture.stop_task(0).await;
    let values = script.values();
    assert_eq!(values[..10], numbered(0, 0, 10));
    assert!(values.len() > 10, "rows are put again");
    assert!(numbered(0, 0, 10).ends_with(&values[10..]), "{values:?}");
}

/// Starts a second task beside the first and checks that partitions move with their offsets.
async fn rebalance(assignor: &str) {
    let mut fixture =
        Fixture::new("shared", &[("consumer.partition.assignment.strategy", assignor)]).await;
    let topic = fixture.cluster.new_topic("shared", 4).await;
    for partition in 0..4 {
        fixture.cluster.produce_numbered(&topic, partition, 100).await;
    }
    let script = SinkScript::willing(&mut fixture, &topic);
    fixture.set(&[("tasks.max", "2")]);
    fixture.start_task(0).await;
    until("the first task has read all", || script.values().len() == 400).await;
    fixture.start_task(1).await;
    let opened = || script.count(|call| matches!(call, Call::Open(_)));
    until("the second task has partitions", || opened() >= 2).await;
    for partition in 0..4 {
        fixture.cluster.produce_numbered(&topic, partition, 100).await;
    }
    until("all rows are put", || script.values().len() >= 800).await;
    fixture.worker.stop_tasks(&[fixture.task(0), fixture.task(1)]).await;
    let rows = script.rows();
    let distinct: BTreeSet<(i32, i64)> =
        rows.iter().map(|row| (row.partition, row.offset)).collect();
    assert_eq!((rows.len(), distinct.len()), (800, 800), "none is lost and none is doubled");
    let closed = |call: &Call| matches!(call, Call::Close(gone) if gone.len() < 4);
    assert!(script.count(closed) >= 2, "partitions were given up one group at a time");
    for partition in 0..4 {
        let group = fixture.group();
        assert_eq!(fixture.cluster.committed(&group, &topic, partition).await, Some(200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_tasks_with_a_cooperative_assignor() {
    rebalance("org.apache.kafka.clients.consumer.CooperativeStickyAssignor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_tasks_with_an_eager_assignor() {
    rebalance("org.apache.kafka.clients.consumer.RangeAssignor").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_chosen_by_a_pattern() {
    let mut fixture = Fixture::new("chosen", &[("consumer.metadata.max.age.ms", "500")]).await;
    let number = fixture.cluster.next_number();
    let (one, other) = (format!("chosen-{number}-a"), format!("chosen-{number}-b"));
    fixture.cluster.create_topic(&one, 1).await;
    fixture.cluster.produce_numbered(&one, 0, 5).await;
    let script = SinkScript::willing(&mut fixture, "");
    fixture.set(&[("topics.regex", &format!("chosen-{number}-(?!z).*"))]);
    fixture.start_task(0).await;
    until("the first topic is read", || script.values().len() == 5).await;
    fixture.cluster.create_topic(&other, 1).await;
    fixture.cluster.produce_numbered(&other, 0, 5).await;
    until("a topic that came later is read", || script.values().len() == 10).await;
    fixture.stop_task(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_leaves_out_the_worker_s_topic_for_secrets() {
    let number = Cluster::shared().next_number();
    let [one, secrets, other] = ["a", "b", "c"].map(|of| format!("hidden-{number}-{of}"));
    let own = [
        ("config.storage.topic", "own-c"),
        ("offset.storage.topic", "own-o"),
        ("status.storage.topic", "own-s"),
        ("secret.storage.topic", secrets.as_str()),
    ];
    let mut fixture = Fixture::new("hidden", &own).await;
    for topic in [&one, &secrets, &other] {
        fixture.cluster.create_topic(topic, 1).await;
        fixture.cluster.produce_numbered(topic, 0, 5).await;
    }
    let script = SinkScript::willing(&mut fixture, "");
    fixture.set(&[("topics.regex", &format!("hidden-{number}-.*"))]);
    fixture.start_task(0).await;
    until("the other topics are read", || script.values().len() >= 10).await;
    fixture.stop_task(0).await;
    let mut opened = Vec::new();
    for call in script.calls() {
        if let Call::Open(partitions) = call {
            opened.extend(partitions.into_iter().map(|partition| partition.at));
        }
    }
    opened.sort_by(|a, b| a.topic.cmp(&b.topic));
    opened.dedup();
    assert_eq!(opened, [at(&one, 0), at(&other, 0)]);
}
