//! Starting, stopping, crashing. Not here: transactions over a crash (`transactions`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tombolo_devbroker::{Broker, Config, Error};

use crate::client::*;

#[tokio::test]
async fn everything_is_there_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 3, &[]).await;
    client.produce("t", values(&["a", "b"])).await;
    broker.stop().await.unwrap();
    assert!(client.read().await.is_none(), "connections are closed");
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    assert_eq!(records(client.fetch("t", 0).await.records.unwrap()).len(), 2);
    assert_eq!(client.produce("t", values(&["c"])).await, (0, 2));
}

#[tokio::test]
async fn only_one_broker_uses_a_directory_and_only_loopback_is_listened_on() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let second = Broker::start(config_in(dir.path())).await;
    assert!(matches!(second, Err(Error::InUse(_))));
    let other = tempfile::tempdir().unwrap();
    let taken = Config::dev(other.path(), broker.address());
    assert!(matches!(Broker::start(taken).await, Err(Error::Listen { .. })));
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let open = Config::dev(other.path(), address.parse().unwrap());
        let error = Broker::start(open).await.unwrap_err();
        assert!(error.to_string().contains("loopback"), "{error}");
    }
    broker.stop().await.unwrap();
    broker_in(dir.path()).await.stop().await.unwrap();
}

#[tokio::test]
async fn a_broker_can_be_dropped_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    tokio::spawn(async move { drop(broker) }).await.unwrap();
    let broker = broker_in_time(dir.path()).await;
    std::thread::spawn(move || drop(broker)).join().unwrap();
}

async fn broker_in_time(dir: &std::path::Path) -> Broker {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Broker::start(config_in(dir)).await {
            Err(Error::InUse(_)) if Instant::now() < deadline => tokio::task::yield_now().await,
            started => return started.unwrap(),
        }
    }
}

/// What `kill -9` leaves is what the system has of the files at that moment: here, a copy made while clients write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_files_taken_at_any_moment_has_all_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let broker = broker_in(dir.path()).await;
    let mut client = Client::to(&broker).await;
    client.create_topic("t", 1, &[("segment.bytes", "65536")]).await;
    let (acknowledged, is_done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = tokio::spawn({
        let (acknowledged, is_done) = (acknowledged.clone(), is_done.clone());
        async move {
            let mut count = 0;
            while !is_done.load(Ordering::SeqCst) {
                let text = format!("{count} {}", "x".repeat((count as usize * 37) % 3_000));
                assert_eq!(client.produce("t", values(&[&text])).await, (0, count));
                count += 1;
                acknowledged.store(count, Ordering::SeqCst);
            }
        }
    });
    for _ in 0..5 {
        let from = acknowledged.load(Ordering::SeqCst);
        while acknowledged.load(Ordering::SeqCst) < from + 50 {
            assert!(!writer.is_finished());
            tokio::task::yield_now().await;
        }
        let at_least = acknowledged.load(Ordering::SeqCst);
        let copy = tempfile::tempdir().unwrap();
        copy_dir(dir.path(), copy.path());
        let copied = broker_in(copy.path()).await;
        let mut client = Client::to(&copied).await;
        let mut next = 0;
        for (offset, _, value) in client.fetch_all("t").await {
            assert_eq!(offset, next);
            assert!(value.unwrap().starts_with(&format!("{next} ")));
            next += 1;
        }
        assert!(next >= at_least, "{next} of {at_least}");
        assert_eq!(client.produce("t", values(&["goes on"])).await, (0, next));
    }
    is_done.store(true, Ordering::SeqCst);
    writer.await.unwrap();
}

/// Lists first and copies then: a segment that is listed beside a newer one is complete, and the newest is copied up to
/// some point, as a crash would leave it.
fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    let entries: Vec<_> = std::fs::read_dir(from).unwrap().map(Result::unwrap).collect();
    for entry in entries {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy_dir(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

#[tokio::test]
async fn cleaning_compacts_and_gives_old_records_up_while_clients_read() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { clean_interval: Duration::from_millis(20), ..config_in(dir.path()) };
    let broker = Broker::start(config).await.unwrap();
    let mut client = Client::to(&broker).await;
    let compact = [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01")];
    client.create_topic("table", 1, &compact).await;
    client.create_topic("old", 1, &[("retention.ms", "1000")]).await;
    client.produce("old", values(&["of 1970"])).await;
    for i in 0..100 {
        let value = i.to_string();
        let key = (i % 4).to_string();
        let row = [(Some(key.as_str()), Some(value.as_str()), 0)];
        assert_eq!(client.produce("table", batch(&row, PLAIN)).await, (0, i));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let table = client.fetch_all("table").await;
        let values: Vec<String> = table.into_iter().map(|(_, _, value)| value.unwrap()).collect();
        assert!(values.ends_with(&["96", "97", "98", "99"].map(str::to_owned)));
        let start = client.fetch("old", 1).await.log_start_offset;
        if values.len() == 4 && start == 1 {
            break;
        }
        assert!(Instant::now() < deadline, "not cleaned in time: {} values", values.len());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_start_in_a_new_directory_is_quick() {
    let mut times = vec![];
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let broker = broker_in(dir.path()).await;
        times.push(began.elapsed());
        drop(broker);
    }
    // The quickest, as the machine may be busy with other tests.
    assert!(times.iter().min().unwrap() < &Duration::from_millis(20), "{times:?}");
}
