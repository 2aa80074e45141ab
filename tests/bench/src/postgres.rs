//! Rows into a real PostgreSQL: the sink beside `psql \copy` of the same rows into the same table, without TLS.
//!
//! Not here: what the sink promises, which the program's tests hold.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tombolo_harness::Postgres;
use tombolo_harness::postgres::Client;
use tombolo_harness::wait::pause;

use crate::peer::{Peer, Worker};
use crate::process;
use crate::records::Record;
use crate::run::Bench;
use crate::samples::{Sample, Samples};

/// Records of a poll, and so of a transaction: Kafka's default, and what one sets who has many rows.
const POLLS: [u32; 2] = [500, 5_000];
/// `insert.mode` of the sink.
const MODES: [&str; 2] = ["insert", "upsert"];
/// Time between samples.
const PAUSE: Duration = Duration::from_millis(20);
/// A sink that writes nothing for this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What writing rows cost.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Rows a second.
    pub rate: f64,
    /// CPU time of who writes, per row in nanoseconds: psql, or the whole worker.
    pub writer: f64,
    /// CPU time of all of the server's processes, per row in nanoseconds.
    pub server: f64,
}

/// Loads by their name, several of a name where there are several rounds.
pub type Loads = Vec<(String, Load)>;

/// Measures a copy and the sink in its modes, in turn.
pub fn loads(bench: &Bench, rounds: usize) -> Result<Loads> {
    let postgres = Postgres::start()?;
    // Tests do without; here a commit costs what it costs.
    let mut client = postgres.client()?;
    client.query("ALTER SYSTEM SET fsync = on")?;
    client.query("SELECT pg_reload_conf()")?;
    let files = Files::write(bench)?;
    let mut loads = Loads::new();
    for round in 1..=rounds {
        let (name, load, sum) = copied(bench, &postgres, &files)?;
        loads.push((name.to_owned(), load));
        for (mode, poll) in MODES.into_iter().flat_map(|mode| POLLS.map(|poll| (mode, poll))) {
            let (load, found) = sunk(bench, &postgres, mode, (poll, round))?;
            ensure!(found == sum, "{mode} wrote other rows than the copy: {found}, not {sum}");
            loads.push((format!("sink, {mode}, {poll} rows a transaction"), load));
        }
    }
    Ok(loads)
}

/// The rows as CSV: those that are not counted, those that are, and those behind, so that the table ends as the sink's does.
struct Files([PathBuf; 3]);

impl Files {
    fn write(bench: &Bench) -> Result<Self> {
        let ranges =
            [0..bench.records, bench.records..bench.records * 2, bench.records * 2..bench.total()];
        let names =
            ["warm", "counted", "rest"].map(|name| bench.around.folder.join(format!("{name}.csv")));
        for (path, ids) in names.iter().zip(ranges) {
            let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
            for id in ids {
                writeln!(file, "{}", csv(&Record::new(id)))?;
            }
            file.flush()?;
        }
        Ok(Self(names))
    }
}

fn csv(record: &Record) -> String {
    let Record { id, user, email, amount, note } = record;
    format!("{id},{user},{email},{amount:?},EUR,{},{note},true", record.time())
}

/// Makes an empty table for the records.
fn make(postgres: &Postgres, table: &str) -> Result<()> {
    postgres.query(&format!(
        "DROP TABLE IF EXISTS {table}; \
         CREATE TABLE {table} (id bigint PRIMARY KEY, \"user\" text, email text, amount float8, \
         currency text, ts bigint, note text, ok boolean)"
    ))?;
    // Nobody pays for what was written before.
    postgres.query("CHECKPOINT")?;
    Ok(())
}

/// What is in a table, and the table gone.
fn sum(postgres: &Postgres, table: &str) -> Result<String> {
    let sql = format!("SELECT count(*), sum(hashtext(t::text)::bigint) FROM {table} t");
    let row = postgres.query(&sql)?.concat();
    postgres.query(&format!("DROP TABLE {table}"))?;
    Ok(row.into_iter().flatten().collect::<Vec<_>>().join(" rows, "))
}

/// Copies the rows with `psql`, or as it does where there is none; returns what it is called, the load of the counted rows, and the sum of the table.
fn copied(
    bench: &Bench,
    postgres: &Postgres,
    files: &Files,
) -> Result<(&'static str, Load, String)> {
    make(postgres, "copied")?;
    let server = postgres.process_id().context("PostgreSQL runs")?;
    let has_psql =
        Command::new("psql").arg("--version").output().is_ok_and(|run| run.status.success());
    let (name, copy): (_, fn(&Postgres, &Path) -> Result<()>) = match has_psql {
        true => ("psql \\copy", by_psql),
        false => ("COPY over the wire (psql is not installed)", by_wire),
    };
    let own = std::process::id();
    let [warm, counted, rest] = &files.0;
    copy(postgres, warm)?;
    let begin = (Instant::now(), process::with_children(own)?, process::family(server)?);
    copy(postgres, counted)?;
    let time = begin.0.elapsed();
    let load = Load {
        rate: bench.records as f64 / time.as_secs_f64(),
        writer: per_row(process::with_children(own)? - begin.1, bench),
        server: per_row(process::family(server)? - begin.2, bench),
    };
    copy(postgres, rest)?;
    Ok((name, load, sum(postgres, "copied")?))
}

fn by_psql(postgres: &Postgres, file: &Path) -> Result<()> {
    let copy = format!("\\copy copied FROM '{}' (FORMAT csv)", file.display());
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--host=127.0.0.1", "--username=postgres"]);
    psql.arg(format!("--port={}", postgres.port())).args(["--command", &copy, "postgres"]);
    let output = psql.env("PGSSLMODE", "disable").output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{psql:?}: {words}");
    Ok(())
}

fn by_wire(postgres: &Postgres, file: &Path) -> Result<()> {
    postgres.client()?.copy("COPY copied FROM STDIN (FORMAT csv)", &std::fs::read(file)?)
}

/// Has the sink write the topic; returns the load of the counted rows, and the sum of the table.
fn sunk(
    bench: &Bench,
    postgres: &Postgres,
    mode: &str,
    (poll, round): (u32, usize),
) -> Result<(Load, String)> {
    let table = format!("{mode}_{poll}");
    make(postgres, &table)?;
    let place = format!("127.0.0.1:{}", postgres.port());
    let name = format!("postgres-{mode}-{poll}-{round}");
    let open =
        [("sandbox.net.allow", format!("tcp://{place}")), ("sandbox.net.private", place.clone())];
    let worker = Worker::start_with(Peer::Tombolo, &name, &bench.around, &open)?;
    let config = config(bench.input_topic(), &place, &table, (mode, poll));
    worker.api.create(&json!({ "name": name, "config": config }))?;
    let load = watch(bench, postgres, &worker, (&name, &table))
        .with_context(|| format!("the worker's log is {}", worker.log().display()))?;
    worker.stop()?;
    Ok((load, sum(postgres, &table)?))
}

fn config(topic: &str, place: &str, table: &str, (mode, poll): (&str, u32)) -> Value {
    json!({
        "connector.class": "io.tombolo.postgres.PostgresSinkConnector",
        "tasks.max": "1",
        "topics": topic,
        "connection.url": format!("jdbc:postgresql://{place}/postgres?sslmode=disable"),
        "connection.user": "postgres",
        "table.name.format": table,
        "insert.mode": mode,
        "pk.mode": "record_value",
        "pk.fields": "id",
        "batch.size": poll.to_string(),
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "consumer.override.max.poll.records": poll.to_string(),
        "sandbox.net.allow": format!("tcp://{place}"),
    })
}

/// Watches a table until all rows are in it. Rows come in the order of their ids.
fn watch(
    bench: &Bench,
    postgres: &Postgres,
    worker: &Worker,
    (connector, table): (&str, &str),
) -> Result<Load> {
    let server = postgres.process_id().context("PostgreSQL runs")?;
    let mut client = postgres.client()?;
    let (begin, mut moved, mut last) = (Instant::now(), Instant::now(), 0);
    let mut samples = [Samples::default(), Samples::default()];
    while last < bench.total() {
        let progress = rows(&mut client, table)?;
        let cpus = [process::cpu(worker.id())?, process::family(server)?];
        for (samples, cpu) in samples.iter_mut().zip(cpus) {
            samples.push(Sample { at: begin.elapsed(), progress, cpu });
        }
        if progress > last {
            (last, moved) = (progress, Instant::now());
        } else if moved.elapsed() > PATIENCE {
            worker.api.check(connector)?;
            bail!("nothing more was written after {progress} of {}", bench.total());
        }
        pause(PAUSE);
    }
    let [writer, server] = samples.map(|samples| {
        let [warm, counted] = [1, 2].map(|times| samples.when(bench.records * times));
        let (warm, counted) = warm.zip(counted)?;
        Some((counted.0 - warm.0, per_row(counted.1 - warm.1, bench)))
    });
    let ((time, writer), (_, server)) =
        writer.zip(server).context("the run has passed its marks")?;
    Ok(Load { rate: bench.records as f64 / time.as_secs_f64(), writer, server })
}

/// Rows in a table whose ids begin with 0.
fn rows(client: &mut Client, table: &str) -> Result<u64> {
    let row = client.query(&format!("SELECT max(id) + 1 FROM {table}"))?.concat();
    Ok(row.into_iter().flatten().next().map_or(Ok(0), |text| text.parse())?)
}

fn per_row(time: Duration, bench: &Bench) -> f64 {
    time.as_nanos() as f64 / bench.records as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_csv_has_what_the_record_has() {
        let record =
            Record { id: 7, user: "u".into(), email: "e".into(), amount: 5.0, note: "n".into() };
        assert_eq!(csv(&record), "7,u,e,5.0,EUR,1763800000007,n,true");
    }
}
