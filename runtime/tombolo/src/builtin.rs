//! The components that ship inside the program: the build script compiles them from `connectors` and takes their digests.
//!
//! Not here: running them.

use anyhow::Context as _;
use tokio::task::JoinSet;
use tombolo_model::plugin::ComponentDigest;
use tombolo_model::role::Plugins as _;
use tombolo_sandbox::Sandbox;

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
