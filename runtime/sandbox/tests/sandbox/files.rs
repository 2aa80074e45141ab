//! A plugin sees the directories that the operator offers, and nothing else of the file system.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tombolo_model::FaultKind;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{Grants, Limits};

use crate::support::{Fixture, POLL, settings};

/// What the plugin read at a path, and its environment; or why it could not.
async fn read(
    fixture: &Fixture,
    path: &str,
    write: Option<&str>,
) -> Result<(String, String), String> {
    let mut task = fixture.task(Limits::default()).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    let mut pairs = vec![("path", path)];
    pairs.extend(write.map(|text| ("write", text)));
    if let Err(fault) = source.start(&settings(&pairs)).await {
        assert_eq!(fault.kind, FaultKind::Config, "{fault}");
        return Err(fault.message);
    }
    let polled = source.poll(POLL).await.unwrap();
    let text =
        |row| String::from_utf8(polled.records.value.bytes.get(row).unwrap().to_vec()).unwrap();
    Ok((text(0), text(1)))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn files_below_a_root_can_be_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("below")).unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    symlink(folder.path().join("secret"), root.join("link")).unwrap();
    symlink(folder.path(), root.join("up")).unwrap();
    symlink(&root, folder.path().join("alias")).unwrap();
    let grants = Grants {
        file_roots: vec![folder.path().join("alias")],
        working_directory: Some(root.join("below")),
        standard_streams: false,
    };
    let fixture = Fixture::with(tombolo_guests::FILES, grants).await;

    let inside = root.join("below/file");
    let (content, environment) = read(&fixture, text(&inside), Some("written")).await.unwrap();
    assert_eq!((content.as_str(), environment.as_str()), ("written", ""));
    assert_eq!(fs::read_to_string(&inside).unwrap(), "written");
    assert_eq!(
        read(&fixture, "file", None).await.unwrap().0,
        "written",
        "in the working directory"
    );
    let alias = folder.path().join("alias/below/file");
    assert_eq!(read(&fixture, text(&alias), None).await.unwrap().0, "written");

    for outside in [
        folder.path().join("secret"),
        root.join("../secret"),
        root.join("below/../../secret"),
        root.join("link"),
        root.join("up/secret"),
        Path::new("/etc/hostname").to_owned(),
        Path::new("../../secret").to_owned(),
    ] {
        let refused = read(&fixture, text(&outside), None).await;
        assert!(refused.is_err(), "{}: {refused:?}", outside.display());
        let refused = read(&fixture, text(&outside), Some("overwritten")).await;
        assert!(refused.is_err(), "{}: {refused:?}", outside.display());
    }
    assert_eq!(fs::read_to_string(folder.path().join("secret")).unwrap(), "secret");
}

#[tokio::test]
async fn without_a_grant_there_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "secret").unwrap();
    let grants = Grants { working_directory: Some(folder.path().to_owned()), ..Grants::default() };
    let fixture = Fixture::with(tombolo_guests::FILES, grants).await;
    assert!(read(&fixture, text(&folder.path().join("file")), None).await.is_err());
    assert!(read(&fixture, "file", None).await.is_err(), "no root offers the working directory");
}

#[tokio::test]
async fn granted_standard_streams_are_told_to_the_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let grants = Grants {
        file_roots: vec![folder.path().to_owned()],
        working_directory: None,
        standard_streams: true,
    };
    let fixture = Fixture::with(tombolo_guests::FILES, grants).await;
    let path = folder.path().join("file");
    let (_, environment) = read(&fixture, text(&path), Some("x")).await.unwrap();
    assert_eq!(environment, "TOMBOLO_STANDARD_STREAMS=granted");
}
