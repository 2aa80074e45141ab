//! `tombolo plugin check`: what a component offers and asks for, or why it would be refused.
//!
//! Not here: the check itself (the sandbox's).

use std::path::Path;

use anyhow::{Context as _, anyhow};
use tombolo_model::capability::{Capability, Change};
use tombolo_model::policy::{CompileLimits, Grants, Limits};
use tombolo_model::role::{InstallRefused, Installed, Plugins as _};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

use crate::Ended;
use crate::worker::Runtimes;

/// Prints what the component in `file` is, and what changed since the one in `before`. It is compiled and described exactly as on an upload to a
/// worker that grants nothing, and nothing is kept.
pub(crate) fn run(file: &Path, before: Option<&Path>) -> Result<(), Ended> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let cache_dir = folder.path().to_path_buf();
    let options = SandboxOptions {
        cache_dir,
        grants: Grants::default(),
        ceiling: Limits::default(),
        compiler: Compiler::this_program(),
        compile_limits: CompileLimits::default(),
    };
    let sandbox = Sandbox::new(options).map_err(anyhow::Error::from)?;
    let runtimes = Runtimes::new()?;
    let installed = runtimes.main.block_on(async {
        let old = match before {
            Some(before) => Some(install(&sandbox, before).await?),
            None => None,
        };
        anyhow::Ok((old, install(&sandbox, file).await?))
    });
    runtimes.end();
    let (old, new) = installed.map_err(Ended::Failed)?;
    print(&new);
    if let Some(old) = old {
        let version = old.plugins.first().map(|plugin| plugin.version.clone()).unwrap_or_default();
        print_change(&Change::between(old.component, version, &old.imports, &new.imports));
    }
    Ok(())
}

async fn install(sandbox: &Sandbox, file: &Path) -> anyhow::Result<Installed> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    sandbox.install(bytes).await.map_err(|refused| match refused {
        InstallRefused::Invalid(why) => anyhow!("{} would be refused: {why}", file.display()),
        InstallRefused::Failed(error) => anyhow!(error),
    })
}

#[expect(clippy::print_stdout, reason = "this is what was asked for")]
fn print(installed: &Installed) {
    println!("component sha256:{}", installed.component.0);
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
    println!("\nasks for");
    for asked in &installed.asks {
        let grant = match (asked.is_granted, asked.capability.setting()) {
            (true, _) => "every plugin has it".to_owned(),
            (false, Some(setting)) => format!("granted by {setting} alone"),
            (false, None) => "not granted by a worker".to_owned(),
        };
        let (name, imports) = (asked.capability.name(), asked.imports.join(", "));
        println!("  {name}: {grant} ({imports})");
    }
    println!("\nimports");
    for import in &installed.imports {
        println!("  {import}");
    }
}

#[expect(clippy::print_stdout, reason = "this is what was asked for")]
fn print_change(change: &Change) {
    println!("\nchanged since version {} (sha256:{})", change.version, change.component.0);
    let names = |all: &[Capability]| -> Vec<String> {
        all.iter().map(|capability| capability.name().to_owned()).collect()
    };
    for (what, all) in [
        ("asks for", names(&change.added)),
        ("asks no longer for", names(&change.removed)),
        ("imports", change.imports_added.clone()),
        ("imports no longer", change.imports_removed.clone()),
    ] {
        let all = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        println!("  {what}: {all}");
    }
}
