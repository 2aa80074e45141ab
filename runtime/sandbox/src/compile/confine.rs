//! What a process that compiles takes from itself before it reads anything: resources beyond its limits, files, network, other processes.
//!
//! Two layers of the kernel's are used where it has them: seccomp lets through the few calls that computing needs, and Landlock denies files and network
//! by itself. Not here: what it does then (`child`), and what its end means (`compile`).

use std::collections::BTreeMap;
use std::io;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};
use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, nice, set_parent_process_death_signal, setrlimit,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// How far it stands back behind the worker: on processors that are busy all the time it still gets its processor time before its time is over.
const NICE: i32 = 5;

/// Descriptors that it keeps, and may have: its three pipes.
const DESCRIPTORS: u32 = 3;

/// The newest rights of Landlock that are named; of a kernel that knows fewer, those that it knows.
const LANDLOCK: ABI = ABI::V6;

/// Calls that computing, reading and writing pipes, and ending need. Others fail with `EPERM`.
const ALLOWED: [libc::c_long; 29] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that get pages: none that could be executed, as it compiles for others.
const WITHOUT_EXECUTION: [libc::c_long; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

/// Which of the kernel's layers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layers {
    pub(super) seccomp: bool,
    pub(super) landlock: bool,
}

impl Layers {
    pub(super) fn to_byte(self) -> u8 {
        u8::from(self.seccomp) | u8::from(self.landlock) << 1
    }

    pub(super) fn of_byte(byte: u8) -> Self {
        Self { seccomp: byte & 1 != 0, landlock: byte & 2 != 0 }
    }
}

/// Takes from this process what compiling does not need. Nothing of it can be taken back.
///
/// Errors: a limit that cannot be set. A layer that the kernel does not have is no error.
pub(super) fn confine(cpu_seconds: u64, memory_max: u64) -> io::Result<Layers> {
    // Where the worker ends, nobody waits for an answer.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    close_descriptors();
    let landlock = landlock();
    // At the first limit a signal says why, a second later the process is ended whatever it does with that signal.
    let hold = |resource, soft: u64, hard: u64| {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
    };
    hold(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    hold(Resource::As, memory_max, memory_max)?;
    hold(Resource::Fsize, 0, 0)?;
    // With one byte the kernel hands no dump to a program either.
    let core = getrlimit(Resource::Core).maximum.unwrap_or(1).min(1);
    hold(Resource::Core, core, core)?;
    hold(Resource::Nofile, DESCRIPTORS.into(), DESCRIPTORS.into())?;
    nice(NICE)?;
    Ok(Layers { seccomp: seccomp(), landlock })
}

/// Closes what was inherited beside the three pipes: all that the worker opens closes itself, but not what it inherited.
fn close_descriptors() {
    #[expect(unsafe_code, reason = "no crate that is here wraps close_range")]
    // SAFETY: nothing in this process owns a descriptor above the standard ones: it has just begun, and opens none that it keeps. A kernel without the
    // call answers ENOSYS, and what was inherited stays open, out of reach of what seccomp lets through but reading and writing.
    unsafe {
        libc::syscall(libc::SYS_close_range, DESCRIPTORS, libc::c_uint::MAX, 0);
    }
}

/// Denies all files, TCP, and signals and abstract sockets of other processes. No where the kernel has no Landlock.
fn landlock() -> bool {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(LANDLOCK)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

/// Lets through only the calls above. No where the kernel has no seccomp, or this is a processor without a list.
fn seccomp() -> bool {
    filter().is_ok_and(|program| seccompiler::apply_filter(&program).is_ok())
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let only = |argument, operator, value| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
        SeccompRule::new(vec![condition]).map(|rule| vec![rule])
    };
    let executable = libc::PROT_EXEC.unsigned_abs().into();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.into_iter().map(|call| (call, vec![])).collect();
    for call in WITHOUT_EXECUTION {
        rules.insert(call, only(2, SeccompCmpOp::MaskedEq(executable), 0)?);
    }
    // How a program that gives up ends itself, and itself alone.
    rules.insert(libc::SYS_tgkill, only(0, SeccompCmpOp::Eq, std::process::id().into())?);
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_can_be_made_for_this_processor() {
        assert!(!filter().unwrap().is_empty());
    }

    #[test]
    fn layers_are_told_in_a_byte() {
        for (seccomp, landlock) in [(false, false), (true, false), (false, true), (true, true)] {
            let layers = Layers { seccomp, landlock };
            assert_eq!(Layers::of_byte(layers.to_byte()), layers);
        }
    }
}
