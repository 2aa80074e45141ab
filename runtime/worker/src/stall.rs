//! Says of a task or a connector whose loop does not turn that it does not: its state alone would claim that it works.
//!
//! Not here: ending it. Each call of a plugin has its deadline.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tombolo_model::calendar;
use tombolo_model::status::State;

use crate::metrics::{ConnectorMetrics, TaskMetrics};
use crate::state::Reporter;

/// How long a turn may take before it is told of, at least; at most twice as long. Well above a turn that gets something done, well below the
/// default deadline of a plugin's call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a loop that does not turn is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A loop that can be watched.
pub(crate) trait Loop {
    /// Whether it turns while its owner is this.
    fn turns_while(&self, state: State) -> bool;
    /// When it turned last; none for never.
    fn last_turn(&self) -> Option<SystemTime>;
    /// That it has not turned since, and what it is doing.
    fn words(&self, since: &str) -> String;
}

impl Loop for TaskMetrics {
    fn turns_while(&self, state: State) -> bool {
        matches!(state, State::Running | State::Paused)
    }

    fn last_turn(&self) -> Option<SystemTime> {
        self.progress.last_turn()
    }

    fn words(&self, since: &str) -> String {
        let doing = self.stages.under_way();
        let doing = doing.map(|stage| format!(": {stage} is under way")).unwrap_or_default();
        format!("the task's loop has not turned since {since}{doing}")
    }
}

impl Loop for ConnectorMetrics {
    /// One that is paused waits to be asked for something.
    fn turns_while(&self, state: State) -> bool {
        state == State::Running
    }

    fn last_turn(&self) -> Option<SystemTime> {
        self.progress.last_turn()
    }

    fn words(&self, since: &str) -> String {
        format!(
            "the connector has not answered since {since}; its tasks go on as they were configured last"
        )
    }
}

/// Watches over the loop of a task or a connector.
pub(crate) struct Watch<L> {
    pub(crate) metrics: Arc<L>,
    pub(crate) reporter: Reporter,
}

impl<L: Loop> Watch<L> {
    /// Does its work. While its loop does not turn, its status says since when, and what it is doing.
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
            let turned = self.metrics.last_turn();
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
        self.metrics.turns_while(self.reporter.lifecycle.states().state())
    }

    fn words(&self, since: SystemTime) -> String {
        let (since, _) = calendar::utc(since);
        self.metrics.words(&format!("{since}Z"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Notify, mpsc};
    use tokio_util::sync::CancellationToken;
    use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};
    use tombolo_model::{ConnectorName, Secrets, Stage, TaskId, WorkerId};

    use super::*;
    use crate::connector_config::ConnectorConfig;
    use crate::event::WorkerEvent;
    use crate::metrics::{Lifecycle, Progress, SandboxLimits, Windows, WorkerMetrics};
    use crate::state::Subject;

    fn plugin() -> Arc<PluginInfo> {
        Arc::new(PluginInfo {
            class: "S".into(),
            kind: PluginKind::Sink,
            version: "1".into(),
            doc: String::new(),
            settings: Vec::new(),
            reads: Columns::ALL,
            component: ComponentDigest("0".into()),
        })
    }

    fn reporter(
        subject: Subject,
        lifecycle: &Arc<Lifecycle>,
    ) -> (Reporter, mpsc::Receiver<WorkerEvent>) {
        let (events, told) = mpsc::channel(9);
        let reporter = Reporter {
            subject,
            worker_id: WorkerId::new("w"),
            version: None,
            lifecycle: Arc::clone(lifecycle),
            secrets: Secrets::default(),
            events,
            said: Arc::default(),
            is_silent: CancellationToken::new(),
        };
        (reporter, told)
    }

    const WINDOWS: Windows = Windows { window: PATIENCE, count: 2 };

    fn watch() -> (Watch<TaskMetrics>, mpsc::Receiver<WorkerEvent>) {
        let task = TaskId::new(ConnectorName::new("c"), 0);
        let startups = WorkerMetrics::new(WINDOWS).tasks;
        let metrics = Arc::new(TaskMetrics::new(&task, &plugin(), startups, WINDOWS));
        let (reporter, told) = reporter(Subject::Task(task), &metrics.lifecycle);
        (Watch { metrics, reporter }, told)
    }

    /// Turns, at a time that can be told from the last.
    fn turn(progress: &Progress) {
        let before = progress.last_turn();
        while progress.last_turn() == before {
            progress.turned();
        }
    }

    async fn next(told: &mut mpsc::Receiver<WorkerEvent>) -> Option<String> {
        let (state, trace) = next_state(told).await;
        assert_eq!(state, State::Running);
        trace
    }

    async fn next_state(told: &mut mpsc::Receiver<WorkerEvent>) -> (State, Option<String>) {
        match told.recv().await {
            Some(WorkerEvent::TaskStatus { status, .. })
            | Some(WorkerEvent::ConnectorStatus { status, .. }) => (status.state, status.trace),
            told => panic!("{told:?}"),
        }
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
                turn(&metrics.progress);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            metrics.stages.of(Stage::TaskPut).began();
            going_on.notified().await;
            metrics.stages.of(Stage::TaskPut).ended(0, Duration::ZERO, true);
            turn(&metrics.progress);
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

    #[tokio::test(start_paused = true)]
    async fn a_connector_that_does_not_answer_says_so_and_one_that_is_paused_does_not() {
        let name = ConnectorName::new("c");
        let startups = WorkerMetrics::new(WINDOWS).connectors;
        let settings = [("name", "c"), ("connector.class", "S"), ("topics", "t")];
        let settings = settings.into_iter().collect();
        let config = ConnectorConfig::from_settings(&settings, PluginKind::Sink).unwrap();
        let limits = SandboxLimits::of(&config);
        let metrics = Arc::new(ConnectorMetrics::new(&name, plugin(), limits, startups));
        let (reporter, mut told) = reporter(Subject::Connector(name), &metrics.lifecycle);
        let watch = Watch { metrics: Arc::clone(&metrics), reporter: reporter.clone() };
        let work = async move {
            reporter.is(State::Paused).await;
            turn(&metrics.progress);
            tokio::time::sleep(10 * PATIENCE).await;
            reporter.is(State::Running).await;
            turn(&metrics.progress);
            tokio::time::sleep(3 * PATIENCE).await;
            turn(&metrics.progress);
            tokio::time::sleep(2 * LOOK_AGAIN).await;
        };
        let working = tokio::spawn(watch.over(work));
        assert_eq!(next_state(&mut told).await, (State::Paused, None));
        assert_eq!(next_state(&mut told).await, (State::Running, None));
        let trace = next(&mut told).await.unwrap();
        assert!(trace.starts_with("the connector has not answered since "), "{trace}");
        assert_eq!(next(&mut told).await, None, "it answers again");
        working.await.unwrap();
        assert_eq!(told.recv().await, None, "nothing else is told");
    }
}
