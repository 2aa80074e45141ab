//! A plugin that ends its program ends its instance alone.

use tombolo_model::Breach;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows};

#[tokio::test]
async fn it_is_told_with_its_code() {
    let fixture = Fixture::new(tombolo_guests::EXITS).await;
    let mut sink = fixture.sink(Limits::default(), &[]).await;
    let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Exit);
}
