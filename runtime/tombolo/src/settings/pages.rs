//! The reference pages of settings are what the definitions say. `UPDATE_EXPECT=1` writes them anew.

use std::fmt::Write as _;

use expect_test::{ExpectFile, expect_file};
use tombolo_herder::definitions as connector;
use tombolo_kafka::ClientKind;
use tombolo_model::config_def::{Check, ConfigKey};
use tombolo_model::plugin::PluginKind;

use super::*;

const MADE: &str = "Made of the program's own definitions, and held to them by a test; `UPDATE_EXPECT=1 cargo test --release -p tombolo settings` writes it anew.\n";

/// As a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// What a value must be beyond its type, for people.
fn allowed(check: &Check) -> String {
    let words = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    match check {
        Check::Any => String::new(),
        Check::AtLeast(least) => format!(", at least {least}"),
        Check::AtLeastFraction(least) => format!(", at least {least}"),
        Check::Between(least, most) => format!(", {least} to {most}"),
        Check::OneOf(known) => format!(": {}", words(known)),
        Check::OneOfIgnoringCase(known) => format!(" in any case: {}", words(known)),
        Check::NonEmpty => ", not empty".to_owned(),
        Check::PluginVersion => ": a version, or a range as `[1.0,2.0)`".to_owned(),
        Check::Destinations => ": places as `https://host:port`".to_owned(),
    }
}

fn table(keys: &[ConfigKey]) -> String {
    let mut text =
        "| setting | type | default | importance | what it does |\n|---|---|---|---|---|\n"
            .to_owned();
    for key in keys {
        let r#type = key.r#type.name().to_lowercase() + &allowed(&key.check);
        let default = match (&key.default, key.required) {
            (_, true) => "required".to_owned(),
            (None, false) => "none".to_owned(),
            (Some(default), false) if default.is_empty() => "empty".to_owned(),
            (Some(default), false) => format!("`{default}`"),
        };
        let importance = key.importance.name().to_lowercase();
        let (name, doc) = (&key.name, cell(&key.doc));
        writeln!(
            text,
            "| `{name}` | {} | {} | {importance} | {doc} |",
            cell(&r#type),
            cell(&default)
        )
        .unwrap();
    }
    text
}

fn pairs<'a>(head: &str, rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let rows = rows.into_iter().map(|(name, what)| format!("| `{name}` | {} |\n", cell(what)));
    format!("| {head} | |\n|---|---|\n{}", rows.collect::<String>())
}

fn check(text: &str, expected: ExpectFile) {
    expected.assert_eq(text);
}

#[test]
fn the_page_of_worker_settings_is_what_the_definitions_say() {
    let mut page = format!(
        "# Settings of a worker\n\n{MADE}\nThe file is Java properties, as Kafka Connect's own. A value may refer to one that is kept elsewhere, as `${{name:path:key}}`: see config providers.\n"
    );
    for (title, keys) in sections() {
        write!(page, "\n## {title}\n\n{}", table(&keys)).unwrap();
    }
    let prefixes = PREFIXES.iter().copied();
    write!(page, "\n## Below a prefix\n\n{}", pairs("prefix", prefixes)).unwrap();
    page.push_str("\nEvery other setting of a Kafka client ([list](settings-clients.md)) counts for the worker's own clients.\n");
    let none = WITHOUT_EFFECT.iter().map(|(name, _, reason)| (*name, *reason));
    let none = pairs("setting", none.chain([METRICS_CONTEXT]));
    write!(page, "\n## Without effect\n\nKafka Connect has these; here they make no difference, and a worker whose file has one says so when it starts.\n\n{none}").unwrap();
    check(&page, expect_file!["../../../../docs/settings-worker.md"]);
}

#[test]
fn the_page_of_connector_settings_is_what_the_definitions_say() {
    let shared = connector::of_every_kind();
    let only = |kind: PluginKind| -> Vec<ConfigKey> {
        let is_new = |key: &ConfigKey| !shared.iter().any(|known| known.name == key.name);
        connector::of(kind).into_iter().filter(is_new).collect()
    };
    let own = connector::own(PluginKind::Source);
    let sections = [
        ("Of every connector", shared.clone()),
        ("Of sinks", only(PluginKind::Sink)),
        ("Of sources", only(PluginKind::Source)),
        ("Below aliases", connector::of_aliases()),
        ("Our own", own),
    ];
    let mut page = format!(
        "# Settings of a connector\n\n{MADE}\nA connector's own settings, and those of converters, transformations and predicates, are at `GET /connector-plugins/CLASS/config`. A value may refer to one that is kept elsewhere, as `${{name:path:key}}`, where the [worker](settings-worker.md) has a config provider of that name, or as `${{secret:name}}` to one of its own [secrets](secrets.md): it is resolved anew with each start, and shown nowhere.\n"
    );
    for (title, keys) in sections {
        write!(page, "\n## {title}\n\n{}", table(&keys)).unwrap();
    }
    let prefixes = [
        ("key.converter.", "settings of the key converter, where `key.converter` is set"),
        ("value.converter.", "settings of the value converter, where `value.converter` is set"),
        ("header.converter.", "settings of the header converter, where `header.converter` is set"),
        ("producer.override.", "settings of the connector's producers"),
        ("consumer.override.", "settings of the connector's consumers"),
        ("admin.override.", "settings of the connector's admin clients"),
    ];
    write!(page, "\n## Below a prefix\n\n{}", pairs("prefix", prefixes)).unwrap();
    page.push_str("\nWhich settings of [clients](settings-clients.md) may be overridden, the worker's setting `connector.client.config.override.policy` says.\n");
    check(&page, expect_file!["../../../../docs/settings-connector.md"]);
}

#[test]
fn the_page_of_client_settings_is_what_the_table_says() {
    let mut page = format!(
        "# Settings of Kafka clients\n\n{MADE}\nEvery setting of the clients of Kafka 4.3, and what becomes of it. A worker file has them by these names for its own clients, and below `producer.`, `consumer.` and `admin.` for those of connectors; a connector has them below `producer.override.`, `consumer.override.` and `admin.override.`.\n\n| setting | clients | here |\n|---|---|---|\n"
    );
    for setting in tombolo_kafka::settings::all() {
        let kinds: Vec<&str> = setting
            .kinds
            .iter()
            .map(|kind| match kind {
                ClientKind::Consumer => "consumer",
                ClientKind::Producer => "producer",
                ClientKind::Admin => "admin",
            })
            .collect();
        writeln!(
            page,
            "| `{}` | {} | {} |",
            setting.name,
            kinds.join(", "),
            cell(&setting.treatment)
        )
        .unwrap();
    }
    check(&page, expect_file!["../../../../docs/settings-clients.md"]);
}

#[test]
fn every_definition_is_named_once_explained_and_has_a_good_default() {
    let sets = [
        super::definitions().collect::<Vec<_>>(),
        [connector::of(PluginKind::Sink), connector::own(PluginKind::Sink)].concat(),
        [connector::of(PluginKind::Source), connector::own(PluginKind::Source)].concat(),
        connector::of_aliases(),
    ];
    for keys in sets {
        for (at, key) in keys.iter().enumerate() {
            let name = &key.name;
            assert!(!keys[..at].iter().any(|before| before.name == *name), "{name} is there twice");
            assert!(key.doc.ends_with('.') && key.doc.len() > 10, "{name} is not explained");
            if let Some(default) = key.default.as_deref().filter(|default| !default.is_empty()) {
                assert_eq!(key.error(default), None, "{name}");
            }
        }
    }
}

#[test]
fn what_a_worker_file_says_in_vain_is_told() {
    let settings: Settings = [
        ("bootstrap.servers", "b"),
        ("exactly.once.source.support", "enabled"),
        ("rest.extension.classes", ""),
        ("plugin.path", "/p"),
        ("metrics.context.team", "t"),
        ("listeners.https.ssl.keystore.location", "/k"),
        ("access.control.allow.origin", "*"),
        ("ssl.keystore.location", "/k"),
        ("producer.anything", "x"),
        ("request.timeout.ms", "1"),
        ("bootstrap.server", "b"),
        ("sasl.jaas.confg", "secret"),
    ]
    .into_iter()
    .collect();
    let names: Vec<&str> = without_effect(&settings).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["exactly.once.source.support", "metrics.context.team", "plugin.path"]);
    assert_eq!(unknown(&settings), ["bootstrap.server", "sasl.jaas.confg"]);
    let disabled: Settings = [("exactly.once.source.support", "disabled")].into_iter().collect();
    assert!(without_effect(&disabled).is_empty());
}

#[test]
fn a_value_of_another_type_is_refused_whoever_reads_it() {
    let check = |name: &str, value: &str, expected: Option<&str>| {
        let settings: Settings = [(name, value)].into_iter().collect();
        let why = super::check(&settings).err();
        let expected =
            expected.map(|why| format!("Invalid value {value} for configuration {name}: {why}"));
        assert_eq!(why, expected);
    };
    check("offset.storage.partitions", "25", None);
    check("offset.storage.partitions", "many", Some("Not a number of type INT"));
    check("status.storage.replication.factor", "70000", Some("Not a number of type SHORT"));
    check("rest.advertised.port", "70000", Some("Value must be no more than 65535"));
    check("ssl.client.auth", "maybe", Some("String must be one of: required, requested, none"));
    check("not.ours", "x", None);
}
