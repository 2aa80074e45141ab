//! Plugins, their settings and their validation, in answers that are held to Kafka Connect's. Not here: what validation counts (`validation`).

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::rest::file_source;
use crate::case::Case;
use crate::golden::{Step, ask, hold};
use crate::scene::{Scene, changed};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "rest/plugins_are_listed_by_kind",
        "ConnectorPluginsResourceTest.testListAllPlugins",
        listed,
    ),
    Case::new(
        "rest/settings_of_plugins",
        "ConnectorPluginsResourceTest.testGetConnectorConfigDef",
        |scene| hold(scene, "plugins", &plugins()),
    ),
    Case::new(
        "rest/settings_of_shipped_plugins",
        "ConnectorPluginsResourceTest.testGetTransformationConfigDef",
        |scene| hold(scene, "shipped", &shipped()),
    ),
    Case::new(
        "rest/validation_of_the_file_connectors",
        "connect_rest_test.test_rest_api",
        |scene| hold(scene, "validation", &validation()),
    ),
    Case::new(
        "rest/validation_of_every_type",
        "ConnectorPluginsResourceTest.testValidateConfigWithSimpleName",
        |scene| hold(scene, "types", &types()),
    ),
    Case::new(
        "rest/the_file_source_has_exactly_its_settings",
        "connect_rest_test.test_rest_api",
        |scene| {
            names(
                scene,
                "FileStreamSource",
                &[&COMMON[..], &SOURCE, &["file", "topic", "batch.size"]].concat(),
            )
        },
    ),
    Case::new(
        "rest/the_file_sink_has_exactly_its_settings",
        "connect_rest_test.test_rest_api",
        |scene| names(scene, "FileStreamSink", &[&COMMON[..], &SINK, &["file"]].concat()),
    ),
];

/// Settings of every connector, as the system test lists them.
const COMMON: [&str; 17] = [
    "name",
    "connector.class",
    "connector.plugin.version",
    "tasks.max",
    "tasks.max.enforce",
    "key.converter",
    "key.converter.plugin.version",
    "value.converter",
    "value.converter.plugin.version",
    "header.converter",
    "header.converter.plugin.version",
    "transforms",
    "predicates",
    "config.action.reload",
    "errors.retry.timeout",
    "errors.retry.delay.max.ms",
    "errors.tolerance",
];

/// Settings of sources beyond them.
const SOURCE: [&str; 7] = [
    "errors.log.enable",
    "errors.log.include.messages",
    "topic.creation.groups",
    "exactly.once.support",
    "transaction.boundary",
    "transaction.boundary.interval.ms",
    "offsets.storage.topic",
];

/// Settings of sinks beyond them.
const SINK: [&str; 7] = [
    "errors.log.enable",
    "errors.log.include.messages",
    "topics",
    "topics.regex",
    "errors.deadletterqueue.topic.name",
    "errors.deadletterqueue.topic.replication.factor",
    "errors.deadletterqueue.context.headers.enable",
];

fn names(scene: &Scene<'_>, plugin: &str, expected: &[&str]) -> Result<()> {
    let settings = scene.client().look(&format!("/connector-plugins/{plugin}/config"))?;
    let mut found: Vec<&str> =
        settings.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    ensure!(found == expected, "the settings are {found:?}, expected {expected:?}");
    Ok(())
}

/// Plugins that both have, as far as they are listed, in Kafka Connect's order of kinds.
const LISTED: [(&str, &str); 22] = [
    ("org.apache.kafka.connect.file.FileStreamSinkConnector", "sink"),
    ("tombolo.kit.DefinedSinkConnector", "sink"),
    ("tombolo.kit.EmptyTaskConfigsConnector", "sink"),
    ("tombolo.kit.ErrantRecordSinkConnector", "sink"),
    ("tombolo.kit.MonitorableSinkConnector", "sink"),
    ("org.apache.kafka.connect.file.FileStreamSourceConnector", "source"),
    ("tombolo.kit.MonitorableSourceConnector", "source"),
    ("org.apache.kafka.connect.transforms.Filter", "transformation"),
    ("org.apache.kafka.connect.transforms.HoistField$Key", "transformation"),
    ("org.apache.kafka.connect.transforms.HoistField$Value", "transformation"),
    ("org.apache.kafka.connect.transforms.RegexRouter", "transformation"),
    ("tombolo.kit.FaultyPassthrough", "transformation"),
    ("org.apache.kafka.connect.transforms.predicates.HasHeaderKey", "predicate"),
    ("org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", "predicate"),
    ("org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicate"),
    ("org.apache.kafka.connect.converters.ByteArrayConverter", "converter"),
    ("org.apache.kafka.connect.json.JsonConverter", "converter"),
    ("org.apache.kafka.connect.storage.StringConverter", "converter"),
    ("tombolo.kit.ConverterWithOneSetting", "converter"),
    ("org.apache.kafka.connect.storage.SimpleHeaderConverter", "header_converter"),
    ("org.apache.kafka.connect.storage.StringConverter", "header_converter"),
    ("tombolo.kit.ConverterWithOneSetting", "header_converter"),
];

fn listed(scene: &Scene<'_>) -> Result<()> {
    let look = |path: &str| scene.client().look(path).map(|it| it.as_array().cloned());
    let all = look("/connector-plugins?connectorsOnly=false")?.unwrap_or_default();
    for plugin in &all {
        let members: Vec<&String> =
            plugin.as_object().map(|it| it.keys().collect()).unwrap_or_default();
        let known = [&["class", "type", "version"][..], &["class", "type"]];
        ensure!(known.iter().any(|known| members == *known), "{plugin} has other members");
    }
    let pair = |plugin: &Value| {
        let text = |name: &str| plugin[name].as_str().unwrap_or_default().to_owned();
        (text("class"), text("type"))
    };
    let found: Vec<(String, String)> = all.iter().map(pair).collect();
    let place = |(class, kind): &(&str, &str)| {
        found.iter().position(|(found, of)| found == class && of == kind)
    };
    let places: Vec<Option<usize>> = LISTED.iter().map(place).collect();
    let missing: Vec<_> = LISTED
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none())
        .map(|(one, _)| one)
        .collect();
    ensure!(missing.is_empty(), "not listed: {missing:?}");
    ensure!(places.is_sorted(), "the list is in another order: {found:?}");
    // Without a word, connectors alone.
    let connectors = look("/connector-plugins")?.unwrap_or_default();
    let expected: Vec<&Value> =
        all.iter().filter(|one| one["type"] == "sink" || one["type"] == "source").collect();
    ensure!(connectors.iter().eq(expected), "connectors alone are {connectors:?}");
    Ok(())
}

fn settings(class: &str) -> Step {
    ask("GET", &format!("/connector-plugins/{class}/config"))
}

fn plugins() -> Vec<Step> {
    vec![
        settings("FileStreamSource"),
        settings("org.apache.kafka.connect.file.FileStreamSinkConnector"),
        settings("FileStreamSinkConnector"),
        settings("StringConverter"),
        settings("tombolo.kit.DefinedSinkConnector"),
        settings("tombolo.kit.ConverterWithOneSetting"),
        settings("tombolo.kit.FaultyPassthrough"),
        ask("GET", "/connector-plugins/FileStreamSource/config?version=1.2.3-none"),
        ask("PUT", "/connector-plugins/FileStreamSource/config/validate")
            .json(&json!({"name": "wrong"})),
    ]
}

fn shipped() -> Vec<Step> {
    // Of those with one class for keys and one for values, one: both have the same settings.
    const TRANSFORMATIONS: [&str; 16] = [
        "Cast$Value",
        "DropHeaders",
        "ExtractField$Key",
        "Filter",
        "Flatten$Value",
        "HeaderFrom$Key",
        "HoistField$Value",
        "InsertField$Value",
        "InsertHeader",
        "MaskField$Value",
        "RegexRouter",
        "ReplaceField$Key",
        "SetSchemaMetadata$Value",
        "TimestampConverter$Key",
        "TimestampRouter",
        "ValueToKey",
    ];
    const OTHERS: [&str; 7] = [
        "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "org.apache.kafka.connect.json.JsonConverter",
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        "SimpleHeaderConverter",
        "HasHeaderKey",
    ];
    let transformations =
        TRANSFORMATIONS.map(|name| format!("org.apache.kafka.connect.transforms.{name}"));
    let all = transformations.iter().map(String::as_str).chain(OTHERS);
    all.map(settings).collect()
}

fn validate(class: &str, config: &Value) -> Step {
    ask("PUT", &format!("/connector-plugins/{class}/config/validate")).json(config)
}

fn validation() -> Vec<Step> {
    let sink = |more: &Value| {
        let base =
            json!({"connector.class": "FileStreamSink", "name": "x", "file": "FILES/out.txt"});
        validate("FileStreamSink", &changed(&base, more))
    };
    vec![
        validate("FileStreamSource", &file_source(&[("name", "x")])),
        validate("FileStreamSource", &file_source(&[("tasks.max", "many")])),
        validate(
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            &file_source(&[("name", "x")]),
        ),
        sink(&json!({})),
        sink(&json!({"topics": "a", "topics.regex": "b"})),
        sink(&json!({"topics": "a", "unknown": "u"})),
        validate(
            "FileStreamSource",
            &file_source(&[
                ("name", "x"),
                ("transforms", "hoist,missing"),
                ("transforms.hoist.type", "org.apache.kafka.connect.transforms.HoistField$Value"),
                ("errors.tolerance", "some"),
            ]),
        ),
        validate(
            "FileStreamSource",
            &file_source(&[
                ("name", "x"),
                ("topic.creation.groups", "g"),
                ("topic.creation.g.include", "["),
                ("topic.creation.g.partitions", "0"),
                ("topic.creation.default.replication.factor", "-2"),
            ]),
        ),
        validate(
            "FileStreamSource",
            &file_source(&[
                ("name", "x"),
                ("producer.override.linger.ms", "soon"),
                ("producer.override.acks", "all"),
            ]),
        ),
        validate("Nope", &json!({"connector.class": "no.such.Class"})).status_only(),
        validate("FileStreamSink", &file_source(&[])),
    ]
}

fn types() -> Vec<Step> {
    let defined = |more: &Value| {
        let base = json!({
            "connector.class": "DefinedSinkConnector", "name": "x", "topics": "t", "a.string": "one",
        });
        validate("DefinedSinkConnector", &changed(&base, more))
    };
    vec![
        defined(&json!({})),
        defined(&json!({
            "a.string": null, "a.boolean": "yes", "a.short": "70000", "a.long": "many",
            "a.double": "half", "a.choice": "blue",
        })),
        defined(&json!({"an.int": "1.5"})),
        defined(&json!({
            "a.boolean": " TRUE ", "an.int": " 100 ", "a.short": "-1", "a.long": "-5",
            "a.double": "1e3", "a.list": " p , q ,, r", "a.choice": "green", "a.string": "",
        })),
        defined(&json!({"an.int": "101"})),
        defined(&json!({"an.int": "0", "a.list": ""})),
        defined(&json!({"a.boolean": "", "a.double": "NaN", "a.long": "+7"})),
    ]
}
