//! A plugin that never returns is ended at its deadline, and keeps no thread from its neighbours meanwhile.

use std::time::{Duration, Instant};

use tombolo_model::Breach;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::Plugins;

use crate::support::{Fixture, breach, quick, rows, settings};

#[tokio::test]
async fn its_call_is_ended_at_the_deadline_and_the_setting_is_named() {
    let fixture = Fixture::new(tombolo_guests::LOOPS).await;
    let mut sink = fixture.sink(quick(), &[]).await;
    let start = Instant::now();
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    let took = start.elapsed();
    assert_eq!(
        breach(&fault),
        (Breach::Deadline, "the plugin did not return within 500 ms (sandbox.call.timeout.ms)")
    );
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(5), "{took:?}");
    let fault = sink.stop().await.unwrap_err();
    assert_eq!(fault.message, "the plugin's sandbox ended with an earlier call");
}

#[tokio::test]
async fn validation_has_a_deadline_too() {
    let fixture = Fixture::new(tombolo_guests::LOOPS).await;
    let plugin = fixture.plugin(PluginKind::Sink);
    let fault =
        fixture.sandbox.validate(&plugin, &settings(&[("in", "validate")])).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Deadline);
}

#[test]
fn a_neighbour_on_the_same_thread_goes_on() {
    // As the worker's program runs guests: with tokio's usual interval a runtime looks up only after 61 turns of a spinning guest.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().event_interval(1).build().unwrap();
    runtime.block_on(neighbours());
}

async fn neighbours() {
    let spinning = Fixture::new(tombolo_guests::LOOPS).await;
    let working = Fixture::new(tombolo_guests::ECHO).await;
    let limits = Limits { call_timeout: Duration::from_secs(1), ..Limits::default() };
    let mut spinner = spinning.sink(limits, &[]).await;
    let mut worker = working.sink(Limits::default(), &[]).await;

    let spin = tokio::spawn(async move { spinner.put(&mut rows(&[("k", "v")]), None).await });
    let mut puts = 0;
    while !spin.is_finished() {
        worker.put(&mut rows(&[("k", "v")]), None).await.unwrap();
        puts += 1;
        tokio::task::yield_now().await;
    }
    let fault = spin.await.unwrap().unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Deadline);
    // A tick is 2 ms: in a second the neighbour gets its turn 500 times where nothing else runs on the machine, and never none.
    assert!(puts >= 20, "{puts} turns in a second");
}
