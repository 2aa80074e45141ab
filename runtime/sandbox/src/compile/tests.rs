//! What the end of a child means, without a child; real ones are in the program's tests.

use super::*;

fn ended(answer: &[u8], said: &str, status: i32, is_late: bool) -> Result<Vec<u8>, String> {
    let status = ExitStatus::from_raw(status);
    let (answer, said) = (answer.to_vec(), said.as_bytes().to_vec());
    let verdict = Ended { answer, said, status, is_late }.verdict(&CompileLimits::default());
    verdict.map_err(|refused| match refused {
        InstallRefused::Invalid(why) => why,
        InstallRefused::Failed(why) => format!("failed: {why}"),
    })
}

#[test]
fn the_end_of_a_compiler_names_the_limit_and_its_setting() {
    let refused = |said: &str, status: i32, is_late: bool, expected: &str| {
        assert_eq!(ended(b"", said, status, is_late), Err(expected.to_owned()));
    };
    let (kill, abort, cpu) = (Signal::KILL.as_raw(), Signal::ABORT.as_raw(), Signal::XCPU.as_raw());
    refused(
        "",
        cpu,
        false,
        "compiling the component takes more than 20000 ms of processor time (sandbox.compile.cpu.max.ms)",
    );
    refused(
        "",
        kill,
        true,
        "compiling the component takes longer than 90000 ms (sandbox.compile.timeout.ms)",
    );
    refused(
        "memory allocation of 64 bytes failed\n",
        abort,
        false,
        "compiling the component takes more than 1073741824 bytes of memory (sandbox.compile.memory.max)",
    );
    refused("", abort, false, "the compiler crashed on the component (signal 6)");
    refused("panicked at a.rs", 101 << 8, false, "the compiler failed on the component");
    refused(
        "no such command\n",
        1 << 8,
        false,
        "failed: the compiler ended with exit status: 1: no such command",
    );
}

#[test]
fn a_whole_answer_counts_however_its_compiler_ended() {
    let compiled = [&[0, 3, 2, 0, 0, 0, 0, 0, 0, 0][..], b"ab"].concat();
    assert_eq!(ended(&compiled, "", Signal::KILL.as_raw(), false), Ok(b"ab".to_vec()));
    let invalid = [&[1, 3, 1, 0, 0, 0, 0, 0, 0, 0][..], b"x"].concat();
    let why = "the component cannot be compiled: x";
    assert_eq!(ended(&invalid, "", 0, false), Err(why.to_owned()));
}

#[test]
fn a_program_that_is_not_there_is_no_fault_of_the_component() {
    let compiler = Compiler::Child(PathBuf::from("no/such/program"));
    let engine = crate::engine::compiling().unwrap();
    let refused = compiler.compile(&engine, &CompileLimits::default(), b"").unwrap_err();
    assert!(matches!(refused, InstallRefused::Failed(_)), "{refused}");
}
