//! Rules of the house that run as tests: reads the tree as text and asks cargo for its edges.
//!
//! Not here: formatting and lints, which have tools of their own.

use std::path::{Path, PathBuf};

/// The project's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A text file of the project.
pub struct Source {
    /// Its path from the root, with `/` between.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Folders that hold what is built or fetched.
const NOT_OURS: [&str; 3] = ["target", ".git", "node_modules"];

/// All text files with one of these endings, ordered by path.
pub fn sources(endings: &[&str]) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &root, endings, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            walk(root, &path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(Source { path, text });
        }
    }
}

/// Lines of a Rust file before its test module, and lines of that module.
pub fn lines_and_tests(text: &str) -> (usize, usize) {
    let all = text.lines().count();
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        matches!(pair, [a, b] if a.trim() == "#[cfg(test)]" && b.starts_with("mod ") && b.ends_with('{'))
    });
    tests.map_or((all, 0), |at| (at, all - at))
}
