//! Where components come from: those that ship inside the program, which the build script compiles from `connectors`, and those that are stored.
//!
//! Not here: running them.

use anyhow::Context as _;
use async_trait::async_trait;
use tokio::task::JoinSet;
use tombolo_model::plugin::ComponentDigest;
use tombolo_model::role::{Components, Plugins as _};
use tombolo_sandbox::Sandbox;
use tombolo_store::PluginStore;

/// A component inside the program.
struct Component {
    /// The name of its folder in `connectors`.
    name: &'static str,
    /// SHA-256 in lower-case hex.
    digest: &'static str,
    /// The component itself.
    bytes: &'static [u8],
}

/// All of them, by name.
const COMPONENTS: &[Component] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// Makes them known: from the artifact cache, else by compiling them, side by side.
pub(crate) async fn install(sandbox: &Sandbox) -> anyhow::Result<()> {
    let mut installing = JoinSet::new();
    for component in COMPONENTS {
        let sandbox = sandbox.clone();
        installing.spawn(async move {
            let digest = ComponentDigest(component.digest.to_owned());
            if sandbox.recall(&digest).await.is_none() {
                let installed = sandbox.install(component.bytes.to_vec()).await;
                let refused =
                    || format!("{}, which ships with the program, is refused", component.name);
                installed.with_context(refused)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = installing.join_next().await {
        done??;
    }
    Ok(())
}

/// The uploaded components, as they are stored.
pub(crate) struct Stored(pub(crate) PluginStore);

#[async_trait]
impl Components for Stored {
    async fn component(&self, digest: &ComponentDigest) -> Option<Vec<u8>> {
        match self.0.get(std::slice::from_ref(digest)).await {
            Ok(found) => found.into_iter().map(|(_, bytes)| bytes).next(),
            Err(error) => {
                tracing::error!(component = digest.0, %error, "a stored component cannot be read");
                None
            }
        }
    }
}
