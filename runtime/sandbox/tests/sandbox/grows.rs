//! A plugin that takes memory without end gets no more than its limit.

use std::sync::Arc;

use tombolo_model::Breach;
use tombolo_model::meters::Meters;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows, settings};

#[tokio::test]
async fn it_is_told_the_limit_and_the_setting() {
    let fixture = Fixture::new(tombolo_guests::GROWS).await;
    const LIMIT: u64 = 32 << 20;
    let limits = Limits { memory_max: LIMIT, ..Limits::default() };
    let mut sink = fixture.sink(limits, &[]).await;
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    let (breach, message) = breach(&fault);
    assert_eq!(breach, Breach::Memory);
    let rest = message.strip_prefix("the plugin asked for ").unwrap();
    let (asked, rest) = rest.split_once(' ').unwrap();
    assert_eq!(rest, "bytes of memory, above its limit of 33554432 (sandbox.memory.max)");
    // It asks for a mebibyte at a time, and what the host keeps for it counts too.
    let asked: u64 = asked.parse().unwrap();
    assert!((LIMIT + 1..=LIMIT + (3 << 20)).contains(&asked), "{message}");
}

#[tokio::test]
async fn a_limit_below_what_it_starts_with_is_told_too() {
    let fixture = Fixture::new(tombolo_guests::GROWS).await;
    let mut task = fixture.task(Limits { memory_max: 64 << 10, ..Limits::default() }).await;
    let plugin = fixture.plugin(PluginKind::Sink);
    let mut sink = task.sink(&plugin).await.unwrap();
    let fault = sink.start(&Default::default()).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Memory);
}

#[tokio::test]
async fn all_instances_of_a_connector_share_its_total() {
    let fixture = Fixture::new(tombolo_guests::GROWS).await;
    let limits = Limits { memory_total_max: Some(32 << 20), ..Limits::default() };
    let mut sinks = Vec::new();
    for meters in [Arc::new(Meters::default()), Arc::default()] {
        let mut task = fixture.metered_task(limits.clone(), &meters).await;
        let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
        sink.start(&settings(&[])).await.unwrap();
        sinks.push((meters, sink));
    }
    for (meters, sink) in &mut sinks {
        let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
        let (breach, message) = breach(&fault);
        assert_eq!(breach, Breach::Memory);
        let end = " bytes, above the limit of 33554432 (sandbox.memory.total.max)";
        assert!(message.ends_with(end), "{message}");
        // The second gets what the first gave back when it ended.
        let peak = meters.read().memory_peak;
        assert!(peak > 24 << 20 && peak <= 32 << 20, "{peak}");
    }
}
