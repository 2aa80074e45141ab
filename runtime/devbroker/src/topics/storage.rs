//! Topics on disk: a directory each, with a small file beside the directories of its partitions.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::config::TopicConfig;
use super::name;
use crate::Error;
use crate::log::checkpoint::replace_file;

const FILE: &str = "topic.json";

/// Holds topics on their way out. No topic can have this name.
const DELETED: &str = "deleted topics";

/// What a topic's file says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TopicFile {
    pub id: Uuid,
    pub partitions: i32,
    pub config: TopicConfig,
}

/// Reads all topics' files, and ends deletions that a crash interrupted.
pub(crate) fn load(dir: &Path) -> Result<Vec<(String, TopicFile)>, Error> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    remove(&dir.join(DELETED)).map_err(at(dir))?;
    std::fs::create_dir_all(dir).map_err(at(dir))?;
    let mut topics = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let file = path.join(FILE);
        match std::fs::read(&file) {
            Ok(bytes) if name::is_valid(name) => {
                let topic = serde_json::from_slice(&bytes)
                    .map_err(|error| Error::Damaged { path: file, what: error.to_string() })?;
                topics.push((name.to_owned(), topic));
            }
            Ok(_) => {}
            // A crash came between making the directory and writing the file: the topic was never there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::File { path: file, source }),
        }
    }
    Ok(topics)
}

/// Writes a topic's file.
pub(crate) fn save(dir: &Path, name: &str, topic: &TopicFile) -> io::Result<()> {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir)?;
    replace_file(&dir.join(FILE), &serde_json::to_vec(topic).map_err(io::Error::other)?)
}

/// Moves a topic away at once, so that its name is free and a crash cannot bring half of it back.
pub(crate) fn set_aside(dir: &Path, name: &str) -> io::Result<PathBuf> {
    let deleted = dir.join(DELETED);
    std::fs::create_dir_all(&deleted)?;
    let moved = deleted.join(Uuid::new_v4().to_string());
    std::fs::rename(dir.join(name), &moved)?;
    Ok(moved)
}

/// Removes a directory if it is there.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
