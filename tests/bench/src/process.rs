//! What a process has used: CPU time and memory, from `/proc`.
//!
//! Not here: when it is asked.

use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks of the kernel's clock for user space, on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Most that was ever resident.
    pub peak: u64,
}

/// CPU time of all threads a process has or had, in user space and in the kernel.
///
/// The kernel counts it exactly and tells it in steps of 10 ms: one percent of the million records the targets speak of.
pub fn cpu(id: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name of the program stands in brackets and may hold anything.
    let (_, fields) = text.rsplit_once(") ").context("a process has a name")?;
    // user and system time: fields 14 and 15, counted from the number of the process.
    let ticks: u64 = fields.split(' ').skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Memory of a process.
pub fn memory(id: u32) -> Result<Memory> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let find = |name: &str| -> Result<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.context("a process has memory")?.trim().trim_end_matches(" kB");
        Ok(kilobytes.parse::<u64>()? * 1024)
    };
    Ok(Memory { resident: find("VmRSS:")?, peak: find("VmHWM:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_time_and_memory() {
        let id = std::process::id();
        let start = std::time::Instant::now();
        let mut sum = 0u64;
        while start.elapsed() < Duration::from_millis(300) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        // The machine may be busy: some of the time is ours at least.
        assert!(cpu(id).unwrap() >= Duration::from_millis(30));
        let memory = memory(id).unwrap();
        assert!(memory.peak >= memory.resident && memory.resident > 1 << 20);
    }
}
