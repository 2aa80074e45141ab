//! What each stage of a record's way costs by itself, in CPU nanoseconds per record: the crossing of the wall beside a memcpy of the same bytes,
//! and the shipped plugins on the records of the benchmark.
//!
//! `stages FOLDER`, with the shipped components in the folder; prints a name and a figure a line, for `tests/bench`. Not here: Kafka.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for the console")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

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

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// A sandbox, a task in it, and the folder it may use.
struct Bench {
    sandbox: Sandbox,
    task: Box<dyn TaskPlugins>,
    folder: tempfile::TempDir,
    /// Removed with it.
    _cache: tempfile::TempDir,
}

impl Bench {
    async fn new(components: &Path) -> Self {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = folder.path().canonicalize().unwrap();
        let sandbox = Sandbox::new(SandboxOptions {
            cache_dir: cache.path().join("artifacts"),
            grants: Grants { file_roots: vec![FileRoot::new(root)], ..Grants::default() },
            ceiling: Limits::default(),
            compiler: Compiler::Here,
            compile_limits: CompileLimits::default(),
        })
        .unwrap();
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
        Self { sandbox, task, folder, _cache: cache }
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
    let mut bench = Bench::new(&components).await;
    crossing(&mut bench).await;
    copy();
    let converted = json(&mut bench).await;
    let batch = Batch {
        rows: u32::try_from(ROWS).unwrap(),
        topics: vec!["bench".to_owned()],
        value: converted,
        ..Batch::default()
    };
    sink(&mut bench, "file sink", batch.clone()).await;
    transformations(&mut bench, batch).await;
    source(&mut bench).await;
}

/// Runs a stage, and prints what it costs.
async fn measure(name: &str, mut stage: impl AsyncFnMut()) {
    for _ in 0..WARM {
        stage().await;
    }
    let before = cpu();
    for _ in 0..COUNTED {
        stage().await;
    }
    report(name, cpu() - before);
}

fn report(name: &str, time: Duration) {
    println!("{name}\t{:.1}", time.as_nanos() as f64 / (ROWS * COUNTED) as f64);
}

/// CPU time of this process, in the kernel's steps of 10 ms.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = text.rsplit_once(") ").unwrap();
    let ticks: u64 = fields.split(' ').skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Duration::from_millis(ticks * 10)
}

/// Values of 200 bytes into a guest that returns them, and out again.
async fn crossing(bench: &mut Bench) {
    let plugin = bench.plugin(PluginKind::Converter, "guest.EchoConverter");
    let mut echo = bench.task.converter(&plugin, &Settings::default(), false).await.unwrap();
    let topics = ["bench".to_owned()];
    let mut values = values_of_200_bytes();
    measure("crossing", async || {
        let topics = Topics { topics: &topics, topic: &[] };
        black_box(echo.to_connect_data(topics, &mut values, None).await.unwrap());
    })
    .await;
}

/// The same bytes copied there and back.
fn copy() {
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
    report("copy", cpu() - before);
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

/// JSON without schemas to connect data.
async fn json(bench: &mut Bench) -> Values {
    let plugin = bench.plugin(PluginKind::Converter, JSON);
    let settings: Settings = [("schemas.enable", "false")].into_iter().collect();
    let mut converter = bench.task.converter(&plugin, &settings, false).await.unwrap();
    let mut bytes = Column::default();
    (0..ROWS).for_each(|id| bytes.push(record(id).as_bytes()));
    let topics = ["bench".to_owned()];
    let mut last = Values::default();
    measure("JSON converter", async || {
        let topics = Topics { topics: &topics, topic: &[] };
        let (values, faults) = converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
        assert!(faults.is_empty());
        last = values;
    })
    .await;
    last
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
    measure("three transformations", async || {
        let mut rows = batch.clone();
        assert!(chain.apply(&mut rows).await.unwrap().faults.is_empty());
        black_box(rows);
    })
    .await;
}

/// Connect data as text into a file.
async fn sink(bench: &mut Bench, name: &str, mut batch: Batch) {
    let file = bench.file("sink.txt");
    let plugin = bench.plugin(PluginKind::Sink, "FileStreamSink");
    let mut sink = bench.task.sink(&plugin).await.unwrap();
    let settings = [("file", file.to_str().unwrap()), ("topics", "bench")];
    sink.start(&settings.into_iter().collect()).await.unwrap();
    measure(name, async || {
        assert!(sink.put(&mut batch, None).await.unwrap().0.is_empty());
    })
    .await;
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
    measure("file source", async || {
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
    let plugin = bench.plugin(PluginKind::Converter, STRING);
    let mut converter = task.converter(&plugin, &Settings::default(), false).await.unwrap();
    let topics = ["bench".to_owned()];
    measure("string converter", async || {
        let topics = Topics { topics: &topics, topic: &[] };
        black_box(converter.from_connect_data(topics, &mut last.value).await.unwrap());
    })
    .await;
}
