//! A component that returns what it gets, in every role.

use std::time::Duration;

use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::PollRequest;

use crate::support::{Fixture, batch, settings};

const POLL: PollRequest =
    PollRequest { batch: 0, rows_max: 500, bytes_max: 1 << 20, wait: Duration::ZERO };

#[tokio::test]
async fn rows_put_into_a_sink_come_out_of_the_source_beside_it() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    sink.start(&settings(&[])).await.unwrap();
    let mut rows = batch();
    let (faults, _) = sink.put(&mut rows, None).await.unwrap();
    assert_eq!(faults, []);
    assert_eq!(rows, batch());
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    source.start(&settings(&[])).await.unwrap();
    assert_eq!(source.poll(POLL).await.unwrap().records.rows, 0, "a fresh instance");
    assert_eq!(fixture.sandbox.compiled(), 1);
    assert!(fixture.cache.path().join("artifacts").exists());
}
