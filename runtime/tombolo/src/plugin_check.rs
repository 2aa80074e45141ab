//! `tombolo plugin check`: what a component offers and imports, or why it would be refused.
//!
//! Not here: the check itself (the sandbox's).

use std::path::Path;

use anyhow::{Context as _, anyhow};
use tombolo_model::policy::{Grants, Limits};
use tombolo_model::role::{InstallRefused, Plugins as _};
use tombolo_sandbox::{Sandbox, SandboxOptions};

use crate::Ended;
use crate::worker::Runtimes;

/// Prints what the component in `file` is. It is compiled and described exactly as on an upload, and nothing is kept.
pub(crate) fn run(file: &Path) -> Result<(), Ended> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let cache_dir = folder.path().to_path_buf();
    let options =
        SandboxOptions { cache_dir, grants: Grants::default(), ceiling: Limits::default() };
    let sandbox = Sandbox::new(options).map_err(anyhow::Error::from)?;
    let runtimes = Runtimes::new()?;
    let size = bytes.len();
    let installed = runtimes.main.block_on(sandbox.install(bytes));
    runtimes.end();
    match installed {
        Ok(installed) => {
            print(&installed, size);
            Ok(())
        }
        Err(InstallRefused::Invalid(why)) => {
            Err(Ended::Failed(anyhow!("{} would be refused: {why}", file.display())))
        }
        Err(InstallRefused::Failed(error)) => Err(Ended::Failed(anyhow!(error))),
    }
}

#[expect(clippy::print_stdout, reason = "this is what was asked for")]
fn print(installed: &tombolo_model::role::Installed, size: usize) {
    println!("component sha256:{}, {size} bytes", installed.component.0);
    println!("\noffers");
    for plugin in &installed.plugins {
        println!("  {} {} (version {})", plugin.kind.name(), plugin.class, plugin.version);
        for key in &plugin.settings {
            let kind = key.r#type.name().to_ascii_lowercase();
            let default = match (&key.default, key.required) {
                (Some(default), _) => format!("default {default:?}"),
                (None, true) => "required".to_owned(),
                (None, false) => "optional".to_owned(),
            };
            println!("    {}: {kind}, {default}. {}", key.name, key.doc);
        }
    }
    println!("\nimports");
    for import in &installed.imports {
        println!("  {import}");
    }
}
