//! `tombolo:connect/metrics`: a plugin's own counters and gauges.
//!
//! Shown in the group of plugins' metrics of Kafka Connect (KIP-877). Not here: the worker's metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tombolo_model::capability::Capability;
use tombolo_model::metric::{Group, Readings, Tags, Value, connector_of};

use crate::host::Host;
use crate::v0::tombolo::connect::metrics as contract;

/// Most names of one store; what comes later is dropped, so that names made from data cannot fill the host.
pub(crate) const NAMES_MAX: usize = 100;

/// Longest name, in bytes.
pub(crate) const NAME_MAX: usize = 128;

/// Most bytes that the names of one store take, with their values and their places.
pub(crate) const KEPT_BYTES_MAX: usize = NAMES_MAX * (NAME_MAX + 64);

const GROUP: Group = Group { domain: "kafka.connect", name: "plugins" };
const HELP: &str = "Counted or measured by a plugin itself.";

/// Counters and gauges of one store, by name.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Shared>);

type Shared = Mutex<BTreeMap<String, Metric>>;

/// The metrics of all connectors and tasks that run.
#[derive(Default)]
pub(crate) struct AllMetrics(Mutex<Vec<(Tags, Weak<Shared>)>>);

impl AllMetrics {
    /// Metrics for a connector or a task, listed for as long as they are kept.
    pub(crate) fn of(&self, owner: Tags) -> Metrics {
        let metrics = Metrics::default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, metrics)| metrics.strong_count() > 0);
        all.push((owner, Arc::downgrade(&metrics.0)));
        metrics
    }

    /// All that are wanted; those of the newest instance of an owner first.
    pub(crate) fn read(&self, readings: &mut Readings) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |(owner, _): &&(Tags, Weak<_>)| {
            connector_of(owner).is_some_and(|connector| readings.wants(connector))
        };
        let alive = |(owner, metrics): &(Tags, Weak<_>)| {
            Some((Tags::clone(owner), Metrics(metrics.upgrade()?)))
        };
        let wanted = all.iter().rev().filter(is_wanted);
        let alive: Vec<(Tags, Metrics)> = wanted.filter_map(alive).collect();
        // Plugins are not held up meanwhile, nor do they hold up each other.
        drop(all);
        for (owner, metrics) in alive {
            for (name, metric) in metrics.list() {
                readings.of(GROUP, &owner).add(name, HELP, metric.into());
            }
        }
    }
}

/// A plugin's counter or gauge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Metric {
    /// Counts up.
    Counter(u64),
    /// Has a value.
    Gauge(f64),
}

impl From<Metric> for Value {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Counter(count) => Self::Counter(count as f64),
            Metric::Gauge(value) => Self::Gauge(value),
        }
    }
}

impl Metrics {
    /// Changes one. A name that is new is kept without what must not be seen.
    fn set<'a>(
        &self,
        name: &'a str,
        hide: impl FnOnce(&'a str) -> Cow<'a, str>,
        change: impl FnOnce(Option<Metric>) -> Metric,
    ) {
        let mut metrics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = metrics.get_mut(name) {
            *known = change(Some(*known));
            return;
        }
        let name = hide(name);
        let known = metrics.get(&*name).copied();
        let room = metrics.len() < NAMES_MAX && !name.is_empty() && name.len() <= NAME_MAX;
        if known.is_some() || room {
            metrics.insert(name.into_owned(), change(known));
        }
    }

    /// All of them, by name.
    fn list(&self) -> BTreeMap<String, Metric> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl contract::Host for Host {
    fn count(&mut self, name: String, by: u64) -> wasmtime::Result<()> {
        self.count_call()?;
        self.cpu.meters.capabilities().uses(Capability::Metrics);
        let count = |known| match known {
            Some(Metric::Counter(count)) => Metric::Counter(count.saturating_add(by)),
            _ => Metric::Counter(by),
        };
        self.metrics.set(&name, |name| self.log.hide(name), count);
        Ok(())
    }

    fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        self.count_call()?;
        self.cpu.meters.capabilities().uses(Capability::Metrics);
        self.metrics.set(&name, |name| self.log.hide(name), |_| Metric::Gauge(value));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::Secrets;

    #[test]
    fn reading_those_of_one_connector_touches_no_others() {
        let all = Arc::new(AllMetrics::default());
        let of = |connector: &str| all.of([("connector", connector.to_owned())].into());
        let (a, b) = (of("a"), of("b"));
        a.set("count", Cow::Borrowed, |_| Metric::Counter(1));
        b.set("count", Cow::Borrowed, |_| Metric::Counter(2));
        // Whoever reads those of `b` would wait for this.
        let _held = b.0.lock().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let readers = Arc::clone(&all);
        std::thread::spawn(move || {
            let mut readings = Readings::of_connector("a");
            readers.read(&mut readings);
            tell.send(readings.into_vec()).unwrap();
        });
        let read = told.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].value, Value::Counter(1.0));
    }

    #[test]
    fn names_are_bounded() {
        let metrics = Metrics::default();
        for number in 0..NAMES_MAX * 2 {
            let name = format!("name-{number:03}");
            metrics.set(&name, Cow::Borrowed, |_| Metric::Counter(1));
        }
        metrics.set("name-000", Cow::Borrowed, |_| Metric::Gauge(2.0));
        metrics.set(&"x".repeat(NAME_MAX + 1), Cow::Borrowed, |_| Metric::Counter(1));
        let all = metrics.list();
        assert_eq!(all.len(), NAMES_MAX);
        assert_eq!(all["name-000"], Metric::Gauge(2.0));
    }

    #[test]
    fn a_name_is_kept_without_what_must_not_be_seen() {
        let (metrics, secrets) = (Metrics::default(), Secrets::new(["hunter2"]));
        for _ in 0..2 {
            let count = |known| match known {
                Some(Metric::Counter(count)) => Metric::Counter(count + 1),
                _ => Metric::Counter(1),
            };
            metrics.set("as-hunter2", |name| secrets.hide(name), count);
        }
        let all: Vec<_> = metrics.list().into_iter().collect();
        assert_eq!(all, [("as-[hidden]".to_owned(), Metric::Counter(2))]);
    }
}
