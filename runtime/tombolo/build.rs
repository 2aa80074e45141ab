//! Builds the components that ship with the program, and embeds them with their digests.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a build script fails by panicking, and is spoken to by the environment"
)]

#[path = "../../connectors/build_components.rs"]
mod build_components;

use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

/// What ships with the program, by the name of its folder in `connectors`.
const SHIPPED: [&str; 6] = ["converters", "datagen", "file", "http", "postgres", "transforms"];

fn main() -> anyhow::Result<()> {
    let packages: Vec<String> =
        SHIPPED.iter().map(|name| format!("--package=tombolo-{name}")).collect();
    let arguments: Vec<&str> = packages.iter().map(String::as_str).collect();
    let built = build_components::build(&arguments);
    let mut source = String::from("&[\n");
    for name in SHIPPED {
        let kept = build_components::keep(&built.join(format!("tombolo_{name}.wasm")), name);
        let digest = Sha256::digest(std::fs::read(&kept)?);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(
            source,
            "    Component {{ name: {name:?}, digest: {digest:?}, bytes: include_bytes!({kept:?}) }},"
        )?;
    }
    source.push(']');
    let out = Path::new(&std::env::var("OUT_DIR")?).join("components.rs");
    std::fs::write(out, source)?;
    Ok(())
}
