//! An import that no host offers is refused by name.

use crate::uploads::refusal;

#[tokio::test]
async fn the_import_is_named() {
    let why = refusal(tombolo_guests::FOREIGN_IMPORT).await;
    assert!(
        why.starts_with("the component imports guest:foreign/door, which plugins cannot have"),
        "{why}"
    );
}
