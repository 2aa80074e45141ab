//! The file with the keys that secrets are sealed with.
//!
//! Whoever reads it, and the topic of secrets, has them all: it belongs to the worker's user alone, and lies where no plugin and no reference reaches.
//! Not here: sealing (`store::sealed`).

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use tempfile::NamedTempFile;
use tombolo_model::config_def::{ConfigKey, Importance, Type, key};
use tombolo_model::policy::FileRoot;
use tombolo_model::{ConfigProviders, Settings};
use tombolo_store::SecretKeys;
use tombolo_store::secret_store::PROVIDER;

/// Setting for the file of keys.
const KEY_FILE: &str = "secrets.key.file";

/// Largest file of keys: a thousand of them.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Rights of others than a file's owner.
const OTHERS: u32 = 0o077;

/// Name of the file of `dev`, beside the compiled components: there no plugin reaches it.
const DEV_FILE: &str = "dev-secrets.key";

/// The settings read here.
pub(crate) fn definitions() -> Vec<ConfigKey> {
    vec![
        key(KEY_FILE, Type::String)
            .importance(Importance::Medium)
            .doc("Our own: file with the key that secrets set at `/secrets` are sealed with: 64 hexadecimal digits, as `openssl rand -hex 32` makes them, which only its owner may read. Of several lines, the first seals and all open; all workers of a group have the same. Without it there are no secrets."),
    ]
}

/// The keys of a worker, where its file has the setting.
///
/// Errors: by the setting, a file that cannot be read, is no file of keys, is open to others or to plugins; a config provider that has the
/// name of the secrets.
pub(crate) fn of_worker(
    settings: &Settings,
    providers: &ConfigProviders,
    file_roots: &[FileRoot],
) -> anyhow::Result<Option<SecretKeys>> {
    let Some(path) = settings.get(KEY_FILE).map(str::trim).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let wrong = |why: String| anyhow!("Invalid value {path} for configuration {KEY_FILE}: {why}");
    if providers.has(PROVIDER) {
        bail!(
            "Invalid value {PROVIDER} for configuration config.providers: with {KEY_FILE}, the name stands for the worker's own secrets"
        );
    }
    let real = Path::new(path).canonicalize().map_err(|error| wrong(error.to_string()))?;
    if let Some(root) = file_roots.iter().map(|root| &root.path).find(|root| real.starts_with(root))
    {
        return Err(wrong(format!("plugins may read it, as it lies below {}", root.display())));
    }
    if let Some(setting) = offered_by(settings, &real) {
        return Err(wrong(format!("connectors may refer to it, as {setting} says")));
    }
    read(&real).map(Some).map_err(wrong)
}

/// The setting of a config provider that lets connectors refer to what is in this file.
fn offered_by<'a>(settings: &'a Settings, file: &Path) -> Option<&'a str> {
    let offers =
        |path: &str| Path::new(path.trim()).canonicalize().is_ok_and(|path| file.starts_with(path));
    let of_providers = settings.iter().filter(|(name, _)| {
        name.starts_with("config.providers.") && name.ends_with(".param.allowed.paths")
    });
    let mut found = of_providers.filter(|(_, paths)| paths.split(',').any(offers));
    found.next().map(|(name, _)| name)
}

/// The keys of `dev`, made where there are none.
pub(crate) fn of_dev(cache_dir: &Path) -> anyhow::Result<SecretKeys> {
    let path = cache_dir.join(DEV_FILE);
    let failed = || format!("cannot keep a key for secrets in {}", path.display());
    fs::DirBuilder::new().recursive(true).mode(0o700).create(cache_dir).with_context(failed)?;
    if !path.exists() {
        let mut file = NamedTempFile::new_in(cache_dir).with_context(failed)?;
        file.write_all(SecretKeys::random()?.as_bytes()).with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        match file.persist_noclobber(&path) {
            // Another `dev` was faster.
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
            kept => drop(kept.with_context(failed)?),
        }
    }
    read(&path).map_err(|why| anyhow!(why)).with_context(failed)
}

/// Errors: what is wrong with the file, and nothing of what it holds.
fn read(path: &Path) -> Result<SecretKeys, String> {
    let known = fs::metadata(path).map_err(|error| error.to_string())?;
    if !known.is_file() || known.len() > FILE_BYTES_MAX {
        return Err("it is not a regular file of bearable size".to_owned());
    }
    let mode = known.permissions().mode();
    if mode & OTHERS != 0 {
        let mode = mode & 0o777;
        return Err(format!("others than its owner may use it (mode {mode:o}); chmod 600 helps"));
    }
    let text =
        zeroize::Zeroizing::new(fs::read_to_string(path).map_err(|error| error.to_string())?);
    SecretKeys::parse(&text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn file(folder: &Path, mode: u32, content: &str) -> PathBuf {
        let path = folder.join("key");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn error(path: &Path, roots: &[FileRoot]) -> String {
        let settings = [(KEY_FILE, path.to_str().unwrap())].into_iter().collect();
        let read = of_worker(&settings, &ConfigProviders::default(), roots);
        read.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_keys_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let key = "0123456789abcdef".repeat(4);
        for mode in [0o640, 0o604, 0o620, 0o610] {
            let path = file(&folder, mode, &key);
            let expected = format!(
                "Invalid value {} for configuration secrets.key.file: others than its owner may use it (mode {mode:o}); chmod 600 helps",
                path.display()
            );
            assert_eq!(error(&path, &[]), expected);
        }
        let path = file(&folder, 0o600, &key);
        let settings: Settings = [(KEY_FILE, path.to_str().unwrap())].into_iter().collect();
        let providers = ConfigProviders::default();
        assert!(of_worker(&settings, &providers, &[]).unwrap().is_some());
        assert!(of_worker(&Settings::default(), &providers, &[]).unwrap().is_none());
        assert!(error(&path, &[FileRoot::new(&folder)]).contains("plugins may read it"));
        let mut offered = settings;
        let paths = format!("/no/such, {}", folder.display());
        offered.insert("config.providers.p.param.allowed.paths", paths);
        let refused = of_worker(&offered, &providers, &[]).err().unwrap().to_string();
        assert!(refused.contains("as config.providers.p.param.allowed.paths says"), "{refused}");
        assert!(error(&folder, &[]).contains("regular file"));
        assert!(error(&folder.join("none"), &[]).contains("No such file"));
        let broken = error(&file(&folder, 0o600, "hunter2"), &[]);
        assert!(broken.contains("64 hexadecimal digits") && !broken.contains("hunter2"));
    }

    #[test]
    fn the_key_of_dev_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let (first, second) = (of_dev(&cache).unwrap(), of_dev(&cache).unwrap());
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        let mode = fs::metadata(cache.join(DEV_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn of_many_that_start_at_once_all_have_the_same_key_of_dev() {
        let folder = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let key = || {
            start.wait();
            format!("{:?}", of_dev(folder.path()).unwrap())
        };
        let keys: Vec<String> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(key)).collect();
            started.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|one| *one == keys[0]), "{keys:?}");
    }
}
