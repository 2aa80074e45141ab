//! Which client settings a connector may override. Follows `ConnectorClientPolicyIntegrationTest`. Not here: what the overrides do.

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::{Case, Settings};
use crate::kit;
use crate::scene::{Scene, changed, config};

const NONE: Settings = &[("connector.client.config.override.policy", "None")];
const PRINCIPAL: Settings = &[("connector.client.config.override.policy", "Principal")];
const ALL: Settings = &[("connector.client.config.override.policy", "All")];
const ALLOWLIST: Settings = &[
    ("connector.client.config.override.policy", "Allowlist"),
    ("connector.client.config.override.allowlist", "client.id,auto.offset.reset"),
];

macro_rules! case {
    ($name:literal, $test:literal, $settings:expr, $holds:ident $overrides:tt) => {
        Case::new(
            concat!("policy/", $name),
            concat!("ConnectorClientPolicyIntegrationTest.", $test),
            |scene| $holds(scene, &json!($overrides)),
        )
        .with($settings)
    };
}

pub(super) const CASES: &[Case] = &[
    case!("none_refuses_an_override", "testCreateWithOverridesForNonePolicy", NONE, refused {"consumer.override.sasl.jaas.config": "sasl"}),
    case!(
        "none_takes_no_override",
        "testCreateWithNoAllowedOverridesForNonePolicy",
        NONE,
        taken {}
    ),
    case!("principal_refuses_others", "testCreateWithNotAllowedOverridesForPrincipalPolicy", PRINCIPAL, refused {"consumer.override.sasl.jaas.config": "sasl", "consumer.override.auto.offset.reset": "latest"}),
    case!("principal_takes_who_one_is", "testCreateWithAllowedOverridesForPrincipalPolicy", PRINCIPAL, taken {"consumer.override.security.protocol": "PLAINTEXT"}),
    case!("all_takes_any", "testCreateWithAllowedOverridesForAllPolicy", ALL, taken {"consumer.override.client.id": "test"}),
    Case::new(
        "policy/the_default_takes_any",
        "ConnectorClientPolicyIntegrationTest.testCreateWithAllowedOverridesForDefaultPolicy",
        |scene| taken(scene, &json!({"consumer.override.client.id": "test"})),
    ),
    case!(
        "an_allowlist_takes_no_override",
        "testCreateWithoutOverridesForAllowlistPolicy",
        ALLOWLIST,
        taken {}
    ),
    case!("an_allowlist_refuses_what_is_not_in_it", "testCreateWithNotAllowedOverridesForAllowlistPolicy", ALLOWLIST, refused {"consumer.override.fetch.min.bytes": "10", "consumer.override.client.id": "test"}),
    case!("an_allowlist_takes_what_is_in_it", "testCreateWithAllowedOverridesForAllowlistPolicy", ALLOWLIST, taken {"consumer.override.client.id": "test"}),
    Case::new(
        "policy/offsets_of_a_sink_are_not_sought_where_it_is_not_allowed",
        "Worker.sinkConnectorOffsets",
        offsets_elsewhere,
    )
    .with(NONE),
];

fn sink(scene: &Scene<'_>, overrides: &Value) -> Result<Value> {
    let topic = scene.make_topic("t")?;
    Ok(changed(&config(kit::SINK, &json!({ "topics": topic })), overrides))
}

fn refused(scene: &Scene<'_>, overrides: &Value) -> Result<()> {
    let answer = scene.connector().try_put(&sink(scene, overrides)?)?;
    answer.expect_error(400, "Connector configuration is invalid")
}

/// Validation asks about admin clients only where the connector's tasks have some; its offsets need one in any case.
fn offsets_elsewhere(scene: &Scene<'_>) -> Result<()> {
    let connector = scene.connector();
    let elsewhere = json!({"admin.override.bootstrap.servers": scene.broker().bootstrap()});
    connector.put(&sink(scene, &elsewhere)?)?;
    connector.wait_until_running(1)?;
    let refused = "The 'None' policy does not allow 'bootstrap.servers' to be overridden";
    connector.ask("GET", "/offsets", None)?.expect_error(500, refused)?;
    connector.stop_and_wait()?;
    connector.ask("DELETE", "/offsets", None)?.expect_error(500, refused)
}

fn taken(scene: &Scene<'_>, overrides: &Value) -> Result<()> {
    let connector = scene.connector();
    connector.put(&sink(scene, overrides)?)?;
    connector.wait_until_running(1)
}
