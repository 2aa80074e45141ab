//! One run of one case on one program: warm, then counted.
//!
//! Not here: rounds, medians and targets (`report`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tombolo_harness::wait::pause;

use crate::broker::Broker;
use crate::case::{Case, Ends};
use crate::peer::{Peer, Surroundings, Worker};
use crate::process::{self, Memory};
use crate::samples::{Sample, Samples};
use crate::{records::Record, verify};

/// Time between samples before the first row: as fine as that figure needs.
const PAUSE_FIRST: Duration = Duration::from_millis(2);
/// Time between samples: fine beside a run of seconds, and little work.
const PAUSE: Duration = Duration::from_millis(20);
/// A worker that writes nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one run has measured.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// CPU time per counted record, in nanoseconds: the whole process.
    pub cpu: f64,
    /// Counted records per second.
    pub rate: f64,
    /// Memory when the last counted record was written.
    pub memory: Memory,
    /// From the request that creates the connector to the first bytes written.
    pub first_row: Duration,
}

/// What is the same for all runs.
pub struct Bench {
    /// Where workers live.
    pub around: Surroundings,
    /// The broker's clients.
    pub broker: Broker,
    /// Records that are counted, after as many that are not.
    pub records: u64,
}

impl Bench {
    /// Records of a run: warm, counted, and some more, so that the count ends at full speed.
    pub fn total(&self) -> u64 {
        self.records * 2 + self.records / 10
    }

    /// The topic that sinks read.
    pub fn input_topic(&self) -> &'static str {
        "bench-input"
    }

    /// The file that sources read.
    pub fn input_file(&self) -> PathBuf {
        self.around.folder.join("input.txt")
    }
}

/// What a run writes, and how far it is.
enum Output<'a> {
    File(PathBuf),
    Topic(&'a Broker, String),
}

impl Output<'_> {
    /// Bytes in the file or records in the topic; 0 if there is none yet.
    fn progress(&self) -> Result<u64> {
        match self {
            Self::File(path) => Ok(path.metadata().map_or(0, |file| file.len())),
            Self::Topic(broker, topic) => broker.length(topic),
        }
    }
}

/// Runs a case on a program, and checks what it wrote.
pub fn run(bench: &Bench, case: Case, peer: Peer, round: usize) -> Result<Figures> {
    let name = format!("{}-{}-{round}", case.name(), peer.name());
    let (output, ends) = prepare(bench, case, &name)?;
    let file = ends.1.display().to_string();
    let connector = case.connector(&Ends { connector: &name, topic: &ends.0, file: &file });
    let goal = match case.is_sink() {
        true => verify::file_size(case, &ends.0, bench.total()),
        false => bench.total(),
    };
    let worker = Worker::start(peer, &name, &bench.around)?;
    let begin = Instant::now();
    worker.api.create(&connector)?;
    let (samples, memory) = sample(&worker, &name, &output, begin, goal)
        .with_context(|| format!("{}; its log is {}", peer.title(), worker.log().display()))?;
    worker.stop()?;
    let marks = match &output {
        Output::File(path) => verify::file(path, case, &ends.0, bench)?,
        Output::Topic(broker, topic) => verify::topic(broker, topic, bench)?,
    };
    if let Output::File(path) = &output {
        std::fs::remove_file(path)?;
    }
    figures(&samples, marks, memory, bench.records)
}

/// What is written, and the topic and the file of the connector.
fn prepare<'a>(
    bench: &'a Bench,
    case: Case,
    name: &str,
) -> Result<(Output<'a>, (String, PathBuf))> {
    if case.is_sink() {
        let file = bench.around.folder.join(format!("{name}.txt"));
        return Ok((Output::File(file.clone()), (bench.input_topic().to_owned(), file)));
    }
    let topic = format!("bench-{name}");
    bench.broker.create(&topic)?;
    Ok((Output::Topic(&bench.broker, topic.clone()), (topic, bench.input_file())))
}

/// Watches a run until `goal` is reached.
fn sample(
    worker: &Worker,
    connector: &str,
    output: &Output<'_>,
    begin: Instant,
    goal: u64,
) -> Result<(Samples, Memory)> {
    let mut samples = Samples::default();
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let progress = output.progress()?;
        let cpu = process::cpu(worker.id())?;
        samples.push(Sample { at: begin.elapsed(), progress, cpu });
        if progress >= goal {
            return Ok((samples, process::memory(worker.id())?));
        }
        if progress > last {
            (last, moved) = (progress, Instant::now());
        } else if moved.elapsed() > PATIENCE {
            worker.api.check(connector)?;
            bail!("nothing more was written after {progress} of {goal}");
        }
        pause(if progress == 0 { PAUSE_FIRST } else { PAUSE });
    }
}

fn figures(samples: &Samples, marks: [u64; 2], memory: Memory, records: u64) -> Result<Figures> {
    let [warm, counted] = marks.map(|mark| samples.when(mark));
    let (warm, counted) = warm.zip(counted).context("the run has passed its marks")?;
    let (time, cpu) = (counted.0 - warm.0, counted.1 - warm.1);
    Ok(Figures {
        cpu: cpu.as_nanos() as f64 / records as f64,
        rate: records as f64 / time.as_secs_f64(),
        memory,
        first_row: samples.first_progress().context("the run has written")?,
    })
}

/// Writes the file that sources read.
pub fn write_input(path: &Path, count: u64) -> Result<()> {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for id in 0..count {
        writeln!(file, "{}", Record::new(id).json())?;
    }
    Ok(file.flush()?)
}
