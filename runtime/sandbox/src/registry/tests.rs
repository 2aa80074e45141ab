//! Names and versions, without components.

use super::*;
use tombolo_model::FaultKind;
use tombolo_model::plugin::Columns;

fn registry(plugins: &[(&str, PluginKind, &str)]) -> Registry {
    let registry = Registry::default();
    for (number, (class, kind, version)) in plugins.iter().enumerate() {
        registry.add(component(&number.to_string(), class, *kind, version));
    }
    registry
}

/// A component with one plugin.
fn component(digest: &str, class: &str, kind: PluginKind, version: &str) -> InstalledComponent {
    let digest = ComponentDigest(digest.to_owned());
    let plugin = PluginInfo {
        class: class.to_owned(),
        kind,
        version: version.to_owned(),
        doc: String::new(),
        settings: vec![],
        reads: Columns::ALL,
        component: digest.clone(),
    };
    InstalledComponent {
        digest,
        plugins: vec![Arc::new(plugin)],
        imports: vec![],
        artifact: [0; 32],
        runnable: OnceCell::new(),
        bytes: None,
    }
}

#[test]
fn a_class_or_an_alias_finds_the_newest() {
    let registry = registry(&[
        ("a.FileStreamSinkConnector", PluginKind::Sink, "1.9.0"),
        ("a.FileStreamSinkConnector", PluginKind::Sink, "1.10.0"),
        ("a.FileStreamSinkConnector", PluginKind::Sink, "1.10.0-rc1"),
        ("a.JsonConverter", PluginKind::Converter, "1.0"),
    ]);
    let check = |kind, name, version, expected: Result<&str, &str>| {
        let found = registry.find(kind, name, version);
        let found = found.as_ref().map(|plugin| plugin.version.as_str());
        assert_eq!(found.map_err(|fault| fault.message.as_str()), expected, "{name} {version:?}");
    };
    for name in ["a.FileStreamSinkConnector", "FileStreamSinkConnector", "FileStreamSink"] {
        check(PluginKind::Sink, name, None, Ok("1.10.0"));
    }
    check(PluginKind::Sink, "FileStreamSink", Some("latest"), Ok("1.10.0"));
    check(PluginKind::Sink, "FileStreamSink", Some("1.9.0"), Ok("1.9.0"));
    check(PluginKind::Sink, "FileStreamSink", Some("[1.9.0]"), Ok("1.9.0"));
    check(PluginKind::Sink, "FileStreamSink", Some("[1.0,1.10.0)"), Ok("1.10.0-rc1"));
    check(PluginKind::Sink, "FileStreamSink", Some("(,1.9.0]"), Ok("1.9.0"));
    check(PluginKind::Converter, "Json", None, Ok("1.0"));
    check(
        PluginKind::Sink,
        "FileStreamSink",
        Some("2.0"),
        Err(
            "Plugin a.FileStreamSinkConnector not found that matches the version range [2.0,2.0], available versions: [1.9.0, 1.10.0-rc1, 1.10.0]",
        ),
    );
    check(PluginKind::Sink, "FileStreamSink", Some("[1.0,1.9],[1.10.0-rc1]"), Ok("1.10.0-rc1"));
    check(PluginKind::Sink, "FileStreamSink", Some("[1.0"), Err("Unbounded range: [1.0"));
    check(
        PluginKind::Sink,
        "NoSuch",
        None,
        Err(
            "Failed to find any class that implements Connector and which name matches NoSuch, available connectors are: a.FileStreamSinkConnector",
        ),
    );
    check(PluginKind::Converter, "NoSuch", None, Err("Class NoSuch could not be found."));
}

#[test]
fn an_alias_of_two_classes_is_refused() {
    let registry = registry(&[
        ("a.XConnector", PluginKind::Sink, "1"),
        ("b.XConnector", PluginKind::Sink, "1"),
    ]);
    let fault = registry.find(PluginKind::Sink, "X", None).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert_eq!(
        fault.message,
        "More than one connector matches alias X. Please use full package and class name instead. Classes found: a.XConnector, b.XConnector"
    );
    assert_eq!(
        registry.find(PluginKind::Sink, "b.XConnector", None).unwrap().class,
        "b.XConnector"
    );
}

#[test]
fn plugins_are_listed_by_kind_class_and_version() {
    let registry = registry(&[
        ("b", PluginKind::Source, "1"),
        ("a", PluginKind::Source, "1.10"),
        ("a", PluginKind::Source, "1.9"),
        ("a", PluginKind::Source, "1.10-rc"),
        ("c", PluginKind::Sink, "1"),
    ]);
    let listed = registry.list();
    let listed: Vec<_> =
        listed.iter().map(|plugin| format!("{} {}", plugin.class, plugin.version)).collect();
    assert_eq!(listed, ["c 1", "a 1.9", "a 1.10-rc", "a 1.10", "b 1"]);
}

#[test]
fn a_component_is_compared_with_the_newest_one_before_it() {
    let registry = registry(&[
        ("a", PluginKind::Sink, "1.0"),
        ("a", PluginKind::Sink, "1.2"),
        ("a", PluginKind::Sink, "2.0"),
        ("a", PluginKind::Source, "1.4"),
    ]);
    let change = |class: &str, version: &str| {
        let imports = vec!["wasi:sockets/tcp@0.2.3".to_owned()];
        let component =
            InstalledComponent { imports, ..component("new", class, PluginKind::Sink, version) };
        registry.told(&component, &Grants::default(), false).change
    };
    let changed = change("a", "1.3").unwrap();
    assert_eq!((changed.component.0.as_str(), changed.version.as_str()), ("1", "1.2"));
    assert_eq!(changed.added, [tombolo_model::capability::Capability::Network]);
    assert_eq!(change("a", "2.0").unwrap().component.0, "2");
    assert_eq!(change("a", "0.9"), None);
    assert_eq!(change("b", "1.3"), None);
}
