//! A component built with the SDK, as a stranger might upload one. How it runs, the program's tests say.

use tombolo_model::plugin::PluginKind;

use crate::support::Fixture;

#[tokio::test]
async fn it_is_a_source_and_a_sink() {
    let fixture = Fixture::new(tombolo_guests::PIPE).await;
    for kind in [PluginKind::Source, PluginKind::Sink] {
        assert!(!fixture.plugin(kind).settings.is_empty());
    }
}
