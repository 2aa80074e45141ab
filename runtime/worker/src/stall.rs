//! Says of a task whose loop does not turn that it does not: its state alone would claim that it works.
//!
//! Not here: ending such a task. Each call of a plugin has its deadline.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tombolo_model::calendar;
use tombolo_model::status::State;

use crate::metrics::TaskMetrics;
use crate::state::Reporter;

/// How long a turn may take before it is told of, at least; at most twice as long. Well above a turn that gets something done, well below the
/// default deadline of a plugin's call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a loop that does not turn is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Watches over the loop of a task.
pub(crate) struct Watch {
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) reporter: Reporter,
}

impl Watch {
    /// Does a task's work. While its loop does not turn, its status says since when, and what it is doing.
    ///
    /// Cost: a timer.
    pub(crate) async fn over<T>(self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let (mut seen, mut is_told) = (None, false);
        loop {
            let wait = if is_told { LOOK_AGAIN } else { PATIENCE };
            // Within the task itself, so that nothing is told of work that has ended.
            tokio::select! {
                biased;
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(wait) => {}
            }
            let turned = self.metrics.progress.last_turn();
            if turned != seen {
                seen = turned;
                if std::mem::take(&mut is_told) {
                    self.reporter.remark(None).await;
                }
            } else if let Some(since) = turned
                && !is_told
                && self.is_at_work()
            {
                is_told = true;
                self.reporter.remark(Some(self.words(since))).await;
            }
        }
    }

    /// Whether its state claims that its loop turns.
    fn is_at_work(&self) -> bool {
        let state = self.metrics.lifecycle.states().state();
        matches!(state, State::Running | State::Paused)
    }

    fn words(&self, since: SystemTime) -> String {
        let (since, _) = calendar::utc(since);
        let doing = self.metrics.stages.under_way();
        let doing = doing.map(|stage| format!(": {stage} is under way")).unwrap_or_default();
        format!("the task's loop has not turned since {since}Z{doing}")
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Notify, mpsc};
    use tokio_util::sync::CancellationToken;
    use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};
    use tombolo_model::{ConnectorName, Secrets, Stage, TaskId, WorkerId};

    use super::*;
    use crate::event::WorkerEvent;
    use crate::metrics::{Windows, WorkerMetrics};
    use crate::state::Subject;

    fn watch() -> (Watch, mpsc::Receiver<WorkerEvent>) {
        let plugin = PluginInfo {
            class: "S".into(),
            kind: PluginKind::Sink,
            version: "1".into(),
            doc: String::new(),
            settings: Vec::new(),
            reads: Columns::ALL,
            component: ComponentDigest("0".into()),
        };
        let task = TaskId::new(ConnectorName::new("c"), 0);
        let windows = Windows { window: PATIENCE, count: 2 };
        let startups = WorkerMetrics::new(windows).tasks;
        let metrics = Arc::new(TaskMetrics::new(&task, &Arc::new(plugin), startups, windows));
        let (events, told) = mpsc::channel(9);
        let reporter = Reporter {
            subject: Subject::Task(task),
            worker_id: WorkerId::new("w"),
            version: None,
            lifecycle: Arc::clone(&metrics.lifecycle),
            secrets: Secrets::default(),
            events,
            said: Arc::default(),
            is_silent: CancellationToken::new(),
        };
        (Watch { metrics, reporter }, told)
    }

    /// Turns, at a time that can be told from the last.
    fn turn(metrics: &TaskMetrics) {
        let before = metrics.progress.last_turn();
        while metrics.progress.last_turn() == before {
            metrics.progress.turned();
        }
    }

    async fn next(told: &mut mpsc::Receiver<WorkerEvent>) -> Option<String> {
        let Some(WorkerEvent::TaskStatus { status, .. }) = told.recv().await else {
            panic!("nothing is told");
        };
        assert_eq!(status.state, State::Running);
        status.trace
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_whose_loop_does_not_turn_says_so_until_it_turns_again() {
        let (watch, mut told) = watch();
        let (metrics, reporter) = (Arc::clone(&watch.metrics), watch.reporter.clone());
        let go_on = Arc::new(Notify::new());
        let going_on = Arc::clone(&go_on);
        let work = async move {
            reporter.tell(State::Running, Some("why it waits".to_owned())).await;
            for _ in 0..100 {
                turn(&metrics);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            metrics.stages.of(Stage::TaskPut).began();
            going_on.notified().await;
            metrics.stages.of(Stage::TaskPut).ended(0, Duration::ZERO, true);
            turn(&metrics);
            going_on.notified().await;
        };
        let working = tokio::spawn(watch.over(work));
        assert_eq!(next(&mut told).await.as_deref(), Some("why it waits"));
        let trace = next(&mut told).await.unwrap();
        let (begin, end) = trace.split_at("the task's loop has not turned since ".len());
        assert_eq!(begin, "the task's loop has not turned since ");
        assert!(end.ends_with("Z: TASK_PUT is under way"), "{trace}");
        go_on.notify_one();
        assert_eq!(next(&mut told).await.as_deref(), Some("why it waits"));
        go_on.notify_one();
        working.await.unwrap();
        assert_eq!(told.recv().await, None, "nothing else is told");
    }
}
