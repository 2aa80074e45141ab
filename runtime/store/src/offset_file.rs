//! Source offsets of a worker that stands alone, in a file: a journal that keeps the newest value of each key.
//!
//! Not here: the form of the file (`java_map`). Follows `FileOffsetBackingStore` of Kafka Connect, which reads what is written here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tombolo_model::fault::BoxError;

use crate::error::{Error, Result};
use crate::java_map::{self, Broken};
use crate::journal::{Entry, Journal, LogRecord, Reader};

/// A file of offsets.
pub(crate) struct OffsetFile {
    path: PathBuf,
    content: Arc<Mutex<Content>>,
}

type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the file holds.
struct Content {
    values: Values,
    reader: Reader,
    /// How many entries the reader was given.
    given: i64,
}

impl OffsetFile {
    /// Reads a file, which need not be there yet, and gives its entries to `reader`.
    ///
    /// Errors: `File` where it cannot be read, is not what it should be, or could not be written.
    pub(crate) async fn open(path: &Path, reader: Reader) -> Result<Arc<dyn Journal>> {
        // Where it is a link, the file that it leads to is replaced.
        let path = tokio::fs::canonicalize(path).await.unwrap_or_else(|_| path.to_path_buf());
        let content = blocking("reading", &path, |path| load(path, reader)).await?;
        blocking("writing", &path, probe).await?;
        Ok(Arc::new(Self { path, content: Arc::new(Mutex::new(content)) }))
    }
}

#[async_trait]
impl Journal for OffsetFile {
    async fn append(&self, entries: &[Entry]) -> Result<()> {
        let entries = entries.to_vec();
        let mut content = Arc::clone(&self.content).lock_owned().await;
        // The lock goes along: who gives up waiting must not have another write at the same time.
        blocking("writing", &self.path, move |path| content.append(path, &entries)).await
    }

    async fn read_to_end(&self) -> Result<()> {
        drop(self.content.lock().await);
        Ok(())
    }
}

impl Content {
    fn append(&mut self, path: &Path, entries: &[Entry]) -> std::result::Result<(), BoxError> {
        let mut values = self.values.clone();
        for (key, value) in entries {
            match value {
                Some(value) => drop(values.insert(key.clone(), value.clone())),
                None => drop(values.remove(key)),
            }
        }
        save(path, &values)?;
        self.values = values;
        for (key, value) in entries {
            self.give(key, value.as_deref());
        }
        Ok(())
    }

    fn give(&mut self, key: &[u8], value: Option<&[u8]>) {
        let offset = self.given;
        self.given += 1;
        (self.reader)(LogRecord { partition: 0, offset, timestamp: -1, key: Some(key), value });
    }
}

fn load(path: &Path, reader: Reader) -> std::result::Result<Content, BoxError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        bytes => bytes?,
    };
    let entries = match bytes.as_slice() {
        // As Kafka Connect leaves it behind when it is killed while it writes its first offsets.
        [] => Vec::new(),
        bytes => java_map::read(bytes).map_err(not_offsets)?,
    };
    let mut content = Content { values: Values::new(), reader, given: 0 };
    for (key, value) in entries {
        content.give(&key, value.as_deref());
        // A null says the same as no entry.
        content.values.extend(value.map(|value| (key, value)));
    }
    Ok(content)
}

/// Kafka Connect takes a file that ends early for an empty one, and every source begins again from its start.
fn not_offsets(broken: Broken) -> BoxError {
    match broken {
        Broken::EndsEarly => "it ends early, as if a worker was killed while writing it; move it away to start without offsets".into(),
        Broken::Foreign(what) => format!("it {what}; expected offsets as Kafka Connect's standalone worker stores them").into(),
    }
}

/// Finds out whether the file could be replaced, so that a worker that cannot store offsets does not start.
fn probe(path: &Path) -> std::result::Result<(), BoxError> {
    let beside = beside(path);
    File::create(&beside)?;
    fs::remove_file(&beside)?;
    Ok(())
}

/// Replaces the file as a whole: after a crash it is the old one or the new one.
fn save(path: &Path, values: &Values) -> std::result::Result<(), BoxError> {
    let pairs = values.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
    let bytes = java_map::write(pairs)?;
    let beside = beside(path);
    let mut file = File::create(&beside)?;
    if let Ok(known) = fs::metadata(path) {
        file.set_permissions(known.permissions())?;
    }
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The new name is durable with its folder.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Where the next content is written.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}

/// Does something with the file where waiting for the disk holds nobody up.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> std::result::Result<T, BoxError> + Send + 'static,
) -> Result<T> {
    let own = path.to_path_buf();
    let done = tokio::task::spawn_blocking(move || work(&own)).await;
    let failed = |source| Error::File { doing, path: path.to_path_buf(), source };
    done.map_err(|error| failed(error.into()))?.map_err(failed)
}
