//! WASI 0.2 for one store: all of it linked, and denied unless granted.
//!
//! Not here: which addresses are granted (`egress`), and HTTP (`http`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tombolo_model::policy::{FileRoot, Grants};
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, runtime};

use crate::egress::Gate;
use crate::error::Error;
use crate::host::output::Output;
use crate::host::quota::Quota;

/// Most random bytes of one call: the host allocates as many as the guest asks for.
const RANDOM_MAX: u64 = 64 << 10;

/// Tells a guest that its standard streams are the program's: denied ones look like ended ones. The environment holds nothing else.
const STANDARD_STREAMS: (&str, &str) = ("TOMBOLO_STANDARD_STREAMS", "granted");

/// Grants with their directories found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    directories: Vec<Offered>,
    standard_streams: bool,
}

/// A directory that is offered, under one of its paths.
#[derive(Clone, Debug)]
struct Offered {
    directory: PathBuf,
    /// The path under which guests see it.
    seen_as: String,
    perms: FsPerms,
    /// What it may hold, shared by all its paths and all stores.
    quota: Option<Arc<Quota>>,
}

impl Granted {
    /// Nothing: for validation, and for a look at a component's catalog.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Finds the directories of `grants`.
    ///
    /// Errors: one that does not exist, or whose path is not UTF-8; one that lies in another that is offered on other terms, which would hold for the same
    /// files.
    pub(crate) fn new(grants: &Grants) -> Result<Self, Error> {
        let mut directories: Vec<Offered> = Vec::new();
        let mut roots: Vec<(&FileRoot, Offered)> = Vec::new();
        for root in &grants.file_roots {
            let found = canonical(&root.path)?;
            let clashes = |(other, offered): &&(&FileRoot, Offered)| {
                let is_below = found.starts_with(&offered.directory);
                let is_alike = other.is_read_only == root.is_read_only
                    && other.bytes_max.is_none()
                    && root.bytes_max.is_none();
                (is_below || offered.directory.starts_with(&found)) && !is_alike
            };
            if let Some((other, _)) = roots.iter().find(clashes) {
                let (path, other) = (root.path.clone(), other.path.clone());
                return Err(Error::RootsOverlap { path, other });
            }
            let offered = Offered {
                seen_as: utf8(&found)?,
                perms: if root.is_read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite },
                quota: root.bytes_max.map(|max| Arc::new(Quota::new(&found, max))),
                directory: found,
            };
            directories.push(offered.clone());
            // A configuration may name files by the path that the operator wrote.
            if root.path.is_absolute() && root.path != offered.directory {
                directories.push(Offered { seen_as: utf8(&root.path)?, ..offered.clone() });
            }
            roots.push((root, offered));
        }
        if let Some(working) = &grants.working_directory {
            let found = canonical(working)?;
            if let Some((_, root)) =
                roots.iter().find(|(_, root)| found.starts_with(&root.directory))
            {
                let seen_as = ".".to_owned();
                directories.push(Offered { directory: found, seen_as, ..root.clone() });
            }
        }
        Ok(Self { directories, standard_streams: grants.standard_streams })
    }

    /// The limits of the directories, in the order in which guests see these.
    pub(crate) fn quotas(&self) -> Arc<[Option<Arc<Quota>>]> {
        self.directories.iter().map(|offered| offered.quota.clone()).collect()
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
        let offered = self.directories.iter().find(|root| found.starts_with(&root.directory));
        match offered.map(|root| root.directory.clone()) {
            None => Ok(()),
            Some(root) => Err(Error::CacheOffered { path: own.to_owned(), root }),
        }
    }

    /// The context of one store.
    ///
    /// Errors: a directory that is gone since.
    pub(crate) fn context(
        &self,
        out: Output,
        err: Output,
        gate: &Gate,
    ) -> wasmtime::Result<WasiCtx> {
        let mut builder = WasiCtxBuilder::new();
        sockets(&mut builder, gate);
        builder.max_random_size(RANDOM_MAX).stderr(err);
        if self.standard_streams {
            builder.inherit_stdin().inherit_stdout().env(STANDARD_STREAMS.0, STANDARD_STREAMS.1);
        } else {
            builder.stdout(out);
        }
        for Offered { directory, seen_as, perms, .. } in &self.directories {
            builder.preopened_dir(directory, seen_as, *perms)?;
        }
        Ok(builder.build())
    }
}

/// Connections by TCP to addresses that both lists have; no listening, no UDP, no lookup of names.
fn sockets(builder: &mut WasiCtxBuilder, gate: &Gate) {
    builder.allow_udp(false).allow_ip_name_lookup(false).allow_tcp(gate.has_addresses());
    let gate = gate.clone();
    builder.socket_addr_check(move |address, to| {
        let gate = gate.clone();
        Box::pin(async move {
            match to {
                // On a task of its own: the check's own future is not what WASI wants of one.
                SocketAddrUse::TcpConnect => {
                    runtime::spawn(async move { gate.may_dial(address).await }).await
                }
                // What connecting does by itself, before it connects.
                SocketAddrUse::TcpBind => address.ip().is_unspecified() && address.port() == 0,
                _ => false,
            }
        })
    });
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    let wrong = |source| Error::Root { path: path.to_owned(), source };
    let found = path.canonicalize().map_err(wrong)?;
    if !found.is_dir() {
        return Err(wrong(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
    }
    Ok(found)
}

fn utf8(path: &Path) -> Result<String, Error> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not UTF-8");
        Error::Root { path: path.to_owned(), source }
    })
}
