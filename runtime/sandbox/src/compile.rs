//! Compiles a component in a child process of the same program, which ends with it: a compiler promises neither time nor memory, and cannot be interrupted.
//!
//! The child gets the component through a pipe and answers through another; it has no environment, a process group of its own, and takes everything
//! else from itself before it reads anything ([`confine`]). Whatever ends it is a refusal that names the limit and its setting. Not here: the check before (`check`), and
//! keeping what was compiled (`artifact`).

mod child;
mod confine;
mod probe;

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::sync::mpsc::{self, RecvTimeoutError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tombolo_model::policy::CompileLimits;
use tombolo_model::role::InstallRefused;
use wasmtime::Engine;

use crate::compile::confine::Layers;

pub use child::compile_child;
pub use probe::probe_child;

/// Largest compiled component: four times the largest component, as machine code is up to four times its WebAssembly.
const COMPILED_BYTES_MAX: u64 = 256 << 20;

const ANSWER_BYTES_MAX: u64 = COMPILED_BYTES_MAX + child::HEAD_BYTES as u64;

/// How much of what a compiler says on its standard error is kept: the message of a panic.
const SAID_BYTES_MAX: u64 = 4 << 10;

/// The child's argument: a hidden subcommand of the program.
pub const COMPILE_COMMAND: &str = "compile";

/// The allocator takes address space in pieces of this size instead of 1 GiB at once, which would be the whole limit.
const ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32MiB");

/// Where components are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In a child process: this program, called with [`COMPILE_COMMAND`], processor seconds and bytes of memory, runs [`compile_child`].
    Child(PathBuf),
    /// In this process, without limits: for tests and measurements, whose program has no such command.
    Here,
}

impl Compiler {
    /// The running program itself, even where its file was replaced since.
    pub fn this_program() -> Self {
        Self::Child(PathBuf::from("/proc/self/exe"))
    }

    /// Compiles a component that was checked.
    ///
    /// Errors: `Invalid` where it cannot be compiled, or not within the limits; `Failed` where there is no compiler.
    ///
    /// Cost: blocks, for as long as the limits allow.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        limits: &CompileLimits,
        component: &[u8],
    ) -> Result<Vec<u8>, InstallRefused> {
        match self {
            Self::Here => engine.precompile_component(component).map_err(|error| {
                InstallRefused::Invalid(child::not_compiled(&format!("{error:#}")))
            }),
            Self::Child(program) => {
                let ended = run(program, limits, component);
                ended.map_err(|error| InstallRefused::Failed(error.into()))?.verdict(limits)
            }
        }
    }
}

/// How a child ended.
struct Ended {
    /// What it wrote to its standard output.
    answer: Vec<u8>,
    /// The beginning of what it wrote to its standard error.
    said: Vec<u8>,
    status: ExitStatus,
    /// Whether it was ended because its time was over.
    is_late: bool,
}

fn run(program: &Path, limits: &CompileLimits, component: &[u8]) -> io::Result<Ended> {
    let mut child = command(program, limits).spawn()?;
    let (mut answer, mut said) = (Vec::new(), Vec::new());
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(mut stderr)) = pipes else {
        child.kill()?;
        return Err(io::Error::other("a child process has no pipes"));
    };
    let (tell, ended) = mpsc::channel::<()>();
    let (group, timeout) = (Pid::from_child(&child), limits.timeout);
    let is_late = std::thread::scope(|scope| {
        // A child that ended does not read the rest; its end says why.
        scope.spawn(move || stdin.write_all(component).ok());
        scope.spawn(|| {
            let kept = stderr.by_ref().take(SAID_BYTES_MAX).read_to_end(&mut said);
            kept.and_then(|_| io::copy(&mut stderr, &mut io::sink())).ok()
        });
        let watch = scope.spawn(move || {
            let is_late = ended.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout);
            if is_late {
                end(group);
            }
            is_late
        });
        // Pipes between processes do not fail; what is missing is found missing.
        stdout.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut answer).ok();
        if child::is_whole(&answer) || answer.len() as u64 > ANSWER_BYTES_MAX {
            end(group);
        }
        wait_unreaped(&child);
        drop(tell);
        watch.join().unwrap_or_default()
    });
    // Only now its number may become another's.
    let status = child.wait()?;
    Ok(Ended { answer, said, status, is_late })
}

fn command(program: &Path, limits: &CompileLimits) -> Command {
    // Counted in whole seconds, and never none at all.
    let seconds = limits.cpu_max.as_millis().div_ceil(1_000).max(1);
    let mut command = Command::new(program);
    command
        .arg0("tombolo")
        .arg(COMPILE_COMMAND)
        .args([seconds.to_string(), limits.memory_max.to_string()])
        .env_clear()
        .env(ALLOCATOR.0, ALLOCATOR.1)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends a child and whatever it started. One that has ended is no error.
fn end(group: Pid) {
    kill_process_group(group, Signal::KILL).ok();
}

/// Waits until a child has ended, and leaves its number taken.
fn wait_unreaped(child: &Child) {
    let wait = || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(child)), options)
    };
    // Where this fails, `Child::wait` says so.
    rustix::io::retry_on_intr(wait).ok();
}

impl Ended {
    /// What came of the component.
    fn verdict(mut self, limits: &CompileLimits) -> Result<Vec<u8>, InstallRefused> {
        let refused = |why: String| Err(InstallRefused::Invalid(why));
        let takes = |what: String| refused(format!("compiling the component takes {what}"));
        let memory = || {
            takes(format!(
                "more than {} bytes of memory (sandbox.compile.memory.max)",
                limits.memory_max
            ))
        };
        if self.answer.len() as u64 > ANSWER_BYTES_MAX {
            return refused(format!(
                "the component is more than {COMPILED_BYTES_MAX} bytes of machine code, the most that is taken"
            ));
        }
        if let Some((answer, layers)) = child::Answer::read(std::mem::take(&mut self.answer)) {
            tell(layers);
            return match answer {
                child::Answer::Compiled(compiled) => Ok(compiled),
                child::Answer::Invalid(why) => refused(child::not_compiled(&why)),
                child::Answer::NoMemory => memory(),
            };
        }
        if self.is_late {
            let millis = limits.timeout.as_millis();
            return takes(format!("longer than {millis} ms (sandbox.compile.timeout.ms)"));
        }
        let said = String::from_utf8_lossy(&self.said);
        let Some(signal) = self.status.signal() else {
            return self.exited(&said);
        };
        if signal == Signal::XCPU.as_raw() {
            let millis = limits.cpu_max.as_millis();
            return takes(format!(
                "more than {millis} ms of processor time (sandbox.compile.cpu.max.ms)"
            ));
        }
        // What Rust says before it gives up.
        if said.contains("memory allocation of") {
            return memory();
        }
        tracing::warn!(signal, %said, "the compiler of an uploaded component crashed");
        refused(format!("the compiler crashed on the component (signal {signal})"))
    }

    /// What it means that a child ended by itself, and without an answer.
    fn exited(&self, said: &str) -> Result<Vec<u8>, InstallRefused> {
        if self.status.code() == Some(PANICKED) {
            tracing::warn!(%said, "the compiler of an uploaded component panicked");
            let why = "the compiler failed on the component".to_owned();
            return Err(InstallRefused::Invalid(why));
        }
        let why = format!("the compiler ended with {}: {}", self.status, said.trim());
        Err(InstallRefused::Failed(why.into()))
    }
}

/// Says once what holds the processes that compile.
fn tell(layers: Layers) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| match layers {
        Layers { seccomp: true, landlock: true } => {
            tracing::debug!("seccomp and Landlock hold the processes that compile components");
        }
        Layers { seccomp, landlock } => tracing::warn!(
            seccomp,
            landlock,
            "the kernel does not have all of what holds the processes that compile components; their limits hold"
        ),
    });
}

/// How a Rust program exits after a panic.
const PANICKED: i32 = 101;

#[cfg(test)]
mod tests;
