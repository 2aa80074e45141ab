//! Questions to plugins beside what runs: they are asked where plugins run, and under the limits of their connector.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tombolo_model::offset::TopicPartition;
use tombolo_model::status::TargetState;
use tombolo_worker::ProposedOffsets;

use crate::support::plugins::NativeConnector;
use crate::support::{Fixture, until};

/// Ceilings of a worker for strangers.
const CEILINGS: &[(&str, &str)] =
    &[("sandbox.cpu.max.ceiling", "0.2"), ("sandbox.memory.max.ceiling", "1000000")];

fn runtime(name: &str) -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2).thread_name(name).enable_all().build().unwrap()
}

/// A sink whose plugins are on the runtime of `guests`.
async fn fixture(guests: &Runtime, settings: &[(&str, &str)]) -> Fixture {
    let mut fixture = Fixture::with_guests_on(guests.handle().clone(), "asked", CEILINGS).await;
    fixture.set(&[("connector.class", "org.acme.SinkConnector"), ("topics", "t")]);
    fixture.set(settings);
    fixture.plugins.set_connector(|| Box::new(NativeConnector::default()));
    fixture
}

async fn alter(fixture: &Fixture) -> bool {
    let offsets = ProposedOffsets::Sink(vec![(TopicPartition::new("t", 0), Some(1))]);
    fixture.worker.alter_offsets(&fixture.name, fixture.settings(), offsets).await.unwrap()
}

#[test]
fn plugins_are_asked_where_plugins_run() {
    let (main, guests) = (runtime("main"), runtime("guest"));
    main.block_on(async {
        let fixture = fixture(&guests, &[]).await;
        let resolved = fixture.worker.resolve(fixture.settings()).await.unwrap();
        let validation = fixture.worker.validate(&resolved).await.unwrap();
        assert_eq!(validation.name, "org.acme.SinkConnector");
        assert!(alter(&fixture).await);
        let threads = fixture.plugins.threads.lock().unwrap();
        assert!(threads.len() >= 2, "both were asked: {threads:?}");
        assert!(threads.iter().all(|thread| thread == "guest"), "{threads:?}");
    });
}

#[test]
fn a_question_ends_with_who_waits_for_its_answer() {
    let (main, guests) = (runtime("main"), runtime("guest"));
    main.block_on(async {
        let fixture = fixture(&guests, &[("hang", "")]).await;
        let resolved = fixture.worker.resolve(fixture.settings()).await.unwrap();
        let (worker, plugins) = (fixture.worker.clone(), Arc::clone(&fixture.plugins));
        let waiting = tokio::spawn(async move { worker.validate(&resolved).await.is_ok() });
        until("it is asked", || Arc::strong_count(&plugins.hanging) == 2).await;
        waiting.abort();
        until("nobody is asked any more", || Arc::strong_count(&plugins.hanging) == 1).await;
    });
}

#[test]
fn who_is_asked_about_offsets_has_the_limits_and_the_bill_of_its_connector() {
    let (main, guests) = (runtime("main"), runtime("guest"));
    main.block_on(async {
        let fixture = fixture(&guests, &[("sandbox.memory.max", "500000")]).await;
        let (worker, settings) = (&fixture.worker, fixture.settings());
        let contexts = || fixture.plugins.contexts.lock().unwrap().clone();
        worker.start_connector(&fixture.name, settings, TargetState::Started).await;
        until("it starts", || contexts().len() == 1).await;
        assert!(alter(&fixture).await);
        let contexts = contexts();
        let (started, asked) = (&contexts[0], &contexts[1]);
        assert_eq!(asked.limits, started.limits);
        assert_eq!(asked.limits.memory_max, 500_000);
        assert_eq!(asked.limits.cpu.max_millicores, Some(200));
        assert!(Arc::ptr_eq(&asked.meters, &started.meters));
        worker.stop_connector(&fixture.name).await;
    });
}

#[test]
fn a_connector_that_could_not_be_configured_any_more_is_asked_under_the_worker_s_ceilings() {
    let (main, guests) = (runtime("main"), runtime("guest"));
    main.block_on(async {
        let fixture = fixture(&guests, &[("sandbox.memory.max", "1000001")]).await;
        assert!(alter(&fixture).await);
        let contexts = fixture.plugins.contexts.lock().unwrap().clone();
        assert_eq!(contexts[0].limits.memory_max, 1_000_000);
        assert_eq!(contexts[0].limits.cpu.max_millicores, Some(200));
    });
}
