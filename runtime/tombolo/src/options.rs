//! What a worker is started with, read from its settings and the process's surroundings.
//!
//! Not here: Kafka Connect's own settings, which the crates that use them read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, key};
use tombolo_model::egress::{NET_ALLOW, NET_AUTHORITIES, NET_PRIVATE};
use tombolo_model::policy::{CompileLimits, FileRoot, Grants};
use tombolo_model::{ConfigProviders, Secrets, Settings};
use tombolo_store::SecretKeys;

use crate::egress;
use crate::logging::Log;
use crate::providers::{self, Provided};
use crate::{secret_keys, settings};

/// Setting for the directories that plugins may read and write.
pub(crate) const FILE_ROOTS: &str = "sandbox.fs.roots";
/// Setting for where compiled components are kept.
const CACHE_DIR: &str = "sandbox.cache.dir";
/// Setting for the processor time of compiling one component.
const COMPILE_CPU_MAX: &str = "sandbox.compile.cpu.max.ms";
/// Setting for the memory of compiling one component.
const COMPILE_MEMORY_MAX: &str = "sandbox.compile.memory.max";
/// Setting for the time of compiling one component.
const COMPILE_TIMEOUT: &str = "sandbox.compile.timeout.ms";

/// Setting for the file of offsets of a worker that stands alone.
pub(crate) const OFFSET_FILE: &str = "offset.storage.file.filename";

/// Whether a worker is one of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Distributed,
    Standalone,
}

/// What a worker is started with.
pub(crate) struct Options {
    /// Whether it is one of a group.
    pub(crate) mode: Mode,
    /// All settings of the worker file, with values in place of references.
    pub(crate) settings: Settings,
    /// What resolves the references of connectors.
    pub(crate) providers: ConfigProviders,
    /// What the operator offers to plugins.
    pub(crate) grants: Grants,
    /// Where compiled components are kept.
    pub(crate) cache_dir: PathBuf,
    /// What compiling a component may take.
    pub(crate) compile_limits: CompileLimits,
    /// What secrets are sealed with, where the worker keeps any.
    pub(crate) secret_keys: Option<SecretKeys>,
    /// This machine's name.
    pub(crate) host_name: String,
    /// The log, whose levels may be changed.
    pub(crate) log: Log,
}

impl Mode {
    /// The mode for which a worker file is written: one without a group but with a file of offsets is for a worker that stands alone.
    pub(crate) fn of_file(settings: &Settings) -> Self {
        match settings.contains(OFFSET_FILE) && !settings.contains("group.id") {
            true => Self::Standalone,
            false => Self::Distributed,
        }
    }
}

/// The settings read here.
pub(crate) fn definitions() -> Vec<ConfigKey> {
    vec![
        key(OFFSET_FILE, Type::String)
            .importance(Importance::High)
            .doc("File for offsets of sources, in Kafka Connect's own format; required by a worker that stands alone, and without meaning for others."),
        key(FILE_ROOTS, Type::List)
            .default("")
            .importance(Importance::High)
            .doc("Our own: directories, with commas between, below which plugins reach files. `:ro` after a directory offers it for reading only; a number of bytes after it, as in `/data/out:10737418240` or `/data/out:rw:10737418240`, is the most that it may hold. None where none are given."),
        key(NET_ALLOW, Type::List)
            .default("")
            .importance(Importance::High)
            .doc("Our own: where connectors may be allowed to connect to, with commas between, as `https://*.example.com:443`, `tcp://db.example.com:5432` or `https://*`; schemes are `http`, `https` and `tcp`. Nowhere where nothing is given. A connector's own `sandbox.net.allow` must have it too."),
        key(NET_PRIVATE, Type::List)
            .default("")
            .importance(Importance::Medium)
            .doc("Our own: places that are open to connectors although their addresses are not public, with commas between, as `10.1.0.0/16:5432` or `db.internal:5432`. Both lists `sandbox.net.allow` must have them too."),
        key(NET_AUTHORITIES, Type::String)
            .importance(Importance::Low)
            .doc("Our own: file of certificates, as PEM, of authorities that the connections of plugins trust in TLS beside the system's."),
        key(CACHE_DIR, Type::String)
            .importance(Importance::Low)
            .doc("Our own: directory for compiled components. Where none is given, `tombolo` in `$XDG_CACHE_HOME` or `~/.cache`."),
        key(COMPILE_CPU_MAX, Type::Long)
            .default("20000")
            .check(Check::AtLeast(1))
            .importance(Importance::Low)
            .doc("Our own: most processor time of compiling one component, in milliseconds, counted in whole seconds."),
        key(COMPILE_MEMORY_MAX, Type::Long)
            .default("1073741824")
            .check(Check::AtLeast(1))
            .importance(Importance::Low)
            .doc("Our own: most memory of compiling one component, in bytes."),
        key(COMPILE_TIMEOUT, Type::Long)
            .default("90000")
            .check(Check::AtLeast(1))
            .importance(Importance::Low)
            .doc("Our own: longest time of compiling one component, in milliseconds."),
    ]
}

impl Options {
    /// Reads a worker file's settings. Standard streams and the working directory are not offered.
    pub(crate) fn of_worker(file: &Settings, mode: Mode, log: Log) -> anyhow::Result<Self> {
        let Provided { settings, providers } = providers::resolve(file)?;
        let passwords = tombolo_kafka::settings::passwords(&settings);
        let passwords = Secrets::of_passwords(passwords.iter().map(|password| password.as_str()));
        let (settings, providers) = (settings.hiding(&passwords), providers.hiding(&passwords));
        settings::warn(&settings);
        let file_roots = file_roots(&settings)?;
        let cache_dir = cache_dir(&settings)?;
        let compile_limits = compile_limits(&settings)?;
        let secret_keys = secret_keys::of_worker(&settings, &providers, &file_roots)?;
        let working_directory = std::env::current_dir().ok();
        let network = egress::offered(&settings)?;
        let grants = Grants { file_roots, working_directory, standard_streams: false, network };
        let host_name = host_name();
        Ok(Self {
            mode,
            settings,
            providers,
            grants,
            cache_dir,
            compile_limits,
            secret_keys,
            host_name,
            log,
        })
    }

    /// For trying out: `folder` and the working directory are offered, and the standard streams. A working directory above the cache of compiled
    /// components is not: what plugins wrote there would be run.
    pub(crate) fn of_dev(settings: Settings, folder: &Path, log: Log) -> anyhow::Result<Self> {
        let working_directory = std::env::current_dir().context("there is no working directory")?;
        let cache_dir = cache_dir(&settings)?;
        let mut file_roots = vec![FileRoot::new(folder.canonicalize()?)];
        if !cache_dir.starts_with(&working_directory) {
            file_roots.push(FileRoot::new(working_directory.clone()));
        }
        let grants = Grants {
            file_roots,
            working_directory: Some(working_directory),
            standard_streams: true,
            network: egress::offered_for_trying_out(&settings)?,
        };
        let compile_limits = compile_limits(&settings)?;
        let (mode, host_name) = (Mode::Distributed, "127.0.0.1".to_owned());
        let providers = ConfigProviders::default();
        let secret_keys = Some(secret_keys::of_dev(&cache_dir)?);
        Ok(Self {
            mode,
            settings,
            providers,
            grants,
            cache_dir,
            compile_limits,
            secret_keys,
            host_name,
            log,
        })
    }
}

/// The directories of `sandbox.fs.roots`, which must be there.
fn file_roots(settings: &Settings) -> anyhow::Result<Vec<FileRoot>> {
    let text = settings.get(FILE_ROOTS).unwrap_or_default();
    text.split(',').map(str::trim).filter(|root| !root.is_empty()).map(file_root).collect()
}

/// A directory, as `/data`, `/data:ro`, `/data:1048576` or `/data:rw:1048576`.
fn file_root(text: &str) -> anyhow::Result<FileRoot> {
    let wrong = |why: &str| format!("Invalid value {text} for configuration {FILE_ROOTS}: {why}");
    let (rest, bytes_max) = match text.rsplit_once(':') {
        Some((rest, bytes)) if bytes.starts_with(|first: char| first.is_ascii_digit()) => {
            let bytes: Option<u64> = bytes.parse().ok().filter(|bytes| *bytes > 0);
            (rest, Some(bytes.with_context(|| wrong("expected a whole number of bytes"))?))
        }
        _ => (text, None),
    };
    let (path, is_read_only) = match rest.rsplit_once(':') {
        Some((path, "ro")) => (path, true),
        Some((path, "rw")) => (path, false),
        Some((_, "")) => {
            bail!("{}", wrong("expected ro, rw or a number of bytes after the last colon"))
        }
        _ => (rest, false),
    };
    if is_read_only && bytes_max.is_some() {
        bail!("{}", wrong("what is read only has no limit of bytes"));
    }
    let path = Path::new(path).canonicalize().with_context(|| wrong("it cannot be opened"))?;
    if !path.is_dir() {
        bail!("{}", wrong("expected a directory"));
    }
    Ok(FileRoot { path, is_read_only, bytes_max })
}

/// The setting, or the folder for caches of whoever runs this.
fn cache_dir(settings: &Settings) -> anyhow::Result<PathBuf> {
    if let Some(dir) = settings.get(CACHE_DIR) {
        return Ok(PathBuf::from(dir));
    }
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let cache = from("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| from("HOME").map(|home| Path::new(&home).join(".cache")));
    let cache = cache.with_context(|| {
        format!("there is no home directory to keep compiled components in; set {CACHE_DIR}")
    })?;
    Ok(cache.join("tombolo"))
}

/// The three settings of compiling, each with a default.
fn compile_limits(settings: &Settings) -> anyhow::Result<CompileLimits> {
    let CompileLimits { cpu_max, memory_max, timeout } = CompileLimits::default();
    let number = |name: &str, default: u64| {
        match settings.get(name) {
        None => Ok(default),
        Some(text) => text.trim().parse().ok().filter(|number| *number > 0).with_context(|| {
            format!(
                "Invalid value {text} for configuration {name}: expected a whole number of at least 1"
            )
        }),
    }
    };
    let millis = |name: &str, default: Duration| {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        number(name, default).map(Duration::from_millis)
    };
    Ok(CompileLimits {
        cpu_max: millis(COMPILE_CPU_MAX, cpu_max)?,
        memory_max: number(COMPILE_MEMORY_MAX, memory_max)?,
        timeout: millis(COMPILE_TIMEOUT, timeout)?,
    })
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_roots_must_be_directories() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let read = |value: String| file_roots(&[(FILE_ROOTS, value)].into_iter().collect());
        let folder = folder.path().canonicalize().unwrap();
        let shown = folder.display();
        let root =
            |is_read_only, bytes_max| FileRoot { path: folder.clone(), is_read_only, bytes_max };
        assert_eq!(read(format!(" {shown} ,")).unwrap(), [root(false, None)]);
        let all = format!("{shown}:ro, {shown}:rw, {shown}:1048576, {shown}:rw:7");
        let (plain, limited) = (root(false, None), root(false, Some(1 << 20)));
        assert_eq!(read(all).unwrap(), [root(true, None), plain, limited, root(false, Some(7))]);
        assert_eq!(read(String::new()).unwrap(), []);
        for wrong in [
            file.display().to_string(),
            "/no/such/folder".to_owned(),
            format!("{shown}:0"),
            format!("{shown}:10GiB"),
            format!("{shown}:ro:10"),
            format!("{shown}:read"),
            format!("{shown}:"),
        ] {
            let error = read(wrong.clone()).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!(
                    "Invalid value {wrong} for configuration sandbox.fs.roots: "
                )),
                "{error}"
            );
        }
    }

    #[test]
    fn limits_of_compiling_are_whole_numbers_above_zero() {
        let read = |pairs: &[(&str, &str)]| compile_limits(&pairs.iter().copied().collect());
        assert_eq!(read(&[]).unwrap(), CompileLimits::default());
        let set = [
            (COMPILE_CPU_MAX, "1500"),
            (COMPILE_MEMORY_MAX, " 2147483648 "),
            (COMPILE_TIMEOUT, "60000"),
        ];
        let expected = CompileLimits {
            cpu_max: Duration::from_millis(1_500),
            memory_max: 2 << 30,
            timeout: Duration::from_secs(60),
        };
        assert_eq!(read(&set).unwrap(), expected);
        for wrong in ["0", "-1", "1.5", "20s", ""] {
            for (name, _) in set {
                let error = read(&[(name, wrong)]).unwrap_err().to_string();
                let start = format!("Invalid value {wrong} for configuration {name}: expected");
                assert!(error.starts_with(&start), "{error}");
            }
        }
    }
}
