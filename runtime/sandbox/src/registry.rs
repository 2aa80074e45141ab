//! The installed plugins, and how a configuration's name finds one.
//!
//! Not here: how they got here (`install`).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::OnceCell;
use tombolo_model::capability::{Change, asked};
use tombolo_model::plugin::{ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::policy::Grants;
use tombolo_model::role::Installed;
use tombolo_model::{Fault, Version, VersionRange};

use crate::instance::Runnable;

/// An installed component.
pub(crate) struct InstalledComponent {
    pub(crate) digest: ComponentDigest,
    pub(crate) plugins: Vec<Arc<PluginInfo>>,
    pub(crate) imports: Vec<String>,
    /// SHA-256 of its artifact.
    pub(crate) artifact: [u8; 32],
    /// Mapped when first used.
    pub(crate) runnable: OnceCell<Arc<Runnable>>,
    /// Its own bytes, where they are part of the program anyway.
    pub(crate) bytes: Option<&'static [u8]>,
}

/// All installed components.
#[derive(Default)]
pub(crate) struct Registry(RwLock<Known>);

#[derive(Default)]
struct Known {
    components: BTreeMap<ComponentDigest, Arc<InstalledComponent>>,
    /// All plugins: by kind, then class, then version, the newest last. Ordered when a component comes, as one is looked for far oftener.
    plugins: Arc<[Arc<PluginInfo>]>,
}

impl Registry {
    pub(crate) fn get(&self, digest: &ComponentDigest) -> Option<Arc<InstalledComponent>> {
        self.known().components.get(digest).cloned()
    }

    /// Adds a component; the one that is there already stays.
    pub(crate) fn add(&self, component: InstalledComponent) -> Arc<InstalledComponent> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = known.components.get(&component.digest) {
            return Arc::clone(there);
        }
        let component = Arc::new(component);
        known.components.insert(component.digest.clone(), Arc::clone(&component));
        known.plugins = ordered(&known.components).into();
        component
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an installed component or one that is to be is for whoever asked.
    pub(crate) fn told(
        &self,
        component: &InstalledComponent,
        grants: &Grants,
        known: bool,
    ) -> Installed {
        Installed {
            component: component.digest.clone(),
            plugins: component.plugins.clone(),
            imports: component.imports.clone(),
            asks: asked(&component.imports, grants),
            change: self.change(component),
            known,
        }
    }

    /// What is different from the newest other component with one of its plugins in a version that is not newer.
    fn change(&self, component: &InstalledComponent) -> Option<Change> {
        let known = self.known();
        let others = known.components.values().filter(|other| other.digest != component.digest);
        let compare = |a: &PluginInfo, b: &PluginInfo| {
            Version::new(&a.version).compare(&Version::new(&b.version))
        };
        let before = others.flat_map(|other| {
            let is_before = |old: &PluginInfo, new: &PluginInfo| {
                (old.kind, &old.class) == (new.kind, &new.class) && compare(old, new).is_le()
            };
            let shared = other
                .plugins
                .iter()
                .filter(move |old| component.plugins.iter().any(|new| is_before(old, new)));
            shared.map(move |plugin| (plugin, other))
        });
        let newest = before.max_by(|(a, _), (b, _)| compare(a, b));
        let (plugin, other) = newest?;
        let (digest, version) = (other.digest.clone(), plugin.version.clone());
        Some(Change::between(digest, version, &other.imports, &component.imports))
    }

    /// All plugins: by kind, then class, then version, the newest last.
    pub(crate) fn list(&self) -> Vec<Arc<PluginInfo>> {
        self.known().plugins.to_vec()
    }

    /// The plugin with this class or alias.
    ///
    /// Follows `DelegatingClassLoader` and `Plugins` of Kafka Connect, in their words.
    pub(crate) fn find(
        &self,
        kind: PluginKind,
        name: &str,
        version: Option<&str>,
    ) -> Result<Arc<PluginInfo>, Fault> {
        let range = match version.map(VersionRange::required).transpose() {
            Ok(range) => range.flatten(),
            Err(why) => return Err(Fault::config(why)),
        };
        let plugins = Arc::clone(&self.known().plugins);
        let all: Vec<_> = plugins.iter().filter(|plugin| plugin.kind == kind).collect();
        let named = |is: &dyn Fn(&PluginInfo) -> bool| -> Vec<_> {
            all.iter().copied().filter(|plugin| is(plugin)).collect()
        };
        let mut found = named(&|plugin| plugin.class == name);
        if found.is_empty() {
            found = named(&|plugin| plugin.is_named(name));
        }
        let mut classes: Vec<&str> = found.iter().map(|plugin| plugin.class.as_str()).collect();
        classes.dedup();
        let class = match classes.as_slice() {
            [] => return Err(Fault::config(unknown(kind, name, &all))),
            [class] => *class,
            several => {
                let several = several.join(", ");
                return Err(Fault::config(format!(
                    "More than one {} matches alias {name}. Please use full package and class name instead. Classes found: {several}",
                    noun(kind)
                )));
            }
        };
        let Some(range) = range else {
            return found
                .last()
                .map(|plugin| Arc::clone(plugin))
                .ok_or_else(|| Fault::config(unknown(kind, name, &all)));
        };
        let is_allowed =
            |plugin: &&&Arc<PluginInfo>| range.contains(&Version::new(&plugin.version));
        let chosen = found.iter().rev().find(is_allowed);
        chosen.map(|plugin| Arc::clone(plugin)).ok_or_else(|| {
            let there: Vec<_> = found.iter().map(|plugin| plugin.version.as_str()).collect();
            let there = there.join(", ");
            Fault::config(format!(
                "Plugin {class} not found that matches the version range {range}, available versions: [{there}]"
            ))
        })
    }
}

fn noun(kind: PluginKind) -> &'static str {
    match kind {
        PluginKind::Sink | PluginKind::Source => "connector",
        other => other.name(),
    }
}

fn unknown(kind: PluginKind, name: &str, all: &[&Arc<PluginInfo>]) -> String {
    if !kind.is_connector() {
        return format!("Class {name} could not be found.");
    }
    let mut classes: Vec<_> = all.iter().map(|plugin| plugin.class.as_str()).collect();
    classes.dedup();
    let classes = classes.join(", ");
    format!(
        "Failed to find any class that implements Connector and which name matches {name}, available connectors are: {classes}"
    )
}

fn ordered(
    components: &BTreeMap<ComponentDigest, Arc<InstalledComponent>>,
) -> Vec<Arc<PluginInfo>> {
    let mut plugins: Vec<_> =
        components.values().flat_map(|component| component.plugins.iter().cloned()).collect();
    plugins.sort_by(|a, b| {
        let place = |plugin: &PluginInfo| PluginKind::ALL.iter().position(|k| *k == plugin.kind);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.class.cmp(&b.class))
            .then_with(|| a.component.cmp(&b.component))
    });
    by_version(plugins)
}

/// Puts plugins that are ordered by kind and class in the order of their versions, too.
///
/// By hand, as the order of versions goes in circles among odd ones, of which a plugin may be: a sort would be right to panic.
fn by_version(plugins: Vec<Arc<PluginInfo>>) -> Vec<Arc<PluginInfo>> {
    let mut ordered: Vec<Arc<PluginInfo>> = Vec::with_capacity(plugins.len());
    for plugin in plugins {
        let version = Version::new(&plugin.version);
        let is_before = |before: &Arc<PluginInfo>| {
            let is_same = before.kind == plugin.kind && before.class == plugin.class;
            !is_same || Version::new(&before.version).compare(&version).is_le()
        };
        let at = ordered.iter().rposition(is_before).map_or(0, |before| before + 1);
        ordered.insert(at, plugin);
    }
    ordered
}

#[cfg(test)]
mod tests;
