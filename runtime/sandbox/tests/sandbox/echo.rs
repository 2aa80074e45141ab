//! A component that returns what it gets, in every role.

use std::time::Duration;

use tombolo_model::batch::Batch;
use tombolo_model::config_def::{Importance, Type};
use tombolo_model::offset::{
    PartitionOffset, SourceOffset, SourcePartition, SourcePosition, TopicPartition,
};
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::{
    Acknowledged, ConnectorContext, NoOffsets, Original, Plugins, RecordFault, SinkRequests,
    Support, Topics,
};
use tombolo_model::{ConnectorName, FaultKind};

use crate::support::{Fixture, POLL, batch, column, rows, settings, values};

fn context() -> ConnectorContext {
    ConnectorContext {
        limits: Limits::default(),
        meters: std::sync::Arc::default(),
        egress: Default::default(),
        offsets: std::sync::Arc::new(NoOffsets),
    }
}

fn at(partition: i32, offset: i64) -> PartitionOffset {
    PartitionOffset { at: TopicPartition::new("t", partition), offset }
}

#[tokio::test]
async fn the_catalog_becomes_the_list_of_plugins() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let plugins = fixture.sandbox.list();
    let classes: Vec<_> = plugins.iter().map(|plugin| plugin.class.as_str()).collect();
    assert_eq!(
        classes,
        [
            "guest.EchoSink",
            "guest.EchoSource",
            "guest.EchoTransformation",
            "guest.EchoPredicate",
            "guest.EchoConverter",
            "guest.EchoHeaderConverter"
        ]
    );
    let setting = &plugins[0].settings[0];
    assert_eq!((setting.r#type, setting.importance), (Type::String, Importance::Low));
    assert_eq!(setting.default.as_deref(), Some("as it is"));
    let given = settings(&[("error", "bad"), ("x", "y")]);
    let states = fixture.sandbox.validate(&plugins[0], &given).await.unwrap();
    assert_eq!(states[0].errors, ["bad"]);
    assert_eq!((states[1].name.as_str(), states[1].errors.len()), ("x", 0));
}

#[tokio::test]
async fn a_connector_says_what_its_tasks_are() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let plugin = fixture.plugin(PluginKind::Source);
    let name = ConnectorName::new("c");
    let mut connector = fixture.sandbox.connector(&name, &plugin, context()).await.unwrap();
    let exactly = settings(&[("exactly.once", "yes")]);
    assert_eq!(connector.exactly_once_support(&exactly).await.unwrap(), Support::Supported);
    let none = settings(&[]);
    assert_eq!(connector.exactly_once_support(&none).await.unwrap(), Support::Unsupported);
    assert!(!connector.can_define_transaction_boundaries(&none).await.unwrap());
    let position = SourcePosition { partition: SourcePartition(b"\xa0".to_vec()), offset: None };
    assert!(connector.alter_source_offsets(&none, &[position]).await.unwrap());
    let altered = [(TopicPartition::new("t", 0), Some(3)), (TopicPartition::new("t", 1), None)];
    assert!(connector.alter_sink_offsets(&none, &altered).await.unwrap());

    let given = settings(&[("a", "1"), ("watch", "changed")]);
    connector.start(&given).await.unwrap();
    assert_eq!(connector.task_settings(2).await.unwrap(), [given.clone(), given]);
    assert!(connector.watch(Duration::from_millis(1)).await.unwrap());
    connector.stop().await.unwrap();
    connector.start(&none).await.unwrap();
    assert!(!connector.watch(Duration::ZERO).await.unwrap());
}

#[tokio::test]
async fn rows_put_into_a_sink_come_out_of_the_source_beside_it() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    source.start(&settings(&[])).await.unwrap();
    // No worker would put a sink beside a source. It starts in a fresh instance, which is the source's from now on.
    let mut sink = task.sink(&fixture.plugin(PluginKind::Sink)).await.unwrap();
    let mut rows = batch();
    let original = Original { topics: vec!["o".into()], ..Original::default() };
    let (faults, requests) = sink.put(&mut rows, Some(&original)).await.unwrap();
    assert_eq!((faults, requests), (vec![], SinkRequests::default()));
    assert_eq!(rows, batch(), "the sink's rows stay as they were");

    let polled = source.poll(POLL).await.unwrap();
    let expected = Batch { offset: vec![], timestamp_types: vec![], ..batch() };
    assert_eq!(polled.records, expected);
    assert_eq!(polled.partitions, [SourcePartition(b"\xa1\x61p\x00".to_vec())]);
    assert_eq!(polled.offset.rows(), 3);
    assert_eq!(source.poll(POLL).await.unwrap().records.rows, 0);

    assert!(source.wants_acknowledgements());
    let written = Acknowledged { batch: 0, row: 0, written: Some((1, 2)) };
    let dropped = Acknowledged { batch: 0, row: 1, written: None };
    source.acknowledge(&[written, dropped]).await.unwrap();
    let position = SourcePosition {
        partition: polled.partitions[0].clone(),
        offset: Some(SourceOffset(b"\xa0".to_vec())),
    };
    source.commit(&[position]).await.unwrap();
    source.stop().await.unwrap();
}

#[tokio::test]
async fn a_sinks_requests_and_offsets_arrive() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut sink = fixture.sink(Limits::default(), &[("requests", "all")]).await;
    let asked = sink.open(&[at(0, 5), at(1, 0)]).await.unwrap();
    assert_eq!(asked.rewind, [at(0, 5), at(1, 0)]);
    assert_eq!(asked.pause, [at(0, 5).at, at(1, 0).at]);
    assert_eq!(asked.resume, asked.pause);
    assert_eq!((asked.commit, asked.timeout), (true, Some(Duration::from_millis(250))));
    let RecordFault { at: bad, problem } = &asked.faults[1];
    assert_eq!((bad, problem.message.as_str()), (&at(1, 0), "late"));

    let mut some = rows(&[("k", "1"), ("fault", "2")]);
    let (faults, _) = sink.put(&mut some, None).await.unwrap();
    assert_eq!((faults.len(), faults[0].row), (1, 1));
    assert_eq!(faults[0].problem.class.as_deref(), Some("guest.Problem"));
    let (offsets, asked) = sink.pre_commit(&[at(0, 7)]).await.unwrap();
    assert_eq!((offsets, asked), (vec![at(0, 7)], SinkRequests::default()));
    sink.close(&[at(0, 0).at]).await.unwrap();
    sink.stop().await.unwrap();
}

#[tokio::test]
async fn converters_share_an_instance_and_keep_apart() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let plugin = fixture.plugin(PluginKind::Converter);
    let mut plain = task.converter(&plugin, &settings(&[]), true).await.unwrap();
    let adds = settings(&[("headers", "from")]);
    let mut adding = task.converter(&plugin, &adds, false).await.unwrap();
    let names = ["t".to_owned(), "u".to_owned()];
    let topics = Topics { topics: &names, topic: &[0, 1, 0] };

    let mut bytes = column(&[Some("a"), None, Some("fault")]);
    let (data, faults) = plain.to_connect_data(topics, &mut bytes, None).await.unwrap();
    assert_eq!(data, values(&[Some("a"), None, None]));
    assert_eq!((faults.len(), faults[0].row), (1, 2));
    assert_eq!(bytes, column(&[Some("a"), None, Some("fault")]));

    let mut data = values(&[Some("a"), None, Some("c")]);
    let (bytes, headers, faults) = plain.from_connect_data(topics, &mut data).await.unwrap();
    assert_eq!((bytes, headers, faults), (data.bytes.clone(), None, vec![]));
    let (_, headers, _) = adding.from_connect_data(topics, &mut data).await.unwrap();
    let headers = headers.unwrap();
    assert_eq!(headers.names, column(&[Some("from"); 3]));
    assert_eq!(headers.values.bytes, column(&[Some("t"), Some("u"), Some("t")]));

    drop(plain);
    let (_, headers, _) = adding.from_connect_data(topics, &mut data).await.unwrap();
    assert!(headers.is_some(), "closing one leaves the other");

    let refused = settings(&[("create.error", "no such format")]);
    let fault = task.converter(&plugin, &refused, false).await.err().unwrap();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Config, "no such format"));
    assert!(adding.from_connect_data(topics, &mut data).await.is_ok());
}

#[tokio::test]
async fn a_header_converter_gets_names_and_values() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let plugin = fixture.plugin(PluginKind::HeaderConverter);
    let mut converter = task.header_converter(&plugin, &settings(&[])).await.unwrap();
    let names = ["t".to_owned()];
    let topics = Topics { topics: &names, topic: &[] };
    let mut headers = column(&[Some("n"), Some("n")]);
    let mut bytes = column(&[Some("1"), None]);
    let (data, faults) = converter.to_connect_data(topics, &mut headers, &mut bytes).await.unwrap();
    assert_eq!((data, faults), (values(&[Some("1"), None]), vec![]));
    let mut data = values(&[Some("1"), None]);
    let (back, _) = converter.from_connect_data(topics, &mut headers, &mut data).await.unwrap();
    assert_eq!(back, bytes);
}
