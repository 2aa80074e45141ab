//! A plugin that traps ends its own instance, and what it said last is told with the fault.

use tombolo_model::Breach;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows};

#[tokio::test]
async fn its_last_words_are_in_the_trace() {
    let fixture = Fixture::new(tombolo_guests::TRAPS).await;
    let mut sink = fixture.sink(Limits::default(), &[]).await;
    let mut some = rows(&[("k", "v")]);
    let fault = sink.put(&mut some, None).await.unwrap_err();
    let (breach, message) = breach(&fault);
    assert_eq!(breach, Breach::Trap);
    assert_eq!(message, "the plugin trapped: wasm trap: wasm `unreachable` instruction executed");
    let trace = fault.trace.unwrap();
    assert!(trace.contains("no room for 1 rows"), "{trace}");
    assert_eq!(some, rows(&[("k", "v")]));
}

#[tokio::test]
async fn a_new_task_of_the_same_plugin_runs() {
    let fixture = Fixture::new(tombolo_guests::TRAPS).await;
    for _ in 0..3 {
        let mut sink = fixture.sink(Limits::default(), &[]).await;
        assert!(sink.put(&mut rows(&[("k", "v")]), None).await.is_err());
    }
}
