//! What is not a good component is refused, with what and where.

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
