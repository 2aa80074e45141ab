//! The plugins of one task: one instance for each component, made when first needed.
//!
//! Not here: what each plugin does (`role`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tombolo_model::Stage;
use tombolo_model::plugin::{ComponentDigest, PluginInfo};
use tombolo_model::role::{
    Converter, HeaderConverter, Result, SinkTask, SourceTask, TaskPlugins, TransformationChain,
    TransformationStep,
};
use tombolo_model::settings::Settings;

use crate::role::converter::ConverterRole;
use crate::role::header_converter::HeaderConverterRole;
use crate::role::sink::Sink;
use crate::role::source::Source;
use crate::role::transformation::{Chain, Chooser, Step};
use crate::sandbox::{Owner, Sandbox};
use crate::shared::{Created, Numbered, Shared};

/// The plugins of one task.
pub(crate) struct Task {
    sandbox: Sandbox,
    owner: Owner,
    instances: BTreeMap<ComponentDigest, Arc<Shared>>,
}

impl Task {
    pub(crate) fn new(sandbox: Sandbox, owner: Owner) -> Self {
        Self { sandbox, owner, instances: BTreeMap::new() }
    }

    /// The instance of a plugin's component.
    async fn instance(&mut self, plugin: &PluginInfo) -> Result<Arc<Shared>> {
        if let Some(shared) = self.instances.get(&plugin.component) {
            return Ok(Arc::clone(shared));
        }
        let runnable = self.sandbox.runnable(plugin).await?;
        let setup = self.sandbox.setup(&self.owner, &plugin.component);
        let shared = Shared::new(runnable, setup);
        self.instances.insert(plugin.component.clone(), Arc::clone(&shared));
        Ok(shared)
    }

    /// The instance of a task's component, fresh where the task ran in it before. With a full table of schemas all instances are made anew, for
    /// each knows numbers of the old one.
    async fn fresh_instance(&mut self, plugin: &PluginInfo) -> Result<Arc<Shared>> {
        let shared = self.instance(plugin).await?;
        if self.owner.schemas.is_full() {
            self.owner.schemas.start_anew();
            for shared in self.instances.values() {
                shared.recycle().await?;
            }
        }
        shared.make_room_for_task().await?;
        Ok(shared)
    }

    async fn create(
        &mut self,
        plugin: &PluginInfo,
        interface: Numbered,
        settings: &Settings,
    ) -> Result<Created> {
        let shared = self.instance(plugin).await?;
        shared.create(interface, &plugin.class, settings).await
    }
}

#[async_trait]
impl TaskPlugins for Task {
    async fn source(&mut self, plugin: &PluginInfo) -> Result<Box<dyn SourceTask>> {
        let shared = self.fresh_instance(plugin).await?;
        let wants_acknowledgements = shared.exports_acknowledgement();
        Ok(Box::new(Source { shared, class: plugin.class.clone(), wants_acknowledgements }))
    }

    async fn sink(&mut self, plugin: &PluginInfo) -> Result<Box<dyn SinkTask>> {
        let shared = self.fresh_instance(plugin).await?;
        Ok(Box::new(Sink { shared, class: plugin.class.clone(), reads: plugin.reads }))
    }

    async fn converter(
        &mut self,
        plugin: &PluginInfo,
        settings: &Settings,
        is_key: bool,
    ) -> Result<Box<dyn Converter>> {
        let created = self.create(plugin, Numbered::Converter { is_key }, settings).await?;
        let stage = if is_key { Stage::KeyConverter } else { Stage::ValueConverter };
        Ok(Box::new(ConverterRole { created, reads: plugin.reads, stage }))
    }

    async fn header_converter(
        &mut self,
        plugin: &PluginInfo,
        settings: &Settings,
    ) -> Result<Box<dyn HeaderConverter>> {
        let created = self.create(plugin, Numbered::HeaderConverter, settings).await?;
        Ok(Box::new(HeaderConverterRole { created, reads: plugin.reads }))
    }

    async fn transformations(
        &mut self,
        steps: Vec<TransformationStep>,
    ) -> Result<Box<dyn TransformationChain>> {
        let mut chain = Chain::new();
        for TransformationStep { plugin, settings, predicate } in steps {
            let transformation = self.create(&plugin, Numbered::Transformation, &settings).await?;
            let mut step = Step { transformation, predicate: None, reads: plugin.reads };
            let Some(predicate) = predicate else {
                chain.push(step, None);
                continue;
            };
            let (negate, reads) = (predicate.negate, predicate.plugin.reads);
            let created =
                self.create(&predicate.plugin, Numbered::Predicate, &predicate.settings).await?;
            if predicate.plugin.component == plugin.component {
                step.reads = step.reads.union(reads);
                step.predicate = Some((created, negate));
                chain.push(step, None);
            } else {
                chain.push(step, Some(Chooser { predicate: created, negate, reads }));
            }
        }
        Ok(Box::new(chain))
    }
}
