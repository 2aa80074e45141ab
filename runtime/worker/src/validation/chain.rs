//! Transformations and predicates of a configuration, each under its alias.
//!
//! Not here: running them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tombolo_model::config_def::{ConfigKey, Importance, Type, Width, key};
use tombolo_model::plugin::PluginKind;
use tombolo_model::role::Plugins;
use tombolo_model::{Fault, Settings};

use super::ConfigInfo;
use super::section::Section;

/// What is named by aliases.
struct Aliased {
    /// The setting that lists the aliases.
    setting: &'static str,
    /// What is named.
    kind: PluginKind,
    /// The group of each, without its alias.
    group: &'static str,
    /// What it is called in definitions.
    title: &'static str,
}

const TRANSFORMATIONS: Aliased = Aliased {
    setting: "transforms",
    kind: PluginKind::Transformation,
    group: "Transforms",
    title: "Transformation",
};

const PREDICATES: Aliased = Aliased {
    setting: "predicates",
    kind: PluginKind::Predicate,
    group: "Predicates",
    title: "Predicate",
};

/// Checks the transformations, then the predicates.
pub(super) async fn check(all: &mut Section, plugins: &dyn Plugins, config: &Settings) {
    for aliased in [TRANSFORMATIONS, PREDICATES] {
        super::is_distinct(all, config, aliased.setting);
        let mut aliases: Vec<&str> = Vec::new();
        for alias in super::listed(config, aliased.setting).filter(|alias| !alias.is_empty()) {
            if !aliases.contains(&alias) {
                aliases.push(alias);
            }
        }
        for alias in aliases {
            one(all, plugins, config, (&aliased, alias)).await;
        }
    }
    predicates_are_there(all, config);
}

/// One transformation or predicate: its class, its version, its settings.
async fn one(
    all: &mut Section,
    plugins: &dyn Plugins,
    config: &Settings,
    (aliased, alias): (&Aliased, &str),
) {
    let prefix = format!("{}.{alias}.", aliased.setting);
    let group = format!("{}: {alias}", aliased.group);
    let class = config.get(&format!("{prefix}type"));
    let asked = config.get(&format!("{prefix}plugin.version"));
    let mut r#type = info(
        key("", Type::Class).required().importance(Importance::High),
        &format!("{prefix}type"),
        (&group, 0, &format!("{} type for {alias}", aliased.title)),
    );
    r#type.value = class.map(str::to_owned);
    if class.is_none() {
        let name = &r#type.name;
        r#type
            .errors
            .push(format!("Missing required configuration \"{name}\" which has no default value."));
    }
    let found = r#type.resolve(plugins, aliased.kind);
    let mut version = info(
        key("", Type::String).importance(Importance::High),
        &format!("{prefix}plugin.version"),
        (&group, 1, &format!("{} version for {alias}", aliased.title)),
    );
    version.value = asked.map(str::to_owned);
    let found = found.and_then(|newest| {
        version.default_to(&newest.version);
        version.recommended = super::versions(plugins, &newest);
        let Some(asked) = asked else { return Some(newest) };
        let found = plugins.find(aliased.kind, &newest.class, Some(asked));
        let complain = |fault: Fault| {
            r#type.errors.push(fault.message.clone());
            version.errors.push(fault.message);
        };
        found.map_err(complain).ok()
    });
    all.push(r#type);
    all.push(version);
    let Some(found) = found else { return };
    let mut settings = config.with_prefix(&prefix);
    for own in ["type", "plugin.version"] {
        settings.remove(own);
    }
    let mut shown = (*found).clone();
    if aliased.kind == PluginKind::Transformation {
        shown.settings.extend(framework_settings());
    }
    shown.settings.sort_by(|a, b| a.name.cmp(&b.name));
    for (key, order) in shown.settings.iter_mut().zip(2..) {
        key.group = Some(Cow::Owned(group.clone()));
        key.order = order;
    }
    all.check_below(&prefix, &shown, &settings);
    for own in ["predicate", "negate"] {
        settings.remove(own);
    }
    match plugins.validate(&found, &settings).await {
        Ok(states) => all.apply(states, &prefix),
        Err(fault) => all.error(&format!("{prefix}type"), fault.message),
    }
}

/// Settings that every transformation has from the framework.
fn framework_settings() -> [ConfigKey; 2] {
    [
        key("negate", Type::Boolean).default("false").doc(
            "Whether the transformation applies to the rows for which its predicate does not hold.",
        ),
        key("predicate", Type::String)
            .doc("Alias of the predicate that chooses the rows of this transformation."),
    ]
}

/// Every predicate that a transformation names is defined; negating needs one.
fn predicates_are_there(all: &mut Section, config: &Settings) {
    let defined: Vec<&str> = super::listed(config, "predicates").collect();
    let aliases: BTreeSet<&str> = super::listed(config, "transforms").collect();
    for alias in aliases.into_iter().filter(|alias| !alias.is_empty()) {
        let name = format!("transforms.{alias}.predicate");
        let negate = format!("transforms.{alias}.negate");
        match config.get(&name) {
            None if config.contains(&negate) => all.error(&format!("transforms.{alias}.type"), format!(
                "Config '{negate}' was provided but there is no config '{name}' defining a predicate to be negated."
            )),
            Some(predicate) if !defined.contains(&predicate) => {
                all.error(&name, format!(
                    "Invalid value {predicate} for configuration {name}: no predicate of this alias is listed in predicates"
                ));
            }
            _ => {}
        }
    }
}

/// A setting of the framework for an alias, without a value.
fn info(key: ConfigKey, name: &str, (group, order, title): (&str, i32, &str)) -> ConfigInfo {
    let key = ConfigKey {
        name: Cow::Owned(name.to_owned()),
        group: Some(Cow::Owned(group.to_owned())),
        order,
        width: Width::Long,
        doc: Cow::Owned(format!("{title}.")),
        display_name: Cow::Owned(title.to_owned()),
        ..key
    };
    ConfigInfo {
        key: Some(key),
        name: name.to_owned(),
        value: None,
        recommended: Vec::new(),
        errors: Vec::new(),
        visible: true,
    }
}
