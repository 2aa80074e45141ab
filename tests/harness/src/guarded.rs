//! Child processes that end with the test, however the test ends.
//!
//! Not here: what they run.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// A shell that starts a command and holds its end of a pipe: when the pipe closes, because we close it or because we die,
/// it kills the command, if we died removes a folder, and ends as the command did. A handler for Ctrl-C keeps the shell alive until then.
const GUARD: &str = r#"
trap : INT TERM HUP
remove=$1; shift
"$@" </dev/null >&2 &
echo $!
last=$(cat)
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
code=$?
[ "$last" = alive ] || [ -z "$remove" ] || rm -rf "$remove"
exit $code
"#;

/// What [`Guarded::signal`] sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Please end.
    Term,
    /// End at once.
    Kill,
    /// End now, in order; what Ctrl-C sends.
    Interrupt,
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
}

/// A running command, killed on drop.
#[derive(Debug)]
pub struct Guarded {
    guard: Child,
    id: u32,
}

impl Guarded {
    /// Starts a command; its output goes to the end of the file `log`. If this process dies, the folder `remove` goes too.
    pub fn start(command: &Command, log: &Path, remove: Option<&Path>) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]);
        guard.arg(remove.unwrap_or(Path::new("")));
        guard.arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            guard.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => guard.env(name, value),
                None => guard.env_remove(name),
            };
        }
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut guard = guard.spawn().context("start a shell")?;
        let mut id = String::new();
        let output = guard.stdout.take().context("the shell has an output")?;
        BufReader::new(output).read_line(&mut id)?;
        let id = id.trim().parse().context("the shell prints the id of its child")?;
        Ok(Self { guard, id })
    }

    /// The id of the command's process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether the command has ended by itself or by a signal.
    pub fn has_ended(&self) -> bool {
        // Its parent, the guard, collects it only at the end: until then it stays as a zombie.
        let stat = self.stat();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        // The first thread may be gone before the others.
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.id));
        state.is_empty() || (state.starts_with('Z') && threads.is_ok_and(|all| all.count() == 1))
    }

    /// The code that the command ended with; none while it runs, and where a signal ended it.
    pub fn exit_code(&mut self) -> Option<i32> {
        if !self.has_ended() {
            return None;
        }
        // A shell adds a signal to this.
        self.end().and_then(|status| status.code()).filter(|code| *code < 128)
    }

    /// Lets the guard end the command, and end.
    fn end(&mut self) -> Option<ExitStatus> {
        if let Some(mut pipe) = self.guard.stdin.take() {
            // A guard that is gone needs no word.
            pipe.write_all(b"alive").ok();
        }
        // Nothing can be done about a guard that cannot be waited for.
        self.guard.wait().ok()
    }

    fn stat(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default()
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let name = match signal {
            Signal::Term => "-TERM",
            Signal::Kill => "-KILL",
            Signal::Interrupt => "-INT",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let status = Command::new("kill").args([name, &self.id.to_string()]).status()?;
        if !status.success() {
            bail!("failed to send {signal:?} to process {}", self.id);
        }
        Ok(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wait_for;

    fn sleeper(folder: &Path) -> Guarded {
        let mut command = Command::new("sleep");
        command.arg("600");
        Guarded::start(&command, &folder.join("log"), None).unwrap()
    }

    fn is_there(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn a_guarded_process_ends_with_its_guard() {
        let folder = tempfile::tempdir().unwrap();
        let mut guarded = sleeper(folder.path());
        let id = guarded.id();
        assert!(is_there(id) && !guarded.has_ended());
        assert_eq!(guarded.exit_code(), None);
        drop(guarded);
        assert!(!is_there(id));
    }

    #[test]
    fn a_guarded_process_ends_when_its_owner_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let mut command = Command::new("sleep");
        command.arg("600");
        let log = folder.path().join("log");
        let mut guarded = Guarded::start(&command, &log, Some(&data)).unwrap();
        // What the kernel does to a process that is killed: its pipes close.
        drop(guarded.guard.stdin.take());
        let id = guarded.id();
        wait_for(|| !is_there(id), "the process ends", Duration::from_secs(10)).unwrap();
        wait_for(|| !data.exists(), "its folder goes", Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_killed_process_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut guarded = sleeper(folder.path());
        guarded.signal(Signal::Kill).unwrap();
        wait_for(|| guarded.has_ended(), "the process ends", Duration::from_secs(10)).unwrap();
        assert_eq!(guarded.exit_code(), None);
    }

    #[test]
    fn a_process_that_ends_by_itself_tells_its_code() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "exit 7"]);
        let mut guarded = Guarded::start(&command, &folder.path().join("log"), None).unwrap();
        wait_for(|| guarded.has_ended(), "the process ends", Duration::from_secs(10)).unwrap();
        assert_eq!(guarded.exit_code(), Some(7));
    }
}
