//! What each stage of a record's way costs by itself, in CPU nanoseconds per record: the crossing of the wall beside a memcpy of the same bytes,
//! and the shipped plugins on the records of the benchmark.
//!
//! `stages FOLDER`, with the shipped components in the folder; prints a name and a figure a line, for `tests/bench`. With `--guards` behind, what it
//! costs that plugins are held to time and memory: some stages with and without, in turn, each at its best. Not here: Kafka.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement for the console"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tombolo_model::batch::{Batch, Column, Values};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::policy::{CompileLimits, FileRoot, Grants, Limits};
use tombolo_model::role::{
    NoOffsets, Plugins, PollRequest, TaskContext, TaskPlugins, Topics, TransformationStep,
};
use tombolo_model::settings::Settings;
use tombolo_model::{ConnectorName, TaskId};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

/// Rows of a batch: `max.poll.records`.
const ROWS: usize = 500;
/// Bytes of a value in the crossing.
const VALUE_BYTES: usize = 200;
/// How often each stage runs before it is measured, and while it is.
const WARM: usize = 200;
const COUNTED: usize = 2_000;
/// How often each is measured with guards, and without.
const ROUNDS: usize = 5;

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// A sandbox, a task in it, and the folder it may use.
struct Bench {
    sandbox: Sandbox,
    task: Box<dyn TaskPlugins>,
    folder: tempfile::TempDir,
    /// What was measured, by name.
    figures: Vec<(&'static str, f64)>,
    /// Removed with it.
    _cache: tempfile::TempDir,
}

impl Bench {
    async fn new(components: &Path, guarded: bool) -> Self {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path().canonicalize().unwrap();
        let options = SandboxOptions {
            cache_dir: cache.path().join("artifacts"),
            grants: Grants { file_roots: vec![FileRoot::new(root)], ..Grants::default() },
            ceiling: Limits::default(),
            compiler: Compiler::Here,
            compile_limits: CompileLimits::default(),
        };
        let sandbox =
            if guarded { Sandbox::new(options) } else { Sandbox::without_guards(options) }.unwrap();
        sandbox.install(tombolo_guests::ECHO.to_vec()).await.unwrap();
        for name in ["converters", "file", "transforms"] {
            let component = std::fs::read(components.join(format!("tombolo_{name}.wasm"))).unwrap();
            sandbox.install(component).await.unwrap();
        }
        let context = TaskContext {
            limits: Limits::default(),
            meters: Arc::default(),
            egress: Default::default(),
            offsets: Arc::new(NoOffsets),
        };
        let id = TaskId::new(ConnectorName::new("stages"), 0);
        let task = sandbox.task(&id, context).await.unwrap();
        Self { sandbox, task, folder, figures: Vec::new(), _cache: cache }
    }

    fn plugin(&self, kind: PluginKind, class: &str) -> Arc<PluginInfo> {
        self.sandbox.find(kind, class, None).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let components = PathBuf::from(std::env::args().nth(1).unwrap());
    if std::env::args().nth(2).as_deref() == Some("--guards") {
        return guards(&components).await;
    }
    let mut bench = Bench::new(&components, true).await;
    crossing(&mut bench).await;
    copy(&mut bench);
    let batch = json(&mut bench).await;
    sink(&mut bench, "file sink", batch.clone()).await;
    transformations(&mut bench, batch).await;
    source(&mut bench).await;
    bench.figures.iter().for_each(|(name, ns)| println!("{name}\t{ns:.1}"));
}

/// Stages with and without guards, in turn.
async fn guards(components: &Path) {
    let mut benches = [Bench::new(components, true).await, Bench::new(components, false).await];
    let mut best: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (place, bench) in benches.iter_mut().enumerate() {
            crossing(bench).await;
            let batch = json(bench).await;
            sink(bench, "file sink", batch.clone()).await;
            transformations(bench, batch).await;
            for (name, ns) in bench.figures.drain(..) {
                let best = best.entry(name).or_insert([f64::INFINITY; 2]);
                best[place] = best[place].min(ns);
            }
        }
    }
    for (name, [with, without]) in best {
        println!("{name}, guarded\t{with:.1}\n{name}, unguarded\t{without:.1}");
    }
}

/// Runs a stage. Answers what it costs for each row, in nanoseconds.
async fn measure(mut stage: impl AsyncFnMut()) -> f64 {
    for _ in 0..WARM {
        stage().await;
    }
    let before = cpu();
    for _ in 0..COUNTED {
        stage().await;
    }
    per_row(cpu() - before)
}

fn per_row(time: Duration) -> f64 {
    time.as_nanos() as f64 / (ROWS * COUNTED) as f64
}

/// CPU time of this process.
fn cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

/// Values of 200 bytes into a guest that returns them, and out again.
async fn crossing(bench: &mut Bench) {
    let plugin = bench.plugin(PluginKind::Converter, "guest.EchoConverter");
    let mut echo = bench.task.converter(&plugin, &Settings::default(), false).await.unwrap();
    let topics = ["bench".to_owned()];
    let mut values = values_of_200_bytes();
    let ns = measure(async || {
        let topics = Topics { topics: &topics, topic: &[] };
        black_box(echo.to_connect_data(topics, &mut values, None).await.unwrap());
    })
    .await;
    bench.figures.push(("crossing", ns));
}

/// The same bytes copied there and back.
fn copy(bench: &mut Bench) {
    let values = values_of_200_bytes();
    let (mut there, mut back) = (Column::default(), Column::default());
    let before = cpu();
    for _ in 0..COUNTED {
        for (from, to) in [(&values, &mut there), (black_box(&values), &mut back)] {
            to.clear();
            to.ends.extend_from_slice(&from.ends);
            to.data.extend_from_slice(&from.data);
            black_box(&to);
        }
    }
    bench.figures.push(("copy", per_row(cpu() - before)));
}

fn values_of_200_bytes() -> Column {
    let mut values = Column::default();
    (0..ROWS).for_each(|_| values.push(&[b'v'; VALUE_BYTES]));
    values
}

/// A record like those of the benchmark.
fn record(id: usize) -> String {
    let (user, cents) = (100_000 + id * 7_919 % 900_000, 500 + id * 104_729 % 99_500);
    format!(
        "{{\"id\":{},\"user\":\"u{user}\",\"email\":\"user{}@example.org\",\"amount\":{:?},\"currency\":\"EUR\",\
         \"ts\":{},\"note\":\"bvcpxfckgoboyqpbpbfodkooorcoecsoqmnumyjgeuchmilpbneiykzcouvi\",\"ok\":true}}",
        1_000_000 + id,
        1_000 + id % 9_000,
        f64::from(u32::try_from(cents).unwrap()) / 100.0,
        1_763_800_000_000_u64 + id as u64,
    )
}

/// JSON without schemas to connect data, of which the answer is a batch.
async fn json(bench: &mut Bench) -> Batch {
    let plugin = bench.plugin(PluginKind::Converter, JSON);
    let settings: Settings = [("schemas.enable", "false")].into_iter().collect();
    let mut converter = bench.task.converter(&plugin, &settings, false).await.unwrap();
    let mut bytes = Column::default();
    (0..ROWS).for_each(|id| bytes.push(record(id).as_bytes()));
    let topics = ["bench".to_owned()];
    let mut last = Values::default();
    let ns = measure(async || {
        let topics = Topics { topics: &topics, topic: &[] };
        let (values, faults) = converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
        assert!(faults.is_empty());
        last = values;
    })
    .await;
    bench.figures.push(("JSON converter", ns));
    Batch {
        rows: u32::try_from(ROWS).unwrap(),
        topics: vec!["bench".to_owned()],
        value: last,
        ..Batch::default()
    }
}

/// InsertField, MaskField and ReplaceField on connect data.
async fn transformations(bench: &mut Bench, batch: Batch) {
    let step = |class: &str, settings: &[(&str, &str)]| TransformationStep {
        plugin: bench.plugin(
            PluginKind::Transformation,
            &format!("org.apache.kafka.connect.transforms.{class}$Value"),
        ),
        settings: settings.iter().copied().collect(),
        predicate: None,
    };
    let steps = vec![
        step(
            "InsertField",
            &[("topic.field", "topic"), ("static.field", "origin"), ("static.value", "bench")],
        ),
        step("MaskField", &[("fields", "email")]),
        step("ReplaceField", &[("exclude", "note")]),
    ];
    let mut chain = bench.task.transformations(steps).await.unwrap();
    let ns = measure(async || {
        let mut rows = batch.clone();
        assert!(chain.apply(&mut rows).await.unwrap().faults.is_empty());
        black_box(rows);
    })
    .await;
    bench.figures.push(("three transformations", ns));
}

/// Connect data as text into a file.
async fn sink(bench: &mut Bench, name: &'static str, mut batch: Batch) {
    let file = bench.file("sink.txt");
    let plugin = bench.plugin(PluginKind::Sink, "FileStreamSink");
    let mut sink = bench.task.sink(&plugin).await.unwrap();
    let settings = [("file", file.to_str().unwrap()), ("topics", "bench")];
    sink.start(&settings.into_iter().collect()).await.unwrap();
    let ns = measure(async || {
        assert!(sink.put(&mut batch, None).await.unwrap().0.is_empty());
    })
    .await;
    bench.figures.push((name, ns));
    sink.stop().await.unwrap();
    std::fs::remove_file(file).unwrap();
}

/// Lines of a file, and the string converter on them.
async fn source(bench: &mut Bench) {
    let file = bench.file("source.txt");
    let lines: String = (0..ROWS * (WARM + COUNTED)).map(|id| record(id) + "\n").collect();
    std::fs::write(&file, lines).unwrap();
    let plugin = bench.plugin(PluginKind::Source, "FileStreamSource");
    let context = TaskContext {
        limits: Limits::default(),
        meters: Arc::default(),
        egress: Default::default(),
        offsets: Arc::new(NoOffsets),
    };
    let id = TaskId::new(ConnectorName::new("source"), 0);
    let mut task = bench.sandbox.task(&id, context).await.unwrap();
    let mut source = task.source(&plugin).await.unwrap();
    let settings = [("file", file.to_str().unwrap()), ("topic", "bench"), ("batch.size", "500")];
    source.start(&settings.into_iter().collect()).await.unwrap();
    let mut number = 0;
    let mut last = Batch::default();
    let ns = measure(async || {
        number += 1;
        let request = PollRequest {
            batch: number,
            rows_max: u32::try_from(ROWS).unwrap(),
            bytes_max: 8 << 20,
            wait: Duration::ZERO,
        };
        last = source.poll(request).await.unwrap().records;
        assert_eq!(last.rows as usize, ROWS);
    })
    .await;
    bench.figures.push(("file source", ns));
    let plugin = bench.plugin(PluginKind::Converter, STRING);
    let mut converter = task.converter(&plugin, &Settings::default(), false).await.unwrap();
    let topics = ["bench".to_owned()];
    let ns = measure(async || {
        let topics = Topics { topics: &topics, topic: &[] };
        black_box(converter.from_connect_data(topics, &mut last.value).await.unwrap());
    })
    .await;
    bench.figures.push(("string converter", ns));
}
