//! A connector in a component: one instance of its own, apart from its tasks.
//!
//! Not here: its tasks (`source`, `sink`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tombolo_model::fault::Stage;
use tombolo_model::offset::{SourcePosition, TopicPartition};
use tombolo_model::role::{Connector, Result, Support};
use tombolo_model::settings::Settings;

use crate::convert;
use crate::shared::{Shared, not_exported};
use crate::v0::exports::tombolo::connect::{sink_connector, source_connector};

/// A connector.
pub(crate) struct ConnectorRole {
    pub(crate) shared: Arc<Shared>,
    pub(crate) class: String,
}

#[async_trait]
impl Connector for ConnectorRole {
    async fn start(&mut self, settings: &Settings) -> Result<()> {
        self.shared.make_room_for_task().await?;
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let connector = exports.connector.as_ref().ok_or_else(not_exported)?;
            connector.call_start(store, &self.class, &convert::pairs(settings)).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |(), _| Ok(()))
    }

    async fn task_settings(&mut self, tasks_max: u32) -> Result<Vec<Settings>> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let connector = exports.connector.as_ref().ok_or_else(not_exported)?;
            connector.call_task_settings(store, tasks_max).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |tasks, _| {
            Ok(tasks.into_iter().map(|task| task.into_iter().collect()).collect())
        })
    }

    async fn watch(&mut self, wait: Duration) -> Result<bool> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.begin(wait, 0);
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let connector = exports.connector.as_ref().ok_or_else(not_exported)?;
            connector.call_watch(store, wait).await
        });
        let outcome = outcome.await;
        call.finish(outcome, |changed, _| Ok(changed))
    }

    fn is_recycling_due(&self) -> bool {
        self.shared.is_over_mark()
    }

    async fn stop(&mut self) -> Result<()> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            let connector = exports.connector.as_ref().ok_or_else(not_exported)?;
            connector.call_stop(store).await.map(Ok)
        });
        let outcome = outcome.await;
        call.finish(outcome, |(), _| Ok(()))
    }

    async fn exactly_once_support(&mut self, settings: &Settings) -> Result<Support> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            match &exports.source_connector {
                Some(source) => {
                    let settings = convert::pairs(settings);
                    source.call_exactly_once_support(store, &self.class, &settings).await
                }
                None => Ok(Ok(source_connector::Support::Unknown)),
            }
        });
        let outcome = outcome.await;
        call.finish(outcome, |support, _| {
            Ok(match support {
                source_connector::Support::Supported => Support::Supported,
                source_connector::Support::Unsupported => Support::Unsupported,
                source_connector::Support::Unknown => Support::Unknown,
            })
        })
    }

    async fn can_define_transaction_boundaries(&mut self, settings: &Settings) -> Result<bool> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            match &exports.source_connector {
                Some(source) => {
                    let settings = convert::pairs(settings);
                    source
                        .call_can_define_transaction_boundaries(store, &self.class, &settings)
                        .await
                }
                None => Ok(Ok(false)),
            }
        });
        let outcome = outcome.await;
        call.finish(outcome, |can, _| Ok(can))
    }

    async fn alter_source_offsets(
        &mut self,
        settings: &Settings,
        offsets: &[SourcePosition],
    ) -> Result<bool> {
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            match &exports.source_connector {
                Some(source) => {
                    let settings = convert::pairs(settings);
                    let offsets = convert::source_offsets(offsets);
                    source.call_alter_offsets(store, &self.class, &settings, &offsets).await
                }
                None => Ok(Ok(false)),
            }
        });
        let outcome = outcome.await;
        call.finish(outcome, |altered, _| Ok(altered))
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
        let mut call = self.shared.enter(Stage::Lifecycle).await?;
        let limit = call.time_limit();
        let (store, exports) = call.parts();
        let outcome = timeout(limit, async {
            match &exports.sink_connector {
                Some(sink) => {
                    let settings = convert::pairs(settings);
                    sink.call_alter_offsets(store, &self.class, &settings, &offsets).await
                }
                None => Ok(Ok(false)),
            }
        });
        let outcome = outcome.await;
        call.finish(outcome, |altered, _| Ok(altered))
    }
}
