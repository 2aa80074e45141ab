//! What the process itself uses, under the names that Prometheus' own libraries give it.
//!
//! Read from Linux's `/proc`; where there is none, nothing is shown. Not here: what its connectors do.

use tombolo_model::metric::{Group, Metered, Readings, Tags};

const GROUP: Group = Group { domain: "process", name: "" };

/// Ticks of CPU time in a second, as Linux counts them towards programs on every machine (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// This process.
pub(crate) struct Process;

impl Metered for Process {
    fn read(&self, readings: &mut Readings) {
        if !readings.wants_worker() {
            return;
        }
        let tags = Tags::default();
        let mut of = readings.of(GROUP, &tags);
        if let Some(stat) = file("/proc/self/stat").as_deref().and_then(Stat::parse) {
            of.counter("cpu-seconds-total", "CPU time in seconds.", stat.cpu_seconds);
            let booted = file("/proc/stat").and_then(|text| number(&text, "btime"));
            if let Some(booted) = booted {
                let help = "When the process started, in seconds since 1970.";
                of.gauge("start-time-seconds", help, booted + stat.started_seconds);
            }
        }
        if let Some(status) = file("/proc/self/status") {
            for (name, help, line) in [
                ("resident-memory-bytes", "Memory in use, in bytes.", "VmRSS:"),
                ("virtual-memory-bytes", "Address space in use, in bytes.", "VmSize:"),
            ] {
                if let Some(kibibytes) = number(&status, line) {
                    of.gauge(name, help, kibibytes * 1_024.0);
                }
            }
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            // One of them is the folder being read.
            let count = open.count().saturating_sub(1);
            of.gauge("open-fds", "Files and sockets that are open.", count as f64);
        }
        if let Some(most) =
            file("/proc/self/limits").and_then(|text| number(&text, "Max open files"))
        {
            of.gauge("max-fds", "Most files and sockets that may be open.", most);
        }
    }
}

fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The number that follows a word at the beginning of a line.
fn number(text: &str, word: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(word))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    /// Since the machine was started.
    started_seconds: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The program's name, in parentheses, may hold spaces and parentheses itself.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let (user, system, started) = (ticks(11)?, ticks(12)?, ticks(19)?);
        Some(Self {
            cpu_seconds: (user + system) / TICKS_PER_SECOND,
            started_seconds: started / TICKS_PER_SECOND,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_program_s_name() {
        let text = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 1200 10 20 30";
        let expected = Stat { cpu_seconds: 2.0, started_seconds: 12.0 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }

    #[test]
    fn numbers_follow_their_words() {
        let text =
            "VmSize:\t  10 kB\nVmRSS:\t    3 kB\nMax open files            1024   4096 files\n";
        assert_eq!(number(text, "VmRSS:"), Some(3.0));
        assert_eq!(number(text, "Max open files"), Some(1_024.0));
        assert_eq!(number(text, "VmPeak:"), None);
    }
}
