//! Providers read what they may, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

fn settings(lines: &[(&str, &str)]) -> Settings {
    lines.iter().copied().collect()
}

/// What a configuration of a connector with this value becomes.
fn resolved(worker: &Settings, value: &str) -> Result<String, String> {
    let providers = resolve(worker).unwrap().providers;
    let resolved = providers.resolve(&settings(&[("a", value)]))?;
    Ok(resolved.settings.get("a").unwrap().to_owned())
}

fn provider_of(class: &str, parameter: (&str, &str)) -> Settings {
    let mut worker = settings(&[("config.providers", "p"), ("config.providers.p.class", class)]);
    worker.insert(format!("config.providers.p.param.{}", parameter.0), parameter.1);
    worker
}

#[test]
fn a_file_of_properties_gives_what_it_has_where_it_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("inside/a"), "user=me \npassword=s\\u00e9cret\n").unwrap();
    fs::write(file("outside"), "user=root").unwrap();
    fs::write(file("inside/binary"), [0xff, 0xfe]).unwrap();
    symlink(file("outside"), file("inside/link")).unwrap();
    symlink(file("inside/a"), file("inside/good-link")).unwrap();
    let worker = provider_of("FileConfigProvider", (ALLOWED_PATHS, inside.to_str().unwrap()));
    let get = |path: &Path, key: &str| {
        let reference = format!("<${{p:{}:{key}}}>", path.display());
        (resolved(&worker, &reference), Ok(reference))
    };
    let gives = |path: &str, key: &str, expected: &str| {
        assert_eq!(get(&file(path), key).0.unwrap(), format!("<{expected}>"));
    };
    gives("inside/a", "user", "me ");
    gives("inside/../inside/a", "password", "sécret");
    gives("inside/good-link", "user", "me ");
    // What is not there, or not allowed, leaves the reference as it is.
    for (path, key) in [
        ("inside/a", "other"),
        ("outside", "user"),
        ("inside/../outside", "user"),
        ("inside/link", "user"),
    ] {
        let (found, reference) = get(&file(path), key);
        assert_eq!(found, reference, "{path}");
    }
    for broken in ["inside/missing", "inside/binary", "inside"] {
        let path = file(broken);
        let expected = format!("Could not read properties from file {}", path.display());
        assert_eq!(get(&path, "a").0.unwrap_err(), expected);
    }
}

#[test]
fn a_file_that_is_too_large_or_endless_is_not_read() {
    let worker = provider_of("FileConfigProvider", (ALLOWED_PATHS, "/"));
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large");
    let content = "x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1);
    fs::write(&large, content).unwrap();
    for path in [large.to_str().unwrap(), "/dev/zero"] {
        let error = resolved(&worker, &format!("${{p:{path}:a}}")).unwrap_err();
        assert_eq!(error, format!("Could not read properties from file {path}"));
    }
}

#[test]
fn a_folder_gives_the_content_of_the_files_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir_all(inside.join("deeper")).unwrap();
    fs::write(inside.join("key"), "value\n").unwrap();
    fs::write(folder.path().join("outside"), "secret").unwrap();
    symlink(folder.path().join("outside"), inside.join("link")).unwrap();
    // As Kubernetes lays out secrets.
    fs::create_dir(inside.join("..1")).unwrap();
    fs::write(inside.join("..1/mounted"), "m").unwrap();
    symlink("..1/mounted", inside.join("mounted")).unwrap();
    let worker = provider_of(
        "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
        (ALLOWED_PATHS, inside.to_str().unwrap()),
    );
    let get = |folder: &Path, key: &str| {
        let reference = format!("${{p:{}:{key}}}", folder.display());
        let found = resolved(&worker, &reference).unwrap();
        (found != reference).then_some(found)
    };
    assert_eq!(get(&inside, "key").as_deref(), Some("value\n"));
    assert_eq!(get(&inside, "mounted").as_deref(), Some("m"));
    for key in ["missing", "deeper", "link", "../outside", "..", ".", "./key"] {
        assert_eq!(get(&inside, key), None, "{key}");
    }
    assert_eq!(get(folder.path(), "outside"), None);
    assert_eq!(get(&inside.join("key"), "key"), None, "not a folder");
}

#[test]
fn the_environment_gives_the_variables_that_match() {
    let all = || [("DB_USER", "me"), ("DB_USER_2", "you"), ("PATH", "/bin")].into_iter();
    let all = || all().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = Environment::of(all(), Some("DB_[A-Z]+")).unwrap();
    let keys = ["DB_USER", "DB_USER_2", "PATH"].into();
    let found = environment.get("", &keys).unwrap();
    assert_eq!(found, [("DB_USER".to_owned(), "me".to_owned())].into());
    assert_eq!(Environment::of(all(), None).unwrap().get("", &keys).unwrap().len(), 3);
    assert_eq!(
        environment.get("x", &keys).unwrap_err(),
        "Path is not supported for EnvVarConfigProvider, invalid value 'x'"
    );
    let worker = provider_of("EnvVarConfigProvider", (ALLOWLIST_PATTERN, "PA.*"));
    assert_eq!(resolved(&worker, "${p:HOME}").unwrap(), "${p:HOME}");
    assert!(!resolved(&worker, "${p:PATH}").unwrap().contains("${p:PATH}"));
}

#[test]
fn without_a_list_the_worker_file_alone_may_refer_to_a_provider() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    fs::write(&file, "key=from the file").unwrap();
    let reference = format!("${{p:{}:key}}", file.display());
    let mut worker = settings(&[
        ("config.providers", " p ,e"),
        ("config.providers.p.class", "FileConfigProvider"),
        ("config.providers.e.class", "EnvVarConfigProvider"),
    ]);
    worker.insert("bootstrap.servers", reference.as_str());
    let Provided { settings: own, providers } = resolve(&worker).unwrap();
    assert_eq!(own.get("bootstrap.servers"), Some("from the file"));
    for (value, setting) in [
        (reference.as_str(), "config.providers.p.param.allowed.paths"),
        ("${e:PATH}", "config.providers.e.param.allowlist.pattern"),
    ] {
        let error = providers.resolve(&settings(&[("a", value)])).unwrap_err();
        assert!(error.contains(setting), "{error}");
    }
    // What the worker knows is hidden in what its connectors say.
    let plain = providers.resolve(&Settings::default()).unwrap();
    assert_eq!(plain.settings.secrets().hide("it was from the file"), "it was [hidden]");
}

#[test]
fn a_provider_that_cannot_be_is_named_by_its_setting() {
    let check = |worker: Settings, expected: &str| {
        let error = resolve(&worker).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        settings(&[("config.providers", "p")]),
        "Missing required configuration \"config.providers.p.class\" which has no default value.",
    );
    check(
        provider_of("com.acme.Vault", ("x", "y")),
        "Invalid value com.acme.Vault for configuration config.providers.p.class: expected FileConfigProvider, ",
    );
    let paths = "for configuration config.providers.p.param.allowed.paths: Path";
    check(
        provider_of("FileConfigProvider", (ALLOWED_PATHS, "relative")),
        &format!("Invalid value relative {paths} relative is not absolute"),
    );
    check(
        provider_of("DirectoryConfigProvider", (ALLOWED_PATHS, "/no/such")),
        &format!("Invalid value /no/such {paths} /no/such does not exist"),
    );
    check(
        provider_of("EnvVarConfigProvider", (ALLOWLIST_PATTERN, "(")),
        "Invalid value ( for configuration config.providers.p.param.allowlist.pattern: Invalid regex: ",
    );
}
