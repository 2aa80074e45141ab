//! Nothing that one plugin left is in what the next one has: memories, tables, globals.

use tombolo_guests::remains::{Already, looking};
use tombolo_model::policy::{Grants, Limits};
use tombolo_model::role::Plugins as _;

use crate::support::{Fixture, rows, sandbox};

/// Each gets the slots of the one before, which are the first free ones.
const INSTANCES: usize = 10_000;

#[tokio::test]
async fn memories_tables_and_globals_are_empty_whoever_had_them_before() {
    let fixture = Fixture::new(&looking(Already::Nothing)).await;
    for _ in 0..INSTANCES / 2 {
        for what in ["plant", "look"] {
            let mut sink = fixture.sink(Limits::default(), &[("residue", what)]).await;
            sink.put(&mut rows(&[("k", "v")]), None).await.unwrap();
        }
    }
    println!("residue: none in {INSTANCES} instances, one after the other in the same slots");
}

/// The test above would not notice anything if its guest did not look.
#[tokio::test]
async fn what_is_there_already_is_noticed() {
    for already in [Already::Element, Already::Bytes, Already::Number] {
        let cache = tempfile::tempdir().unwrap();
        let sandbox = sandbox(&cache, Grants::default());
        let refused = sandbox.install(looking(already)).await.unwrap_err();
        assert!(format!("{refused:?}").contains("unreachable"), "{already:?}: {refused:?}");
    }
}
