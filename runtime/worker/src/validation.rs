//! Checks a whole configuration and says of every setting what is wrong with it.
//!
//! Not here: HTTP and its JSON, and reading a configuration to use it (`connector_config`).

mod chain;
mod section;
mod topics;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use tombolo_kafka::{ClientKind, ClientSettings};
use tombolo_model::config_def::ConfigKey;
use tombolo_model::egress::{self, Destination, NET_ALLOW};
use tombolo_model::fault::Fault;
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::Plugins;
use tombolo_model::{Resolved, Secrets, Settings, VersionRange, config_def};

use crate::config::WorkerConfig;
use crate::connector_config::{self, PluginConfig, definitions, topic_creation};
use crate::override_policy::OverridePolicy;
use section::Section;

/// What validation says of a configuration.
///
/// Follows `ConfigInfos` of Kafka Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// The connector's class or alias as it was asked for.
    pub name: String,
    /// The connector's plugin.
    pub plugin: Arc<PluginInfo>,
    /// Groups of settings, in the order in which a form shows them.
    pub groups: Vec<String>,
    /// Every setting that has a definition or an error.
    pub configs: Vec<ConfigInfo>,
    /// Names of settings that are none of the connector's or its plugins'. A plugin may read them all the same: they are no error.
    pub unknown: Vec<String>,
}

impl Validation {
    /// How many errors there are in all settings together.
    pub fn error_count(&self) -> usize {
        self.configs.iter().map(|config| config.errors.len()).sum()
    }

    /// All errors, in the order of the settings.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.configs.iter().flat_map(|config| config.errors.iter().map(String::as_str))
    }

    /// Shows nothing of what was resolved: a setting that held a reference shows it as it was, and that it is wrong without saying why, as Kafka
    /// Connect does from 4.4 on; elsewhere values are hidden, those that were resolved also where they became names, as aliases of transformations do.
    /// A value that was sent as it is stays as it was sent.
    pub fn hide(&mut self, Resolved { settings, references }: &Resolved) {
        let secrets = settings.secrets();
        if let Some(reference) = references.get("connector.class") {
            reference.clone_into(&mut self.name);
        }
        self.groups.iter_mut().chain(&mut self.unknown).for_each(|name| hide(name, secrets));
        for config in &mut self.configs {
            if let Some(reference) = references.get(&config.name) {
                config.value = Some(reference.to_owned());
                config.recommended = Vec::new();
                if !config.errors.is_empty() {
                    config.errors = vec![format!(
                        "Invalid value for configuration '{}': the value resolved from the config provider reference failed validation",
                        config.name
                    )];
                }
            }
            let is_as_sent = config.value.as_deref() == settings.get(&config.name);
            let of_value = if is_as_sent { references.secrets() } else { secrets };
            config.value.iter_mut().for_each(|value| hide(value, of_value));
            let told = config.recommended.iter_mut().chain(&mut config.errors);
            told.for_each(|text| hide(text, secrets));
            config.hide_in_names(references.secrets());
        }
    }
}

fn hide(text: &mut String, secrets: &Secrets) {
    let hidden = match secrets.hide(text) {
        Cow::Owned(hidden) => Some(hidden),
        Cow::Borrowed(_) => None,
    };
    hidden.into_iter().for_each(|hidden| *text = hidden);
}

/// What validation says of one setting.
///
/// Follows `ConfigInfo` of Kafka Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigInfo {
    /// Its definition; none for a setting that nothing defines.
    pub key: Option<ConfigKey>,
    /// Its name.
    pub name: String,
    /// Its value, or its default; none for null and for a value that is not of its type.
    pub value: Option<String>,
    /// Values to offer.
    pub recommended: Vec<String>,
    /// What is wrong with it.
    pub errors: Vec<String>,
    /// Whether a form shows it.
    pub visible: bool,
}

impl ConfigInfo {
    fn hide_in_names(&mut self, secrets: &Secrets) {
        hide(&mut self.name, secrets);
        let Some(key) = &mut self.key else { return };
        let ConfigKey { name, default, doc, group, display_name, .. } = key;
        let texts = [name, doc, display_name].into_iter().chain(default).chain(group);
        texts.for_each(|text| hide(text.to_mut(), secrets));
    }
}

/// The worker's own converters, which a connector has where it names none.
#[derive(Clone, Debug)]
pub struct WorkerConverters {
    /// Setting `key.converter`.
    pub key: PluginConfig,
    /// Setting `value.converter`.
    pub value: PluginConfig,
    /// Setting `header.converter`.
    pub header: PluginConfig,
}

/// Checks a configuration.
///
/// Errors: `Config`, where there is no connector class or no such connector: then there is nothing to check against.
/// Cost: a call into the connector's component, and into each other plugin's that has settings.
pub async fn validate(
    plugins: &dyn Plugins,
    worker: &WorkerConfig,
    config: &Settings,
) -> Result<Validation, Fault> {
    let plugin = match connector(plugins, config) {
        Ok(plugin) => plugin,
        Err(fault) => return without_version(plugins, config, fault),
    };
    let name = config.get("connector.class").unwrap_or_default().to_owned();
    let mut all = Section::default();
    all.check(definitions::of(plugin.kind), config);
    offer_versions(&mut all, plugins, &plugin);
    converters(&mut all, plugins, &worker.converters, config);
    name_has_no_control_characters(&mut all, config);
    match plugin.kind {
        PluginKind::Sink => topics::of_sink(&mut all, config),
        _ => {
            topic_creation(&mut all, config);
            exactly_once(&mut all);
        }
    }
    topics::own(&mut all, &worker.own_topics, plugin.kind, config);
    chain::check(&mut all, plugins, config).await;
    own(&mut all, plugins, &plugin, config).await?;
    for error in worker.ceilings.errors(config) {
        all.error(&error.key, error.message);
    }
    is_offered(&mut all, &worker.net_allow, config);
    overrides(&mut all, &worker.override_policy, plugin.kind, config);
    for (prefix, kind) in [
        ("header.converter", PluginKind::HeaderConverter),
        ("key.converter", PluginKind::Converter),
        ("value.converter", PluginKind::Converter),
    ] {
        converter_settings(&mut all, plugins, config, (prefix, kind)).await;
    }
    let unknown = unknown(&mut all, plugin.kind, config);
    let groups = all.groups();
    Ok(Validation { name, plugin, groups, configs: all.into_configs(), unknown })
}

/// Settings that nothing defines; those of a source's groups of topics have names that the user chooses.
fn unknown(all: &mut Section, kind: PluginKind, config: &Settings) -> Vec<String> {
    let is_of_group =
        |name: &str| kind == PluginKind::Source && name.starts_with("topic.creation.");
    let names = config.iter().map(|(name, _)| name);
    let unknown = names.filter(|name| all.get(name).is_none() && !is_of_group(name));
    unknown.map(str::to_owned).collect()
}

/// The connector that a configuration names.
pub fn connector(plugins: &dyn Plugins, config: &Settings) -> Result<Arc<PluginInfo>, Fault> {
    let class = config.get("connector.class").map(str::trim).filter(|class| !class.is_empty());
    let class =
        class.ok_or_else(|| Fault::config("Connector config contains no connector type"))?;
    let version = config.get(VERSION);
    let sink = plugins.find(PluginKind::Sink, class, version);
    let source = plugins.find(PluginKind::Source, class, version);
    match (sink, source) {
        (Ok(sink), Ok(_)) => Err(Fault::config(format!(
            "More than one connector matches alias {class}. Please use full package and class name instead, as {}",
            sink.class
        ))),
        (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
        // A source of another version is known better than a sink that there is not.
        (Err(_), Err(fault)) if plugins.find(PluginKind::Source, class, None).is_ok() => Err(fault),
        (Err(fault), Err(_)) => Err(fault),
    }
}

/// The setting for the version of a connector's plugin.
const VERSION: &str = "connector.plugin.version";

/// What there is to say of a configuration whose connector is there, but not in the version that it asks for: nothing of what depends on it.
///
/// Errors: the fault, where that is not why there is no plugin.
///
/// Follows `AbstractHerder.invalidVersionedConnectorValidation` of Kafka Connect.
fn without_version(
    plugins: &dyn Plugins,
    config: &Settings,
    fault: Fault,
) -> Result<Validation, Fault> {
    let mut any = config.clone();
    let asked = any.remove(VERSION);
    let is_range = asked.is_some_and(|asked| VersionRange::required(&asked).is_ok());
    let Some(plugin) = is_range.then(|| connector(plugins, &any).ok()).flatten() else {
        return Err(fault);
    };
    let mut all = Section::default();
    all.check(definitions::of_every_kind(), config);
    offer_versions(&mut all, plugins, &plugin);
    all.error("connector.class", fault.message.clone());
    all.error(VERSION, fault.message);
    let name = config.get("connector.class").unwrap_or_default().to_owned();
    let groups = all.groups();
    Ok(Validation { name, plugin, groups, configs: all.into_configs(), unknown: Vec::new() })
}

/// Versions of a plugin's class, the oldest first.
fn versions(plugins: &dyn Plugins, of: &PluginInfo) -> Vec<String> {
    let all = plugins.list();
    let same = all.iter().filter(|plugin| plugin.kind == of.kind && plugin.class == of.class);
    let mut versions: Vec<String> = same.map(|plugin| plugin.version.clone()).collect();
    versions.dedup();
    versions
}

fn offer_versions(all: &mut Section, plugins: &dyn Plugins, plugin: &PluginInfo) {
    if let Some(version) = all.get(VERSION) {
        let versions = versions(plugins, plugin);
        version.default_to(versions.last().unwrap_or(&plugin.version));
        version.recommended = versions;
    }
}

/// The converters' classes and versions, with the worker's as defaults.
fn converters(
    all: &mut Section,
    plugins: &dyn Plugins,
    worker: &WorkerConverters,
    config: &Settings,
) {
    let each = [
        ("key.converter", &worker.key, PluginKind::Converter),
        ("value.converter", &worker.value, PluginKind::Converter),
        ("header.converter", &worker.header, PluginKind::HeaderConverter),
    ];
    for (setting, default, kind) in each {
        let Some(class) = all.get(setting) else { continue };
        class.default_to(&default.class);
        let found = class.resolve(plugins, kind);
        let of_version = format!("{setting}.plugin.version");
        let Some(version) = all.get(&of_version) else { continue };
        let Some(found) = found else {
            version.visible = false;
            continue;
        };
        version.default_to(&found.version);
        version.recommended = versions(plugins, &found);
        // The version of a converter that the connector does not name is the worker's to choose.
        let (true, Some(asked)) = (config.contains(setting), config.get(&of_version)) else {
            continue;
        };
        if version.errors.is_empty()
            && let Err(fault) = plugins.find(kind, &found.class, Some(asked))
        {
            all.error(&of_version, fault.message.clone());
            all.error(setting, fault.message);
        }
    }
}

fn name_has_no_control_characters(all: &mut Section, config: &Settings) {
    let Some(name) = config.get("name") else { return };
    let codes: Vec<String> = name
        .chars()
        .filter(char::is_ascii_control)
        .map(|control| u32::from(control).to_string())
        .collect();
    let why = match (name.trim().is_empty(), codes.is_empty()) {
        (true, _) => "String may not be empty".to_owned(),
        (false, false) => format!(
            "String may not contain control sequences but had the following ASCII chars: {}",
            codes.join(", ")
        ),
        (false, true) => return,
    };
    all.error("name", format!("Invalid value {name} for configuration name: {why}"));
}

/// Groups of topics to create. The first complaint stands for the rest.
fn topic_creation(all: &mut Section, config: &Settings) {
    if is_distinct(all, config, topic_creation::GROUPS)
        && let Err(error) = topic_creation::groups(config)
    {
        all.error(&error.key, error.message);
    }
}

/// What must be delivered exactly once is refused, as no worker does it yet.
///
/// Follows `DistributedHerder.validateSourceConnectorExactlyOnceSupport` of Kafka Connect.
fn exactly_once(all: &mut Section) {
    let Some(support) = all.get("exactly.once.support") else { return };
    let is_required =
        support.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("required"));
    if is_required && support.errors.is_empty() {
        let why = "This worker does not have exactly-once source support enabled.";
        support.errors.push(why.to_owned());
    }
}

/// Whether a setting lists each alias once; complains of it otherwise, in the words of `ConnectorConfig` of Kafka Connect.
fn is_distinct(all: &mut Section, config: &Settings, setting: &str) -> bool {
    let aliases: Vec<&str> = listed(config, setting).collect();
    let mut seen = HashSet::new();
    let is_distinct = aliases.iter().all(|alias| seen.insert(alias));
    if !is_distinct {
        let listed = aliases.join(", ");
        all.error(
            setting,
            format!(
                "Invalid value [{listed}] for configuration {setting}: Duplicate alias provided."
            ),
        );
    }
    is_distinct
}

/// The items of a list, trimmed.
fn listed<'a>(config: &'a Settings, setting: &str) -> impl Iterator<Item = &'a str> {
    config.get(setting).unwrap_or_default().split(',').map(str::trim)
}

/// The connector's own settings, and what it says of all of them.
async fn own(
    all: &mut Section,
    plugins: &dyn Plugins,
    plugin: &PluginInfo,
    config: &Settings,
) -> Result<(), Fault> {
    all.check(plugin.settings.clone(), config);
    let ours: Vec<config_def::ConfigKey> = definitions::own(plugin.kind)
        .into_iter()
        .filter(|key| config.contains(&key.name))
        .collect();
    all.check(ours, config);
    all.check(definitions::for_the_host(config), config);
    if let Err(wrong) = connector_config::egress(config)
        && all.get(&wrong.key).is_none_or(|info| info.errors.is_empty())
    {
        all.error(&wrong.key, wrong.message);
    }
    let states = plugins.validate(plugin, config).await?;
    all.apply(states, "");
    Ok(())
}

/// Where a connector wants to connect to must be what the worker allows: else each connection would be denied, and nobody told but the log.
fn is_offered(all: &mut Section, offered: &[Destination], config: &Settings) {
    let asked = config.get(NET_ALLOW).unwrap_or_default();
    // What cannot be read was complained of.
    let entries = egress::allowed(asked).unwrap_or_default();
    let is_offered = |entry: &&Destination| !offered.iter().any(|one| one.covers(entry));
    let Some(entry) = entries.iter().find(is_offered) else { return };
    let mut allowed: Vec<String> =
        offered.iter().take(OFFERED_SHOWN_MAX).map(ToString::to_string).collect();
    match offered.len() {
        0 => allowed.push("nothing".to_owned()),
        more if more > OFFERED_SHOWN_MAX => {
            allowed.push(format!("and {} more", more - OFFERED_SHOWN_MAX));
        }
        _ => {}
    }
    let allowed = allowed.join(", ");
    all.error(NET_ALLOW, format!(
        "Invalid value {asked} for configuration {NET_ALLOW}: {entry} lies within no entry of the worker's own {NET_ALLOW}, which allows {allowed}"
    ));
}

/// Most places that the worker allows which a complaint lists.
const OFFERED_SHOWN_MAX: usize = 20;

/// Client settings are refused where they would change delivery or security, and where the worker's policy does not allow them.
///
/// Follows `AbstractHerder.validateClientOverrides` of Kafka Connect: the policy is asked only about clients that the connector has.
fn overrides(all: &mut Section, policy: &OverridePolicy, kind: PluginKind, config: &Settings) {
    let names_topic =
        |setting: &str| config.get(setting).is_some_and(|topic| !topic.trim().is_empty());
    let has_queue = names_topic("errors.deadletterqueue.topic.name");
    let has_own_offsets = names_topic("offsets.storage.topic");
    let creates_topics = config.iter().any(|(name, _)| name.starts_with("topic.creation."));
    let [has_producer, has_consumer, has_admin] = match kind {
        PluginKind::Sink => [has_queue, true, has_queue],
        _ => [true, has_own_offsets, creates_topics || has_queue || has_own_offsets],
    };
    for (prefix, client, is_used) in [
        ("producer.override.", ClientKind::Producer, has_producer),
        ("consumer.override.", ClientKind::Consumer, has_consumer),
        ("admin.override.", ClientKind::Admin, has_admin),
    ] {
        let overrides = config.with_prefix(prefix);
        for (name, value) in overrides.iter() {
            let full = format!("{prefix}{name}");
            let one: Settings = [(name, value)].into_iter().collect();
            if is_used {
                all.undefined(&full, value);
            }
            if let Err(refused) = ClientSettings::translate(client, &one) {
                all.error(&full, refused.to_string());
            }
        }
        if is_used {
            for (name, reason) in policy.refused(&overrides) {
                all.error(&format!("{prefix}{name}"), reason);
            }
        }
    }
}

/// The settings of a converter that the connector names itself.
async fn converter_settings(
    all: &mut Section,
    plugins: &dyn Plugins,
    config: &Settings,
    (setting, kind): (&str, PluginKind),
) {
    let Some(converter) = crate::connector_config::plugin(config, setting) else { return };
    let Ok(found) = plugins.find(kind, &converter.class, converter.version.as_deref()) else {
        return;
    };
    let prefix = format!("{setting}.");
    let role = setting.split('.').next().unwrap_or(setting);
    let mut settings = converter.settings;
    if found.settings.iter().any(|key| key.name == "converter.type") {
        settings.insert("converter.type", role);
    }
    all.check_below(&prefix, &found, &settings);
    match plugins.validate(&found, &settings).await {
        Ok(states) => all.apply(states, &prefix),
        Err(fault) => all.error(setting, fault.message),
    }
}

#[cfg(test)]
mod tests;
