//! What validation finds wrong. Follows `ConnectorValidationIntegrationTest`: how many errors there are; and beyond it, holds the errors to Kafka Connect's own.
//!
//! Classes that Java cannot make (abstract, without a constructor) are, in a world of components, classes that no component has.
//! Not here: override policies (`policy`).

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use crate::case::{Case, Settings};
use crate::golden;
use crate::kit;
use crate::scene::{Scene, changed};

/// A worker whose group has a name that cases know.
const GROUP: Settings = &[("group.id", "connect-compat-validation-PEER")];

macro_rules! case {
    ($name:literal, $test:literal, $errors:literal, $of:ident $change:tt) => {
        Case::new(
            concat!("validation/", $name),
            concat!("ConnectorValidationIntegrationTest.", $test),
            |scene| {
                expect(
                    scene,
                    concat!("validation-", $test),
                    $errors,
                    &changed(&$of(scene), &json!($change)),
                )
            },
        )
    };
}

pub(super) const CASES: &[Case] = &[
    case!("a_sink_without_topics", "testSinkConnectorHasNeitherTopicsListNorTopicsRegex", 2, sink {"topics": null}),
    case!("a_sink_with_topics_and_a_pattern", "testSinkConnectorHasBothTopicsListAndTopicsRegex", 2, sink {"topics": "t1", "topics.regex": "r.*"}),
    case!("a_dead_letter_queue_among_the_topics", "testSinkConnectorDeadLetterQueueTopicInTopicsList", 1, sink {"errors.deadletterqueue.topic.name": "t1"}),
    case!("a_dead_letter_queue_that_the_pattern_matches", "testSinkConnectorDeadLetterQueueTopicMatchesTopicsRegex", 1, sink {"topics": null, "topics.regex": "r.*", "errors.deadletterqueue.topic.name": "ruh.roh"}),
    case!("a_sink_whose_group_would_be_the_worker_s", "testSinkConnectorDefaultGroupIdConflictsWithWorkerGroupId", 1, sink {"name": "compat-validation-PEER"}).with(GROUP),
    case!("a_sink_whose_chosen_group_is_the_worker_s", "testSinkConnectorOverriddenGroupIdConflictsWithWorkerGroupId", 1, sink {"consumer.override.group.id": "connect-compat-validation-PEER"}).with(GROUP),
    case!("a_topic_creation_group_twice", "testSourceConnectorHasDuplicateTopicCreationGroups", 1, source {"topic.creation.groups": "g1, g2, g1"}),
    case!("a_transformation_twice", "testConnectorHasDuplicateTransformations", 1, sink {"transforms": "t, t", "transforms.t.type": FILTER}),
    case!("a_transformation_that_is_not_there", "testConnectorHasMissingTransformClass", 1, sink {"transforms": "t", "transforms.t.type": "WheresTheFruit"}),
    case!("a_transformation_that_is_none", "testConnectorHasInvalidTransformClass", 1, sink {"transforms": "t", "transforms.t.type": SINK}),
    case!("a_negation_without_a_predicate", "testConnectorHasNegationForUndefinedPredicate", 1, sink {"transforms": "t", "transforms.t.type": FILTER, "transforms.t.negate": "true"}),
    case!("a_predicate_twice", "testConnectorHasDuplicatePredicates", 1, sink {"predicates": "p, p", "predicates.p.type": TOMBSTONE}),
    case!("a_predicate_that_is_not_there", "testConnectorHasMissingPredicateClass", 1, sink {"predicates": "p", "predicates.p.type": "WheresTheFruit"}),
    case!("a_predicate_that_is_none", "testConnectorHasInvalidPredicateClass", 1, sink {"predicates": "p", "predicates.p.type": SINK}),
    case!("a_converter_that_is_not_there", "testConnectorHasMissingConverterClass", 1, sink {"key.converter": "WheresTheFruit"}),
    case!("a_converter_that_is_none", "testConnectorHasInvalidConverterClassType", 1, sink {"key.converter": SINK}),
    case!("an_abstract_converter", "testConnectorHasAbstractConverter", 1, sink {"key.converter": "tombolo.kit.NullConverter"}),
    case!("a_converter_without_a_constructor", "testConnectorHasConverterWithNoSuitableConstructor", 1, sink {"key.converter": "tombolo.kit.NoConstructorConverter"}),
    case!("a_converter_that_refuses_to_be_made", "testConnectorHasConverterThatThrowsExceptionOnInstantiation", 1, sink {"key.converter": "tombolo.kit.ThrowingConverter"}),
    case!("a_converter_with_a_wrong_setting", "testConnectorHasMisconfiguredConverter", 1, sink {"key.converter": ONE_SETTING, "key.converter.prop": "notaboolean"}),
    case!("a_converter_without_settings", "testConnectorHasConverterWithNoConfigDef", 0, sink {"key.converter": "tombolo.kit.ConverterWithoutSettings"}),
    case!("a_header_converter_that_is_not_there", "testConnectorHasMissingHeaderConverterClass", 1, sink {"header.converter": "WheresTheFruit"}),
    case!("a_header_converter_that_is_none", "testConnectorHasInvalidHeaderConverterClassType", 1, sink {"header.converter": SINK}),
    case!("an_abstract_header_converter", "testConnectorHasAbstractHeaderConverter", 1, sink {"header.converter": "tombolo.kit.NullConverter"}),
    case!("a_header_converter_without_a_constructor", "testConnectorHasHeaderConverterWithNoSuitableConstructor", 1, sink {"header.converter": "tombolo.kit.NoConstructorConverter"}),
    case!("a_header_converter_that_refuses_to_be_made", "testConnectorHasHeaderConverterThatThrowsExceptionOnInstantiation", 1, sink {"header.converter": "tombolo.kit.ThrowingConverter"}),
    case!("a_header_converter_with_a_wrong_setting", "testConnectorHasMisconfiguredHeaderConverter", 1, sink {"header.converter": ONE_SETTING, "header.converter.prop": "notaboolean"}),
    case!("a_header_converter_without_settings", "testConnectorHasHeaderConverterWithNoConfigDef", 0, sink {"header.converter": "tombolo.kit.ConverterWithoutSettings"}),
];

const FILTER: &str = "org.apache.kafka.connect.transforms.Filter";
const TOMBSTONE: &str = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone";
const SINK: &str = "tombolo.kit.MonitorableSinkConnector";
const ONE_SETTING: &str = "tombolo.kit.ConverterWithOneSetting";

fn with_converters(more: &Value) -> Value {
    let text = "org.apache.kafka.connect.storage.StringConverter";
    let usual = json!({"tasks.max": "1", "key.converter": text, "value.converter": text});
    changed(&usual, more)
}

fn sink(_scene: &Scene<'_>) -> Value {
    with_converters(
        &json!({"name": "sink-connector", "connector.class": kit::SINK, "topics": "t1"}),
    )
}

fn source(_scene: &Scene<'_>) -> Value {
    with_converters(
        &json!({"name": "source-connector", "connector.class": kit::SOURCE, "topic": "t1"}),
    )
}

/// Holds the number of errors to what Apache's test expects, and the errors to those of Kafka Connect.
fn expect(scene: &Scene<'_>, golden: &str, count: u64, config: &Value) -> Result<()> {
    let class = config["connector.class"].as_str().unwrap_or_default();
    let own: Value =
        serde_json::from_str(&config.to_string().replace("PEER", scene.peer().name()))?;
    let validated = scene.validate(class, &own)?;
    let mut wrong = Map::new();
    for config in validated["configs"].as_array().into_iter().flatten() {
        let value = &config["value"];
        if value["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
            wrong.insert(
                value["name"].as_str().unwrap_or_default().to_owned(),
                value["errors"].clone(),
            );
        }
    }
    wrong.sort_keys();
    let found = &validated["error_count"];
    ensure!(*found == count, "expected {count} errors, got {found}: {wrong:?}");
    let wrong = Value::from(wrong).to_string();
    let common = wrong.replace(&format!("validation-{}", scene.peer().name()), "validation-PEER");
    golden::hold_value(scene, golden, "errors by setting", &serde_json::from_str(&common)?)
}
