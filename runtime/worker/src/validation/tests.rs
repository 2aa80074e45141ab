//! Validation says what Kafka Connect 4.3 says. The `.txt` files hold its answers, without documentation.

use std::sync::Arc;

use async_trait::async_trait;
use tombolo_model::config_def::{Importance, SettingState, Type, key};
use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo};
use tombolo_model::role::{
    Connector, ConnectorContext, InstallRefused, Installed, Result, TaskContext, TaskPlugins,
};
use tombolo_model::{ConnectorName, Stage, TaskId};

use super::*;

/// Plugins that are only described.
struct Described(Vec<Arc<PluginInfo>>);

fn described() -> Described {
    let plugin = |class: &str, kind, settings| {
        Arc::new(PluginInfo {
            class: class.into(),
            kind,
            version: "4.3.1".into(),
            doc: String::new(),
            settings,
            reads: Columns::ALL,
            component: ComponentDigest(String::new()),
        })
    };
    let file = || key("file", Type::String).importance(Importance::High);
    let topic = key("topic", Type::String).importance(Importance::High).required();
    let batch = key("batch.size", Type::Int).importance(Importance::Low).default("2000");
    let schemas = key("schemas.enable", Type::Boolean).default("true").shown(
        "Schemas",
        0,
        config_def::Width::Medium,
        "Enable Schemas",
    );
    let fields = key("fields", Type::List).importance(Importance::High).required();
    let file_class =
        |name: &str| format!("org.apache.kafka.connect.file.FileStream{name}Connector");
    Described(vec![
        plugin(&file_class("Sink"), PluginKind::Sink, vec![file()]),
        plugin(&file_class("Source"), PluginKind::Source, vec![file(), topic, batch]),
        plugin(
            "org.apache.kafka.connect.transforms.MaskField$Value",
            PluginKind::Transformation,
            vec![fields, key("replacement", Type::String)],
        ),
        plugin(
            "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            PluginKind::Predicate,
            vec![key("pattern", Type::String).required()],
        ),
        plugin("org.apache.kafka.connect.json.JsonConverter", PluginKind::Converter, vec![schemas]),
        plugin(
            "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            PluginKind::HeaderConverter,
            vec![],
        ),
    ])
}

#[async_trait]
impl Plugins for Described {
    fn list(&self) -> Vec<Arc<PluginInfo>> {
        self.0.clone()
    }

    fn find(&self, kind: PluginKind, name: &str, _: Option<&str>) -> Result<Arc<PluginInfo>> {
        let found = self.0.iter().find(|info| info.kind == kind && info.is_named(name));
        found.cloned().ok_or_else(|| Fault::config(format!("no {name}")))
    }

    /// Complains of a pattern that is a lone bracket, as a plugin would.
    async fn validate(&self, _: &PluginInfo, settings: &Settings) -> Result<Vec<SettingState>> {
        let errors = match settings.get("pattern") {
            Some("(") => vec!["Invalid value ( for configuration pattern: Unclosed".to_owned()],
            _ => vec![],
        };
        Ok(vec![SettingState { name: "pattern".into(), errors, recommended: None, visible: None }])
    }

    async fn connector(
        &self,
        _: &ConnectorName,
        _: &PluginInfo,
        _: ConnectorContext,
    ) -> Result<Box<dyn Connector>> {
        Err(Fault::fatal(Stage::Lifecycle, "only described"))
    }

    async fn task(&self, _: &TaskId, _: TaskContext) -> Result<Box<dyn TaskPlugins>> {
        Err(Fault::fatal(Stage::Lifecycle, "only described"))
    }

    async fn prepare(&self, _: Arc<Vec<u8>>) -> std::result::Result<Installed, InstallRefused> {
        Err(InstallRefused::Invalid("only described".into()))
    }

    async fn install(&self, _: Vec<u8>) -> std::result::Result<Installed, InstallRefused> {
        Err(InstallRefused::Invalid("only described".into()))
    }
}

async fn run(config: &str) -> Validation {
    run_under(&OverridePolicy::All, config).await
}

async fn run_under(policy: &OverridePolicy, config: &str) -> Validation {
    let worker = WorkerConfig { override_policy: policy.clone(), ..worker() };
    run_on(&worker, config).await
}

async fn run_on(worker: &WorkerConfig, config: &str) -> Validation {
    let config: Settings = config.lines().filter_map(|line| line.trim().split_once('=')).collect();
    validate(&described(), worker, &config).await.unwrap()
}

fn worker() -> WorkerConfig {
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let settings = [
        ("bootstrap.servers", "b:9092"),
        ("key.converter", json),
        ("value.converter", json),
        ("sandbox.memory.max.ceiling", "268435456"),
    ];
    WorkerConfig::from_settings(&settings.into_iter().collect()).unwrap()
}

/// One line per setting, as in the files.
fn table(validation: &Validation) -> String {
    let none = || "None".to_owned();
    let truth = |truth: bool| if truth { "True" } else { "False" };
    let mut text = format!("{}\n", validation.groups.join(", "));
    for config in &validation.configs {
        let Some(key) = &config.key else { continue };
        text.push_str(&format!(
            "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n",
            key.name,
            key.r#type.name(),
            truth(key.required),
            key.default.clone().map_or_else(none, |default| default.into_owned()),
            key.importance.name(),
            key.group.clone().map_or_else(none, |group| group.into_owned()),
            key.order,
            key.width.name(),
            key.display_name,
            config.value.clone().unwrap_or_else(none),
            truth(config.visible),
            config.errors.join(" & "),
        ));
    }
    text
}

#[tokio::test]
async fn the_file_connectors_answer_as_in_kafka_connect() {
    let sink = run("connector.class=FileStreamSink\nname=x\ntopics=t\ntasks.max=x").await;
    assert_eq!(table(&sink), include_str!("file_stream_sink.txt"));
    assert_eq!(sink.error_count(), 2);
    let source = run("connector.class=FileStreamSource").await;
    assert_eq!(table(&source), include_str!("file_stream_source.txt"));
    assert_eq!(source.error_count(), 2);
}

#[tokio::test]
async fn errors_are_kafka_connects() {
    let check = async |config: &str, expected: &[&str]| {
        let base = "connector.class=FileStreamSink\nname=x";
        let validation = run(&format!("{base}\n{config}")).await;
        assert_eq!(validation.errors().collect::<Vec<_>>(), expected, "{config}");
    };
    check("", &[definitions::NO_TOPICS; 2]).await;
    check("topics=a\ntopics.regex=b", &[definitions::BOTH_TOPICS; 2]).await;
    check("topics=a\nname=a\u{7}b", &["Invalid value a\u{7}b for configuration name: String may not contain control sequences but had the following ASCII chars: 7"]).await;
    check("topics=a, b,,a\nerrors.deadletterqueue.topic.name= a", &["The DLQ topic 'a' may not be included in the list of topics ('topics=[a, b]') consumed by the connector"]).await;
    check("topics.regex=a.*\nerrors.deadletterqueue.topic.name=ab", &["The DLQ topic 'ab' may not be matched by the regex for the topics ('topics.regex=a.*') consumed by the connector"]).await;
    check("topics=a\nvalue.converter=SimpleHeaderConverter", &["Class class org.apache.kafka.connect.storage.SimpleHeaderConverter does not implement the Converter interface"]).await;
    check(
        "topics=a\nkey.converter=nope",
        &["Invalid value nope for configuration key.converter: Class nope could not be found."],
    )
    .await;
    check("topics=a\nvalue.converter=JsonConverter\nvalue.converter.schemas.enable=maybe", &["Invalid value maybe for configuration schemas.enable: Expected value to be either true or false"]).await;
    check("topics=a\ntransforms=r\ntransforms.r.type=RegexRouterX", &["Invalid value RegexRouterX for configuration transforms.r.type: Class RegexRouterX could not be found."]).await;
    check(
        "topics=a\npredicates=q",
        &["Missing required configuration \"predicates.q.type\" which has no default value."],
    )
    .await;
    check(
        "topics=a\npredicates=p\npredicates.p.type=TopicNameMatches\npredicates.p.pattern=(",
        &["Invalid value ( for configuration pattern: Unclosed"],
    )
    .await;
    check("topics=a\ntransforms=m\ntransforms.m.type=org.apache.kafka.connect.transforms.MaskField$Value", &["Missing required configuration \"transforms.m.fields\" which has no default value."]).await;
    check("topics=a\ntransforms=m\ntransforms.m.type=org.apache.kafka.connect.transforms.MaskField$Value\ntransforms.m.fields=a\ntransforms.m.negate=true", &["Config 'transforms.m.negate' was provided but there is no config 'transforms.m.predicate' defining a predicate to be negated."]).await;
}

#[tokio::test]
async fn what_must_be_delivered_exactly_once_is_refused() {
    let base = "connector.class=FileStreamSource\nname=x\ntopic=t\nexactly.once.support";
    let disabled = "This worker does not have exactly-once source support enabled.";
    let check = async |value: &str, expected: &[&str]| {
        let validation = run(&format!("{base}={value}")).await;
        assert_eq!(validation.errors().collect::<Vec<_>>(), expected, "{value}");
    };
    check("requested", &[]).await;
    check("REQUIRED", &[disabled]).await;
    check("maybe", &["Invalid value maybe for configuration exactly.once.support: String must be one of (case insensitive): requested, required"]).await;
}

#[tokio::test]
async fn a_transformation_shows_the_frameworks_settings_among_its_own() {
    let validation = run("connector.class=FileStreamSink\nname=x\ntopics=t\ntransforms=m\ntransforms.m.type=org.apache.kafka.connect.transforms.MaskField$Value\ntransforms.m.fields=a").await;
    let shown: Vec<_> = validation
        .configs
        .iter()
        .filter(|config| config.name.starts_with("transforms.m."))
        .map(|config| (config.name.as_str(), config.key.as_ref().unwrap().order))
        .collect();
    assert_eq!(
        shown,
        [
            ("transforms.m.type", 0),
            ("transforms.m.plugin.version", 1),
            ("transforms.m.fields", 2),
            ("transforms.m.negate", 3),
            ("transforms.m.predicate", 4),
            ("transforms.m.replacement", 5),
        ]
    );
}

#[tokio::test]
async fn an_error_stands_at_the_setting_where_kafka_connect_has_it() {
    let check = async |config: &str, setting: &str| {
        let validation = run(&format!("name=x\n{config}")).await;
        let wrong = validation.configs.iter().filter(|config| !config.errors.is_empty());
        let wrong: Vec<_> =
            wrong.map(|config| (config.name.as_str(), config.errors.len())).collect();
        assert_eq!(wrong, [(setting, 1)], "{config}");
    };
    let sink = "connector.class=FileStreamSink\ntopics=a";
    check(&format!("{sink}\nerrors.deadletterqueue.topic.name=a"), "topics").await;
    let mask = "org.apache.kafka.connect.transforms.MaskField$Value";
    let negated = format!("transforms=m,m\ntransforms.m.type={mask}\ntransforms.m.fields=a");
    check(&format!("{sink}\n{negated}"), "transforms").await;
    let negated = format!("{}\ntransforms.m.negate=true", negated.replace("m,m", "m"));
    check(&format!("{sink}\n{negated}"), "transforms.m.type").await;
    let source = "connector.class=FileStreamSource\ntopic=t";
    check(&format!("{source}\ntopic.creation.groups=g, h, g"), "topic.creation.groups").await;
}

#[tokio::test]
async fn the_policy_is_asked_about_clients_that_the_connector_has() {
    let check = async |config: &str, expected: &[&str]| {
        let base = "name=x\nconsumer.override.a=1\nproducer.override.b=2\nadmin.override.c=3";
        let validation = run_under(&OverridePolicy::None, &format!("{base}\n{config}")).await;
        let wrong = validation.configs.iter().filter(|config| !config.errors.is_empty());
        assert_eq!(wrong.map(|config| config.name.as_str()).collect::<Vec<_>>(), expected);
    };
    let [consumer, producer, admin] =
        ["consumer.override.a", "producer.override.b", "admin.override.c"];
    let sink = "connector.class=FileStreamSink\ntopics=a";
    check(sink, &[consumer]).await;
    let queue = "errors.deadletterqueue.topic.name=dead";
    check(&format!("{sink}\n{queue}"), &[producer, consumer, admin]).await;
    let source = "connector.class=FileStreamSource\ntopic=t";
    check(source, &[producer]).await;
    let creation =
        "topic.creation.default.partitions=1\ntopic.creation.default.replication.factor=1";
    check(&format!("{source}\n{creation}"), &[producer, admin]).await;
    let offsets = "offsets.storage.topic=offsets-of-x";
    check(&format!("{source}\n{offsets}"), &[producer, consumer, admin]).await;
}

#[tokio::test]
async fn settings_that_nothing_defines_are_named() {
    let validation = run("\
        name=n
        connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
        topics=t
        topic=t
        value.converter.schemas.enable=false
        key.converter=org.apache.kafka.connect.json.JsonConverter
        key.converter.schemas.enable=false
        key.converter.schema.enable=false
        sandbox.memory.max=134217728
        sandbox.memory=134217728
        consumer.override.max.poll.records=5
        producer.override.linger.ms=5
        topic.creation.groups=a
        topic.creation.a.include=.*")
    .await;
    // Without a converter of its own the connector has the worker's, as the worker set it; a sink without a queue has no producer, and creates no topics.
    assert_eq!(
        validation.unknown,
        [
            "key.converter.schema.enable",
            "producer.override.linger.ms",
            "sandbox.memory",
            "topic",
            "topic.creation.a.include",
            "topic.creation.groups",
            "value.converter.schemas.enable",
        ]
    );
}

#[tokio::test]
async fn credentials_that_the_host_adds_are_defined_checked_and_hidden() {
    let validation = run("\
        name=n
        connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
        topics=t
        topic=t
        sandbox.net.allow=api.example.com
        sandbox.http.auth.api.origin=https://api.example.com
        sandbox.http.auth.api.value=canary\u{7}
        sandbox.http.auth.api.other=1")
    .await;
    let of = |name: &str| validation.configs.iter().find(|info| info.name == name).unwrap();
    assert_eq!(
        of("sandbox.net.allow").errors,
        [
            "Invalid value api.example.com for configuration sandbox.net.allow: api.example.com: expected scheme://host:port, with the scheme http, https or tcp"
        ]
    );
    let secret = of("sandbox.http.auth.api.value").key.as_ref().unwrap();
    assert_eq!(secret.r#type, Type::Password);
    assert_eq!(validation.unknown, ["sandbox.http.auth.api.other", "topic"]);
}

#[tokio::test]
async fn more_than_the_worker_s_ceiling_is_refused_by_name() {
    let asking = async |bytes: &str| {
        run(&format!(
            "name=n
            connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
            topics=t
            sandbox.memory.max={bytes}"
        ))
        .await
    };
    assert_eq!(asking("268435456").await.error_count(), 0);
    let validation = asking("268435457").await;
    let errors: Vec<&str> = validation.errors().collect();
    assert_eq!(
        errors,
        [
            "Invalid value 268435457 for configuration sandbox.memory.max: Value must be no more than 268435456, which the worker allows (sandbox.memory.max.ceiling)"
        ]
    );
}

#[tokio::test]
async fn a_password_that_was_sent_as_it_is_is_hidden_in_what_is_said_about_it() {
    let sent = [("file", "postgres1")].into_iter().collect::<Settings>();
    let mut validation = run("connector.class=FileStreamSink\nfile=postgres1").await;
    validation.configs.retain(|config| config.name == "file");
    validation.configs[0].errors.push("no postgres1".to_owned());
    let resolved = Resolved {
        settings: sent.hiding(&Secrets::of_passwords(["postgres1"])),
        ..Resolved::default()
    };
    validation.hide(&resolved);
    let shown = &validation.configs[0];
    assert_eq!(
        (shown.value.as_deref(), &*shown.errors),
        (Some("postgres1"), &["no [hidden]".to_owned()][..])
    );
}

#[tokio::test]
async fn a_connector_that_asks_for_more_of_the_network_than_its_worker_allows_is_told_so() {
    let offered = "https://*.example.com,tcp://db.internal:5432-5439";
    let errors = async |offered: &str, asked: &str| {
        let worker = worker().offering(egress::destinations(offered).unwrap());
        let config =
            format!("name=n\nconnector.class=FileStreamSink\ntopics=t\nsandbox.net.allow={asked}");
        run_on(&worker, &config).await.errors().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(errors(offered, "https://api.example.com, tcp://db.internal:5433").await, [""; 0]);
    assert_eq!(errors("", "").await, [""; 0]);
    assert_eq!(
        errors(offered, "https://api.example.com,tcp://db.internal:5440").await,
        [
            "Invalid value https://api.example.com,tcp://db.internal:5440 for configuration sandbox.net.allow: tcp://db.internal:5440 lies within no entry of the worker's own sandbox.net.allow, which allows https://*.example.com:443, tcp://db.internal:5432-5439"
        ]
    );
    let none = errors("", "http://a:80").await;
    assert!(none[0].ends_with("which allows nothing"), "{none:?}");
    let many: Vec<String> = (1..=50).map(|port| format!("tcp://a:{port}")).collect();
    let many = errors(&many.join(","), "tcp://b:1").await;
    assert!(many[0].ends_with("tcp://a:20, and 30 more"), "{many:?}");
}

#[tokio::test]
async fn the_worker_s_own_topics_are_refused_where_they_would_be_written_to_or_tell_of_secrets() {
    let json = "org.apache.kafka.connect.json.JsonConverter";
    let settings = [
        ("bootstrap.servers", "b:9092"),
        ("key.converter", json),
        ("value.converter", json),
        ("config.storage.topic", "c"),
        ("offset.storage.topic", "o"),
        ("status.storage.topic", "s"),
    ];
    let worker = WorkerConfig::from_settings(&settings.into_iter().collect()).unwrap();
    let wrong = async |config: &str| {
        let validation = run_on(&worker, &format!("name=n\n{config}")).await;
        let wrong = validation.configs.iter().filter(|config| !config.errors.is_empty());
        wrong.map(|config| (config.name.clone(), config.errors.join(" & "))).collect::<Vec<_>>()
    };
    let none: [(String, String); 0] = [];
    let (sink, source) =
        ("connector.class=FileStreamSink", "connector.class=FileStreamSource\ntopic=t");
    let (dead, offsets) = ("errors.deadletterqueue.topic.name", "offsets.storage.topic");
    for topic in ["c", "o", "s", "c-plugins", "c-plugins-chunks", "c-secrets"] {
        let message = format!(
            "Invalid value {topic} for configuration {dead}: it is an internal topic of the worker, to which no connector may write; expected any other topic"
        );
        let expected = [(dead.to_owned(), message)];
        assert_eq!(wrong(&format!("{sink}\ntopics=t\n{dead}={topic}")).await, expected);
        assert_eq!(wrong(&format!("{source}\n{dead}= {topic} ")).await, expected);
        let expected = format!(
            "Invalid value {topic} for configuration {offsets}: it is an internal topic of the worker, to which no connector may write; expected the worker's topic for offsets, or any other topic"
        );
        let of_offsets = wrong(&format!("{source}\n{offsets}={topic}")).await;
        match topic {
            "o" => assert_eq!(of_offsets, none),
            _ => assert_eq!(of_offsets, [(offsets.to_owned(), expected)]),
        }
        let read = wrong(&format!("{sink}\ntopics=t, {topic}")).await;
        match topic {
            "c-secrets" => assert_eq!(
                read,
                [(
                    "topics".to_owned(),
                    "Invalid value c-secrets for configuration topics: it is the worker's internal topic for secrets, which no connector may read; expected any other topic".to_owned()
                )]
            ),
            _ => assert_eq!(read, none),
        }
    }
    assert_eq!(wrong(&format!("{sink}\ntopics.regex=.*")).await, none);
    assert_eq!(wrong(&format!("{sink}\ntopics=t\n{dead}=x")).await, none);
    assert_eq!(wrong(&format!("{source}\n{dead}=x\n{offsets}=y")).await, none);
}
