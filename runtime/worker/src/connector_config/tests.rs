//! Configurations are read into types, and the first unusable setting is named.

use super::*;

fn settings(lines: &str) -> Settings {
    let base = "name=c\nconnector.class=FileStreamSink\n";
    let all = format!("{base}{lines}");
    all.lines().filter_map(|line| line.trim().split_once('=')).collect()
}

fn read(kind: PluginKind, lines: &str) -> Result<ConnectorConfig, ConfigError> {
    ConnectorConfig::from_settings(&settings(lines), kind)
}

#[test]
fn defaults_are_kafka_connects() {
    let config = read(PluginKind::Sink, "topics=a, b").unwrap();
    assert_eq!((config.tasks_max, config.tasks_max_enforce), (1, true));
    assert_eq!(config.errors.retry_timeout, Some(Duration::ZERO));
    assert_eq!(config.errors.retry_delay_max, Duration::from_secs(60));
    assert_eq!(config.errors.tolerance, Tolerance::None);
    assert_eq!(config.limits, Limits::default());
    let restart = config.restart;
    assert_eq!((restart.max, restart.window), (10, Duration::from_secs(3600)));
    assert_eq!(restart.backoff, Duration::from_secs(1));
    assert_eq!(restart.backoff_max, Duration::from_secs(60));
    let RoleConfig::Sink(sink) = config.role else { panic!("{config:?}") };
    assert_eq!(sink.topics, SinkTopics::Names(vec!["a".into(), "b".into()]));
    assert_eq!(sink.dead_letter_queue, None);
}

#[test]
fn every_definition_has_a_readable_default() {
    for key in
        definitions::of(PluginKind::Sink).into_iter().chain(definitions::of(PluginKind::Source))
    {
        let default = key.default.clone().unwrap_or_default();
        if key.default.is_some() {
            assert_eq!(key.error(&default), None, "{}", key.name);
        }
    }
    let own = |kind| definitions::own(kind).len();
    assert_eq!((own(PluginKind::Sink), own(PluginKind::Source)), (17, 20));
}

#[test]
fn transformations_come_with_their_predicates_and_settings() {
    let config = read(
        PluginKind::Sink,
        "topics=t\ntransforms=m,d\ntransforms.m.type=MaskField$Value\ntransforms.m.fields=a,b\ntransforms.d.type=Filter\n\
         transforms.d.predicate=p\ntransforms.d.negate=TRUE\npredicates=p\npredicates.p.type=TopicNameMatches\npredicates.p.pattern=x",
    )
    .unwrap();
    let [mask, drop] = config.transformations.as_slice() else { panic!() };
    assert_eq!(mask.plugin.settings, [("fields", "a,b")].into_iter().collect());
    assert_eq!(mask.predicate, None);
    let predicate = drop.predicate.as_ref().unwrap();
    assert_eq!((predicate.alias.as_str(), predicate.negate), ("p", true));
    assert_eq!(predicate.plugin.settings, [("pattern", "x")].into_iter().collect());
    assert_eq!(drop.plugin.settings, Settings::default());
}

#[test]
fn topic_creation_groups_inherit_from_the_default() {
    let config = read(
        PluginKind::Source,
        "topic.creation.groups=eu\ntopic.creation.default.partitions=3\ntopic.creation.default.replication.factor=-1\n\
         topic.creation.eu.include=eu-.*\ntopic.creation.eu.exclude=eu-x\ntopic.creation.eu.partitions=6\ntopic.creation.eu.cleanup.policy=compact",
    )
    .unwrap();
    let RoleConfig::Source(source) = config.role else { panic!() };
    let of = |topic: &str| source.topic_creation.iter().find(|group| group.holds(topic)).unwrap();
    assert_eq!((of("eu-a").partitions, of("eu-a").replication_factor), (6, -1));
    assert_eq!(of("eu-a").settings, [("cleanup.policy", "compact")].into_iter().collect());
    assert_eq!((of("eu-x").name.as_str(), of("us").partitions), ("default", 3));
}

#[test]
fn an_unusable_setting_is_named() {
    let check = |kind, lines: &str, key: &str, message: &str| {
        let error = read(kind, lines).unwrap_err();
        assert_eq!((error.key.as_str(), error.message.as_str()), (key, message));
    };
    let sink = PluginKind::Sink;
    check(sink, "", "topics", definitions::NO_TOPICS);
    check(sink, "topics=a\ntopics.regex=b", "topics.regex", definitions::BOTH_TOPICS);
    check(
        sink,
        "topics=a\ntasks.max=0",
        "tasks.max",
        "Invalid value 0 for configuration tasks.max: Value must be at least 1",
    );
    check(
        sink,
        "topics=a\nerrors.tolerance=some",
        "errors.tolerance",
        "Invalid value some for configuration errors.tolerance: String must be one of: none, all",
    );
    check(
        sink,
        "topics=a\nsandbox.memory.max=0",
        "sandbox.memory.max",
        "Invalid value 0 for configuration sandbox.memory.max: Value must be at least 1",
    );
    check(
        sink,
        "topics=a\nsandbox.restart.max=1001",
        "sandbox.restart.max",
        "Invalid value 1001 for configuration sandbox.restart.max: Value must be no more than 1000",
    );
    check(
        sink,
        "topics=a\ntransforms=m",
        "transforms.m.type",
        "Missing required configuration \"transforms.m.type\" which has no default value.",
    );
    check(
        PluginKind::Source,
        "topic.creation.default.partitions=0\ntopic.creation.default.replication.factor=1",
        "topic.creation.default.partitions",
        "Invalid value 0 for configuration topic.creation.default.partitions: Value must be positive, or -1 to use the broker's default",
    );
}
