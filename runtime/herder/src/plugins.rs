//! Brings uploaded components back after a start, and those that other workers take in later.
//!
//! Not here: installing and storing one that is uploaded (`handle`).

use std::sync::Arc;

use tombolo_model::role::{InstallRefused, Plugins};
use tombolo_store::{Error, PluginStore};

/// Makes the plugins of all stored components known: from the cache where it has them, else from their bytes.
///
/// A component that cannot be installed any more is logged, and its connectors fail with their reason; the others go on.
///
/// Errors: those of reading the store.
///
/// Cost: reads no bytes of components that the cache has.
pub async fn bring_back_plugins(store: &PluginStore, plugins: &dyn Plugins) -> Result<(), Error> {
    let mut missing = Vec::new();
    for digest in store.components() {
        if plugins.recall(&digest).await.is_none() {
            missing.push(digest);
        }
    }
    for (digest, component) in store.get(&missing).await? {
        match plugins.install(component).await {
            Ok(installed) if installed.component == digest => {}
            Ok(installed) => {
                let found = &installed.component.0;
                tracing::error!(component = digest.0, found, "a stored component is another one");
            }
            Err(error @ (InstallRefused::Invalid(_) | InstallRefused::Failed(_))) => {
                tracing::error!(component = digest.0, %error, "a stored component is not usable");
            }
        }
    }
    Ok(())
}

/// Makes the plugins of components known that are stored from now on. Does not end.
pub(crate) async fn follow_plugins(store: PluginStore, plugins: Arc<dyn Plugins>) {
    loop {
        store.changed().await;
        if let Err(error) = bring_back_plugins(&store, &*plugins).await {
            tracing::error!(%error, "uploaded components could not be read");
        }
    }
}
