//! Has the host keep what it read of a file, or what it is to write into one: in the first directory that there is.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, ErrorCode, OpenFlags, PathFlags};

use crate::{Answer, tell};

/// As much as a stream reads ahead.
const AHEAD: usize = 64 << 10;

pub(crate) fn attack(name: &str) -> Option<Answer> {
    Some(match name {
        "streams that read ahead" => streams(),
        "a write of 1 MiB into a file" => burst(),
        _ => return None,
    })
}

/// A file of one's own.
fn open(name: &str) -> Result<Descriptor, ErrorCode> {
    let directories = get_directories();
    let (directory, _) = directories.first().ok_or(ErrorCode::NoEntry)?;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    directory.open_at(PathFlags::empty(), name, OpenFlags::CREATE, flags)
}

/// As many as there may be out of one file; nobody takes what they read.
fn streams() -> Answer {
    let Ok(file) = open("ahead") else { return tell("there is no file") };
    if file.write(&vec![0_u8; AHEAD], 0).is_err() {
        return tell("nothing is written");
    }
    let mut kept = Vec::new();
    while let Ok(stream) = file.read_via_stream(0) {
        if stream.read(AHEAD as u64).is_err() {
            return tell("a stream reads nothing");
        }
        kept.push(stream);
    }
    tell(format!("{} streams at once", kept.len()))
}

/// Without asking how much may be written.
fn burst() -> Answer {
    let Ok(file) = open("burst") else { return tell("there is no file") };
    let Ok(stream) = file.write_via_stream(0) else { return tell("there is no stream") };
    let written = stream.write(&vec![b'x'; 1 << 20]);
    tell(format!("ESCAPED with {written:?}"))
}
