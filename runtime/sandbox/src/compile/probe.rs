//! What the process that compiles can still do, found out by trying: for people who want to know, and for tests.
//!
//! Not here: taking it away (`confine`).

use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use crate::compile::confine::confine;

/// Confines this process as one that compiles, tries what it must not be able to do, and tells on standard output, a line each.
///
/// Errors: limits that cannot be set, standard output that is gone.
pub fn probe_child(cpu_seconds: u64, memory_max: u64) -> io::Result<()> {
    let variables = std::env::vars_os().count();
    let layers = confine(cpu_seconds, memory_max)?;
    let mut out = io::stdout().lock();
    writeln!(out, "seccomp: {}", held(layers.seccomp))?;
    writeln!(out, "landlock: {}", held(layers.landlock))?;
    writeln!(out, "variables of the environment: {variables}")?;
    for (what, tried) in tries() {
        let outcome = match tried {
            Ok(()) => "possible".to_owned(),
            Err(error) => format!("denied ({error})"),
        };
        writeln!(out, "{what}: {outcome}")?;
    }
    out.flush()
}

fn held(is_held: bool) -> &'static str {
    if is_held { "holds" } else { "this kernel has none" }
}

/// What is tried, and what came of it.
fn tries() -> [(&'static str, io::Result<()>); 8] {
    let temporary = Path::new("/tmp/tombolo-probe");
    [
        ("reading a file", File::open("/proc/self/status").map(drop)),
        ("writing a file", File::create(temporary).map(drop)),
        ("listing a folder", std::fs::read_dir("/").map(drop)),
        ("connecting by TCP", TcpStream::connect(("127.0.0.1", 9)).map(drop)),
        ("binding by UDP", UdpSocket::bind(("127.0.0.1", 0)).map(drop)),
        ("a socket of the machine", UnixStream::pair().map(drop)),
        ("starting a program", Command::new("/bin/true").status().map(drop)),
        ("another thread", std::thread::Builder::new().spawn(|| ()).map(drop)),
    ]
}
