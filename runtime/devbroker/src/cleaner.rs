//! What is done now and then: retention, compaction, syncing to the disk, forgetting what is unused. Runs on a thread
//! that serves no client. Not here: how (`log`, `coordinator`).

use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::clock;
use crate::state::State;
use crate::stopping::Stopping;
use crate::topics::{Partition, Topic};

/// One pass over everything, unless the broker is to stop. Whatever fails is logged, and tried again in the next pass.
pub(crate) fn clean(state: &State, stopping: &Stopping) {
    let now_ms = clock::now_ms();
    for topic in state.topics.all() {
        for (index, partition) in topic.partitions.iter().enumerate() {
            if stopping.is_stopping() {
                return;
            }
            if let Err(error) = clean_partition(&topic, partition, now_ms) {
                tracing::error!(topic = %topic.name, partition = index, %error, "cannot clean");
            }
        }
    }
    let journal = state.coordinator().clean(now_ms);
    if let Err(error) = journal.and_then(|file| file.sync_data()) {
        tracing::error!(%error, "cannot clean the journal");
    }
}

fn clean_partition(topic: &Topic, partition: &Partition, now_ms: i64) -> io::Result<()> {
    partition.log().producers().expire(now_ms);
    if let Some(retention) = topic.config.retention() {
        partition.log().retain(retention, now_ms)?;
    }
    if let Some(compaction) = topic.config.compaction() {
        let job = partition.log().plan_compaction(compaction, now_ms)?;
        if let Some(job) = job {
            let compacted = job.run()?;
            partition.log().put_compacted(compacted)?;
        }
    }
    sync_partition(partition)
}

/// Writes everything to the disk. Answers the first failure after trying all.
pub(crate) fn sync(state: &State) -> io::Result<()> {
    let mut result = Ok(());
    for topic in state.topics.all() {
        for partition in &topic.partitions {
            result = result.and(sync_partition(partition));
        }
    }
    let journal = state.coordinator().journal_file();
    result.and(journal.and_then(|file| file.sync_data()))
}

fn sync_partition(partition: &Partition) -> io::Result<()> {
    let files: Vec<Arc<File>> = partition.log().take_unsynced();
    files.iter().try_for_each(|file| file.sync_data())
}
