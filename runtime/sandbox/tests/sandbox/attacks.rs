//! Attacks on the host whose words matter; all of them are carried out through a worker (`tests/sandbox`).

use tombolo_model::Breach;

use crate::support::{Fixture, POLL, breach};

async fn attacked(attack: &str) -> (Breach, String) {
    let fixture = Fixture::new(tombolo_guests::ATTACKS).await;
    let mut source = fixture.source(&[("attack", attack)]).await;
    let fault = source.poll(POLL).await.unwrap_err();
    let (kind, message) = breach(&fault);
    (kind, message.to_owned())
}

#[tokio::test]
async fn more_handles_than_there_may_be_are_told_as_such() {
    // In the host's table, and in the plugin's own.
    for attack in ["a flood of resources", "100,000 waits at once"] {
        let (kind, message) = attacked(attack).await;
        assert_eq!(
            (kind, message.as_str()),
            (Breach::HostCalls, "the plugin holds more than 1024 handles"),
            "{attack}"
        );
    }
}

#[tokio::test]
async fn a_write_beyond_what_was_allowed_ends_the_call() {
    let (_, message) = attacked("a write past its budget").await;
    assert!(message.contains("a write of 16777216 bytes, of 65536 allowed"), "{message}");
}
