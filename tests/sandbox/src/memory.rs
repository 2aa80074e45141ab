//! What a process has of memory that is its own: what its allocator and its sandboxes hold.
//!
//! Not here: what it has mapped of files, as programs and compiled components, which the kernel takes back when it likes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tombolo_harness::wait::pause;

/// How long memory must not have shrunk to count as settled.
const SETTLED: Duration = Duration::from_secs(2);

/// Resident bytes of a process when what was freed has gone back to the kernel.
pub fn settled(process: u32) -> Result<u64> {
    let (mut least, mut since) = (resident(process)?, Instant::now());
    while since.elapsed() < SETTLED {
        pause(Duration::from_millis(20));
        let now = resident(process)?;
        if now < least {
            (least, since) = (now, Instant::now());
        }
    }
    Ok(least)
}

/// Resident bytes of a process that are of no file.
pub fn resident(process: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.context("the kernel tells anonymous memory")?.trim();
    Ok(kibibytes.trim_end_matches(" kB").parse::<u64>()? * 1_024)
}
