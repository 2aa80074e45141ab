//! The passwords of a configuration: what its plugins define as such, and those of its clients.
//!
//! They may be there as they are instead of as references: then the configuration is shown as it was sent, and they are hidden in everything else.
//! Not here: hiding (`model::secrets`).

use tombolo_model::config_def::Type;
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Plugins;
use tombolo_model::{Secrets, Settings};

use crate::connector_config::{PluginConfig, plugin};
use crate::validation::{self, WorkerConverters};

const CONVERTERS: [(&str, PluginKind); 3] = [
    ("key.converter", PluginKind::Converter),
    ("value.converter", PluginKind::Converter),
    ("header.converter", PluginKind::HeaderConverter),
];

const ALIASED: [(&str, PluginKind); 2] =
    [("transforms", PluginKind::Transformation), ("predicates", PluginKind::Predicate)];

/// The passwords of a connector's configuration, resolved. What names no plugin has none.
pub(crate) fn of(plugins: &dyn Plugins, worker: &WorkerConverters, config: &Settings) -> Secrets {
    let mut all = tombolo_kafka::settings::passwords(config);
    if let Ok(connector) = validation::connector(plugins, config) {
        all.extend(defined(&connector, config));
    }
    let mut used: Vec<(PluginKind, PluginConfig)> = Vec::new();
    for (setting, kind) in CONVERTERS {
        used.extend(plugin(config, setting).map(|converter| (kind, converter)));
    }
    for (setting, kind) in ALIASED {
        for alias in config.get(setting).unwrap_or_default().split(',').map(str::trim) {
            let mut own = config.with_prefix(&format!("{setting}.{alias}."));
            let (class, version) = (own.remove("type"), own.remove("plugin.version"));
            let of_class = |class| PluginConfig { class, version, settings: own };
            used.extend(class.map(|class| (kind, of_class(class))));
        }
    }
    let workers = [&worker.key, &worker.value, &worker.header];
    used.extend(CONVERTERS.iter().zip(workers).map(|((_, kind), own)| (*kind, own.clone())));
    for (kind, PluginConfig { class, version, settings }) in &used {
        if let Ok(found) = plugins.find(*kind, class.trim(), version.as_deref()) {
            all.extend(defined(&found, settings));
        }
    }
    hidden(&all, config)
}

/// The passwords of a task's settings.
pub(crate) fn of_task(plugin: &PluginInfo, settings: &Settings) -> Secrets {
    hidden(&defined(plugin, settings), settings)
}

/// Without those that are part of a setting's name: messages name settings.
fn hidden(passwords: &[String], settings: &Settings) -> Secrets {
    let is_named = |password: &str| settings.iter().any(|(name, _)| name.contains(password));
    let all = passwords.iter().map(|password| password.trim());
    Secrets::of_passwords(all.filter(|password| !is_named(password)))
}

/// The passwords of a plugin among its settings.
fn defined(plugin: &PluginInfo, settings: &Settings) -> Vec<String> {
    let passwords = plugin.settings.iter().filter(|key| key.r#type == Type::Password);
    passwords.filter_map(|key| settings.get(&key.name)).map(str::to_owned).collect()
}
