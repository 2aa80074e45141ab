//! Builds the guests of `programs` and names each as a constant.

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

fn main() {
    println!("cargo::rerun-if-changed=programs");
    let built = build_components::build(&["--package", "tombolo-guest-programs", "--examples"]);
    let mut names: Vec<String> = std::fs::read_dir("programs")
        .expect("the guests' folder is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();

    let mut source = String::new();
    for name in &names {
        let component = built.join("examples").join(format!("{name}.wasm"));
        let kept = build_components::keep(&component, name);
        let doc = first_line(&Path::new("programs").join(format!("{name}.rs")));
        let constant = name.to_uppercase();
        writeln!(source, "/// {doc}\npub const {constant}: &[u8] = include_bytes!({kept:?});")
            .expect("a string takes it");
    }
    let all: Vec<String> = names.iter().map(|name| name.to_uppercase()).collect();
    writeln!(source, "/// All guests.\npub const ALL: &[&[u8]] = &[{}];", all.join(", "))
        .expect("a string takes it");
    let each: String =
        names.iter().fold(String::new(), |each, name| each + &format!("$assert!({name}); "));
    writeln!(
        source,
        "/// Calls a macro with the name of each guest: a test crate has a module of that name for each, or does not compile.\n\
         #[macro_export]\nmacro_rules! each_guest {{ ($assert:ident) => {{ {each} }} }}"
    )
    .expect("a string takes it");
    let out = Path::new(&std::env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("guests.rs");
    std::fs::write(out, source).expect("OUT_DIR can be written");
}

/// What a guest's first line says of it.
fn first_line(path: &Path) -> String {
    let source = std::fs::read_to_string(path).expect("a guest can be read");
    source.lines().next().unwrap_or_default().trim_start_matches("//! ").to_owned()
}
