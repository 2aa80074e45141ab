//! What a plugin says of its settings passes, for the worker to hide: here only its log is hidden, of which the worker sees nothing.

use tombolo_model::Secrets;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::Plugins as _;

use crate::support::{Fixture, settings};

#[tokio::test]
async fn a_plugin_is_given_what_its_settings_hide() {
    let fixture = Fixture::new(tombolo_guests::TELLS).await;
    let secrets = Secrets::new(["hunter2"]);
    let given = settings(&[("password", "hunter2"), ("told", ""), ("fail", "start")]);
    let given = given.hiding(&secrets);
    let mut task = fixture.task(Limits::default()).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    let fault = source.start(&given).await.unwrap_err();
    assert!(fault.message.contains("password is hunter2"), "{fault}");
    let hidden = secrets.hide_in(fault);
    assert!(hidden.status_trace().contains("trace: fail is start, password is [hidden]"));
    let source = fixture.plugin(PluginKind::Source);
    let refused = settings(&[("password", "hunter2"), ("refused", "")]);
    let states = fixture.sandbox.validate(&source, &refused).await.unwrap();
    assert_eq!(states.len(), 3);
}
