//! A connector in a component: one instance of its own, apart from its tasks.
//!
//! Not here: its tasks (`source`, `sink`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tombolo_model::fault::Stage;
use tombolo_model::offset::{SourcePosition, TopicPartition};
use tombolo_model::role::{Connector, Result, Support};
use tombolo_model::settings::Settings;

use crate::convert;
use crate::exports::exported;
use crate::instance::Terms;
use crate::role::answer;
use crate::shared::Shared;
use crate::v0::exports::tombolo::connect::{sink_connector, source_connector};

/// A connector.
pub(crate) struct ConnectorRole {
    pub(crate) shared: Arc<Shared>,
    pub(crate) class: String,
}

#[async_trait]
impl Connector for ConnectorRole {
    async fn start(&mut self, settings: &Settings) -> Result<()> {
        self.shared.confide(settings);
        self.shared.make_room_for_task().await?;
        let settings = convert::pairs(settings);
        let started = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exported(&exports.connector)?.call_start(store, &self.class, &settings).await
            },
            answer::none,
        );
        started.await
    }

    async fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        let asked = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| {
                exported(&exports.connector)?.call_task_settings(store, tasks_max).await
            },
            |tasks, _| Ok(tasks.into_iter().map(|task| task.into_iter().collect()).collect()),
        );
        asked.await
    }

    async fn watch(&mut self, wait: Duration) -> Result<bool> {
        let terms = Terms { wait, ..Terms::at(Stage::Lifecycle) };
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let watched = self.shared.call(
            terms,
            async |store, exports| exported(&exports.connector)?.call_watch(store, wait).await,
            answer::as_it_is,
        );
        watched.await
    }

    fn is_recycling_due(&self) -> bool {
        self.shared.is_over_mark()
    }

    async fn stop(&mut self) -> Result<()> {
        let stopped = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| exported(&exports.connector)?.call_stop(store).await.map(Ok),
            answer::none,
        );
        stopped.await
    }

    async fn exactly_once_support(&mut self, settings: &Settings) -> Result<Support> {
        self.shared.confide(settings);
        let settings = convert::pairs(settings);
        let asked = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| match &exports.source_connector {
                Some(source) => {
                    source.call_exactly_once_support(store, &self.class, &settings).await
                }
                None => Ok(Ok(source_connector::Support::Unknown)),
            },
            |support, _| {
                Ok(match support {
                    source_connector::Support::Supported => Support::Supported,
                    source_connector::Support::Unsupported => Support::Unsupported,
                    source_connector::Support::Unknown => Support::Unknown,
                })
            },
        );
        asked.await
    }

    async fn can_define_transaction_boundaries(&mut self, settings: &Settings) -> Result<bool> {
        self.shared.confide(settings);
        let (class, settings) = (&self.class, convert::pairs(settings));
        let asked = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| match &exports.source_connector {
                Some(source) => {
                    source.call_can_define_transaction_boundaries(store, class, &settings).await
                }
                None => Ok(Ok(false)),
            },
            answer::as_it_is,
        );
        asked.await
    }

    async fn alter_source_offsets(
        &mut self,
        settings: &Settings,
        offsets: &[SourcePosition],
    ) -> Result<bool> {
        self.shared.confide(settings);
        let (class, settings) = (&self.class, convert::pairs(settings));
        let offsets = convert::source_offsets(offsets);
        let altered = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| match &exports.source_connector {
                Some(source) => source.call_alter_offsets(store, class, &settings, &offsets).await,
                None => Ok(Ok(false)),
            },
            answer::as_it_is,
        );
        altered.await
    }

    async fn alter_sink_offsets(
        &mut self,
        settings: &Settings,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool> {
        let offsets: Vec<_> = offsets
            .iter()
            .map(|(at, offset)| sink_connector::Altered {
                at: convert::topic_partition(at),
                offset: *offset,
            })
            .collect();
        self.shared.confide(settings);
        let (class, settings) = (&self.class, convert::pairs(settings));
        let altered = self.shared.call(
            Terms::at(Stage::Lifecycle),
            async |store, exports| match &exports.sink_connector {
                Some(sink) => sink.call_alter_offsets(store, class, &settings, &offsets).await,
                None => Ok(Ok(false)),
            },
            answer::as_it_is,
        );
        altered.await
    }
}
