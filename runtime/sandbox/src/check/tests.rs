//! Names, without components; whole components are refused in `tests/sandbox`.

use super::*;

#[test]
fn interfaces_of_wasi_0_2_and_ours_may_be_imported() {
    let check = |name: &str, may: bool| assert_eq!(may_import(name).is_ok(), may, "{name}");
    check("wasi:io/streams@0.2.0", true);
    check("wasi:io/streams@0.2.9", true);
    check("wasi:sockets/tcp@0.2.3", true);
    check("tombolo:connect/log@0.1.0", true);
    check("wasi:io/streams@0.3.0", false);
    check("wasi:io/streams", false);
    check("wasi:http/incoming-handler@0.2.3", false);
    check("wasi:nn/inference@0.2.0", false);
    check("tombolo:connect/log@0.2.0", false);
    check("tombolo:connect/sink@0.1.0", false);
    check("env", false);
}

#[test]
fn exports_decide_the_kinds() {
    let check = |exports: &[&str], expected: Result<&[PluginKind], &str>| {
        let exports = exports.iter().map(|name| format!("tombolo:connect/{name}@0.1.0")).collect();
        let checked = exports_of(Found { exports, ..Found::default() });
        match (checked, expected) {
            (Ok(checked), Ok(kinds)) => assert_eq!(checked.kinds, kinds),
            (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{why}"),
            (found, expected) => panic!("{found:?} {expected:?}"),
        }
    };
    check(&["catalog", "connector", "sink"], Ok(&[PluginKind::Sink]));
    check(&["catalog", "converter"], Ok(&[PluginKind::Converter]));
    check(&["sink"], Err("the component does not export tombolo:connect/catalog@0.1; it exports"));
    check(&["catalog"], Err("the component exports no plugin interface; it exports"));
    check(&["catalog", "source"], Err("the component does not export tombolo:connect/connector"));
}

#[test]
fn limits_name_what_and_how_many() {
    let Err(Wrong::Refused(why)) = limit("core modules", 101, 100) else { panic!() };
    assert_eq!(why, "the component has 101 core modules; at most 100 are allowed");
    assert!(limit("core modules", 100, 100).is_ok());
}
