//! Attacks by starting, stopping and replacing. Not here: what hangs where (`hangs`).

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tombolo_harness::wait_for;

use crate::attack::{Attack, Class::Lifecycle, course};
use crate::component::numbered;
use crate::field::{CALL_TIMEOUT, Field, PATIENCE};

/// How often something is done again.
const TIMES: usize = 20;

pub(super) const ATTACKS: &[Attack] = &[
    course(Lifecycle, "a trap with every start", trap_loop),
    course(Lifecycle, "a trap with every restart", restarts),
    course(Lifecycle, "a stop that sleeps", |field| stop(field, "sleep")),
    course(Lifecycle, "a stop that loops", |field| stop(field, "loop")),
    course(Lifecycle, "created and deleted again and again", create_again),
    course(Lifecycle, "configured anew again and again", flip),
    course(Lifecycle, "deleted while it hangs", delete_while_it_hangs),
];

fn config(class: &str, more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": class,
        "tasks.max": "1",
        "sandbox.restart.max": "0",
        "sandbox.call.timeout.ms": CALL_TIMEOUT.as_millis().to_string(),
    });
    if let Some(all) = config.as_object_mut() {
        all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    }
    config
}

const SOURCE: &str = "guest.Attacks0000Source";

fn trap_loop(field: &Field) -> Result<()> {
    field.upload(tombolo_guests::HANGS)?;
    let traps = [("hang.at", "source.start"), ("hang.how", "trap")];
    field.worker.create("trap-loop", &config("guest.HangsSource", &traps))?;
    for _ in 0..TIMES {
        wait_for(|| field.failure("trap-loop").is_some(), "it traps", PATIENCE)?;
        let path = "/connectors/trap-loop/restart?includeTasks=true";
        let (status, answer) = field.worker.request("POST", path, None)?;
        ensure!(status == 202, "a restart is answered with {status}: {answer}");
    }
    field.delete("trap-loop")
}

/// The worker itself starts it anew, so often and no oftener.
fn restarts(field: &Field) -> Result<()> {
    field.upload(tombolo_guests::HANGS)?;
    let traps = [
        ("hang.at", "source.start"),
        ("hang.how", "trap"),
        ("sandbox.restart.max", "5"),
        ("sandbox.restart.backoff.ms", "50"),
    ];
    field.worker.create("restarts", &config("guest.HangsSource", &traps))?;
    wait_for(|| field.failure("restarts").is_some(), "it is given up", PATIENCE)?;
    field.delete("restarts")
}

/// A task whose stop does not return is given up after its deadline, and may be deleted meanwhile.
fn stop(field: &Field, how: &'static str) -> Result<()> {
    field.upload(tombolo_guests::HANGS)?;
    let name = format!("stop-{how}");
    let hangs = [("hang.at", "source.stop"), ("hang.how", how)];
    field.worker.create(&name, &config("guest.HangsSource", &hangs))?;
    field.worker.wait_for_state(&name, "RUNNING")?;
    let start = Instant::now();
    field.delete(&name)?;
    ensure!(start.elapsed() < PATIENCE, "a deletion took {:?}", start.elapsed());
    field.neighbour_goes_on()
}

fn create_again(field: &Field) -> Result<()> {
    let loops = config(SOURCE, &[("attack", "tight loop")]);
    for _ in 0..TIMES {
        field.worker.create("again", &loops)?;
        field.delete("again")?;
    }
    field.neighbour_goes_on()
}

/// From one component to another and back, whether the one before has started or not.
fn flip(field: &Field) -> Result<()> {
    field.upload(&numbered(9_101))?;
    field.worker.create("flip", &config(SOURCE, &[]))?;
    for turn in 0..TIMES {
        let class = if turn % 2 == 0 { "guest.Attacks9101Source" } else { SOURCE };
        let changed = config(class, &[("turn", &turn.to_string())]);
        let (status, answer) =
            field.worker.request("PUT", "/connectors/flip/config", Some(&changed))?;
        ensure!(status == 200, "a change is answered with {status}: {answer}");
    }
    field.worker.wait_for_state("flip", "RUNNING")?;
    field.delete("flip")
}

fn delete_while_it_hangs(field: &Field) -> Result<()> {
    let sleeps = [("attack", "a sleep of ten years"), ("sandbox.call.timeout.ms", "600000")];
    field.worker.create("hanging", &config(SOURCE, &sleeps))?;
    field.worker.wait_for_state("hanging", "RUNNING")?;
    field.delete("hanging")?;
    // Its name is free at once, and another of that name is not held up.
    field.worker.create("hanging", &config(SOURCE, &[]))?;
    field.worker.wait_for_state("hanging", "RUNNING")?;
    field.delete("hanging")
}
