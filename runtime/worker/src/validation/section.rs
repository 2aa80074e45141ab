//! Settings with their definitions, values and errors, as they are gathered.
//!
//! Not here: which settings there are.

use std::borrow::Cow;
use std::sync::Arc;

use tombolo_model::Settings;
use tombolo_model::config_def::{Check, ConfigKey, SettingState, Type};
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Plugins;
use tombolo_store::json::java_double;

use super::ConfigInfo;

/// Settings in the order in which they were checked.
#[derive(Default)]
pub(super) struct Section(Vec<ConfigInfo>);

impl Section {
    /// Holds values to their definitions. A setting that is there already keeps its first definition.
    pub(super) fn check(&mut self, keys: Vec<ConfigKey>, settings: &Settings) {
        for key in keys {
            if self.get(&key.name).is_none() {
                let value = settings.get(&key.name).map(str::to_owned);
                self.0.push(checked(key, value));
            }
        }
    }

    /// Holds a plugin's values to their definitions, shown below `prefix`. Errors keep the short names, as Kafka's do.
    pub(super) fn check_below(&mut self, prefix: &str, plugin: &PluginInfo, settings: &Settings) {
        for key in &plugin.settings {
            let value = settings.get(&key.name).map(str::to_owned);
            let missing = value.is_none() && key.required;
            let mut info = checked(key.clone(), value);
            info.rename(format!("{prefix}{}", key.name));
            if missing {
                info.errors = vec![missing_error(&info.name)];
            }
            self.0.push(info);
        }
    }

    /// Adds a setting that nothing defines.
    pub(super) fn undefined(&mut self, name: &str, value: &str) {
        self.0.push(ConfigInfo {
            key: None,
            name: name.to_owned(),
            value: Some(value.to_owned()),
            recommended: Vec::new(),
            errors: Vec::new(),
            visible: true,
        });
    }

    /// Adds a setting.
    pub(super) fn push(&mut self, info: ConfigInfo) {
        self.0.push(info);
    }

    /// What a plugin says of its settings. Where a value is not even of its type, that is enough said.
    pub(super) fn apply(&mut self, states: Vec<SettingState>, prefix: &str) {
        for state in states {
            let name = format!("{prefix}{}", state.name);
            if self.get(&name).is_none() {
                if state.errors.is_empty() {
                    continue;
                }
                self.undefined(&name, "");
            }
            let Some(info) = self.get(&name) else { continue };
            if info.errors.is_empty() {
                info.errors = state.errors;
            }
            info.recommended = state.recommended.unwrap_or(std::mem::take(&mut info.recommended));
            info.visible = state.visible.unwrap_or(info.visible);
        }
    }

    /// Adds an error to a setting, defined or not.
    pub(super) fn error(&mut self, name: &str, message: impl Into<String>) {
        if self.get(name).is_none() {
            self.undefined(name, "");
        }
        if let Some(info) = self.get(name) {
            info.errors.push(message.into());
        }
    }

    /// A setting by name.
    pub(super) fn get(&mut self, name: &str) -> Option<&mut ConfigInfo> {
        self.0.iter_mut().find(|info| info.name == name)
    }

    /// The groups, each where it first occurs.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = Vec::new();
        for group in self.0.iter().filter_map(|info| info.key.as_ref()?.group.as_deref()) {
            if !groups.iter().any(|known| known == group) {
                groups.push(group.to_owned());
            }
        }
        groups
    }

    pub(super) fn into_configs(self) -> Vec<ConfigInfo> {
        self.0
    }
}

/// Kafka's words for a required setting without a value.
fn missing_error(name: &str) -> String {
    format!("Missing required configuration \"{name}\" which has no default value.")
}

/// A setting held to its definition.
fn checked(key: ConfigKey, given: Option<String>) -> ConfigInfo {
    let mut errors = Vec::new();
    let value = match given {
        None if key.required => {
            errors.push(missing_error(&key.name));
            None
        }
        None => key.default.as_deref().map(str::to_owned),
        Some(text) => {
            let is_typed = key.r#type.check(&text).is_ok();
            errors.extend(key.error(&text));
            if !is_typed && matches!(key.check, Check::AtLeast(_) | Check::Between(..)) {
                let name = &key.name;
                errors.push(format!(
                    "Invalid value null for configuration {name}: Value must be non-null"
                ));
            }
            is_typed.then(|| shown(key.r#type, text))
        }
    };
    let recommended = key.recommended.iter().map(|value| value.clone().into_owned()).collect();
    let name = key.name.clone().into_owned();
    ConfigInfo { key: Some(key), name, value, recommended, errors, visible: true }
}

/// A value as Kafka shows it once it is parsed. A password is not shown, where Kafka Connect up to 4.3 does.
fn shown(r#type: Type, text: String) -> String {
    match r#type {
        Type::Password => tombolo_model::settings::HIDDEN.to_owned(),
        Type::Boolean => text.trim().to_ascii_lowercase(),
        Type::List => text.split(',').map(str::trim).collect::<Vec<_>>().join(","),
        Type::Int | Type::Short | Type::Long => {
            text.trim().parse::<i64>().map_or(text, |number| number.to_string())
        }
        Type::Double => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => java_double(number),
            _ => text.trim().to_owned(),
        },
        _ => text.trim().to_owned(),
    }
}

impl ConfigInfo {
    /// Gives the definition this default, and the setting this value where none was given.
    pub(super) fn default_to(&mut self, default: &str) {
        if let Some(key) = &mut self.key {
            key.default = Some(Cow::Owned(default.to_owned()));
        }
        if self.errors.is_empty() {
            self.value.get_or_insert_with(|| default.to_owned());
        }
    }

    /// Gives the setting and its definition another name.
    pub(super) fn rename(&mut self, name: String) {
        if let Some(key) = &mut self.key {
            key.name = Cow::Owned(name.clone());
        }
        self.name = name;
    }

    /// Reads the value as the class of a plugin, of whatever version: offers all of that kind, and complains where there is none of that name.
    pub(super) fn resolve(
        &mut self,
        plugins: &dyn Plugins,
        kind: PluginKind,
    ) -> Option<Arc<PluginInfo>> {
        let all = plugins.list();
        self.recommended =
            all.iter().filter(|info| info.kind == kind).map(|info| info.class.clone()).collect();
        self.recommended.dedup();
        let class = self.value.clone()?;
        if let Ok(found) = plugins.find(kind, &class, None) {
            self.value = Some(found.class.clone());
            return Some(found);
        }
        let other = PluginKind::ALL.into_iter().filter(|other| *other != kind);
        let other = other.filter_map(|other| plugins.find(other, &class, None).ok()).next();
        self.value = other.as_ref().map(|other| other.class.clone());
        self.errors.push(match &self.value {
            Some(class) => {
                format!("Class class {class} does not implement the {} interface", kind.suffix())
            }
            None => format!(
                "Invalid value {class} for configuration {}: Class {class} could not be found.",
                self.name
            ),
        });
        None
    }
}
