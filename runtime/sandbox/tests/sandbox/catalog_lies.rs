//! A catalog that cannot be is refused when the component is uploaded.

use crate::uploads::refusal;

#[tokio::test]
async fn a_class_listed_twice_is_named() {
    let why = refusal(tombolo_guests::CATALOG_LIES).await;
    assert_eq!(why, "its catalog lists guest.Twice twice as a sink");
}
