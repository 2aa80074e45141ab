//! The config providers of a worker file: where the values are kept that settings refer to.
//!
//! The worker's own file belongs to its operator and may refer to everything that its providers reach. Configurations of connectors come from
//! whoever has the REST API: for them a provider works only where the operator said what it may give. Not here: references themselves (`model::references`).

mod allowed;
mod directory;
mod environment;
mod file;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, anyhow, bail};
use tombolo_model::config_def::{ConfigKey, Importance, Type, key};
use tombolo_model::{ConfigProvider, ConfigProviders, Settings};

use allowed::AllowedPaths;
use directory::Directory;
use environment::Environment;
use file::File;

/// Setting for the names of providers.
const PROVIDERS: &str = "config.providers";
/// Parameter of providers that read files.
const ALLOWED_PATHS: &str = "allowed.paths";
/// Parameter of the provider that reads the environment.
const ALLOWLIST_PATTERN: &str = "allowlist.pattern";

/// Largest file of which values are taken, so that no reference fills the worker's memory. A bundle of certificates has some hundred KiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A worker file whose references are resolved.
pub(crate) struct Provided {
    /// The worker's settings, with values in place of references.
    pub(crate) settings: Settings,
    /// What resolves the references of connectors.
    pub(crate) providers: ConfigProviders,
}

/// The settings of each provider; `NAME` stands for its name.
pub(crate) fn definitions() -> Vec<ConfigKey> {
    vec![
        key(PROVIDERS, Type::List)
            .default("")
            .importance(Importance::Low)
            .doc("Names of config providers, with commas between. Settings refer to their values as `${name:path:key}`."),
        key("config.providers.NAME.class", Type::Class)
            .importance(Importance::Low)
            .doc("What the provider is: `FileConfigProvider` (a properties file), `DirectoryConfigProvider` (a folder with a file for each key) or `EnvVarConfigProvider` (the environment), or their full names in Kafka."),
        key("config.providers.NAME.param.allowed.paths", Type::List)
            .importance(Importance::Low)
            .doc("Absolute paths, with commas between: what lies there or below may be referred to. Without it, only this file may use a provider that reads files, and connectors may not."),
        key("config.providers.NAME.param.allowlist.pattern", Type::String)
            .importance(Importance::Low)
            .doc("Regular expression, in Java's syntax, that matches the whole names of the environment variables that may be referred to. Without it, only this file may use the environment, and connectors may not."),
    ]
}

/// Resolves a worker file's references, and makes the providers for those of connectors.
///
/// Errors: a provider that cannot be, by its setting; those of the providers.
///
/// Follows `AbstractConfig.resolveConfigVariables` and `Worker.initConfigTransformer` of Kafka.
pub(crate) fn resolve(file: &Settings) -> anyhow::Result<Provided> {
    let names = file.get(PROVIDERS).unwrap_or_default().split(',').map(str::trim);
    let (mut own, mut offered) = (BTreeMap::new(), BTreeMap::new());
    for name in names.filter(|name| !name.is_empty()) {
        let Provider { provider, closed } = provider(file, name)?;
        let for_connectors: Box<dyn ConfigProvider> = match closed {
            Some(parameter) => Box::new(Closed { name: name.to_owned(), parameter }),
            None => self::provider(file, name)?.provider,
        };
        own.insert(name.to_owned(), provider);
        offered.insert(name.to_owned(), for_connectors);
    }
    let resolved = ConfigProviders::new(own).resolve(file).map_err(|why| anyhow!(why))?;
    let providers = ConfigProviders::new(offered).hiding(resolved.settings.secrets());
    Ok(Provided { settings: resolved.settings, providers })
}

/// A provider, and the parameter without which connectors may not use it, where that is not set.
struct Provider {
    provider: Box<dyn ConfigProvider>,
    closed: Option<&'static str>,
}

fn provider(file: &Settings, name: &str) -> anyhow::Result<Provider> {
    let setting = format!("{PROVIDERS}.{name}.class");
    let class = file.get(&setting).map(str::trim).with_context(|| {
        format!("Missing required configuration \"{setting}\" which has no default value.")
    })?;
    let parameters = file.with_prefix(&format!("{PROVIDERS}.{name}.param."));
    let wrong = |parameter: &str, why: String| {
        let value = parameters.get(parameter).unwrap_or_default();
        anyhow!(
            "Invalid value {value} for configuration {PROVIDERS}.{name}.param.{parameter}: {why}"
        )
    };
    let allowed = || {
        let allowed = AllowedPaths::parse(parameters.get(ALLOWED_PATHS).unwrap_or_default());
        allowed.map_err(|why| wrong(ALLOWED_PATHS, why))
    };
    let has = |parameter| parameters.get(parameter).is_some_and(|value| !value.trim().is_empty());
    let closed = |parameter| (!has(parameter)).then_some(parameter);
    let simple = class.strip_prefix("org.apache.kafka.common.config.provider.").unwrap_or(class);
    Ok(match simple {
        "FileConfigProvider" => {
            let provider = Box::new(File { allowed: allowed()? });
            Provider { provider, closed: closed(ALLOWED_PATHS) }
        }
        "DirectoryConfigProvider" => {
            let provider = Box::new(Directory { allowed: allowed()? });
            Provider { provider, closed: closed(ALLOWED_PATHS) }
        }
        "EnvVarConfigProvider" => {
            let environment = Environment::of_process(parameters.get(ALLOWLIST_PATTERN));
            let provider = Box::new(environment.map_err(|why| wrong(ALLOWLIST_PATTERN, why))?);
            Provider { provider, closed: closed(ALLOWLIST_PATTERN) }
        }
        _ => bail!(
            "Invalid value {class} for configuration {setting}: expected FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider; \
             other providers are Java classes, and there is no JVM to run them"
        ),
    })
}

/// Stands, in configurations of connectors, for a provider of which the operator did not say what it may give.
struct Closed {
    name: String,
    parameter: &'static str,
}

impl ConfigProvider for Closed {
    fn get(&self, _: &str, _: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, String> {
        let Self { name, parameter } = self;
        Err(format!(
            "The config provider '{name}' is for the worker's own settings alone: connectors may refer to it once the worker's setting \
             {PROVIDERS}.{name}.param.{parameter} says what it may give them"
        ))
    }
}

/// The values of these keys, of all that there are.
fn only(mut all: BTreeMap<String, String>, keys: &BTreeSet<&str>) -> BTreeMap<String, String> {
    all.retain(|name, _| keys.contains(name.as_str()));
    all
}

#[cfg(test)]
mod tests;
