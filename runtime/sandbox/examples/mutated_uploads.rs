//! Sends as many mutated uploads through the checks of an upload as one wants, and some of those that pass through a compiler and the sandbox.
//!
//! `mutated_uploads COUNT [SEED]`; ends with a panic where anything but a refusal or a component comes of one. Called with the command of
//! `tombolo_sandbox::COMPILE_COMMAND`, it is that compiler. Not here: the slice of it that every run of the tests does (`tests/sandbox/mutated.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a long test, run by hand"
)]

use tombolo_guests::mutations::Mutations;
use tombolo_model::policy::{CompileLimits, Grants, Limits};
use tombolo_model::role::{InstallRefused, Plugins as _};
use tombolo_sandbox::{COMPILE_COMMAND, Compiler, Sandbox, SandboxOptions, check, compile_child};

/// One in so many that pass the check is compiled: it takes some thousand times as long.
const COMPILED_ONE_IN: u64 = 1_000;
/// How often it says how far it is.
const SAID_EVERY: u64 = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize| arguments.get(place).and_then(|text| text.parse::<u64>().ok());
    if arguments.first().is_some_and(|first| first == COMPILE_COMMAND) {
        // Before there is a runtime: of what it would take to end that, a compiler has nothing.
        return compile_child(number(1).unwrap(), number(2).unwrap()).unwrap();
    }
    let (count, seed) = (number(0).unwrap_or(1_000_000), number(1).unwrap_or(1));
    tokio::runtime::Runtime::new().unwrap().block_on(send(count, seed));
}

/// Sends so many of them.
async fn send(count: u64, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: folder.path().join("artifacts"),
        grants: Grants::default(),
        ceiling: Limits::default(),
        compiler: Compiler::this_program(),
        compile_limits: CompileLimits::default(),
    })
    .unwrap();
    let (mut refused, mut passed, mut compiled) = (0, 0, 0);
    for (number, component) in (1..=count).zip(Mutations::new(seed)) {
        if check(&component, Limits::default().memory_max).is_err() {
            refused += 1;
        } else {
            passed += 1;
            if passed % COMPILED_ONE_IN == 1 {
                compiled += 1;
                let prepared = sandbox.prepare(component.into()).await;
                if let Err(InstallRefused::Failed(error)) = prepared {
                    panic!("upload {number} of seed {seed}: {error}");
                }
            }
        }
        if number % SAID_EVERY == 0 || number == count {
            println!(
                "{number} uploads of seed {seed}: {refused} refused, {passed} passed the check, {compiled} compiled"
            );
        }
    }
}
