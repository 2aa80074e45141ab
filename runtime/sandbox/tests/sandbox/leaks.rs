//! A plugin that leaks is made anew before it reaches its limit; one that needs the memory is told so.

use tombolo_model::Breach;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::Topics;

use crate::support::{Fixture, breach, column, rows, settings};

fn limits() -> Limits {
    Limits { memory_max: 32 << 20, ..Limits::default() }
}

#[tokio::test]
async fn a_converter_is_made_anew_between_two_batches() {
    let fixture = Fixture::new(tombolo_guests::LEAKS).await;
    let mut task = fixture.task(limits()).await;
    let plugin = fixture.plugin(PluginKind::Converter);
    let mut converter = task.converter(&plugin, &settings(&[]), false).await.unwrap();
    let topics = ["t".to_owned()];
    let topics = Topics { topics: &topics, topic: &[] };
    let mut bytes = column(&[Some("a")]);
    // 8 MiB a call: the third passes three quarters of 32, the fourth is made in a fresh instance.
    for _ in 0..5 {
        converter.to_connect_data(topics, &mut bytes, None).await.unwrap();
    }
    // So much within seconds is no leak.
    let mut ended = None;
    for _ in 0..5 {
        if let Err(fault) = converter.to_connect_data(topics, &mut bytes, None).await {
            ended = Some(fault);
            break;
        }
    }
    let fault = ended.unwrap();
    let (breach, message) = breach(&fault);
    assert_eq!(breach, Breach::Memory);
    assert!(message.contains("75 % of its memory again within 10 s"), "{message}");
    assert!(message.contains("sandbox.memory.max"), "{message}");
}

#[tokio::test]
async fn a_task_says_when_it_is_due_and_starts_anew_in_the_same_place() {
    let fixture = Fixture::new(tombolo_guests::LEAKS).await;
    let mut task = fixture.task(limits()).await;
    let plugin = fixture.plugin(PluginKind::Sink);
    let mut sink = task.sink(&plugin).await.unwrap();
    sink.start(&settings(&[])).await.unwrap();
    let mut puts = 0;
    while !sink.is_recycling_due() {
        sink.put(&mut rows(&[("k", "v")]), None).await.unwrap();
        puts += 1;
    }
    assert!((2..=4).contains(&puts), "{puts} calls of 8 MiB in 32");
    sink.stop().await.unwrap();
    let mut sink = task.sink(&plugin).await.unwrap();
    assert!(!sink.is_recycling_due());
    sink.start(&settings(&[])).await.unwrap();
    sink.put(&mut rows(&[("k", "v")]), None).await.unwrap();
}
