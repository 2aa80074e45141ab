//! Writes orders into a real PostgreSQL while the worker is killed and the database restarted, ten and three times unless told otherwise.
//!
//! `postgres_kills [KILLS] [RESTARTS]`, after `cargo build --release`; ends with an error where an order is lost or doubled. Not here: the slice of it that every run
//! of the tests does (`tests/postgres.rs`).

#![expect(clippy::print_stdout, reason = "a long test, run by hand")]

#[path = "../tests/postgres/scene.rs"]
mod scene;

use anyhow::{Context, Result};

/// Orders between two ends: a few seconds of them.
const ORDERS: usize = 5_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual| arguments.get(at).map_or(Ok(usual), |text| text.parse());
    let (kills, restarts) = (number(0, 10)?, number(1, 3)?);
    let program = tombolo_harness::target_folder().join("release/tombolo");
    let program = program.to_str().context("the program's path is UTF-8")?;
    let plan = scene::Plan { orders: ORDERS * (kills + restarts + 1), kills, restarts };
    println!("postgres: {}", scene::keep_orders(program, &plan)?);
    Ok(())
}
