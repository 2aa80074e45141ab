//! A worker and a database, and orders that reach it by key though both are ended over and over.
//!
//! Not here: how often, which the test (`postgres.rs`) and the long run (`examples/postgres_kills.rs`) say.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tombolo_harness::{Kafka, Postgres, Worker, wait_for};

/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// Orders a second.
const RATE: usize = 3_000;
/// The topic of orders, and the converter of their keys.
const TOPIC: &str = "postgres-orders";
const LONG: &str = "org.apache.kafka.connect.converters.LongConverter";

/// How much is written, and how often what is ended meanwhile.
pub(crate) struct Plan {
    /// Orders in all.
    pub(crate) orders: usize,
    /// How often the worker is killed.
    pub(crate) kills: usize,
    /// How often the database is restarted, which undoes what is under way.
    pub(crate) restarts: usize,
}

/// A worker whose connectors may reach this database.
pub(crate) fn worker(program: &str, postgres: &Postgres) -> Result<Worker> {
    let address = format!("127.0.0.1:{}", postgres.port());
    let settings = [
        ("sandbox.net.allow", format!("tcp://{address}")),
        ("sandbox.net.private", address),
        // The least that a broker lets: what a killed worker had waits for it.
        ("consumer.session.timeout.ms", "6000".to_owned()),
    ];
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Worker::start(program, Kafka::shared()?, &settings)
}

/// A sink of a topic that keeps a row per key, with these settings on top.
pub(crate) fn sink(postgres: &Postgres, topic: &str, more: &Value) -> Value {
    let place = format!("127.0.0.1:{}", postgres.port());
    let mut config = json!({
        "connector.class": "PostgresSinkConnector",
        "topics": topic,
        "connection.url": format!("jdbc:postgresql://{place}/postgres"),
        "connection.user": "postgres",
        "sandbox.net.allow": format!("tcp://{place}"),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": false,
        "insert.mode": "upsert",
        "pk.mode": "record_key",
        "pk.fields": "id",
        "auto.create": true,
        "retry.backoff.ms": 200,
        "max.retries": 1000,
    });
    let more = more.as_object().cloned().unwrap_or_default();
    config.as_object_mut().into_iter().for_each(|config| config.extend(more.clone()));
    config
}

/// The rows of a query, columns with commas between; none while the database is away.
pub(crate) fn rows(postgres: &Postgres, sql: &str) -> Vec<String> {
    let rows = postgres.query(sql).unwrap_or_default();
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(",")).collect()
}

/// Waits until a query has these rows.
pub(crate) fn arrive(
    worker: &Worker,
    postgres: &Postgres,
    sql: &str,
    expected: &[&str],
) -> Result<()> {
    let arrived = || rows(postgres, sql) == expected;
    wait_for(arrived, "the rows arrive", PATIENCE)
        .with_context(|| format!("{:?}\n{}\n{}", rows(postgres, sql), worker.log(), postgres.log()))
}

/// The table, with a trigger that counts what is written over.
const TABLE: &str = "\
    CREATE TABLE orders (id bigint PRIMARY KEY, order_id bigint, item text, price float8, \
    quantity int, writes int NOT NULL DEFAULT 1); \
    CREATE FUNCTION again() RETURNS trigger AS \
    'BEGIN NEW.writes = OLD.writes + 1; RETURN NEW; END' LANGUAGE plpgsql; \
    CREATE TRIGGER again BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION again()";

/// Orders from a source over two partitions to two tasks of a sink; says what came of it.
///
/// Errors: an order that is missing, or there twice.
pub(crate) fn keep_orders(program: &str, plan: &Plan) -> Result<String> {
    let mut postgres = Postgres::start()?;
    postgres.query(TABLE)?;
    let mut worker = worker(program, &postgres)?;
    let more = json!({
        "tasks.max": 2,
        "key.converter": LONG,
        "value.converter.schemas.enable": true,
        "fields.whitelist": "order_id,item,price,quantity",
        "table.name.format": "orders",
    });
    worker.create("sink", &sink(&postgres, TOPIC, &more))?;
    let begin = Instant::now();
    // A share of the orders before each end, and one after the last, so that some are always under way.
    let (orders, shares) = (plan.orders, plan.kills + plan.restarts + 1);
    let mut share = 0;
    let mut go_on = |worker: &Worker, postgres: &Postgres| {
        share += 1;
        advance(worker, postgres, orders * share / shares)
    };
    let mut restarted = 0;
    for kill in 1..=plan.kills {
        go_on(&worker, &postgres)?;
        worker.kill()?;
        worker.start_again()?;
        if kill * plan.restarts / plan.kills > restarted {
            restarted += 1;
            go_on(&worker, &postgres)?;
            postgres.stop()?;
            postgres.start_again()?;
        }
    }
    go_on(&worker, &postgres)?;
    let sums = "SELECT count(*), count(DISTINCT order_id), sum(abs(order_id - id)), max(id) - min(id) FROM orders";
    arrive(&worker, &postgres, sums, &[&format!("{orders},{orders},0,{}", orders - 1)])?;
    worker.wait_for_state("sink", "RUNNING")?;
    let again = rows(&postgres, "SELECT sum(writes) - count(*) FROM orders").concat();
    Ok(format!(
        "{orders} orders in {} rows through {} kills of the worker and {restarted} restarts of the database in {:.0} s: none lost, none doubled; {again} were written over with the same",
        rows(&postgres, "SELECT count(*) FROM orders").concat(),
        plan.kills,
        begin.elapsed().as_secs_f64(),
    ))
}

/// Lets the source go on up to this many orders, and waits until more are there than before.
fn advance(worker: &Worker, postgres: &Postgres, orders: usize) -> Result<()> {
    let count = || rows(postgres, "SELECT count(*) FROM orders").concat().parse::<usize>();
    let Ok(before) = count() else { bail!("the orders cannot be counted: {}", postgres.log()) };
    let source = json!({
        "connector.class": "DatagenConnector",
        "topic": TOPIC, "records.max": orders, "rate": RATE,
        "key.converter": LONG,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "topic.creation.default.partitions": 2,
        "topic.creation.default.replication.factor": 1,
    });
    let (status, answer) = worker.request("PUT", "/connectors/orders/config", Some(&source))?;
    ensure!(matches!(status, 200 | 201), "changing the source: {status} {answer}");
    let advanced = || count().is_ok_and(|now| now > before);
    wait_for(advanced, "orders arrive", PATIENCE)
        .with_context(|| format!("{:?} after {before}\n{}", count(), worker.log()))
}
