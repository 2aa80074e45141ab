//! What is not a good component is refused, with what and where.

use tokio::runtime::{Builder, Runtime};
use tombolo_guests::modules::{memories, started, with_modules};
use tombolo_model::role::{InstallRefused, Plugins};
use tombolo_sandbox::COMPONENT_BYTES_MAX;

use crate::support::sandbox;
use tombolo_model::policy::Grants;

pub(crate) async fn refusal(component: &[u8]) -> String {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&cache, Grants::default());
    let refused = sandbox.install(component.to_vec()).await.unwrap_err();
    assert!(sandbox.list().is_empty());
    match refused {
        InstallRefused::Invalid(why) => why,
        InstallRefused::Failed(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_is_no_component_is_told_by_its_first_bytes() {
    let check = async |bytes: &[u8], expected: &str| {
        let why = refusal(bytes).await;
        assert!(why.starts_with(expected), "{why}");
    };
    check(b"", "a component was expected, this is nothing").await;
    check(b"\0asm\x01\0\0\0", "a component was expected, this is a core WebAssembly module").await;
    check(b"\x7fELF\x02", "a component was expected, this is an ELF file").await;
    check(b"(component)", "a component was expected, this is WebAssembly text").await;
    check(b"PK\x03\x04", "a component was expected, this is not WebAssembly").await;
    check(b"\0asm\x0d\0\x01\0\xff", "the component is not valid: ").await;
    check(
        b"\0asm\x0d\0\x01\0",
        "the component does not export tombolo:connect/catalog@0.1; it exports nothing",
    )
    .await;
}

#[tokio::test]
async fn a_broken_component_is_told_where() {
    let mut broken = tombolo_guests::ECHO.to_vec();
    let middle = broken.len() / 2;
    broken.truncate(middle);
    let why = refusal(&broken).await;
    assert!(why.starts_with("the component is not valid: "), "{why}");
    assert!(why.contains(" at byte 0x"), "{why}");
}

#[tokio::test]
async fn one_that_is_too_large_is_refused_unread() {
    let why = refusal(&vec![0; COMPONENT_BYTES_MAX + 1]).await;
    assert_eq!(why, "the component has 67108865 bytes; at most 67108864 are allowed");
}

/// The guest `echo` with so many memories more than its own.
fn with_memories(more: usize) -> Vec<u8> {
    let module = || started(|module| memories(module, &[1]), |_| (), |_| ());
    let modules: Vec<_> = std::iter::repeat_with(module).take(more).collect();
    with_modules(tombolo_guests::ECHO.to_vec(), &modules)
}

#[tokio::test]
async fn one_that_takes_more_of_the_pool_than_a_component_may_is_told_so() {
    let cache = tempfile::tempdir().unwrap();
    sandbox(&cache, Grants::default()).install(with_memories(3)).await.unwrap();
    let why = refusal(&with_memories(4)).await;
    assert!(why.starts_with("the component needs more than a sandbox has: "), "{why}");
    assert!(why.contains("5 Wasm linear memories"), "{why}");
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_component_is_asked_for_its_catalog_where_guests_run() {
    let cache = tempfile::tempdir().unwrap();
    let (main, guests, ended) = (runtime(), runtime(), runtime());
    let install = async |on| {
        let sandbox = sandbox(&cache, Grants::default());
        sandbox.ask_catalogs_on(on);
        sandbox.install(tombolo_guests::ECHO.to_vec()).await
    };
    let on = ended.handle().clone();
    drop(ended);
    let refused = main.block_on(install(on)).unwrap_err();
    assert!(matches!(refused, InstallRefused::Failed(_)), "nobody is left to ask it: {refused}");
    main.block_on(install(guests.handle().clone())).unwrap();
}
