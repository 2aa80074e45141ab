//! What a component says it offers, checked, as the worker knows plugins.
//!
//! Not here: asking it (`install`), and keeping the answer (`stored`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, Width};
use tombolo_model::plugin::{Columns, ComponentDigest, PluginInfo, PluginKind};

use crate::v0::exports::tombolo::connect::catalog as contract;
use crate::v0::tombolo::connect::types;

/// Most plugins of one component: all of Kafka Connect's standard ones are 40.
const PLUGINS_MAX: usize = 256;

/// Most settings of one plugin: the largest connectors have 200.
const SETTINGS_MAX: usize = 1_000;

/// Longest class name, version or name of a setting, in bytes.
const NAME_MAX: usize = 249;

/// The plugins that a catalog lists.
///
/// Errors: what is wrong and where, for whoever uploaded the component.
pub(crate) fn plugins(
    catalog: Vec<contract::Plugin>,
    component: &ComponentDigest,
    exports: &[PluginKind],
) -> Result<Vec<PluginInfo>, String> {
    if catalog.is_empty() || catalog.len() > PLUGINS_MAX {
        let count = catalog.len();
        return Err(format!("its catalog lists {count} plugins; 1 to {PLUGINS_MAX} are expected"));
    }
    let mut plugins = Vec::with_capacity(catalog.len());
    let mut seen = BTreeSet::new();
    for listed in catalog {
        let plugin = plugin(listed, component)?;
        let (class, kind) = (&plugin.class, plugin.kind);
        if !exports.contains(&kind) {
            let interface = interface(kind);
            return Err(format!(
                "its catalog lists {class} as a {}, but it does not export {interface}",
                kind.name()
            ));
        }
        if !seen.insert((class.clone(), kind)) {
            return Err(format!("its catalog lists {class} twice as a {}", kind.name()));
        }
        plugins.push(plugin);
    }
    Ok(plugins)
}

/// The interface that a plugin of this kind needs.
pub(crate) fn interface(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink => "tombolo:connect/sink",
        PluginKind::Source => "tombolo:connect/source",
        PluginKind::Transformation => "tombolo:connect/transformation",
        PluginKind::Predicate => "tombolo:connect/predicate",
        PluginKind::Converter => "tombolo:connect/converter",
        PluginKind::HeaderConverter => "tombolo:connect/header-converter",
    }
}

/// The contract's name of a kind.
pub(crate) fn contract_kind(kind: PluginKind) -> contract::PluginKind {
    match kind {
        PluginKind::Sink => contract::PluginKind::Sink,
        PluginKind::Source => contract::PluginKind::Source,
        PluginKind::Transformation => contract::PluginKind::Transformation,
        PluginKind::Predicate => contract::PluginKind::Predicate,
        PluginKind::Converter => contract::PluginKind::Converter,
        PluginKind::HeaderConverter => contract::PluginKind::HeaderConverter,
    }
}

fn plugin(listed: contract::Plugin, component: &ComponentDigest) -> Result<PluginInfo, String> {
    name("a class name", &listed.class)?;
    let of = listed.class.as_str();
    name(&format!("the version of {of}"), &listed.version)?;
    if listed.settings.len() > SETTINGS_MAX {
        return Err(format!("{of} has more than {SETTINGS_MAX} settings"));
    }
    let mut settings = Vec::with_capacity(listed.settings.len());
    let mut seen = BTreeSet::new();
    for listed in listed.settings {
        name(&format!("the name of a setting of {of}"), &listed.name)?;
        if !seen.insert(listed.name.clone()) {
            return Err(format!("{of} has the setting {} twice", listed.name));
        }
        settings.push(setting(listed, of)?);
    }
    Ok(PluginInfo {
        class: listed.class,
        kind: match listed.kind {
            contract::PluginKind::Sink => PluginKind::Sink,
            contract::PluginKind::Source => PluginKind::Source,
            contract::PluginKind::Transformation => PluginKind::Transformation,
            contract::PluginKind::Predicate => PluginKind::Predicate,
            contract::PluginKind::Converter => PluginKind::Converter,
            contract::PluginKind::HeaderConverter => PluginKind::HeaderConverter,
        },
        version: listed.version,
        doc: listed.doc,
        settings,
        reads: columns(listed.reads),
        component: component.clone(),
    })
}

fn name(what: &str, name: &str) -> Result<(), String> {
    let good = !name.is_empty() && name.len() <= NAME_MAX && !name.chars().any(char::is_control);
    if good {
        return Ok(());
    }
    Err(format!(
        "{what} is {name:?}; 1 to {NAME_MAX} bytes without control characters are expected"
    ))
}

fn setting(listed: contract::Setting, of: &str) -> Result<ConfigKey, String> {
    let r#type = match listed.type_ {
        contract::SettingType::Boolean => Type::Boolean,
        contract::SettingType::Text => Type::String,
        contract::SettingType::Int => Type::Int,
        contract::SettingType::Short => Type::Short,
        contract::SettingType::Long => Type::Long,
        contract::SettingType::Double => Type::Double,
        contract::SettingType::List => Type::List,
        contract::SettingType::Class => Type::Class,
        contract::SettingType::Password => Type::Password,
    };
    if let Some(default) = &listed.default
        && let Err(why) = r#type.check(default)
    {
        return Err(format!("the default of {} of {of} is not of its type: {why}", listed.name));
    }
    let texts = |texts: Vec<String>| texts.into_iter().map(Cow::Owned).collect();
    Ok(ConfigKey {
        name: Cow::Owned(listed.name),
        r#type,
        default: listed.default.map(Cow::Owned),
        required: listed.required,
        importance: match listed.importance {
            contract::Importance::High => Importance::High,
            contract::Importance::Medium => Importance::Medium,
            contract::Importance::Low => Importance::Low,
        },
        doc: Cow::Owned(listed.doc),
        group: listed.group.map(Cow::Owned),
        order: listed.order,
        width: match listed.width {
            contract::Width::None => Width::None,
            contract::Width::Short => Width::Short,
            contract::Width::Medium => Width::Medium,
            contract::Width::Long => Width::Long,
        },
        display_name: Cow::Owned(listed.display_name),
        dependents: texts(listed.dependents),
        recommended: texts(listed.recommended),
        check: Check::Any,
    })
}

fn columns(reads: types::Columns) -> Columns {
    Columns {
        topic: reads.contains(types::Columns::TOPIC),
        partition: reads.contains(types::Columns::PARTITION),
        offset: reads.contains(types::Columns::OFFSET),
        timestamp: reads.contains(types::Columns::TIMESTAMP),
        key: reads.contains(types::Columns::KEY),
        value: reads.contains(types::Columns::VALUE),
        headers: reads.contains(types::Columns::HEADERS),
    }
}
