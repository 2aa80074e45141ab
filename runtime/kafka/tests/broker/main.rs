//! What the Kafka crate promises, held to a real Apache Kafka and to our own dev broker: one behaviour, two brokers.
//!
//! Not here: what one broker alone can show (`security`, `outages`).

#[cfg(test)]
mod administering;
#[cfg(test)]
mod consuming;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod producing;
#[cfg(test)]
mod security;
#[cfg(test)]
mod support;

/// Tasks run on a runtime with many threads: whatever they wait for must be able to move between them.
#[test]
fn everything_that_is_waited_for_can_move_between_threads() {
    fn can_move<T: Send>(_: T) {}
    let _never_run = |consumer: &mut tombolo_kafka::Consumer,
                      other: tombolo_kafka::Consumer,
                      session: &mut tombolo_kafka::ProducerSession,
                      admin: &tombolo_kafka::Admin,
                      log: &tombolo_kafka::Log,
                      batch: &mut tombolo_kafka::ConsumedBatch,
                      settings: &tombolo_kafka::ClientSettings,
                      at: &tombolo_model::offset::PartitionOffset| {
        can_move(consumer.next(batch, 1, 1, std::time::Duration::ZERO));
        can_move(consumer.commit_sync(&[], std::time::Duration::ZERO));
        can_move(other.close());
        can_move(session.capacity());
        can_move(session.flush());
        can_move(session.deliveries(&mut Vec::new()));
        can_move(admin.group_offsets(""));
        can_move(admin.alter_group_offsets("", &[]));
        can_move(admin.delete_group_offsets("", &[]));
        can_move(admin.topics());
        can_move(tombolo_kafka::record_at(settings, "", at, std::time::Duration::ZERO));
        can_move(log.append(&[]));
        can_move(log.read_to_end());
    };
}
