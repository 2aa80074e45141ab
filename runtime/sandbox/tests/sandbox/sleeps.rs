//! A plugin that waits for ever is ended at its deadline, and holds no thread meanwhile.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use tombolo_model::policy::Limits;
use tombolo_model::{Breach, FaultKind, Stage};

use crate::support::{Fixture, breach, quick, rows};

#[tokio::test(flavor = "current_thread")]
async fn a_hundred_of_them_on_one_thread_end_together() {
    let fixture = Fixture::new(tombolo_guests::SLEEPS).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let mut sink = fixture.sink(quick(), &[]).await;
        calls.spawn(async move { sink.put(&mut rows(&[("k", "v")]), None).await });
    }
    let start = Instant::now();
    while let Some(ended) = calls.join_next().await {
        assert_eq!(breach(&ended.unwrap().unwrap_err()).0, Breach::Deadline);
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}, not 100 times half a second");
}

#[tokio::test]
async fn a_dropped_call_ends_the_instance() {
    let fixture = Fixture::new(tombolo_guests::SLEEPS).await;
    let mut sink = fixture.sink(Limits::default(), &[]).await;
    let mut some = rows(&[("k", "1")]);
    {
        let mut call = std::pin::pin!(sink.put(&mut some, None));
        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await;
        assert!(polled, "it waits");
    }
    let fault = sink.put(&mut some, None).await.unwrap_err();
    assert_eq!((fault.kind, fault.stage), (FaultKind::Fatal, Stage::TaskPut));
}
