//! The stores of a worker that stands alone: offsets in a file, the rest while it runs.

#![expect(clippy::panic, reason = "helpers of tests, which end by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tombolo_model::status::{State, Status};
use tombolo_model::{ConfigProviders, ConnectorName, SecretName, Secrets, Settings, TenantId};
use tombolo_store::flat::{FlatMap, Primitive};
use tombolo_store::status_records::StatusKey;
use tombolo_store::{ConfigWrite, SecretKeys, SecretStore, Stores};

fn name(name: &str) -> ConnectorName {
    ConnectorName::new(name)
}

fn map(key: &str, value: i64) -> FlatMap {
    FlatMap(vec![(key.to_owned(), Primitive::Int(value))])
}

async fn refused(file: &Path) -> String {
    let error = match Stores::standalone(file).await {
        Err(error) => error,
        Ok(_) => panic!("{} is taken", file.display()),
    };
    let source = std::error::Error::source(&error).map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}

#[tokio::test]
async fn offsets_outlive_the_worker_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets");
    let stores = Stores::standalone(&file).await.unwrap();
    assert!(!file.exists(), "nothing is written before there are offsets");
    let config = ConfigWrite::Connector(name("a"), Settings::default(), None);
    stores.config.write(&config).await.unwrap();
    assert!(stores.config.snapshot().connector(&name("a")).is_some());
    let (worker_id, state) = ("w:1".to_owned(), State::Running);
    let status = Status { state, trace: None, worker_id, generation: 1, version: None };
    stores.statuses.put(StatusKey::Connector(name("a")), &status);
    stores.statuses.flush().await;
    assert_eq!(stores.statuses.of(&name("a")).connector, Some(status));
    let positions = [(map("file", 1), Some(map("at", 2))), (map("file", 2), Some(map("at", 3)))];
    stores.offsets.write_maps(&name("a"), &positions).await.unwrap();
    stores.offsets.write_maps(&name("a"), &[(map("file", 1), None)]).await.unwrap();
    drop(stores);

    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "only the file itself is left");
    let next = Stores::standalone(&file).await.unwrap();
    assert!(next.config.snapshot().connector(&name("a")).is_none());
    assert_eq!(next.statuses.of(&name("a")).connector, None);
    let left = next.offsets.positions(&name("a")).await.unwrap();
    assert_eq!(left, [(map("file", 2), map("at", 3))]);
}

#[tokio::test]
async fn secrets_outlive_the_worker_sealed_in_a_file_beside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets");
    let keys = || SecretKeys::parse(&"0a".repeat(32)).unwrap();
    let (tenant, secret) = (TenantId::default_tenant(), SecretName::parse("db").unwrap());
    let store = SecretStore::standalone(&file, keys()).await.unwrap();
    store.put(&tenant, &secret, "hunter2", 7).await.unwrap();
    drop(store);
    let held = std::fs::read(folder.path().join("offsets.secrets")).unwrap();
    assert!(!String::from_utf8_lossy(&held).contains("hunter2"));
    let next = SecretStore::standalone(&file, keys()).await.unwrap();
    assert_eq!(next.find(&tenant, &secret).map(|found| found.set), Some(7));
    let resolved = ConfigProviders::default().or("secret", next.provider(tenant));
    let settings = [("a", "${secret:db}")].into_iter().collect();
    assert_eq!(resolved.resolve(&settings).unwrap().settings.get("a"), Some("hunter2"));
}

#[tokio::test]
async fn settings_with_resolved_values_are_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let stores = Stores::standalone(&folder.path().join("offsets")).await.unwrap();
    let plain: Settings = [("a", "hunter2")].into_iter().collect();
    let resolved = plain.hiding(&Secrets::new(["hunter2"]));
    for write in [
        ConfigWrite::Connector(name("a"), resolved.clone(), None),
        ConfigWrite::Tasks(name("a"), vec![resolved]),
    ] {
        let error = stores.config.write(&write).await.unwrap_err().to_string();
        assert_eq!(error, "settings with resolved values are not stored");
    }
}

#[tokio::test]
async fn a_file_that_holds_no_offsets_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets");
    let positions = [(map("file", 1), Some(map("at", 2)))];
    let stores = Stores::standalone(&file).await.unwrap();
    stores.offsets.write_maps(&name("a"), &positions).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let check = async |content: &[u8], expected: &str| {
        std::fs::write(&file, content).unwrap();
        let refusal = refused(&file).await;
        let place = format!("reading file '{}': ", file.display());
        assert!(refusal.starts_with(&place) && refusal.contains(expected), "{refusal}");
        assert_eq!(std::fs::read(&file).unwrap(), content);
    };
    check(&whole[..whole.len() - 1], "it ends early").await;
    check(b"file.offsets=1\n", "it is not written by Java").await;
    // What a Kafka Connect leaves behind that was killed before its first byte.
    std::fs::write(&file, b"").unwrap();
    Stores::standalone(&file).await.unwrap();
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = refused(&folder.path().join("none/offsets")).await;
    assert!(refusal.contains("none/offsets': No such file"), "{refusal}");
    let refusal = refused(folder.path()).await;
    assert!(refusal.contains("Is a directory"), "{refusal}");
}

#[tokio::test]
async fn offsets_that_cannot_be_written_are_not_taken_for_stored() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let stores = Stores::standalone(&place.join("offsets")).await.unwrap();
    std::fs::remove_dir(&place).unwrap();
    let positions = [(map("file", 1), Some(map("at", 2)))];
    let error = stores.offsets.write_maps(&name("a"), &positions).await.unwrap_err();
    assert!(error.to_string().starts_with("writing file '"), "{error}");
    assert_eq!(stores.offsets.positions(&name("a")).await.unwrap(), []);
    std::fs::create_dir(&place).unwrap();
    stores.offsets.write_maps(&name("a"), &positions).await.unwrap();
    assert_eq!(stores.offsets.positions(&name("a")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_file_keeps_its_permissions_and_a_link_leads_on_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("offsets"), folder.path().join("link"));
    std::fs::write(&file, b"").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let stores = Stores::standalone(&link).await.unwrap();
    let positions = [(map("file", 1), Some(map("at", 2)))];
    stores.offsets.write_maps(&name("a"), &positions).await.unwrap();
    assert!(link.is_symlink());
    let known = std::fs::metadata(&file).unwrap();
    assert!(known.len() > 0);
    assert_eq!(known.permissions().mode() & 0o777, 0o600);
}
