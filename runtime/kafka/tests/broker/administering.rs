//! Requests about topics, groups and the cluster.
//!
//! Not here: rights.

use anyhow::Result;
use tombolo_harness::wait_until;
use tombolo_kafka::Error;

use crate::support::{
    Broker, DEADLINE, Reader, Rows, at, new_topic, on_both_brokers, partition, unique,
};

on_both_brokers!(
    a_topic_is_created_once_described_altered_and_deleted,
    offsets_of_a_group_are_read_set_and_forgotten,
    a_cluster_has_an_id,
);

async fn a_topic_is_created_once_described_altered_and_deleted(broker: Broker) -> Result<()> {
    let admin = broker.admin()?;
    let topic = new_topic(3, &[("cleanup.policy", "compact"), ("retention.ms", "12345")]);
    let name = topic.name.as_str();
    assert_eq!(admin.topic(name).await?, None);
    assert!(admin.create_topic(&topic).await?);
    assert!(!admin.create_topic(&topic).await?, "it exists already");
    // A broker hears of a new topic a little later than its creator.
    let known =
        async || matches!(admin.topic(name).await, Ok(Some(found)) if found.partitions == 3);
    wait_until(known, "the topic with its partitions", DEADLINE).await?;
    assert!(admin.topics().await?.iter().any(|found| found == name));

    // So it does of their settings.
    let holds = async |setting: &str, value: &str| -> Result<()> {
        let found = async || match admin.topic_settings(name).await {
            Ok(found) => found.iter().any(|(name, found)| name == setting && found == value),
            Err(_) => false,
        };
        wait_until(found, &format!("{setting}={value}"), DEADLINE).await
    };
    holds("cleanup.policy", "compact").await?;
    holds("retention.ms", "12345").await?;
    let changes = [("retention.ms", None), ("segment.ms", Some("777777"))];
    admin.alter_topic_settings(name, &changes).await?;
    holds("segment.ms", "777777").await?;
    holds("retention.ms", "604800000").await?;
    holds("cleanup.policy", "compact").await?;

    // A compacted topic takes no rows without keys.
    let rows = broker.topic(2).await?;
    broker.write(&Rows::numbered(&rows, 1, 0..5)).await?;
    let partitions = [partition(&rows, 0), partition(&rows, 1)];
    assert_eq!(admin.end_offsets(&partitions).await?, [at(&rows, 0, 0), at(&rows, 1, 5)]);
    assert_eq!(admin.beginning_offsets(&partitions).await?, [at(&rows, 0, 0), at(&rows, 1, 0)]);

    assert!(admin.delete_topic(name).await?);
    assert!(!admin.delete_topic(name).await?);
    let wrong = new_topic(1, &[("cleanup.policy", "fold")]);
    let error = admin.create_topic(&wrong).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "INVALID_CONFIG"), "{error}");
    Ok(())
}

async fn offsets_of_a_group_are_read_set_and_forgotten(broker: Broker) -> Result<()> {
    let admin = broker.admin()?;
    let topic = broker.topic(2).await?;
    let group = unique("group");
    assert_eq!(admin.group_offsets(&group).await?, []);

    let mut reader = Reader::new(broker.consumer(&group, &[&topic], &[])?);
    reader.assigned().await?;
    reader.consumer.commit_sync(&[at(&topic, 0, 3), at(&topic, 1, 4)], DEADLINE).await?;
    let offsets = async || -> Result<Vec<_>> {
        let mut found = admin.group_offsets(&group).await?;
        found.sort_by_key(|found| found.at.partition);
        Ok(found)
    };
    assert_eq!(offsets().await?, [at(&topic, 0, 3), at(&topic, 1, 4)]);
    let refused = admin.alter_group_offsets(&group, &[at(&topic, 0, 1)]).await;
    assert!(refused.is_err(), "the group has a member");
    reader.consumer.close().await;

    admin.alter_group_offsets(&group, &[at(&topic, 0, 1)]).await?;
    assert_eq!(offsets().await?, [at(&topic, 0, 1), at(&topic, 1, 4)]);
    admin.delete_group_offsets(&group, &[partition(&topic, 1)]).await?;
    assert_eq!(offsets().await?, [at(&topic, 0, 1)]);
    assert!(admin.delete_group(&group).await?);
    assert!(!admin.delete_group(&group).await?);
    assert_eq!(offsets().await?, []);
    Ok(())
}

async fn a_cluster_has_an_id(broker: Broker) -> Result<()> {
    let id = broker.admin()?.cluster_id().await?;
    assert!(!id.is_empty());
    Ok(())
}
