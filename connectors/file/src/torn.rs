//! What a crash or a failed write leaves behind the last whole line. Not here: writing.

use std::fs::File;
use std::io::{Error, Read, Result, Seek, SeekFrom};

use tombolo_sdk::fault::{Fault, Result as CallResult};
use tombolo_sdk::host;

use crate::access;
use crate::target::{Standing, Target};

/// How much is moved at once: a line may be longer than a sandbox's memory.
const PIECE: usize = 64 * 1024;

/// Makes a file end with a whole line: what stands behind the last line end, a write that a crash tore, goes to `<file>.torn`.
///
/// Its record comes again, as its offset was not committed. It is kept beside the file because it could be someone else's text.
pub(crate) fn move_aside(target: &Target, path: &str) -> CallResult<()> {
    let failed =
        |error: Error| Fault::fatal(format_args!("Couldn't look at the end of {path}: {error}"));
    let end = target.len().map_err(failed)?;
    // Opened anew: what was opened to append to cannot be read.
    let mut reader = File::open(path).map_err(failed)?;
    let whole = whole_lines(&mut reader, end).map_err(failed)?;
    if whole == end {
        return Ok(());
    }
    let aside = format!("{path}.torn");
    let mut torn = access::open_to_append(&aside)?;
    reader.seek(SeekFrom::Start(whole)).map_err(failed)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = reader.read(&mut piece).map_err(failed)?;
        match piece.get(..read) {
            None | Some([]) => break,
            Some(read) => torn.append(read).map_err(failed)?,
        }
    }
    torn.append(b"\n").map_err(failed)?;
    target.cut(whole).map_err(failed)?;
    let bytes = end - whole;
    host::warn(format_args!("{path} ended within a line: moved its last {bytes} bytes to {aside}"));
    Ok(())
}

/// Takes a file back to this length, or to the last whole line before it, and answers its new length; one that is shorter loses only a torn line.
///
/// It may be shorter than we know, because somebody shortened it meanwhile: then what a write left may end anywhere.
pub(crate) fn take_back(target: &Target, path: &str, len: u64) -> Result<u64> {
    let found = target.len()?;
    let mut whole = found.min(len);
    // Under another name than its own the file cannot be read; nobody shortens it any more either.
    if target.standing()? == Standing::Same {
        whole = whole_lines(&mut File::open(path)?, whole)?;
    }
    if whole < found {
        target.cut(whole)?;
    }
    Ok(whole)
}

/// Where the last whole line before `end` ends.
fn whole_lines(file: &mut File, mut end: u64) -> Result<u64> {
    let mut piece = vec![0; 4096];
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        piece.truncate(usize::try_from(end - start).unwrap_or(0));
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece)?;
        if let Some(last) = memchr::memrchr(b'\n', &piece) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
