//! Calls the host without end, when it must not, or for more than it gives.

use std::time::{Duration, Instant};

use tombolo_guest_programs::host::{log, schemas};
use wasip2::clocks::monotonic_clock::{subscribe_duration, subscribe_instant};
use wasip2::io::poll::poll;

use crate::abi::text_schema;
use crate::allocator::{Next, arm};
use crate::{Answer, setting, tell};

/// Ten years.
const LONG: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

pub(crate) fn attack(name: &str) -> Option<Answer> {
    Some(match name {
        "call flood" => calls(),
        "a flood of WASI calls" => clock_calls(),
        "a call from an allocation" => allocating(Next::CallsTheHost),
        "a loop in an allocation" => allocating(Next::Loops),
        "a wait that never ends" => waits(),
        "100,000 waits at once" => many_waits(),
        "64 MiB of randomness" => random(),
        "a spin on the clock" => clock_spin(),
        "a sleep of ten years" => sleeps(),
        "a write past its budget" => writes(),
        _ => return None,
    })
}

/// A line in the log.
pub(crate) fn note(what: &str) {
    log::log(log::Level::Info, what);
}

fn calls() -> ! {
    loop {
        schemas::lookup(1);
    }
}

fn clock_calls() -> ! {
    loop {
        drop(subscribe_duration(0));
    }
}

/// The host asks for room for an answer, which allocates.
fn allocating(next: Next) -> Answer {
    let number = schemas::define(&text_schema("allocated")).unwrap_or_default();
    arm(next);
    let found = schemas::lookup(number);
    tell(format!("ESCAPED with {}", found.is_some()))
}

fn waits() -> Answer {
    subscribe_instant(u64::MAX).block();
    tell("ESCAPED")
}

/// As many as there may be handles, each waited for a hundred times.
fn many_waits() -> Answer {
    let kept: Vec<_> = (0..400).map(|_| subscribe_duration(u64::MAX / 2)).collect();
    let all: Vec<_> = kept.iter().cycle().take(100_000).collect();
    tell(format!("ESCAPED with {}", poll(&all).len()))
}

fn random() -> Answer {
    let bytes = wasip2::random::random::get_random_bytes(64 << 20);
    tell(format!("ESCAPED with {}", bytes.len()))
}

fn clock_spin() -> ! {
    let start = Instant::now();
    let mut last = start;
    loop {
        last = last.max(std::hint::black_box(Instant::now()));
    }
}

#[expect(clippy::disallowed_methods, reason = "what it is for")]
fn sleeps() -> Answer {
    std::thread::sleep(LONG);
    tell(setting("attack"))
}

fn writes() -> Answer {
    let stream = wasip2::cli::stdout::get_stdout();
    let written = stream.write(&vec![b'x'; 16 << 20]);
    tell(format!("ESCAPED with {written:?}"))
}
