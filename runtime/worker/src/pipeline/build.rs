//! Makes a task's converters and transformations from its connector's configuration.
//!
//! Not here: running them.

use tombolo_model::Fault;
use tombolo_model::plugin::PluginKind;
use tombolo_model::role::{Plugins, PredicateStep, TaskPlugins, TransformationStep};

use super::{Chain, Conversion, HeaderConversion, Pipeline};
use crate::connector_config::{ConnectorConfig, PluginConfig, TransformationConfig};
use crate::tolerance::ErrorPolicy;
use crate::validation::WorkerConverters;

/// Makes the pipeline of a task: the connector's own converters where it names some, else the worker's with the worker's settings.
pub(crate) async fn build(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    config: &ConnectorConfig,
    worker: &WorkerConverters,
    policy: ErrorPolicy,
) -> Result<Pipeline, Fault> {
    let key = config.key_converter.as_ref().unwrap_or(&worker.key);
    let value = config.value_converter.as_ref().unwrap_or(&worker.value);
    let header = config.header_converter.as_ref().unwrap_or(&worker.header);
    Ok(Pipeline {
        key: conversion(plugins, task, key, true).await?,
        value: conversion(plugins, task, value, false).await?,
        header: header_conversion(plugins, task, header).await?,
        chain: chain(plugins, task, &config.transformations).await?,
        policy,
        header_topics: Vec::new(),
    })
}

/// Makes a pipeline without transformations, whose key and value converter is the one and whose header converter the other of these. It skips
/// what they cannot convert, and counts none of it.
pub(crate) async fn build_plain(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    (converter, header): (&PluginConfig, &PluginConfig),
) -> Result<Pipeline, Fault> {
    Ok(Pipeline {
        key: conversion(plugins, task, converter, true).await?,
        value: conversion(plugins, task, converter, false).await?,
        header: header_conversion(plugins, task, header).await?,
        chain: None,
        policy: ErrorPolicy::skipping(),
        header_topics: Vec::new(),
    })
}

async fn conversion(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    config: &PluginConfig,
    is_key: bool,
) -> Result<Conversion, Fault> {
    let plugin = plugins.find(PluginKind::Converter, &config.class, config.version.as_deref())?;
    Ok(Conversion {
        converter: task.converter(&plugin, &config.settings, is_key).await?,
        class: plugin.class.as_str().into(),
        reads_headers: plugin.reads.headers,
    })
}

async fn header_conversion(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    config: &PluginConfig,
) -> Result<HeaderConversion, Fault> {
    let version = config.version.as_deref();
    let plugin = plugins.find(PluginKind::HeaderConverter, &config.class, version)?;
    Ok(HeaderConversion {
        converter: task.header_converter(&plugin, &config.settings).await?,
        class: plugin.class.as_str().into(),
    })
}

async fn chain(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    configs: &[TransformationConfig],
) -> Result<Option<Chain>, Fault> {
    if configs.is_empty() {
        return Ok(None);
    }
    let steps =
        configs.iter().map(|config| step(plugins, config)).collect::<Result<Vec<_>, _>>()?;
    let classes = steps.iter().map(|step| step.plugin.class.as_str().into()).collect();
    Ok(Some(Chain { transformations: task.transformations(steps).await?, classes }))
}

fn step(plugins: &dyn Plugins, config: &TransformationConfig) -> Result<TransformationStep, Fault> {
    let find =
        |kind, plugin: &PluginConfig| plugins.find(kind, &plugin.class, plugin.version.as_deref());
    let predicate = match &config.predicate {
        None => None,
        Some(predicate) => Some(PredicateStep {
            plugin: find(PluginKind::Predicate, &predicate.plugin)?,
            settings: predicate.plugin.settings.clone(),
            negate: predicate.negate,
        }),
    };
    Ok(TransformationStep {
        plugin: find(PluginKind::Transformation, &config.plugin)?,
        settings: config.plugin.settings.clone(),
        predicate,
    })
}
