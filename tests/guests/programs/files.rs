//! Writes to the file that the setting `path` names, or reads it; a fault says what went wrong. With `do`, does what its lines say.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Seek, SeekFrom, Write};

use tombolo_guest_programs::host::types::{Fault, Settings};
use tombolo_guest_programs::rows::{self, problem};
use tombolo_guest_programs::{Behaviour, Component, bindings, state};
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

struct Guest;

/// What one line makes of itself: `ok`, what was read, or why not.
fn act(line: &str) -> String {
    done(line).unwrap_or_else(|error| format!("{:?}", error.kind()))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

fn done(line: &str) -> io::Result<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let bytes = |count: &str| vec![b'x'; number(count) as usize];
    match words.as_slice() {
        ["append", path, count] => {
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)?
                .write_all(&bytes(count))?;
        }
        ["at", path, offset, count] => {
            let mut file = fs::OpenOptions::new().write(true).open(path)?;
            file.seek(SeekFrom::Start(number(offset)))?;
            file.write_all(&bytes(count))?;
        }
        ["size", path, size] => {
            fs::OpenOptions::new().write(true).open(path)?.set_len(number(size))?;
        }
        ["mkdir", path] => fs::create_dir(path)?,
        ["link", path, new] => fs::hard_link(path, new)?,
        ["rename", path, new] => fs::rename(path, new)?,
        ["remove", path] => fs::remove_file(path)?,
        ["list", path] => return Ok(format!("{} entries", fs::read_dir(path)?.count())),
        ["open", path, count] => return Ok(kept(count, || fs::File::open(path))),
        ["streams", name, count] => {
            let directories = get_directories();
            let (how, flags) = (OpenFlags::empty(), DescriptorFlags::READ);
            // Each file's own descriptor is dropped.
            let stream = || {
                let (directory, _) = directories.first().ok_or(ErrorCode::NoEntry)?;
                directory.open_at(PathFlags::empty(), name, how, flags)?.read_via_stream(0)
            };
            return Ok(kept(count, stream));
        }
        ["ahead", name, count] => return ahead(name, count),
        ["writers", name, count] => {
            let file = in_first(name, DescriptorFlags::WRITE)?;
            return Ok(kept(count, || file.write_via_stream(0)));
        }
        ["burst", name, count] => burst(name, &bytes(count))?,
        ["listings", count] => {
            let directories = get_directories();
            let listing = || {
                let (directory, _) = directories.first().ok_or(ErrorCode::NoEntry)?;
                let listing = directory.read_directory()?;
                listing.read_directory_entry()?;
                Ok::<_, ErrorCode>(listing)
            };
            return Ok(kept(count, listing));
        }
        // What was ever read in so many tries, beside failures.
        ["read", path, times] => {
            let each = (0..number(times)).flat_map(|_| fs::read_to_string(path));
            return Ok(each.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(","));
        }
        _ => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    }
    Ok("ok".to_owned())
}

/// A file in the first directory that there is.
fn in_first(name: &str, flags: DescriptorFlags) -> io::Result<Descriptor> {
    let directories = get_directories();
    let (directory, _) = directories.first().ok_or(io::ErrorKind::NotFound)?;
    let opened = directory.open_at(PathFlags::empty(), name, OpenFlags::empty(), flags);
    opened.map_err(io::Error::other)
}

/// Streams out of one file, each of which reads ahead what nobody takes.
fn ahead(name: &str, count: &str) -> io::Result<String> {
    let file = in_first(name, DescriptorFlags::READ)?;
    let stream = || {
        let stream = file.read_via_stream(0)?;
        stream.read(64 << 10).ok();
        Ok::<_, ErrorCode>(stream)
    };
    Ok(kept(count, stream))
}

/// Writes all of it at once, without asking how much may be written.
fn burst(name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = in_first(name, DescriptorFlags::WRITE)?;
    let stream = file.write_via_stream(0).map_err(io::Error::other)?;
    stream.write(bytes).map_err(|error| io::Error::other(format!("{error:?}")))
}

/// How many of these could be had at once, of at most so many.
fn kept<T, E>(count: &str, open: impl Fn() -> Result<T, E>) -> String {
    let kept: Vec<T> = (0..number(count)).map_while(|_| open().ok()).collect();
    format!("{} at once", kept.len())
}

impl Behaviour for Guest {
    const NAME: &str = "Files";

    /// `write` is written, if it is set; the environment and the file's content make two rows to be polled.
    fn start(settings: Settings) -> Result<(), Fault> {
        let get = |name: &str| settings.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let path = get("path").unwrap_or_default();
        let failed = |error: io::Error| Fault::Config(problem(&format!("{path}: {error}")));
        if let Some(text) = get("write") {
            fs::write(&path, text).map_err(failed)?;
        }
        let content = match get("do") {
            Some(lines) => lines.lines().map(act).collect::<Vec<_>>().join("\n"),
            None => fs::read_to_string(&path).map_err(failed)?,
        };
        let environment: Vec<_> =
            std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
        let mut batch = rows::empty();
        batch.rows = 2;
        batch.topics = vec!["t".into()];
        for row in [content, environment.join(" ")] {
            batch.value.bytes.data.extend_from_slice(row.as_bytes());
            batch.value.bytes.ends.push(batch.value.bytes.data.len() as u32);
        }
        state(|state| state.put.push_back(batch));
        Ok(())
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);
