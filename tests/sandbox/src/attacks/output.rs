//! Attacks by what is said. Not here: what the guest does.

use anyhow::{Result, ensure};
use tombolo_harness::wait_for;

use crate::attack::{Attack, Class::Output, Ends, Pairs, course, nothing_more, source};
use crate::field::{Field, PATIENCE};

/// Time enough for 20,000 lines, or millions of empty ones, on a busy machine.
const PATIENT: Pairs = &[("sandbox.call.timeout.ms", "20000")];

/// Lines that have nothing to be known by but their connector.
const EMPTY_LINES: &str = "a flood of empty lines";

pub(super) const ATTACKS: &[Attack] = &[
    source(Output, "log flood", PATIENT, Ends::Failed(&["wrote 20000 lines"])),
    source(Output, EMPTY_LINES, PATIENT, Ends::Failed(&["wrote 4194304 empty lines"])),
    source(Output, "a line of 64 MiB", PATIENT, Ends::Failed(&["wrote a line of 64 MiB"])),
    source(Output, "terminal codes and line ends", &[], Ends::Failed(&["told innocent"])),
    source(Output, "names of metrics", PATIENT, Ends::Failed(&["counted under 50000 names"])),
    source(
        Output,
        "an error of 24 MiB",
        &[],
        Ends::Failed(&["passed more than twice the", "sandbox.batch.bytes.max"]),
    ),
    source(Output, "an error of 8 MiB", &[], Ends::Failed(&["yyyy"])),
    source(Output, "status flood", &[], Ends::Harmless(statuses_are_read)),
    course(Output, "what was said", said),
];

/// Statuses are still answered.
fn statuses_are_read(field: &Field) -> Result<()> {
    let (status, answer) = field.worker.request("GET", "/connectors?expand=status", None)?;
    ensure!(status == 200, "{status}: {answer}");
    Ok(())
}

/// After the others of this class: the log has no more than its rate allows, each line is one line, and no metric has a forged name.
fn said(field: &Field) -> Result<()> {
    let log = field.worker.log();
    let control = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
    ensure!(!log.contains(control), "the log holds control characters");
    ensure!(!log.lines().any(|line| line.starts_with("1970-")), "a line was forged");
    let empty = source(Output, EMPTY_LINES, &[], Ends::Harmless(nothing_more)).connector();
    let empty = format!("connector={empty}");
    for of in ["flood flood", empty.as_str()] {
        let flood: usize = log.lines().filter(|line| line.contains(of)).map(str::len).sum();
        // A second's worth at once, and as much for each second of the call and its repetition.
        ensure!(flood < 45 * (64 << 10), "{flood} bytes of one call are in the log: {of}");
    }
    let longest = log.lines().map(str::len).max().unwrap_or_default();
    ensure!(longest < 64 << 10, "a line of {longest} bytes");
    let mut text = String::new();
    let gone = || {
        let Ok((200, metrics)) = field.worker.request("GET", "/metrics", None) else {
            return false;
        };
        text = metrics.as_str().unwrap_or_default().to_owned();
        !text.contains("flood-") && !text.contains("flood_")
    };
    wait_for(gone, "metrics of what is gone are gone", PATIENCE)?;
    ensure!(!text.lines().any(|line| line.starts_with("forged_metric")), "a metric was forged");
    Ok(())
}
