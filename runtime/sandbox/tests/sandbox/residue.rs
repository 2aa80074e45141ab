//! Nothing that one plugin wrote is left in the memory of the next.

use tombolo_model::policy::Limits;

use crate::support::{Fixture, rows};

/// More than twice as many instances as there are slots.
const INSTANCES: usize = 10_000;

#[tokio::test]
async fn memory_is_empty_whoever_had_it_before() {
    let fixture = Fixture::new(tombolo_guests::RESIDUE).await;
    for _ in 0..INSTANCES / 2 {
        for what in ["plant", "look"] {
            let mut sink = fixture.sink(Limits::default(), &[("residue", what)]).await;
            sink.put(&mut rows(&[("k", "v")]), None).await.unwrap();
        }
    }
}
