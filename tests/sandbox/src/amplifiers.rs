//! How much memory of its host an attack takes that asks for much with little.
//!
//! Not here: what the guests do (`tests/guests/programs/attacks`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tombolo_harness::wait::pause;

use crate::attack::{Attack, Class, Pairs, Way};
use crate::field::Field;
use crate::{attacks, corpus, memory};

/// The quota of each: `sandbox.memory.max`.
pub const QUOTA: u64 = 64 << 20;

/// Most that each may take: a quarter more than its quota, and 2 MiB.
pub const TAKEN_MAX: u64 = QUOTA + QUOTA / 4 + (2 << 20);

const QUOTA_SETTING: (&str, &str) = ("sandbox.memory.max", "67108864");

/// The pause between two looks at the worker's memory.
const SAMPLE: Duration = Duration::from_millis(1);

/// Attacks of the corpus that amplify, each with settings beside its quota.
const AMPLIFIERS: [(Class, &str, Pairs); 14] = [
    (Class::Abi, "a list of 2 GiB", &[QUOTA_SETTING]),
    (Class::Abi, "aliasing lists", &[QUOTA_SETTING]),
    (Class::Abi, "a million strings", &[QUOTA_SETTING]),
    (Class::Abi, "nested without end", &[QUOTA_SETTING]),
    (Class::Abi, "a flood of resources", &[QUOTA_SETTING]),
    (Class::Abi, "schemas without end", &[QUOTA_SETTING]),
    (Class::HostCalls, "100,000 waits at once", &[QUOTA_SETTING]),
    (Class::HostCalls, "bodies that are never sent", &[QUOTA_SETTING]),
    (Class::HostCalls, "headers that are never sent", &[QUOTA_SETTING]),
    (Class::Output, "log flood", &[QUOTA_SETTING, ("sandbox.call.timeout.ms", "20000")]),
    (Class::Output, "a line of 64 MiB", &[QUOTA_SETTING, ("sandbox.call.timeout.ms", "20000")]),
    (Class::Output, "names of metrics", &[QUOTA_SETTING, ("sandbox.call.timeout.ms", "20000")]),
    (Class::Output, "an error of 8 MiB", &[QUOTA_SETTING]),
    (
        Class::Kafka,
        "a million headers",
        &[QUOTA_SETTING, ("topic", "attacked"), ("sandbox.call.timeout.ms", "20000")],
    ),
];

/// What one of them took at most.
#[derive(Debug)]
pub struct Taken {
    /// The attack.
    pub name: &'static str,
    /// Bytes of the worker's memory, above what it had before.
    pub bytes: u64,
}

/// Carries out each by itself, looking at the worker's memory a thousand times a second.
pub fn run(field: &Field) -> Result<Vec<Taken>> {
    field.upload(&crate::component::numbered(0))?;
    let all = attacks::all();
    let mut taken = Vec::new();
    // The first of them has what is made once.
    for (class, name, pairs) in AMPLIFIERS.iter().take(1).chain(&AMPLIFIERS) {
        let row = all.iter().find(|one| one.class == *class && one.name == *name);
        let row = row.with_context(|| format!("no attack is named {name}"))?;
        let attack = Attack { way: Way::Source(pairs), ..*row };
        taken.push(Taken { name, bytes: peak(field, &attack)? });
    }
    Ok(taken.split_off(1))
}

/// The most memory that the worker had while an attack lasted, above what it had before.
fn peak(field: &Field, attack: &Attack) -> Result<u64> {
    let process = field.worker.process_id().context("the worker runs")?;
    let before = memory::resident(process)?;
    let over = AtomicBool::new(false);
    let peak = std::thread::scope(|scope| -> Result<u64> {
        let sampling = scope.spawn(|| -> Result<u64> {
            let mut peak = 0;
            while !over.load(Ordering::Relaxed) {
                peak = peak.max(memory::resident(process)?);
                pause(SAMPLE);
            }
            Ok(peak)
        });
        let ended = corpus::begin(field, attack).and_then(|()| corpus::end(field, attack));
        over.store(true, Ordering::Relaxed);
        let peak = sampling.join().map_err(|_| anyhow!("the thread that looks failed"))??;
        ended.with_context(|| attack.name)?;
        Ok(peak)
    })?;
    field.delete(&attack.connector())?;
    Ok(peak.saturating_sub(before))
}
