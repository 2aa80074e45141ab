//! Makes a task's converters and transformations from its connector's configuration.
//!
//! Not here: running them.

use std::sync::Arc;

use tombolo_model::Fault;
use tombolo_model::plugin::{PluginInfo, PluginKind};
use tombolo_model::role::{Plugins, PredicateStep, TaskPlugins, TransformationStep};

use super::{Chain, Conversion, HeaderConversion, Pipeline};
use crate::connector_config::{ConnectorConfig, PluginConfig, TransformationConfig};
use crate::metrics::PipelinePlugins;
use crate::tolerance::ErrorPolicy;
use crate::validation::WorkerConverters;

/// Makes the pipeline of a task: the connector's own converters where it names some, else the worker's with the worker's settings. Answers with its plugins too.
pub(crate) async fn build(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    config: &ConnectorConfig,
    worker: &WorkerConverters,
    policy: ErrorPolicy,
) -> Result<(Pipeline, PipelinePlugins), Fault> {
    let key = config.key_converter.as_ref().unwrap_or(&worker.key);
    let value = config.value_converter.as_ref().unwrap_or(&worker.value);
    let header = config.header_converter.as_ref().unwrap_or(&worker.header);
    let (key, key_plugin) = conversion(plugins, task, key, true).await?;
    let (value, value_plugin) = conversion(plugins, task, value, false).await?;
    let (header, header_plugin) = header_conversion(plugins, task, header).await?;
    let mut used = PipelinePlugins {
        key: key_plugin,
        value: value_plugin,
        header: header_plugin,
        transformations: Vec::new(),
        predicates: Vec::new(),
    };
    let chain = chain(plugins, task, &config.transformations, &mut used).await?;
    Ok((Pipeline { key, value, header, chain, policy, header_topics: Vec::new() }, used))
}

/// Makes a pipeline without transformations, whose key and value converter is the one and whose header converter the other of these. It skips
/// what they cannot convert, and counts none of it.
pub(crate) async fn build_plain(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    (converter, header): (&PluginConfig, &PluginConfig),
) -> Result<Pipeline, Fault> {
    Ok(Pipeline {
        key: conversion(plugins, task, converter, true).await?.0,
        value: conversion(plugins, task, converter, false).await?.0,
        header: header_conversion(plugins, task, header).await?.0,
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
) -> Result<(Conversion, Arc<PluginInfo>), Fault> {
    let plugin = plugins.find(PluginKind::Converter, &config.class, config.version.as_deref())?;
    let conversion = Conversion {
        converter: task.converter(&plugin, &config.settings, is_key).await?,
        class: plugin.class.as_str().into(),
        reads_headers: plugin.reads.headers,
    };
    Ok((conversion, plugin))
}

async fn header_conversion(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    config: &PluginConfig,
) -> Result<(HeaderConversion, Arc<PluginInfo>), Fault> {
    let version = config.version.as_deref();
    let plugin = plugins.find(PluginKind::HeaderConverter, &config.class, version)?;
    let conversion = HeaderConversion {
        converter: task.header_converter(&plugin, &config.settings).await?,
        class: plugin.class.as_str().into(),
    };
    Ok((conversion, plugin))
}

async fn chain(
    plugins: &dyn Plugins,
    task: &mut dyn TaskPlugins,
    configs: &[TransformationConfig],
    used: &mut PipelinePlugins,
) -> Result<Option<Chain>, Fault> {
    if configs.is_empty() {
        return Ok(None);
    }
    let steps =
        configs.iter().map(|config| step(plugins, config)).collect::<Result<Vec<_>, _>>()?;
    for (config, step) in configs.iter().zip(&steps) {
        used.transformations.push((config.alias.clone(), Arc::clone(&step.plugin)));
        if let (Some(config), Some(step)) = (&config.predicate, &step.predicate)
            && !used.predicates.iter().any(|(alias, _)| *alias == config.alias)
        {
            used.predicates.push((config.alias.clone(), Arc::clone(&step.plugin)));
        }
    }
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
