//! A component built with the SDK that tells how long rows take. How it runs beside attackers, `tests/sandbox` says.

use crate::support::{Fixture, POLL};

#[tokio::test]
async fn it_is_a_source_as_fast_as_it_is_asked() {
    let fixture = Fixture::new(tombolo_guests::PULSE).await;
    let mut source = fixture.source(&[("topic", "t")]).await;
    assert_eq!(source.poll(POLL).await.unwrap().records.rows, 500);
}
