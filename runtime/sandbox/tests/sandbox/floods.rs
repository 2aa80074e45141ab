//! A plugin that calls its host without end is ended, whichever interface it calls.

use tombolo_model::Breach;
use tombolo_model::policy::Limits;

use crate::support::{Fixture, breach, rows};

#[tokio::test]
async fn it_is_ended_long_before_its_deadline() {
    let fixture = Fixture::new(tombolo_guests::FLOODS).await;
    for flood in ["log", "metrics", "offsets", "schemas"] {
        let mut sink = fixture.sink(Limits::default(), &[("flood", flood)]).await;
        let fault = sink.put(&mut rows(&[("k", "v")]), None).await.unwrap_err();
        assert_eq!(
            breach(&fault),
            (
                Breach::HostCalls,
                "the plugin made more than 100000 calls of the host in one call of the plugin"
            ),
            "{flood}"
        );
        let metrics = fixture.sandbox.metrics();
        assert!(metrics.get("c-0").is_none_or(|metrics| metrics.len() <= 100), "{flood}");
    }
}
