//! What a sink task does when partitions come and go.
//!
//! Not here: who has which partitions (`kafka`), and committing (`commits`).

use tokio::time::Instant;
use tombolo_model::Fault;
use tombolo_model::offset::{PartitionOffset, TopicPartition};
use tombolo_model::role;
use tombolo_model::status::State;

use super::{SinkTask, cannot_consume};

impl SinkTask {
    /// Opens partitions that came, where the group says that reading begins.
    pub(super) async fn assigned(&mut self, added: &[PartitionOffset]) -> Result<(), Fault> {
        self.partitions.add(added);
        self.tell_partitions();
        let opened = match added {
            [] => Ok(role::SinkRequests::default()),
            _ => self.instance.sink.open(added).await,
        };
        // A rewind before reading begins costs nothing.
        let rewound = opened.and_then(|mut requests| {
            self.rewind(std::mem::take(&mut requests.rewind))?;
            Ok(requests)
        });
        self.consumer.complete_rebalance().map_err(cannot_consume)?;
        let requests = rewound?;
        if self.is_retrying() || self.told.state != State::Running {
            self.consumer.pause(&self.partitions.all()).map_err(cannot_consume)?;
        }
        self.follow_requests(requests).await
    }

    /// Commits and closes partitions that go.
    pub(super) async fn revoked(&mut self, gone: &[TopicPartition]) -> Result<(), Fault> {
        let committed = self.commit_closing(gone).await;
        let closed = match &committed {
            Ok(_) => self.close(gone).await,
            Err(_) => Ok(()),
        };
        self.consumer.complete_rebalance().map_err(cannot_consume)?;
        committed.and(closed)
    }

    /// Closes partitions that are another's already: nothing of theirs can be committed.
    pub(super) async fn lost(&mut self, gone: &[TopicPartition]) -> Result<(), Fault> {
        let closed = self.close(gone).await;
        self.consumer.complete_rebalance().map_err(cannot_consume)?;
        closed
    }

    /// Closes partitions and forgets them, with the rows of theirs that the sink has not taken.
    pub(super) async fn close(&mut self, gone: &[TopicPartition]) -> Result<(), Fault> {
        let closed = match gone {
            [] => Ok(()),
            _ => self.instance.sink.close(gone).await,
        };
        self.partitions.remove(gone);
        self.tell_partitions();
        self.discard(gone)?;
        closed
    }

    fn tell_partitions(&self) {
        self.metrics.has_partitions(self.partitions.count());
        self.metrics.has_active(self.partitions.uncommitted(), Instant::now());
    }
}
