//! Transactions: commit, abort, fencing, timeouts, and what a restart makes of them.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::*;

use crate::client::*;

fn rows<'a>(values: &[&'a str]) -> Vec<(Option<&'a str>, Option<&'a str>, i64)> {
    values.iter().map(|value| (None, Some(*value), 0)).collect()
}

/// Writes to partition 0 of `t` in the transaction of `x`.
async fn write(client: &mut Client, sender: Sender, values: &[&str]) -> i16 {
    client.produce_as("t", batch(&rows(values), sender), Some("x")).await.0
}

#[tokio::test]
async fn committed_records_are_seen_and_aborted_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let mut sender = client.init_producer("x").await;
    for (value, commit) in [("a", true), ("b", false), ("c", true)] {
        assert_eq!(client.add_partition("x", sender, "t").await, 0);
        assert_eq!(write(&mut client, sender, &[value]).await, 0);
        sender.sequence += 1;
        assert_eq!(client.end_transaction("x", sender, commit).await, 0);
        // Its answer may have been lost on the way: the same again is good, the contrary is not.
        assert_eq!(client.end_transaction("x", sender, commit).await, 0);
        let wrong = client.end_transaction("x", sender, !commit).await;
        assert_eq!(wrong, ResponseError::InvalidTxnState.code());
    }
    assert_eq!(client.committed_values("t").await, ["a", "c"]);
    let all = records(client.fetch("t", 0).await.records.unwrap());
    assert_eq!(all.len(), 3, "read_uncommitted sees all");
}

#[tokio::test]
async fn an_open_transaction_holds_back_what_comes_after() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    client.produce("t", values(&["before"])).await;
    let sender = client.init_producer("x").await;
    client.add_partition("x", sender, "t").await;
    write(&mut client, sender, &["inside"]).await;
    client.produce("t", values(&["after"])).await;
    assert_eq!(client.committed_values("t").await, ["before"]);
    let answer = client.fetch("t", 0).await;
    assert_eq!((answer.last_stable_offset, answer.high_watermark), (1, 3));
    client.end_transaction("x", sender, true).await;
    assert_eq!(client.committed_values("t").await, ["before", "inside", "after"]);
}

#[tokio::test]
async fn a_zombie_is_fenced_and_what_it_left_is_aborted() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let mut zombie = client.init_producer("x").await;
    client.add_partition("x", zombie, "t").await;
    write(&mut client, zombie, &["zombie"]).await;
    zombie.sequence += 1;
    let heir = client.init_producer("x").await;
    assert!(heir.id == zombie.id && heir.epoch > zombie.epoch);
    let invalid_epoch = ResponseError::InvalidProducerEpoch.code();
    let fenced = ResponseError::ProducerFenced.code();
    assert_eq!(write(&mut client, zombie, &["late"]).await, invalid_epoch);
    assert_eq!(client.add_partition("x", zombie, "t").await, fenced);
    assert_eq!(client.end_transaction("x", zombie, true).await, fenced);
    client.add_partition("x", heir, "t").await;
    assert_eq!(write(&mut client, zombie, &["later"]).await, invalid_epoch);
    assert_eq!(write(&mut client, heir, &["heir"]).await, 0);
    client.end_transaction("x", heir, true).await;
    assert_eq!(client.committed_values("t").await, ["heir"]);
}

#[tokio::test]
async fn records_in_a_partition_that_is_not_in_the_transaction_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let mut sender = client.init_producer("x").await;
    let invalid = ResponseError::InvalidTxnState.code();
    assert_eq!(write(&mut client, sender, &["early"]).await, invalid);
    client.add_partition("x", sender, "t").await;
    write(&mut client, sender, &["in time"]).await;
    sender.sequence += 1;
    client.end_transaction("x", sender, true).await;
    assert_eq!(write(&mut client, sender, &["late"]).await, invalid, "behind its own marker");
    assert_eq!(client.committed_values("t").await, ["in time"]);
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_aborted_and_its_producer_may_recover() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let init = |id: i64, epoch: i16| {
        InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text("x"))))
            .with_transaction_timeout_ms(100)
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch)
    };
    let first = client.send(4, &init(-1, -1)).await;
    let (id, epoch) = (first.producer_id.0, first.producer_epoch);
    let sender = Sender { id, epoch, sequence: 0, transactional: true };
    client.add_partition("x", sender, "t").await;
    write(&mut client, sender, &["slow"]).await;
    // The marker wakes this fetch.
    let wait = fetch_request("t", 1).with_max_wait_ms(30_000);
    assert!(!client.fetch_with(&wait).await.records.unwrap().is_empty());
    assert_eq!(client.committed_values("t").await, [""; 0]);
    let fenced = ResponseError::ProducerFenced.code();
    assert_eq!(client.end_transaction("x", sender, true).await, fenced);
    let again = client.send(4, &init(id, epoch)).await;
    assert_eq!((again.error_code, again.producer_id.0), (0, id));
    assert!(again.producer_epoch > epoch);
    let stranger = client.send(4, &init(id, epoch)).await;
    assert_eq!(stranger.error_code, fenced, "its epoch has been used to recover already");
}

#[tokio::test]
async fn offsets_are_committed_with_the_transaction_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let sender = client.init_producer("x").await;
    let mut expected = -1;
    for (offset, commit) in [(5, true), (9, false), (7, true)] {
        assert_eq!(add_group(&mut client, sender).await, 0);
        assert_eq!(commit_in_transaction(&mut client, sender, offset).await, 0);
        let unstable = ResponseError::UnstableOffsetCommit.code();
        assert_eq!(committed(&mut client, true).await, (-1, unstable));
        assert_eq!(committed(&mut client, false).await, (expected, 0));
        assert_eq!(client.end_transaction("x", sender, commit).await, 0);
        expected = if commit { offset } else { expected };
        assert_eq!(committed(&mut client, true).await, (expected, 0));
    }
    let invalid = ResponseError::InvalidTxnState.code();
    assert_eq!(commit_in_transaction(&mut client, sender, 1).await, invalid);
}

async fn add_group(client: &mut Client, sender: Sender) -> i16 {
    let request = AddOffsetsToTxnRequest::default()
        .with_transactional_id(TransactionalId(text("x")))
        .with_producer_id(ProducerId(sender.id))
        .with_producer_epoch(sender.epoch)
        .with_group_id(GroupId(text("g")));
    client.send(3, &request).await.error_code
}

async fn commit_in_transaction(client: &mut Client, sender: Sender, offset: i64) -> i16 {
    use txn_offset_commit_request::*;
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text("x")))
        .with_producer_id(ProducerId(sender.id))
        .with_producer_epoch(sender.epoch)
        .with_group_id(GroupId(text("g")))
        .with_generation_id(-1)
        .with_topics(vec![topic]);
    client.send(3, &request).await.topics[0].partitions[0].error_code
}

/// Offset and error code.
async fn committed(client: &mut Client, require_stable: bool) -> (i64, i16) {
    use offset_fetch_request::*;
    let topic = OffsetFetchRequestTopics::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![0]);
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text("g")))
        .with_topics(Some(vec![topic]));
    let request =
        OffsetFetchRequest::default().with_require_stable(require_stable).with_groups(vec![group]);
    let answer = client.send(8, &request).await;
    let partition = &answer.groups[0].topics[0].partitions[0];
    (partition.committed_offset, partition.error_code)
}

#[tokio::test]
async fn an_open_transaction_goes_on_after_a_crash_of_the_broker() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let mut sender = client.init_producer("x").await;
    client.add_partition("x", sender, "t").await;
    write(&mut client, sender, &["before"]).await;
    sender.sequence += 1;
    add_group(&mut client, sender).await;
    commit_in_transaction(&mut client, sender, 3).await;
    let broker = crash(broker, dir.path()).await;
    let mut client = Client::to(&broker).await;
    assert_eq!(client.committed_values("t").await, [""; 0]);
    assert_eq!(write(&mut client, sender, &["after"]).await, 0);
    assert_eq!(client.end_transaction("x", sender, true).await, 0);
    assert_eq!(client.committed_values("t").await, ["before", "after"]);
    assert_eq!(committed(&mut client, true).await, (3, 0));
    let broker = crash(broker, dir.path()).await;
    let mut client = Client::to(&broker).await;
    assert_eq!(client.end_transaction("x", sender, true).await, 0, "asked again");
    assert_eq!(client.committed_values("t").await, ["before", "after"]);
}

#[tokio::test]
async fn an_administrator_sees_transactions_and_their_producers() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[]).await;
    let sender = client.init_producer("x").await;
    client.add_partition("x", sender, "t").await;
    write(&mut client, sender, &["a"]).await;
    let listed = client.send(0, &ListTransactionsRequest::default()).await.transaction_states;
    assert_eq!(&*listed[0].transaction_state, "Ongoing");
    let ids = vec![TransactionalId(text("x")), TransactionalId(text("y"))];
    let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
    let described = client.send(0, &request).await.transaction_states;
    assert_eq!(described[0].topics[0].partitions, [0]);
    assert_eq!(described[1].error_code, ResponseError::TransactionalIdNotFound.code());
    use describe_producers_request::TopicRequest;
    let topic = TopicRequest::default().with_name(topic_name("t")).with_partition_indexes(vec![0]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let answer = client.send(0, &request).await;
    let producer = &answer.topics[0].partitions[0].active_producers[0];
    assert_eq!((producer.producer_id.0, producer.current_txn_start_offset), (sender.id, 0));
}
