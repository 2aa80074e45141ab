//! The bill: what the meters of all tasks add up to, beside the kernel's clock of the threads that ran them; and how far past its budget a runaway plugin gets.
//!
//! A program of its own, so that nothing but guests runs in the process meanwhile. Not here: whether budgets slow down (`sandbox/processor`).

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tombolo_model::egress::Egress;
use tombolo_model::meters::{Meters, Usage};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{CompileLimits, CpuLimits, Grants, Limits};
use tombolo_model::role::{NoOffsets, Plugins, SinkTask, TaskContext};
use tombolo_model::{Batch, ConnectorName, Settings, TaskId};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

/// Name of the threads that run guests.
const GUESTS: &str = "guest";

/// Tasks that compute beside each other.
const SPINNERS: usize = 4;
/// How long they do.
const SPIN: Duration = Duration::from_secs(2);
/// Most that the bill and the clock may differ.
const BILL_ERROR: f64 = 0.02;

/// Processor time that a runaway plugin may use.
const BUDGET: Duration = Duration::from_secs(1);
/// How often it is tried.
const TRIALS: u32 = 3;
/// Most of it that the median of them may use beyond.
const OVERSHOOT: f64 = 0.02;

fn sandbox(cache: &tempfile::TempDir) -> Sandbox {
    let options = SandboxOptions {
        cache_dir: cache.path().join("artifacts"),
        grants: Grants::default(),
        ceiling: Limits::default(),
        compiler: Compiler::Here,
        compile_limits: CompileLimits::default(),
    };
    Sandbox::new(options).unwrap()
}

/// A started sink of a connector of its own that computes for ever once it is given rows.
async fn spinner(
    sandbox: &Sandbox,
    name: &str,
    limits: Limits,
) -> (Arc<Meters>, Box<dyn SinkTask>) {
    let meters = Arc::new(Meters::default());
    let id = TaskId::new(ConnectorName::new(name), 0);
    let context = TaskContext {
        limits,
        meters: Arc::clone(&meters),
        egress: Egress::default(),
        offsets: Arc::new(NoOffsets),
    };
    let mut task = sandbox.task(&id, context).await.unwrap();
    let plugins = sandbox.list();
    let plugin = plugins.iter().find(|plugin| plugin.kind == PluginKind::Sink).unwrap();
    let mut sink = task.sink(plugin).await.unwrap();
    sink.start(&Settings::default()).await.unwrap();
    (meters, sink)
}

/// Processor time of the threads that run guests so far: what the kernel says of each.
fn guest_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |thread: std::fs::DirEntry| {
        let read = |file: &str| std::fs::read_to_string(thread.path().join(file)).unwrap();
        let nanos = read("schedstat").split(' ').next().unwrap().parse().unwrap();
        (read("comm").trim_end() == GUESTS).then(|| Duration::from_nanos(nanos))
    };
    threads.filter_map(|thread| of(thread.unwrap())).sum()
}

/// What the tasks' meters count, and what the kernel counts for the threads that run them, while they compute.
async fn bill(sandbox: &Sandbox) -> (Duration, Duration) {
    let limits = Limits { call_timeout: SPIN, ..Limits::default() };
    let mut tasks = Vec::new();
    for number in 0..SPINNERS {
        tasks.push(spinner(sandbox, &format!("spinner-{number}"), limits.clone()).await);
    }
    let billed =
        |tasks: &[Arc<Meters>]| tasks.iter().map(|meters| meters.read()).sum::<Usage>().cpu;
    let (meters, sinks): (Vec<_>, Vec<_>) = tasks.into_iter().unzip();
    let before = (billed(&meters), guest_time());
    let calls: Vec<_> = sinks
        .into_iter()
        .map(|mut sink| tokio::spawn(async move { sink.put(&mut row(), None).await.is_err() }))
        .collect();
    for call in calls {
        assert!(call.await.unwrap(), "a deadline ends it");
    }
    (billed(&meters) - before.0, guest_time() - before.1)
}

fn row() -> Batch {
    Batch { rows: 1, topics: vec!["t".to_owned()], offset: vec![0], ..Batch::default() }
}

/// What a runaway plugin has used of its processor time when it is held back, as a share of its budget.
async fn runaway(sandbox: &Sandbox, trial: u32) -> f64 {
    let cpu = CpuLimits { max_millicores: Some(1), burst: BUDGET, ..CpuLimits::default() };
    let limits = Limits { call_timeout: Duration::from_secs(60), cpu, ..Limits::default() };
    let start = Instant::now();
    let (meters, mut sink) = spinner(sandbox, &format!("runaway-{trial}"), limits).await;
    let spinning = tokio::spawn(async move { sink.put(&mut row(), None).await.is_err() });
    while meters.read().parks == 0 {
        assert!(!spinning.is_finished(), "it was never held back");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let used = meters.read().cpu;
    // What its bucket was filled with meanwhile was its own.
    let budget = BUDGET + start.elapsed() / 1_000;
    spinning.abort();
    used.as_secs_f64() / budget.as_secs_f64() - 1.0
}

#[test]
fn the_bill_is_what_the_clock_says_and_a_runaway_plugin_stops_at_its_budget() {
    let cache = tempfile::tempdir().unwrap();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // A thread that ended would take its time out of the sum.
    runtime.thread_keep_alive(Duration::from_secs(3_600));
    let runtime = runtime
        .worker_threads(2)
        .thread_name(GUESTS)
        .enable_all()
        .event_interval(1)
        .build()
        .unwrap();
    let figures = async move {
        let sandbox = sandbox(&cache);
        sandbox.install(tombolo_guests::LOOPS.to_vec()).await.unwrap();
        let (billed, clock) = bill(&sandbox).await;
        let error = billed.as_secs_f64() / clock.as_secs_f64() - 1.0;
        println!(
            "bill: {SPINNERS} tasks {billed:?}, their threads {clock:?}: {:+.2} %",
            error * 100.0
        );
        assert!(error.abs() <= BILL_ERROR, "{error}");

        let mut overshoots = Vec::new();
        for trial in 0..TRIALS {
            overshoots.push(runaway(&sandbox, trial).await);
            println!(
                "runaway {trial}: {:+.2} % over {BUDGET:?}",
                overshoots[trial as usize] * 100.0
            );
        }
        overshoots.sort_by(f64::total_cmp);
        let median = overshoots[overshoots.len() / 2];
        println!("runaway: median {:+.2} %", median * 100.0);
        assert!(median <= OVERSHOOT && median > -OVERSHOOT, "{overshoots:?}");
    };
    runtime.block_on(async { tokio::spawn(figures).await.unwrap() });
}
