//! A plugin that calls its host without end is ended, whichever interface it calls.

use tombolo_model::Breach;
use tombolo_model::metric::{Metered as _, Readings};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows, settings};

#[tokio::test]
async fn it_is_ended_long_before_its_deadline() {
    let fixture = Fixture::new(tombolo_guests::FLOODS).await;
    for flood in ["log", "metrics", "offsets", "schemas"] {
        let mut sink = fixture.sink(Limits::default(), &[("flood", flood)]).await;
        let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
        assert_eq!(
            breach(&fault),
            (
                Breach::HostCalls,
                "the plugin made more than 100000 calls of the host in one call of the plugin"
            ),
            "{flood}"
        );
        let mut metrics = Readings::of_connector("c");
        fixture.sandbox.read(&mut metrics);
        assert!(metrics.into_vec().len() <= 100, "{flood}");
    }
}

#[tokio::test]
async fn schemas_that_the_host_keeps_count_in_its_memory() {
    let fixture = Fixture::new(tombolo_guests::FLOODS).await;
    let definitions = &[("flood", "definitions")];
    let end = async |memory_max: u64| {
        let limits = Limits { memory_max, ..Limits::default() };
        let mut sink = fixture.sink(limits, definitions).await;
        sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err()
    };
    let fault = end(16 << 20).await;
    let (kind, message) = breach(&fault);
    assert_eq!(kind, Breach::Memory);
    let wanted: u64 = message.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(
        (16 << 20..17 << 20).contains(&wanted),
        "no more is asked for than a schema: {message}"
    );
    assert!(message.contains("sandbox.memory.max"), "{message}");
    // With room for more, it is the table of the task that is full.
    let fault = end(128 << 20).await;
    assert_eq!(breach(&fault).0, Breach::Trap, "{fault}");
}

#[tokio::test]
async fn what_the_host_may_keep_for_it_counts_from_the_start() {
    let fixture = Fixture::new(tombolo_guests::FLOODS).await;
    let limits = Limits { memory_max: 1 << 10, ..Limits::default() };
    let mut task = fixture.task(limits).await;
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    let fault = sink.start(&settings(&[])).await.unwrap_err();
    let (kind, message) = breach(&fault);
    assert_eq!(kind, Breach::Memory);
    assert!(message.contains("above its limit of 1024 (sandbox.memory.max)"), "{message}");
}
