//! What a task uses is counted while it runs.

use std::sync::Arc;
use std::time::Duration;

use tombolo_model::Breach;
use tombolo_model::capability::Capability;
use tombolo_model::meters::Meters;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::Topics;

use crate::support::{Fixture, breach, column, quick, rows, settings};

#[tokio::test]
async fn calls_bytes_and_memory_are_counted_and_memory_is_given_back() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let meters = Arc::new(Meters::default());
    let mut task = fixture.metered_task(Limits::default(), &meters).await;
    let plugin = fixture.plugin(PluginKind::Converter);
    let mut converter = task.converter(&plugin, &settings(&[]), false).await.unwrap();
    let created = meters.read();
    assert_eq!((created.instances, created.calls), (1, 1), "{created:?}");
    assert!(created.memory > 0 && created.memory_peak == created.memory, "{created:?}");
    let topics = ["t".to_owned()];
    let topics = Topics { topics: &topics, topic: &[] };
    for _ in 0..10 {
        let mut bytes = column(&[Some("hello"), None, Some("world")]);
        converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
    }
    let used = meters.read();
    assert_eq!(used.calls, created.calls + 10);
    assert_eq!((used.bytes_in, used.bytes_out), (100, 100));
    assert!(used.cpu > created.cpu, "{used:?}");
    drop((converter, task));
    let left = meters.read();
    assert_eq!((left.memory, left.memory_peak), (0, used.memory_peak));
}

#[tokio::test]
async fn a_loop_is_billed_up_to_its_deadline() {
    let fixture = Fixture::new(tombolo_guests::LOOPS).await;
    let meters = Arc::new(Meters::default());
    let mut task = fixture.metered_task(quick(), &meters).await;
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    sink.start(&settings(&[])).await.unwrap();
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Deadline);
    let used = meters.read();
    // How much of its half second it ran depends on what else does on this machine.
    assert!(used.cpu > Duration::from_millis(1) && used.cpu < Duration::from_secs(1), "{used:?}");
}

#[tokio::test]
async fn giving_memory_back_is_billed_to_whose_it_was() {
    let fixture = Fixture::new(tombolo_guests::LEAKS).await;
    let meters = Arc::new(Meters::default());
    let mut task = fixture.metered_task(Limits::default(), &meters).await;
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    sink.start(&settings(&[])).await.unwrap();
    for _ in 0..10 {
        sink.put(&mut rows(&[("k", "v")]), None).await.unwrap();
    }
    let used = meters.read();
    assert!(used.memory > 80 << 20, "{used:?}");
    drop((sink, task));
    let left = meters.read();
    assert_eq!(left.memory, 0);
    assert!(left.cpu > used.cpu, "{left:?} after {used:?}");
}

#[tokio::test]
async fn what_a_plugin_imports_is_told_apart_from_what_it_is_granted_and_from_what_it_used() {
    let fixture = Fixture::new(tombolo_guests::TELLS).await;
    let meters = Arc::new(Meters::default());
    let of = |wanted: Capability| {
        let all = meters.capabilities().read();
        let found = all.iter().find(|one| one.capability == wanted);
        found.map(|one| (one.is_granted, one.is_used))
    };
    let mut task = fixture.metered_task(Limits::default(), &meters).await;
    assert_eq!(of(Capability::Log), None);
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    for capability in [Capability::Log, Capability::Metrics] {
        assert_eq!(of(capability), Some((true, Some(false))), "{capability:?}");
    }
    sink.start(&settings(&[("a", "b")])).await.unwrap();
    for capability in [Capability::Log, Capability::Metrics] {
        assert_eq!(of(capability), Some((true, Some(true))), "{capability:?}");
    }
    assert_eq!(of(Capability::Environment), Some((false, None)));
}
