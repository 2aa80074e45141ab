//! A real PostgreSQL on a free port, in a folder of its own, with TLS.
//!
//! The user `postgres` needs no password; who else may come in how, [`HBA`] says. Not here: what is in it.

mod binaries;
mod client;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

pub use client::{Client, Row};

use crate::{Guarded, Signal, certificate, free_port, wait_for};
use binaries::run;

/// Longest time a start or an end may take on a busy machine; half a second on a quiet one.
const START_MAX: Duration = Duration::from_secs(120);

/// Whom PostgreSQL runs as where the tests run as root, whom it refuses.
const NOBODY: u32 = 65_534;

/// Who may come in how. Users are the tests' to create, with the password that their names promise.
pub const HBA: &str = "\
host all postgres 127.0.0.1/32 trust
host all by_md5 127.0.0.1/32 md5
host all in_clear 127.0.0.1/32 password
hostnossl all tls_only 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
";

/// A running server, ended and forgotten on drop.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Guarded>,
    port: u16,
    /// After the process, which is ended before it goes.
    folder: TempDir,
}

impl Postgres {
    /// Starts one, and waits until it serves.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tombolo-postgres-").tempdir()?;
        let port = free_port()?;
        prepare(folder.path(), port)?;
        let mut postgres = Self { process: None, port, folder };
        postgres.start_again()?;
        Ok(postgres)
    }

    /// Its port on 127.0.0.1, which is `localhost` as well.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority that vouches for it, as PEM.
    pub fn authority(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("authority.pem"))?)
    }

    /// A connection to the database `postgres` for tests' own questions.
    pub fn client(&self) -> Result<Client> {
        Client::connect(self.port, "postgres")
    }

    /// Runs statements over a connection of their own.
    pub fn query(&self, sql: &str) -> Result<Vec<Row>> {
        self.client()?.query(sql)
    }

    /// Starts it again after [`Postgres::stop`], with its port and its data.
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = program(self.folder.path(), "postgres");
        command.arg("-D").arg(self.folder.path().join("data"));
        let process = Guarded::start(&command, &self.log_file(), Some(self.folder.path()))?;
        let settled = || self.client().is_ok() || process.has_ended();
        wait_for(settled, "PostgreSQL starts", START_MAX)?;
        if process.has_ended() {
            bail!("PostgreSQL ended at its start:\n{}", self.log());
        }
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as an administrator does who does not wait for clients: their transactions are undone.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(process) = self.process.take() {
            process.signal(Signal::Interrupt)?;
            wait_for(|| process.has_ended(), "PostgreSQL ends", START_MAX)?;
        }
        Ok(())
    }

    /// The id of the server's first process.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Guarded::id)
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// Makes its folder: programs, data, settings and certificates.
fn prepare(folder: &Path, port: u16) -> Result<()> {
    let (binaries, data) = (binaries::folder()?, folder.join("data"));
    // Another user may not be able to reach the target folder.
    run(Command::new("cp").arg("-r").arg(binaries).arg(folder.join("programs")))?;
    std::fs::create_dir(&data)?;
    own(folder)?;
    own(&data)?;
    let mut initdb = program(folder, "initdb");
    initdb.arg("-D").arg(&data);
    initdb.args(["-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
    run(&mut initdb)?;
    let certified = certificate::for_loopback()?;
    std::fs::write(folder.join("authority.pem"), certified.authority)?;
    write(&data.join("server.crt"), &certified.certificate)?;
    write(&data.join("server.key"), &certified.key)?;
    write(&data.join("pg_hba.conf"), HBA)?;
    let settings = format!(
        "listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = ''\n\
         ssl = on\n\
         fsync = off\n\
         log_min_messages = warning\n\
         max_connections = 40\n"
    );
    write(&data.join("postgresql.auto.conf"), &settings)
}

/// Writes a file that only the server's user can read.
fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    own(path)
}

/// A program of PostgreSQL, as another user where this one is root.
fn program(folder: &Path, name: &str) -> Command {
    let path = folder.join("programs/bin").join(name);
    if !is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={NOBODY}")).arg(format!("--regid={NOBODY}"));
    command.arg("--clear-groups").arg(path);
    command
}

/// Gives a file to the user that PostgreSQL runs as.
fn own(path: &Path) -> Result<()> {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).context("give a file to another user")?;
    }
    Ok(())
}

/// Whether this process runs as root: it owns its entry in `/proc`.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_its_rows_over_a_restart_and_leaves_nothing_behind() {
        let mut postgres = Postgres::start().unwrap();
        postgres.query("CREATE TABLE t (a int, b text)").unwrap();
        let mut client = postgres.client().unwrap();
        client.copy("COPY t FROM STDIN", b"1\tone\n2\t\\N\n").unwrap();
        assert!(
            postgres
                .query("SELECT nothing")
                .unwrap_err()
                .root_cause()
                .to_string()
                .contains("42703")
        );
        postgres.stop().unwrap();
        assert!(postgres.client().is_err());
        postgres.start_again().unwrap();
        let rows = postgres.query("SELECT * FROM t ORDER BY a; SELECT 3").unwrap();
        let row = |texts: &[Option<&str>]| -> Row {
            texts.iter().map(|text| text.map(str::to_owned)).collect()
        };
        let expected = [row(&[Some("1"), Some("one")]), row(&[Some("2"), None]), row(&[Some("3")])];
        assert_eq!(rows, expected);
        assert!(postgres.authority().unwrap().contains("BEGIN CERTIFICATE"));
        let folder = postgres.folder.path().to_owned();
        drop(postgres);
        assert!(!folder.exists());
    }
}
