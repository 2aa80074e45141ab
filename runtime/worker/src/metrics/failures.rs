//! How often a task, or a connector's own instance, broke its sandbox, and how often it was started anew. Ours.
//!
//! Not here: what follows a failure (`restart`).

use tombolo_model::fault::Breach;
use tombolo_model::metric::{Group, Readings, Tags};
use tombolo_model::{Fault, FaultKind};

use super::measures::Total;

const TASK: Group = Group { domain: "tombolo", name: "task" };
const CONNECTOR: Group = Group { domain: "tombolo", name: "connector" };

/// Breaches and restarts of a task, or of a connector's own instance.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    restarts: Total,
    breaches: [Total; Breach::ALL.len()],
}

impl Failures {
    /// A fault occurred, perhaps a breach.
    pub(crate) fn broke(&self, fault: &Fault) {
        if let FaultKind::Plugin(breach) = fault.kind
            && let Some(total) = self.breaches.get(breach as usize)
        {
            total.add(1);
        }
    }

    /// It is started anew.
    pub(crate) fn restarted(&self) {
        self.restarts.add(1);
    }

    /// Reads those of a task.
    pub(crate) fn read_task(&self, tags: &Tags, readings: &mut Readings) {
        self.read(TASK, tags, readings);
    }

    /// Reads those of a connector's own instance.
    pub(crate) fn read_connector(&self, tags: &Tags, readings: &mut Readings) {
        self.read(CONNECTOR, tags, readings);
    }

    fn read(&self, group: Group, tags: &Tags, readings: &mut Readings) {
        let help =
            "Restarts after a breach or a failure for now, without those that someone asked for.";
        readings.of(group, tags).counter("restarts-total", help, self.restarts.get());
        for (breach, total) in Breach::ALL.into_iter().zip(&self.breaches) {
            let kind = [("breach", breach.name().to_owned())];
            let tags: Tags = tags.iter().cloned().chain(kind).collect();
            let help = "Breaches of the sandbox by its plugins, by kind.";
            readings.of(group, &tags).counter("breaches-total", help, total.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tombolo_model::Stage;
    use tombolo_model::metric::Value;

    #[test]
    fn breaches_are_counted_by_kind_and_faults_that_are_none_are_not() {
        let failures = Failures::default();
        for breach in [Breach::Trap, Breach::Exit, Breach::Exit] {
            failures.broke(&Fault::breach(breach, Stage::TaskPoll, ""));
        }
        failures.broke(&Fault::fatal(Stage::TaskPoll, ""));
        failures.restarted();
        let mut readings = Readings::default();
        failures.read_task(&[("task", "0".to_owned())].into(), &mut readings);
        let told = |reading: tombolo_model::metric::Reading| {
            let Value::Counter(count) = reading.value else { panic!("{reading:?}") };
            (reading.tags.last().unwrap().1.clone(), count)
        };
        let all: Vec<(String, f64)> = readings.into_vec().into_iter().map(told).collect();
        let expected = [
            ("0", 1.0),
            ("trap", 1.0),
            ("deadline", 0.0),
            ("memory", 0.0),
            ("lie", 0.0),
            ("host-calls", 0.0),
            ("exit", 2.0),
        ];
        assert_eq!(all, expected.map(|(kind, count)| (kind.to_owned(), count)));
    }
}
