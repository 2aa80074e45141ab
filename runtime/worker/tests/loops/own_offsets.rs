//! Sources with a topic of their own for offsets: what is stored where, and what is found again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tombolo_store::flat::{FlatMap, Primitive};

use crate::support::source::CountingScript;
use crate::support::{Fixture, until, values};

/// A source of one partition, `a`, with so many rows, that keeps its offsets in a topic of its own.
async fn fixture(name: &str, rows: u64) -> (Fixture, String, String, Arc<CountingScript>) {
    let mut fixture = Fixture::new(name, &[]).await;
    let topic = fixture.cluster.new_topic(name, 1).await;
    let own = format!("{name}-own-{}", fixture.cluster.next_number());
    let script = CountingScript::new(&[("a", &topic)], rows).install(&mut fixture);
    fixture.set(&[("offsets.storage.topic", &own)]);
    (fixture, topic, own, script)
}

/// Runs the source until it was told that this many rows are stored.
async fn run(fixture: &Fixture, script: &CountingScript, rows: u64) {
    script.limit.store(rows, Ordering::SeqCst);
    fixture.start_task(0).await;
    until(&format!("the source is told of {rows}"), || script.told("a") == Some(rows)).await;
    fixture.stop_task(0).await;
}

/// The last offset of `a` in a topic.
async fn stored(fixture: &Fixture, topic: &str) -> Option<u64> {
    let records = fixture.cluster.read(topic).await;
    let of = |read: &crate::support::cluster::Read| {
        Some(values::stored(read.key.as_ref()?, Some(read.value.as_ref()?)).1)
    };
    records.iter().filter_map(of).max()
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_kept_in_the_topic_and_behind_it_in_the_workers_store() {
    let (fixture, topic, own, script) = fixture("own", 0).await;
    run(&fixture, &script, 100).await;
    assert_eq!(stored(&fixture, &own).await, Some(100));
    until("the worker's store follows", || fixture.stored_offset("a") == Some(100)).await;
    let admin = fixture.cluster.admin();
    assert_eq!(admin.topic(&own).await.unwrap().unwrap().partitions, 2, "as the worker's has");
    let settings = admin.topic_settings(&own).await.unwrap();
    assert!(settings.contains(&("cleanup.policy".into(), "compact".into())), "{settings:?}");

    // Nothing waits for the worker's store, and what is in the topic counts.
    fixture.set_store_away(true);
    run(&fixture, &script, 200).await;
    assert_eq!((stored(&fixture, &own).await, fixture.stored_offset("a")), (Some(200), Some(100)));
    run(&fixture, &script, 300).await;
    assert_eq!(fixture.cluster.values(&topic).await.len(), 300, "no row comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_gets_a_topic_goes_on_from_the_workers_store() {
    let (mut fixture, topic, own, script) = fixture("own-later", 0).await;
    fixture.set(&[("offsets.storage.topic", "o")]);
    run(&fixture, &script, 100).await;
    assert_eq!(fixture.stored_offset("a"), Some(100), "the worker's own topic is the worker's");
    fixture.set(&[("offsets.storage.topic", &own)]);
    run(&fixture, &script, 200).await;
    assert_eq!(stored(&fixture, &own).await, Some(200));
    assert_eq!(fixture.cluster.values(&topic).await.len(), 200, "no row comes twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forgotten_is_forgotten_in_the_workers_store_first() {
    let (fixture, _, own, script) = fixture("own-reset", 0).await;
    run(&fixture, &script, 100).await;
    until("the worker's store follows", || fixture.stored_offset("a") == Some(100)).await;
    let offsets = fixture.worker.source_offsets(fixture.settings()).await.unwrap();
    let map = |key: &str, value| FlatMap(vec![(key.to_owned(), value)]);
    let partition = || map("p", Primitive::Text("a".into()));
    let known = [(partition(), map("n", Primitive::Int(100)))];
    assert_eq!(offsets.positions().await.unwrap(), known);
    fixture.set_store_away(true);
    offsets.write_maps(&[(partition(), None)]).await.unwrap_err();
    assert_eq!(stored(&fixture, &own).await, Some(100));
    fixture.set_store_away(false);
    offsets.write_maps(&[(partition(), None)]).await.unwrap();
    assert_eq!(offsets.positions().await.unwrap(), []);
    let reopened = fixture.worker.source_offsets(fixture.settings()).await.unwrap();
    assert_eq!(reopened.positions().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_compacted_is_refused() {
    let (mut fixture, topic, _, _) = fixture("own-wrong", 0).await;
    fixture.set(&[("offsets.storage.topic", &topic)]);
    fixture.start_task(0).await;
    let why = fixture.failure(0).await;
    let expected = format!(
        "Topic '{topic}' supplied via the 'offsets.storage.topic' property is required to have 'cleanup.policy=compact'"
    );
    assert!(why.contains(&expected), "{why}");
    assert_eq!(fixture.states(0).len(), 1, "it never ran");
}
