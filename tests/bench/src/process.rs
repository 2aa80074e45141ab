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
    Stat::read(id).map(|stat| stat.own)
}

/// The same with that of children which have ended.
pub fn with_children(id: u32) -> Result<Duration> {
    Stat::read(id).map(|stat| stat.own + stat.ended)
}

/// The same with that of children which run as well.
pub fn family(id: u32) -> Result<Duration> {
    let mut sum = with_children(id)?;
    for entry in std::fs::read_dir("/proc")? {
        let Some(child) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that ends meanwhile is counted with its parent the next time.
        sum += Stat::read(child).map_or(Duration::ZERO, |stat| match stat.parent == id {
            true => stat.own + stat.ended,
            false => Duration::ZERO,
        });
    }
    Ok(sum)
}

/// A process's line in `/proc`.
struct Stat {
    parent: u32,
    /// CPU time of its own.
    own: Duration,
    /// CPU time of children that it waited for.
    ended: Duration,
}

impl Stat {
    fn read(id: u32) -> Result<Self> {
        let text = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name of the program stands in brackets and may hold anything.
        let (_, fields) = text.rsplit_once(") ").context("a process has a name")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        // Fields 4 and 14 to 17, counted from the number of the process.
        let number = |at: usize| -> Result<u64> {
            Ok(fields.get(at).context("a process has a line of fields")?.parse()?)
        };
        let time = |user: usize| -> Result<Duration> {
            Ok(Duration::from_millis((number(user)? + number(user + 1)?) * 1000 / TICKS_PER_SECOND))
        };
        Ok(Self { parent: u32::try_from(number(1)?)?, own: time(11)?, ended: time(13)? })
    }
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
        assert!(family(id).unwrap() >= cpu(id).unwrap());
    }
}
