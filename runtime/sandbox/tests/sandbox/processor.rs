//! Processor time: a connector over its budget is slowed down and not ended, and where guests compete their weights decide.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tombolo_model::meters::{Meters, Usage};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{CpuLimits, Limits};
use tombolo_model::role::SinkTask;
use tombolo_model::{Breach, ConnectorName, TaskId};

use crate::support::{Fixture, breach, rows, settings, task};

/// A sink that computes for ever once it is given rows.
async fn spinner(
    fixture: &Fixture,
    task: &TaskId,
    limits: Limits,
    meters: &Arc<Meters>,
) -> Box<dyn SinkTask> {
    let mut task = fixture.metered_task_of(task, limits, meters).await;
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    sink.start(&settings(&[])).await.unwrap();
    sink
}

#[tokio::test]
async fn a_loop_over_its_budget_is_slowed_down_and_its_deadline_waits_for_it() {
    let fixture = Fixture::new(tombolo_guests::LOOPS).await;
    let meters = Arc::new(Meters::default());
    let limits = Limits {
        call_timeout: Duration::from_millis(300),
        cpu: CpuLimits {
            max_millicores: Some(100),
            burst: Duration::from_millis(50),
            ..CpuLimits::default()
        },
        ..Limits::default()
    };
    let start = Instant::now();
    let mut sink = spinner(&fixture, &task(), limits, &meters).await;
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    let took = start.elapsed();
    let (breach, message) = breach(&fault);
    assert_eq!(breach, Breach::Deadline);
    let begin = "the plugin did not return within 300 ms (sandbox.call.timeout.ms), held back for ";
    let end = " ms beside because its processor time was used up (sandbox.cpu.max)";
    assert!(message.starts_with(begin) && message.ends_with(end), "{message}");
    let Usage { cpu, parked, parks, .. } = meters.read();
    assert!(parks > 1 && took >= Duration::from_millis(300) + parked / 2, "{took:?}, {parked:?}");
    // Its burst, a tenth of the time since, and a turn on credit that a busy machine may stretch.
    let most = Duration::from_millis(50) + took / 10 + Duration::from_millis(50);
    assert!(cpu <= most, "{cpu:?} of {most:?}");
}

/// Two connectors, each with its weight and so many tasks that compute for ever on one thread: how much more the first gets of it.
fn share(connectors: [(u32, u32); 2]) -> f64 {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // As the worker's program runs guests.
    let runtime = runtime.enable_all().event_interval(1).build().unwrap();
    runtime.block_on(async {
        let fixture = Fixture::new(tombolo_guests::LOOPS).await;
        let mut spinning = Vec::new();
        for (at, (weight, tasks)) in connectors.into_iter().enumerate() {
            let limits = Limits {
                call_timeout: Duration::from_millis(1_500),
                cpu: CpuLimits { weight, ..CpuLimits::default() },
                ..Limits::default()
            };
            for index in 0..tasks {
                let meters = Arc::new(Meters::default());
                let task = TaskId::new(ConnectorName::new(at.to_string()), index);
                let mut sink = spinner(&fixture, &task, limits.clone(), &meters).await;
                let call = async move { sink.put(&mut rows(&[("k", "v")]), None).await.is_err() };
                spinning.push((at, meters, call));
            }
        }
        let spawned =
            spinning.into_iter().map(|(at, meters, call)| (at, meters, tokio::spawn(call)));
        let mut used = [0.0; 2];
        for (at, meters, call) in spawned.collect::<Vec<_>>() {
            assert!(call.await.unwrap(), "a deadline ends it");
            used[at] += meters.read().cpu.as_secs_f64();
        }
        used[0] / used[1]
    })
}

#[test]
fn where_two_compete_each_gets_time_by_its_weight() {
    for (weights, expected) in [([100, 100], 1.0), ([300, 100], 3.0), ([100, 25], 4.0)] {
        let share = share(weights.map(|weight| (weight, 1)));
        println!("weights {weights:?}: the first got {share:.2} times what the second got");
        assert!(share > expected * 0.6 && share < expected * 1.6, "{weights:?}: {share}");
    }
}

#[test]
fn more_tasks_get_a_connector_no_more_time() {
    let share = share([(100, 4), (100, 1)]);
    println!("four tasks got {share:.2} times what one of another connector got");
    assert!(share > 0.6 && share < 1.6, "{share}");
}
