//! Builds the kit as a component, and embeds it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a build script fails by panicking, and is spoken to by the environment"
)]

#[path = "../../connectors/build_components.rs"]
mod build_components;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=kit");
    let built = build_components::build(&["--package=tombolo-compat-kit"]);
    let kept = build_components::keep(&built.join("tombolo_compat_kit.wasm"), "kit");
    let out = Path::new(&std::env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("kit.rs");
    std::fs::write(out, format!("include_bytes!({kept:?})")).expect("OUT_DIR can be written");
}
