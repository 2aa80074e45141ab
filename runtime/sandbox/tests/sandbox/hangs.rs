//! A plugin that hangs in functions that a worker calls only where exactly once is asked for; the others are in `tests/sandbox`.

use std::sync::Arc;

use tombolo_model::ConnectorName;
use tombolo_model::plugin::PluginKind;
use tombolo_model::role::{ConnectorContext, NoOffsets, Plugins as _};

use crate::support::{Fixture, breach, quick, settings};

#[tokio::test]
async fn questions_about_exactly_once_end_as_well() {
    let fixture = Fixture::new(tombolo_guests::HANGS).await;
    let (plugin, name) = (fixture.plugin(PluginKind::Source), ConnectorName::new("c"));
    for way in ["loop", "recursion", "sleep", "trap", "huge return", "exit"] {
        for place in ["exactly-once-support", "can-define-transaction-boundaries"] {
            let limits = quick();
            let offsets = Arc::new(NoOffsets);
            let context = ConnectorContext {
                limits,
                meters: Arc::default(),
                egress: Default::default(),
                offsets,
            };
            let mut connector = fixture.sandbox.connector(&name, &plugin, context).await.unwrap();
            let at = format!("source-connector.{place}");
            let hangs = settings(&[("hang.at", &at), ("hang.how", way)]);
            let fault = match place {
                "exactly-once-support" => connector.exactly_once_support(&hangs).await.unwrap_err(),
                _ => connector.can_define_transaction_boundaries(&hangs).await.unwrap_err(),
            };
            breach(&fault);
        }
    }
}
