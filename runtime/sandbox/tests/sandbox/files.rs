//! A plugin sees the directories that the operator offers, and nothing else of the file system.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use tombolo_model::FaultKind;
use tombolo_model::meters::Meters;
use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::{CompileLimits, FileRoot, Grants, Limits};
use tombolo_sandbox::{Compiler, Sandbox, SandboxOptions};

use crate::support::{Fixture, POLL, breach, settings};

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
        file_roots: vec![FileRoot::new(folder.path().join("alias"))],
        working_directory: Some(root.join("below")),
        ..Grants::default()
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
        file_roots: vec![FileRoot::new(folder.path())],
        standard_streams: true,
        ..Grants::default()
    };
    let fixture = Fixture::with(tombolo_guests::FILES, grants).await;
    let path = folder.path().join("file");
    let (_, environment) = read(&fixture, text(&path), Some("x")).await.unwrap();
    assert_eq!(environment, "TOMBOLO_STANDARD_STREAMS=granted");
}

/// What comes of each line that the plugin is told to do.
async fn act(fixture: &Fixture, lines: &[String]) -> Vec<String> {
    let mut task = fixture.task(Limits::default()).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    source.start(&settings(&[("do", &lines.join("\n"))])).await.unwrap();
    let polled = source.poll(POLL).await.unwrap();
    let text = String::from_utf8(polled.records.value.bytes.get(0).unwrap().to_vec()).unwrap();
    text.split('\n').map(str::to_owned).collect()
}

/// Why there is no sandbox with these grants.
fn refused(grants: Grants) -> String {
    let cache = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: cache.path().to_owned(),
        grants,
        ceiling: Limits::default(),
        compiler: Compiler::Here,
        compile_limits: CompileLimits::default(),
    });
    sandbox.err().unwrap().to_string()
}

async fn offering(roots: Vec<FileRoot>) -> Fixture {
    Fixture::with(tombolo_guests::FILES, Grants { file_roots: roots, ..Grants::default() }).await
}

#[tokio::test]
async fn what_is_offered_for_reading_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (closed, open) = (folder.path().join("closed"), folder.path().join("open"));
    fs::create_dir_all(&closed).unwrap();
    fs::create_dir_all(&open).unwrap();
    fs::write(closed.join("file"), "kept").unwrap();
    fs::write(open.join("file"), "x").unwrap();
    let fixture = offering(vec![
        FileRoot { is_read_only: true, ..FileRoot::new(&closed) },
        FileRoot::new(&open),
    ])
    .await;
    let [closed, open] = [text(&closed), text(&open)];
    let lines = [
        format!("read {closed}/file 1"),
        format!("list {closed}"),
        format!("append {closed}/file 1"),
        format!("append {closed}/new 1"),
        format!("at {closed}/file 0 1"),
        format!("size {closed}/file 0"),
        format!("mkdir {closed}/below"),
        format!("link {closed}/file {open}/linked"),
        format!("link {open}/file {closed}/linked"),
        format!("rename {closed}/file {open}/moved"),
        format!("rename {open}/file {closed}/moved"),
        format!("remove {closed}/file"),
        format!("append {open}/file 1"),
    ];
    let outcome = act(&fixture, &lines).await;
    assert_eq!((outcome[0].as_str(), outcome[1].as_str()), ("kept", "1 entries"));
    for (line, outcome) in lines.iter().zip(&outcome).skip(2).take(10) {
        assert_ne!(outcome, "ok", "{line}");
    }
    assert_eq!(outcome[12], "ok");
    assert_eq!(fs::read_to_string(folder.path().join("closed/file")).unwrap(), "kept");
    assert_eq!(fs::read_dir(folder.path().join("closed")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_holds_no_more_than_it_may_however_it_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let (limited, other) = (folder.path().join("limited"), folder.path().join("other"));
    fs::create_dir_all(&limited).unwrap();
    fs::create_dir_all(&other).unwrap();
    fs::write(limited.join("there"), [0; 10_000]).unwrap();
    fs::write(other.join("big"), [0; 90_000]).unwrap();
    // An entry counts 4,096 bytes beside its content: 14,096 are there.
    let fixture = offering(vec![
        FileRoot { bytes_max: Some(64_000), ..FileRoot::new(&limited) },
        FileRoot::new(&other),
    ])
    .await;
    let [at, other] = [text(&limited), text(&other)];
    let lines = [
        format!("append {at}/a 20000"),
        format!("append {at}/a 30000"),
        format!("size {at}/a 1000000"),
        format!("at {at}/a 1000000 1"),
        format!("at {at}/there 0 10000"),
        format!("rename {other}/big {at}/big"),
        format!("link {other}/big {at}/big"),
        format!("append {other}/big 100000"),
    ];
    let outcome = act(&fixture, &lines).await;
    // Of what goes wrong with a stream, the C library says no more than that it did.
    let (full, failed, apart) = ("StorageFull", "Uncategorized", "CrossesDevices");
    assert_eq!(outcome, ["ok", failed, full, failed, "ok", apart, apart, "ok"]);
    assert!(fs::metadata(limited.join("a")).unwrap().len() <= 64_000 - 14_096 - 4_096);

    // What another task of the same worker does counts in the same sum, and empty entries count too.
    let many: Vec<String> = (0..20).map(|n| format!("mkdir {at}/{n}")).collect();
    let outcome = act(&fixture, &many).await;
    let made = outcome.iter().filter(|outcome| *outcome == "ok").count();
    assert!(made < 12 && outcome.last().unwrap() == full, "{outcome:?}");
    let held: u64 = fs::read_dir(&limited)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap())
        .map(|entry| 4_096 + if entry.is_file() { entry.len() } else { 0 })
        .sum();
    assert!(held <= 64_000, "{held}");

    // Once something is gone, there is room again.
    let outcome = act(&fixture, &[format!("remove {at}/a"), format!("remove {at}/there")]).await;
    assert_eq!(outcome, ["ok", "ok"]);
    let again = [format!("append {at}/b 5000")];
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while act(&fixture, &again).await != ["ok"] {
        assert!(std::time::Instant::now() < deadline, "it is measured anew after a second");
    }
}

#[tokio::test]
async fn a_plugin_has_only_so_many_files_open_however_it_keeps_them_open() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let fixture = offering(vec![FileRoot::new(folder.path())]).await;
    let at = text(folder.path());
    let lines = [
        format!("open {at}/file 64"),
        format!("open {at}/file 100"),
        "streams file 100".to_owned(),
        "listings 100".to_owned(),
        format!("read {at}/file 200"),
        format!("list {at}"),
    ];
    let most = "64 at once";
    assert_eq!(act(&fixture, &lines).await, [most, most, most, most, "x", "1 entries"]);
}

#[tokio::test]
async fn what_streams_have_on_the_way_counts_and_there_are_only_so_many_of_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), [0; 100_000]).unwrap();
    let fixture = offering(vec![FileRoot::new(folder.path())]).await;
    // All of one file, and gone before the next line.
    let lines = ["ahead file 1000", "writers file 1000", "ahead file 64"].map(str::to_owned);
    assert_eq!(act(&fixture, &lines).await, ["64 at once"; 3]);

    let peak = async |streams: &str| {
        let meters = Arc::new(Meters::default());
        let mut task = fixture.metered_task(Limits::default(), &meters).await;
        let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
        source.start(&settings(&[("do", streams)])).await.unwrap();
        meters.read().memory_peak
    };
    for kind in ["ahead", "writers"] {
        let one = peak(&format!("{kind} file 1")).await;
        let more = peak(&format!("{kind} file 64")).await - one;
        // A little less than 63 times 64 KiB, where the plugin's own memory makes the difference.
        assert!((60 * (64 << 10)..6 << 20).contains(&more), "{more} bytes for 63 {kind}");
    }
}

#[tokio::test]
async fn a_write_into_a_file_beyond_what_was_allowed_ends_the_call() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let fixture = offering(vec![FileRoot::new(folder.path())]).await;
    assert_eq!(act(&fixture, &["burst file 65536".to_owned()]).await, ["ok"]);
    let mut task = fixture.task(Limits::default()).await;
    let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
    let fault = source.start(&settings(&[("do", "burst file 65537")])).await.unwrap_err();
    let (_, message) = breach(&fault);
    assert!(message.contains("a write of 65537 bytes, of 65536 allowed"), "{message}");
}

#[tokio::test]
async fn a_large_directory_is_listed_to_its_end_in_little_memory_that_counts() {
    let folder = tempfile::tempdir().unwrap();
    let name = "n".repeat(200);
    for number in 0..3_000 {
        fs::write(folder.path().join(format!("{number}-{name}")), "").unwrap();
    }
    let fixture = offering(vec![FileRoot::new(folder.path())]).await;
    let listed = [format!("list {}", text(folder.path())), "listings 1".to_owned()];
    assert_eq!(act(&fixture, &listed).await, ["3000 entries", "1 at once"]);

    let peak = async |listings: u32| {
        let meters = Arc::new(Meters::default());
        let mut task = fixture.metered_task(Limits::default(), &meters).await;
        let mut source = task.source(&fixture.plugin(PluginKind::Source)).await.unwrap();
        let lines = format!("listings {listings}");
        source.start(&settings(&[("do", &lines)])).await.unwrap();
        meters.read().memory_peak
    };
    // All names have 600 KiB: sixteen listings at once would be more than 9 MiB.
    let (one, many) = (peak(1).await, peak(17).await);
    let more = many - one;
    assert!((16 * (96 << 10)..4 << 20).contains(&more), "{more} bytes for sixteen listings");
}

#[tokio::test]
async fn directories_in_one_another_are_offered_alike_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    let below = FileRoot::new(folder.path().join("below"));
    let above = FileRoot::new(folder.path());
    Fixture::with(
        tombolo_guests::FILES,
        Grants { file_roots: vec![above.clone(), below.clone()], ..Grants::default() },
    )
    .await;
    for other in [
        FileRoot { is_read_only: true, ..below.clone() },
        FileRoot { bytes_max: Some(1), ..below.clone() },
    ] {
        for file_roots in [vec![above.clone(), other.clone()], vec![other.clone(), above.clone()]] {
            let grants = Grants { file_roots, ..Grants::default() };
            let error = refused(grants);
            assert!(error.contains("lie one in the other"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_link_that_is_swapped_all_the_time_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("inside")).unwrap();
    fs::create_dir_all(folder.path().join("outside")).unwrap();
    fs::write(root.join("inside/file"), "mine").unwrap();
    fs::write(folder.path().join("outside/file"), "secret").unwrap();
    symlink("inside", root.join("swapped")).unwrap();
    symlink("../outside", root.join("out")).unwrap();
    let fixture = offering(vec![FileRoot::new(&root)]).await;
    let at = text(&root).to_owned();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (until, root) = (std::sync::Arc::clone(&stop), root.clone());
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0;
        while !until.load(std::sync::atomic::Ordering::Relaxed) || swaps < 2 {
            for target in ["../outside", "inside"] {
                symlink(target, root.join("next")).unwrap();
                fs::rename(root.join("next"), root.join("swapped")).unwrap();
                swaps += 1;
            }
        }
        swaps
    });
    let read = ["swapped/file", "swapped//file", "out/file", "out//file/", "out/../out/file"];
    let mut lines: Vec<String> = read.map(|path| format!("read {at}/{path} 2000")).into();
    lines.extend(["out/", "swapped/../out/", "out/."].map(|path| format!("list {at}/{path}")));
    let outcome = act(&fixture, &lines).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(swapper.join().unwrap() > 1);
    for (line, outcome) in lines.iter().zip(&outcome) {
        assert!(!outcome.contains("secret") && !outcome.ends_with("entries"), "{line}: {outcome}");
    }
    assert!(outcome.iter().any(|outcome| outcome == "mine"), "{outcome:?}");
}
