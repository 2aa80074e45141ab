//! The installed plugins, and how a configuration's name finds one.
//!
//! Not here: how they got here (`install`).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::OnceCell;
use tombolo_model::Fault;
use tombolo_model::plugin::{ComponentDigest, PluginInfo, PluginKind};
use tombolo_model::role::Installed;

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

impl InstalledComponent {
    pub(crate) fn told(&self, known: bool) -> Installed {
        Installed {
            component: self.digest.clone(),
            plugins: self.plugins.clone(),
            imports: self.imports.clone(),
            known,
        }
    }
}

/// All installed components.
#[derive(Default)]
pub(crate) struct Registry(RwLock<BTreeMap<ComponentDigest, Arc<InstalledComponent>>>);

impl Registry {
    pub(crate) fn get(&self, digest: &ComponentDigest) -> Option<Arc<InstalledComponent>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Adds a component; the one that is there already stays.
    pub(crate) fn add(&self, component: InstalledComponent) -> Arc<InstalledComponent> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let digest = component.digest.clone();
        Arc::clone(all.entry(digest).or_insert_with(|| Arc::new(component)))
    }

    /// All plugins: by kind, then class, then version, the newest first.
    pub(crate) fn list(&self) -> Vec<Arc<PluginInfo>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut plugins: Vec<_> =
            all.values().flat_map(|component| component.plugins.iter().cloned()).collect();
        plugins.sort_by(|a, b| {
            let place =
                |plugin: &PluginInfo| PluginKind::ALL.iter().position(|k| *k == plugin.kind);
            place(a)
                .cmp(&place(b))
                .then_with(|| a.class.cmp(&b.class))
                .then_with(|| compare_versions(&b.version, &a.version))
                .then_with(|| a.component.cmp(&b.component))
        });
        plugins
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
        let all: Vec<_> = self.list().into_iter().filter(|plugin| plugin.kind == kind).collect();
        let mut named: Vec<_> = all.iter().filter(|plugin| plugin.class == name).collect();
        if named.is_empty() {
            named = all.iter().filter(|plugin| plugin.is_named(name)).collect();
        }
        let mut classes: Vec<&str> = named.iter().map(|plugin| plugin.class.as_str()).collect();
        classes.dedup();
        match classes.as_slice() {
            [] => return Err(Fault::config(unknown(kind, name, &all))),
            [_] => {}
            several => {
                let several = several.join(", ");
                return Err(Fault::config(format!(
                    "More than one {} matches alias {name}. Please use full package and class name instead. Classes found: {several}",
                    noun(kind)
                )));
            }
        }
        // Newest first.
        let chosen = named.iter().find(|plugin| wants(version, &plugin.version));
        chosen.map(|plugin| Arc::clone(plugin)).ok_or_else(|| {
            let there: Vec<_> = named.iter().map(|plugin| plugin.version.as_str()).collect();
            let (version, there) = (version.unwrap_or_default(), there.join(", "));
            Fault::config(format!(
                "Plugin {name} not found with version {version}. Available versions: [{there}]"
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

fn unknown(kind: PluginKind, name: &str, all: &[Arc<PluginInfo>]) -> String {
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

/// Whether a version is the wanted one: `latest`, none, `1.2` or `[1.2]`, or a range as `[1.0,2.0)`.
fn wants(wanted: Option<&str>, version: &str) -> bool {
    let Some(wanted) = wanted.map(str::trim).filter(|wanted| !wanted.is_empty()) else {
        return true;
    };
    if wanted == "latest" {
        return true;
    }
    let inner = wanted.strip_prefix(['[', '(']).and_then(|w| w.strip_suffix([']', ')']));
    let Some(inner) = inner else { return wanted == version };
    let Some((from, to)) = inner.split_once(',') else { return inner.trim() == version };
    let above = match compare_versions(version, from.trim()) {
        _ if from.trim().is_empty() => true,
        Ordering::Equal => wanted.starts_with('['),
        order => order == Ordering::Greater,
    };
    let below = match compare_versions(version, to.trim()) {
        _ if to.trim().is_empty() => true,
        Ordering::Equal => wanted.ends_with(']'),
        order => order == Ordering::Less,
    };
    above && below
}

/// Numbers by value, other parts as text; a number is newer than a text, as a release is than its candidate.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| -> Vec<String> {
        version.split(['.', '-', '+']).map(str::to_owned).collect()
    };
    let (a, b) = (parts(a), parts(b));
    for index in 0..a.len().max(b.len()) {
        let part =
            |version: &[String]| version.get(index).cloned().unwrap_or_else(|| "0".to_owned());
        let (a, b) = (part(&a), part(&b));
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Greater,
            (Err(_), Ok(_)) => Ordering::Less,
            (Err(_), Err(_)) => a.cmp(&b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests;
