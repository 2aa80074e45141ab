//! A plugin that takes memory without end gets no more than its limit.

use tombolo_model::Breach;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows};

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
    let plugin = fixture.plugin(tombolo_model::plugin::PluginKind::Sink);
    let mut sink = task.sink(&plugin).await.unwrap();
    let fault = sink.start(&Default::default()).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Memory);
}
