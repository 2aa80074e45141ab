//! WASI 0.2 for one store: all of it linked, and denied unless granted.
//!
//! Not here: sockets and HTTP, which come with egress; until then every address is refused.

use std::path::{Path, PathBuf};

use tombolo_model::policy::Grants;
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use crate::error::Error;
use crate::host::output::Output;

/// Most random bytes of one call: the host allocates as many as the guest asks for.
const RANDOM_MAX: u64 = 64 << 10;

/// Tells a guest that its standard streams are the program's: denied ones look like ended ones. The environment holds nothing else.
const STANDARD_STREAMS: (&str, &str) = ("TOMBOLO_STANDARD_STREAMS", "granted");

/// Grants with their directories found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    /// Directories, each with the path under which guests see it.
    directories: Vec<(PathBuf, String)>,
    standard_streams: bool,
}

impl Granted {
    /// Nothing: for validation, and for a look at a component's catalog.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Finds the directories of `grants`.
    ///
    /// Errors: one that does not exist, or whose path is not UTF-8.
    pub(crate) fn new(grants: &Grants) -> Result<Self, Error> {
        let mut directories = Vec::new();
        let mut roots = Vec::new();
        for root in &grants.file_roots {
            let found = canonical(root)?;
            offer(&mut directories, &found, &found)?;
            // A configuration may name files by the path that the operator wrote.
            if root.is_absolute() && *root != found {
                offer(&mut directories, &found, root)?;
            }
            roots.push(found);
        }
        if let Some(working) = &grants.working_directory {
            let found = canonical(working)?;
            if roots.iter().any(|root| found.starts_with(root)) {
                offer(&mut directories, &found, Path::new("."))?;
            }
        }
        Ok(Self { directories, standard_streams: grants.standard_streams })
    }

    /// Holds a directory of the worker's own against what is offered.
    ///
    /// Errors: one that lies below an offered one. It need not be there.
    pub(crate) fn keep_out_of(&self, own: &Path) -> Result<(), Error> {
        // What is not there yet has no links in it.
        let found = own.ancestors().find_map(|there| {
            let rest = own.strip_prefix(there).ok()?;
            Some(there.canonicalize().ok()?.join(rest))
        });
        let found = found.unwrap_or_else(|| own.to_owned());
        match self.directories.iter().find(|(directory, _)| found.starts_with(directory)) {
            None => Ok(()),
            Some((root, _)) => {
                Err(Error::CacheOffered { path: own.to_owned(), root: root.clone() })
            }
        }
    }

    /// The context of one store.
    ///
    /// Errors: a directory that is gone since.
    pub(crate) fn context(&self, out: Output, err: Output) -> wasmtime::Result<WasiCtx> {
        let mut builder = WasiCtxBuilder::new();
        builder.max_random_size(RANDOM_MAX).stderr(err);
        if self.standard_streams {
            builder.inherit_stdin().inherit_stdout().env(STANDARD_STREAMS.0, STANDARD_STREAMS.1);
        } else {
            builder.stdout(out);
        }
        for (directory, seen_as) in &self.directories {
            builder.preopened_dir(directory, seen_as, FsPerms::ReadWrite)?;
        }
        Ok(builder.build())
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    let wrong = |source| Error::Root { path: path.to_owned(), source };
    let found = path.canonicalize().map_err(wrong)?;
    if !found.is_dir() {
        return Err(wrong(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
    }
    Ok(found)
}

fn offer(
    directories: &mut Vec<(PathBuf, String)>,
    directory: &Path,
    seen_as: &Path,
) -> Result<(), Error> {
    let Some(seen_as) = seen_as.to_str() else {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not UTF-8");
        return Err(Error::Root { path: seen_as.to_owned(), source });
    };
    directories.push((directory.to_owned(), seen_as.to_owned()));
    Ok(())
}
