//! Compiled components on disk: a file to map, and a manifest that says what must be in it.
//!
//! Mapping a file of machine code is believing it. So each manifest is authenticated with a key that only this directory's owner can read, and names
//! the digest of its artifact, which is compared before the artifact is mapped. Not here: compiling.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tombolo_model::plugin::ComponentDigest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::Error;
use crate::stored::{FORMAT, Manifest};

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// The directory of compiled components.
pub(crate) struct Artifacts {
    directory: PathBuf,
    key: [u8; KEY_BYTES],
    /// Of wasmtime's version, its configuration and this machine's processor: others' artifacts are of no use.
    compatibility: u64,
}

/// Why an artifact cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is gone, or cannot be read.
    #[error("the compiled component cannot be read")]
    Read(#[from] io::Error),
    /// It is not what was compiled here.
    #[error("the compiled component was changed")]
    Changed,
    /// wasmtime does not take it.
    #[error("the compiled component does not fit this program")]
    Incompatible(#[source] wasmtime::Error),
}

impl Artifacts {
    /// Opens the directory, and makes it and its key if they are not there.
    pub(crate) fn open(directory: &Path, engine: &Engine) -> Result<Self, Error> {
        let failed = |source| Error::Cache { path: directory.to_owned(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let key = key(directory).map_err(failed)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        FORMAT.hash(&mut hasher);
        Ok(Self { directory: directory.to_owned(), key, compatibility: hasher.finish() })
    }

    fn path(&self, component: &ComponentDigest, extension: &str) -> PathBuf {
        let (digest, compatibility) = (&component.0, self.compatibility);
        self.directory.join(format!("{digest}-{compatibility:016x}.{extension}"))
    }

    /// What is kept of a component; none where nothing is, or nothing that can be believed.
    pub(crate) fn manifest(&self, component: &ComponentDigest) -> Option<Manifest> {
        if !is_digest(component) || !self.path(component, "cwasm").exists() {
            return None;
        }
        let bytes = std::fs::read(self.path(component, "manifest")).ok()?;
        let (tag, body) = bytes.split_at_checked(TAG_BYTES)?;
        self.mac(component, body)?.verify_slice(tag).ok()?;
        Manifest::decode(body, component)
    }

    /// Authenticates a manifest as that of this component.
    fn mac(&self, component: &ComponentDigest, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(component.0.as_bytes());
        mac.update(&self.compatibility.to_le_bytes());
        mac.update(body);
        Some(mac)
    }

    /// Keeps a compiled component. The answer is its digest, for the manifest.
    pub(crate) fn keep(
        &self,
        component: &ComponentDigest,
        compiled: &[u8],
    ) -> io::Result<[u8; 32]> {
        written(&self.directory, compiled)?.persist(self.path(component, "cwasm"))?;
        Ok(Sha256::digest(compiled).into())
    }

    /// Keeps a manifest, which makes the artifact count.
    pub(crate) fn keep_manifest(
        &self,
        component: &ComponentDigest,
        manifest: &Manifest,
    ) -> io::Result<()> {
        let body = manifest.encode();
        let mac = self.mac(component, &body).ok_or(io::ErrorKind::InvalidInput)?;
        let mut bytes = mac.finalize().into_bytes().to_vec();
        bytes.extend_from_slice(&body);
        written(&self.directory, &bytes)?.persist(self.path(component, "manifest"))?;
        Ok(())
    }

    /// Forgets what is kept of a component.
    pub(crate) fn forget(&self, component: &ComponentDigest) {
        for extension in ["manifest", "cwasm"] {
            // What is not there need not be removed, and what cannot be is not believed later either.
            let _gone = std::fs::remove_file(self.path(component, extension));
        }
    }

    /// Maps a compiled component, if it is the one with this digest.
    ///
    /// Cost: reads the file once; its pages are shared by all instances, and resident only as they are used.
    pub(crate) fn load(
        &self,
        engine: &Engine,
        component: &ComponentDigest,
        digest: [u8; 32],
    ) -> Result<Component, Unusable> {
        let path = self.path(component, "cwasm");
        if digest_of(&mut File::open(&path)?)? != digest {
            return Err(Unusable::Changed);
        }
        #[expect(unsafe_code, reason = "mapping machine code that this program compiled")]
        // SAFETY: the file's bytes are those that `Engine::precompile_component` returned to this program or an earlier run of it: their digest was just
        // compared with the one in a manifest that is authenticated with a key that only the directory's owner can read, and only `keep` writes there,
        // never in place. Who could change the file between the comparison and the mapping can read the key, and is the owner.
        let loaded = unsafe { Component::deserialize_file(engine, &path) };
        loaded.map_err(Unusable::Incompatible)
    }
}

/// Digests become file names, and may come from elsewhere.
fn is_digest(component: &ComponentDigest) -> bool {
    component.0.len() == 64 && component.0.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn digest_of(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        match buffer.get(..count) {
            Some([]) | None => return Ok(hasher.finalize().into()),
            Some(bytes) => hasher.update(bytes),
        }
    }
}

/// The key of a directory: random bytes that only its owner can read.
fn key(directory: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let path = directory.join("key");
    let read = || std::fs::read(&path);
    let bytes = match read() {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; KEY_BYTES];
            getrandom::fill(&mut key).map_err(io::Error::other)?;
            match written(directory, &key)?.persist_noclobber(&path) {
                Ok(_) => key.to_vec(),
                // Another process of this owner was faster.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => read()?,
                Err(error) => return Err(error.error),
            }
        }
        Err(error) => return Err(error),
    };
    bytes.try_into().map_err(|_| io::Error::other("the file `key` is not a key; remove it"))
}

/// A file that no one knows yet, with these bytes: its owner's alone, and gone unless it gets a name.
fn written(directory: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}
