//! Builds components for the build scripts that embed them; each includes this file.
//!
//! A build script that runs cargo in its own target folder would wait for itself, so components have a folder of their own, `target/guests`. Not
//! here: which components.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "guest";

/// Where the components are found that `cargo build` with these arguments makes: below `target/guests`.
///
/// Panics with cargo's or rustup's own words where they fail: a build script has no other way to speak.
pub(crate) fn build(arguments: &[&str]) -> PathBuf {
    install_target();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("two levels below the root");
    let target = target_folder().join("guests");
    let mut cargo = Command::new(env::var("CARGO").expect("cargo sets CARGO"));
    cargo.current_dir(root).args(["build", "--profile", PROFILE, "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target).args(arguments);
    // What cargo and clippy set for this script's own package is not for the components.
    let foreign = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOC",
    ];
    foreign.into_iter().for_each(|name| {
        cargo.env_remove(name);
    });
    let done = cargo.output().expect("cargo starts");
    assert!(done.status.success(), "{cargo:?} failed:\n{}", String::from_utf8_lossy(&done.stderr));
    for path in ["connectors", "lib", "sdk/rust", "wit", ".cargo/config.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    target.join(TARGET).join(PROFILE)
}

/// Copies a component to this script's own folder, where no other build changes it; none where it is not there.
pub(crate) fn keep(component: &Path, name: &str) -> PathBuf {
    let kept = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"))
        .join(format!("{name}.wasm"));
    fs::copy(component, &kept).unwrap_or_else(|error| panic!("{}: {error}", component.display()));
    kept
}

/// `target`, from `target/release/build/<package>/out`.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    out.ancestors().nth(4).expect("OUT_DIR is four levels below the target folder").to_owned()
}

/// Adds the components' target where rustup manages the toolchain and it is missing.
fn install_target() {
    let Ok(listed) = Command::new("rustup").args(["target", "list", "--installed"]).output() else {
        return;
    };
    if String::from_utf8_lossy(&listed.stdout).lines().any(|line| line == TARGET) {
        return;
    }
    let added =
        Command::new("rustup").args(["target", "add", TARGET]).output().expect("rustup starts");
    assert!(
        added.status.success(),
        "rustup target add {TARGET} failed:\n{}",
        String::from_utf8_lossy(&added.stderr)
    );
}
