//! Components are compiled by a child process of the program: bombs end at its limits, and each limit is named with its setting.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up fails")]

use std::path::PathBuf;
use std::time::Duration;

use tombolo_guests::bombs;
use tombolo_model::policy::{CompileLimits, Grants, Limits};
use tombolo_model::role::{InstallRefused, Plugins as _};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

/// Processor seconds of ended child processes of this one. Ticks of Linux are 10 ms.
fn children_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(13).take(2).map(|field| field.parse::<f64>().unwrap());
    ticks.sum::<f64>() / 100.0
}

/// A sandbox whose components are compiled by the program.
fn sandbox(cache: &tempfile::TempDir, compile_limits: CompileLimits) -> Sandbox {
    Sandbox::new(SandboxOptions {
        cache_dir: cache.path().join("artifacts"),
        grants: Grants::default(),
        ceiling: Limits::default(),
        compiler: Compiler::Child(PathBuf::from(env!("CARGO_BIN_EXE_tombolo"))),
        compile_limits,
    })
    .unwrap()
}

async fn refusal(component: Vec<u8>, compile_limits: CompileLimits) -> String {
    let cache = tempfile::tempdir().unwrap();
    match sandbox(&cache, compile_limits).prepare(component.into()).await {
        Err(InstallRefused::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Held by whoever has children, so that no other's time is counted.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn bombs_end_within_the_limits_and_a_good_component_is_compiled_like_any_other() {
    let _alone = ALONE.lock().await;
    // A quarter of the default: it is the limit that ends them, whatever it is.
    let limits = CompileLimits { cpu_max: Duration::from_secs(5), ..CompileLimits::default() };
    // What a bomb may take beyond its limit: starting, reading, and the second after which the kernel insists.
    let most = limits.cpu_max.as_secs_f64() + 2.0;
    let bombs = bombs::all();
    let (count, mut longest) = (bombs.len(), 0.0_f64);
    for (name, bomb) in bombs {
        let before = children_seconds();
        let bytes = bomb.len();
        let why = refusal(bomb, limits).await;
        let took = children_seconds() - before;
        println!("{name} ({bytes} bytes): {took:.2} s of processor time: {why}");
        let is_over = why.contains("sandbox.compile.");
        assert!(is_over || why.contains("does not fit the plugin contract"), "{name}: {why}");
        assert!(took <= most, "{name} took {took} s");
        longest = longest.max(took);
    }
    println!("bombs: {count}, all ended, the last after {longest:.2} s, of {:?}", limits.cpu_max);

    let cache = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&cache, limits);
    let prepared = sandbox.prepare(tombolo_guests::ECHO.to_vec().into()).await.unwrap();
    assert!(!prepared.plugins.is_empty());
    assert_eq!(sandbox.compiled(), 1);
}

#[tokio::test]
async fn each_limit_is_named_with_its_setting() {
    let _alone = ALONE.lock().await;
    let limits = CompileLimits::default();
    let cpu = CompileLimits { cpu_max: Duration::from_millis(900), ..limits };
    assert_eq!(
        refusal(bombs::slow(), cpu).await,
        "compiling the component takes more than 900 ms of processor time (sandbox.compile.cpu.max.ms)"
    );
    let memory = CompileLimits { memory_max: 192 << 20, ..limits };
    assert_eq!(
        refusal(bombs::slow(), memory).await,
        "compiling the component takes more than 201326592 bytes of memory (sandbox.compile.memory.max)"
    );
    let timeout = CompileLimits { timeout: Duration::from_millis(1), ..limits };
    assert_eq!(
        refusal(bombs::slow(), timeout).await,
        "compiling the component takes longer than 1 ms (sandbox.compile.timeout.ms)"
    );
}

/// Both layers are asked for where the kernel says that it has them; the limits and the rest hold on any.
#[test]
fn the_process_that_compiles_reaches_nothing_outside_itself() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tombolo"));
    command.args([tombolo_sandbox::COMPILE_COMMAND, "5", "1073741824", "--probe"]).env_clear();
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    let line = |start: &str| told.lines().find(|line| line.starts_with(start)).unwrap();
    let security = std::fs::read_to_string("/proc/self/status").unwrap();
    if security.contains("Seccomp_filters:") {
        assert_eq!(line("seccomp: "), "seccomp: holds");
        for denied in [
            "reading a file",
            "writing a file",
            "listing a folder",
            "connecting by TCP",
            "binding by UDP",
            "a socket of the machine",
            "starting a program",
            "another thread",
        ] {
            assert!(line(denied).contains(": denied ("), "{told}");
        }
    }
    assert_eq!(line("variables "), "variables of the environment: 0");
}
