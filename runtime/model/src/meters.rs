//! What the sandboxes of one connector or one task use, counted while they run.
//!
//! Whoever starts a connector or a task makes its [`Meters`] and gives them to the sandbox with the context; the sandbox counts, and anyone reads
//! at any time, holding up nobody. All instances of a task count in the same meters, those too that take the place of one that ended, so that
//! counters go up for as long as the meters are kept. What a whole connector uses is the sum over its tasks and the connector's own:
//! [`Usage`] adds up. Not here: names and printing (`metric`), and what is done about it (`policy`).

mod capabilities;
mod places;

use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use capabilities::{Capabilities, Imported};
pub use places::{OTHER_PLACES, PLACES_MAX, PlaceUse, Places};

/// Counts what sandboxes use. Cheap enough for each call of a plugin and each packet, not for each record.
#[derive(Debug, Default)]
pub struct Meters {
    cpu_nanos: AtomicU64,
    parked_nanos: AtomicU64,
    parks: AtomicU64,
    memory: AtomicU64,
    memory_peak: AtomicU64,
    instances: AtomicU64,
    calls: AtomicU64,
    host_calls: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    log_bytes: AtomicU64,
    log_lines_dropped: AtomicU64,
    connections: AtomicU64,
    connections_refused: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    places: Places,
    capabilities: Capabilities,
}

/// What sandboxes used so far, as of one moment.
///
/// All are counters from zero but [`Usage::memory`] and [`Usage::memory_peak`]. Each is exact; together they are as of about the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time inside plugins, and inside the host's functions that they call.
    pub cpu: Duration,
    /// Time for which calls were held back because the connector's processor time was used up (`sandbox.cpu.max`).
    pub parked: Duration,
    /// How often a call was held back.
    pub parks: u64,
    /// Bytes in use now, in sum over all instances: memories, tables and what the host keeps for them.
    pub memory: u64,
    /// Most bytes that were in use at once. Of a sum, it is the sum of the peaks.
    pub memory_peak: u64,
    /// Instances that were started: one for each component, and one more each time it starts anew.
    pub instances: u64,
    /// Calls of plugins, about one for each batch and stage.
    pub calls: u64,
    /// Calls that plugins made of the contract's host interfaces.
    pub host_calls: u64,
    /// Bytes of records that went into plugins.
    pub bytes_in: u64,
    /// Bytes of records that came out of plugins.
    pub bytes_out: u64,
    /// Bytes of plugins' lines in the log.
    pub log_bytes: u64,
    /// Lines above `sandbox.log.rate`, which were dropped.
    pub log_lines_dropped: u64,
    /// Connections that were made for plugins.
    pub connections: u64,
    /// Connections that plugins asked for and did not get.
    pub connections_refused: u64,
    /// Bytes that plugins sent over connections.
    pub bytes_sent: u64,
    /// Bytes that plugins received over connections.
    pub bytes_received: u64,
}

impl Meters {
    /// What was used so far.
    pub fn read(&self) -> Usage {
        Usage {
            cpu: Duration::from_nanos(get(&self.cpu_nanos)),
            parked: Duration::from_nanos(get(&self.parked_nanos)),
            parks: get(&self.parks),
            memory: get(&self.memory),
            memory_peak: get(&self.memory_peak),
            instances: get(&self.instances),
            calls: get(&self.calls),
            host_calls: get(&self.host_calls),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
            log_bytes: get(&self.log_bytes),
            log_lines_dropped: get(&self.log_lines_dropped),
            connections: get(&self.connections),
            connections_refused: get(&self.connections_refused),
            bytes_sent: get(&self.bytes_sent),
            bytes_received: get(&self.bytes_received),
        }
    }

    /// A plugin ran for so long.
    pub fn ran(&self, cpu: Duration) {
        add(&self.cpu_nanos, nanos(cpu));
    }

    /// A call is held back from now on.
    pub fn held_back(&self) {
        add(&self.parks, 1);
    }

    /// A call was held back for so long.
    pub fn parked(&self, time: Duration) {
        add(&self.parked_nanos, nanos(time));
    }

    /// Bytes came into use.
    pub fn memory_grew(&self, bytes: u64) {
        let now = self.memory.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        self.memory_peak.fetch_max(now, Ordering::Relaxed);
    }

    /// Bytes that had come into use are free again.
    pub fn memory_shrank(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// An instance was started.
    pub fn instance_started(&self) {
        add(&self.instances, 1);
    }

    /// A plugin is called with so many bytes of records.
    pub fn called(&self, bytes_in: u64) {
        add(&self.calls, 1);
        add(&self.bytes_in, bytes_in);
    }

    /// A plugin gave out so many bytes of records.
    pub fn gave_out(&self, bytes: u64) {
        add(&self.bytes_out, bytes);
    }

    /// A plugin made so many calls of the host.
    pub fn called_host(&self, calls: u64) {
        add(&self.host_calls, calls);
    }

    /// A line of so many bytes was written to the log.
    pub fn logged(&self, bytes: u64) {
        add(&self.log_bytes, bytes);
    }

    /// A line was dropped.
    pub fn log_line_dropped(&self) {
        add(&self.log_lines_dropped, 1);
    }

    /// A connection to this place was made.
    pub fn connected(&self, place: &str) {
        add(&self.connections, 1);
        self.places.connected(place);
    }

    /// A connection to this place was refused, for a reason in a word.
    pub fn connection_refused(&self, place: &str, reason: &'static str) {
        add(&self.connections_refused, 1);
        self.places.refused(place, reason);
    }

    /// Where plugins connected to, and where they wanted to.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Which capabilities plugins import, are granted and have used.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Bytes were sent over a connection.
    pub fn sent(&self, bytes: u64) {
        add(&self.bytes_sent, bytes);
    }

    /// Bytes were received over a connection.
    pub fn received(&self, bytes: u64) {
        add(&self.bytes_received, bytes);
    }
}

fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.parked += other.parked;
        self.parks += other.parks;
        self.memory += other.memory;
        self.memory_peak += other.memory_peak;
        self.instances += other.instances;
        self.calls += other.calls;
        self.host_calls += other.host_calls;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.log_bytes += other.log_bytes;
        self.log_lines_dropped += other.log_lines_dropped;
        self.connections += other.connections;
        self.connections_refused += other.connections_refused;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        usages.fold(Self::default(), Self::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_has_a_peak_and_everything_else_adds_up() {
        let meters = Meters::default();
        meters.memory_grew(100);
        meters.memory_grew(50);
        meters.memory_shrank(120);
        meters.memory_grew(10);
        meters.ran(Duration::from_millis(3));
        meters.ran(Duration::from_millis(4));
        meters.called(1_000);
        meters.called(0);
        let used = meters.read();
        assert_eq!((used.memory, used.memory_peak), (40, 150));
        assert_eq!(used.cpu, Duration::from_millis(7));
        assert_eq!((used.calls, used.bytes_in), (2, 1_000));
        let twice: Usage = [used, used].into_iter().sum();
        assert_eq!((twice.cpu, twice.calls), (Duration::from_millis(14), 4));
        assert_eq!((twice.memory, twice.memory_peak), (80, 300));
    }
}
