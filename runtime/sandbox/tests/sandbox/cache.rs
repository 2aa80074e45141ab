//! What was compiled once is not compiled again, and what was changed is not believed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tombolo_model::plugin::{ComponentDigest, PluginKind};
use tombolo_model::policy::{CompileLimits, FileRoot, Grants, Limits};
use tombolo_model::role::{Components, NoOffsets, Plugins, TaskContext};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

use crate::support::{sandbox, settings, task};

/// The file of the cache with this extension.
fn file(cache: &TempDir, extension: &str) -> PathBuf {
    let files = fs::read_dir(cache.path().join("artifacts")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
}

fn change(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Whether a sink of the installed component starts.
async fn starts(sandbox: &Sandbox) -> Result<(), String> {
    let context = TaskContext {
        limits: Limits::default(),
        meters: std::sync::Arc::default(),
        egress: Default::default(),
        offsets: std::sync::Arc::new(NoOffsets),
    };
    let plugin = sandbox.find(PluginKind::Sink, "EchoSink", None).unwrap();
    let mut task = sandbox.task(&task(), context).await.unwrap();
    let mut sink = task.sink(&plugin).await.map_err(|fault| fault.message)?;
    sink.start(&settings(&[])).await.map_err(|fault| fault.message)
}

#[tokio::test]
async fn a_second_start_compiles_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let first = sandbox(&cache, Grants::default());
    let installed = first.install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    assert!(!installed.known);
    assert!(installed.imports.iter().any(|import| import.starts_with("wasi:io/streams@0.2.")));
    assert!(first.install(tombolo_guests::ECHO.to_vec()).await.unwrap().known);
    assert_eq!(first.compiled(), 1);
    starts(&first).await.unwrap();

    let second = sandbox(&cache, Grants::default());
    let recalled = second.recall(&installed.component).await.unwrap();
    assert!(recalled.known);
    assert_eq!(recalled.plugins, installed.plugins);
    assert_eq!(recalled.imports, installed.imports);
    starts(&second).await.unwrap();
    assert_eq!(second.compiled(), 0);

    let third = sandbox(&cache, Grants::default());
    let installed = third.install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    assert!(!installed.known, "new to this worker, though compiled before");
    assert_eq!(third.compiled(), 0);
}

#[tokio::test]
async fn a_prepared_component_is_not_known_until_it_is_installed() {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&cache, Grants::default());
    let prepared = sandbox.prepare(tombolo_guests::ECHO.to_vec().into()).await.unwrap();
    assert!(!prepared.known && !prepared.plugins.is_empty());
    assert!(sandbox.list().is_empty());
    let installed = sandbox.install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    assert_eq!((installed.plugins, installed.known), (prepared.plugins, false));
    assert!(sandbox.prepare(tombolo_guests::ECHO.to_vec().into()).await.unwrap().known);
    assert_eq!((sandbox.list().len(), sandbox.compiled()), (6, 1));
}

#[tokio::test]
async fn a_changed_manifest_is_not_believed() {
    let cache = tempfile::tempdir().unwrap();
    let installed =
        sandbox(&cache, Grants::default()).install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    change(&file(&cache, "manifest"));
    let second = sandbox(&cache, Grants::default());
    assert!(second.recall(&installed.component).await.is_none());
    assert!(!second.install(tombolo_guests::ECHO.to_vec()).await.unwrap().known);
    assert_eq!(second.compiled(), 1);
}

#[tokio::test]
async fn changed_machine_code_is_not_mapped() {
    let cache = tempfile::tempdir().unwrap();
    let installed =
        sandbox(&cache, Grants::default()).install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    change(&file(&cache, "cwasm"));
    let second = sandbox(&cache, Grants::default());
    second.recall(&installed.component).await.unwrap();
    let why = starts(&second).await.unwrap_err();
    assert_eq!(why, "the component of guest.EchoSink cannot be loaded; install it again");
    let third = sandbox(&cache, Grants::default());
    assert!(third.recall(&installed.component).await.is_none(), "it was forgotten");

    // One that is part of the program is made anew at once.
    sandbox(&cache, Grants::default()).install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    change(&file(&cache, "cwasm"));
    let fourth = sandbox(&cache, Grants::default());
    fourth.load(&installed.component, tombolo_guests::ECHO).await.unwrap();
    starts(&fourth).await.unwrap();
    assert_eq!(fourth.compiled(), 1);
}

/// One component, as a store of uploads has it.
struct Stored(Vec<u8>);

#[async_trait::async_trait]
impl Components for Stored {
    async fn component(&self, _: &ComponentDigest) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn changed_machine_code_is_compiled_anew_from_where_uploads_are_kept() {
    let cache = tempfile::tempdir().unwrap();
    let uploaded = tombolo_guests::ECHO.to_vec();
    let installed = sandbox(&cache, Grants::default()).install(uploaded.clone()).await.unwrap();
    change(&file(&cache, "cwasm"));
    let second = sandbox(&cache, Grants::default());
    second.find_components_in(Arc::new(Stored(uploaded.clone())));
    second.recall(&installed.component).await.unwrap();
    starts(&second).await.unwrap();
    assert_eq!(second.compiled(), 1);

    // Other bytes than those that were uploaded are not taken for them.
    change(&file(&cache, "cwasm"));
    let third = sandbox(&cache, Grants::default());
    third.find_components_in(Arc::new(Stored(tombolo_guests::PIPE.to_vec())));
    third.recall(&installed.component).await.unwrap();
    starts(&third).await.unwrap_err();
    assert_eq!(third.compiled(), 0);
}

#[test]
fn a_cache_that_plugins_could_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let start = |cache: &str| {
        Sandbox::new(SandboxOptions {
            cache_dir: root.join(cache),
            grants: Grants {
                file_roots: vec![FileRoot::new(root.join("offered"))],
                ..Grants::default()
            },
            ceiling: Limits::default(),
            compiler: Compiler::Here,
            compile_limits: CompileLimits::default(),
        })
    };
    fs::create_dir(root.join("offered")).unwrap();
    std::os::unix::fs::symlink(root.join("offered"), root.join("link")).unwrap();
    for offered in ["offered", "offered/a/b", "link/a"] {
        let error = start(offered).err().unwrap().to_string();
        assert!(error.contains("which sandbox.fs.roots offers to plugins"), "{error}");
    }
    start("beside").unwrap();
}

#[tokio::test]
async fn the_key_and_the_artifacts_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let cache = tempfile::tempdir().unwrap();
    sandbox(&cache, Grants::default()).install(tombolo_guests::ECHO.to_vec()).await.unwrap();
    let folder = cache.path().join("artifacts");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}
