//! Levels by logger and by module: what was asked for, and what that comes to.
//!
//! Not here: which module a logger stands for (`names`), and the log itself.

use std::collections::BTreeMap;

use tombolo_herder::{Level, LoggerLevel};

use super::names::{KNOWN, Meaning, PLUGINS, is_below, meaning};

/// The name of the root in answers.
const ROOT: &str = "root";

/// Levels of everything.
///
/// Follows `Loggers.Log4jLoggers` of Kafka Connect.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    root: Level,
    /// By prefix of a module path; the longest prefix counts.
    targets: BTreeMap<String, Level>,
    /// Loggers beyond the known ones that were asked for.
    asked: BTreeMap<String, Level>,
    /// When a logger was last changed.
    modified: BTreeMap<String, i64>,
}

impl Levels {
    /// Levels as a worker starts with them.
    pub(super) fn new(root: Level, targets: impl IntoIterator<Item = (String, Level)>) -> Self {
        let targets = targets.into_iter().collect();
        Self { root, targets, asked: BTreeMap::new(), modified: BTreeMap::new() }
    }

    /// What is not below any prefix, and the prefixes.
    pub(super) fn directives(&self) -> (Level, impl Iterator<Item = (&str, Level)>) {
        (self.root, self.targets.iter().map(|(target, level)| (target.as_str(), *level)))
    }

    /// All loggers that are known or were asked for.
    pub(super) fn all(&self) -> BTreeMap<String, LoggerLevel> {
        let known = KNOWN.iter().map(|(name, _)| (*name).to_owned());
        let names = known.chain(self.asked.keys().cloned()).chain(self.targets.keys().cloned());
        let names = names.filter(|name| !name.ends_with("::")).chain([ROOT.to_owned()]);
        names.filter_map(|name| Some((name.clone(), self.find(&name)?))).collect()
    }

    /// A logger that is known or was asked for.
    pub(super) fn find(&self, name: &str) -> Option<LoggerLevel> {
        let (name, level) = match meaning(name) {
            Meaning::Root => (ROOT, self.root),
            Meaning::Known(targets) => (name, self.of(targets.first()?)),
            Meaning::Module(target) => {
                self.targets.get(target)?;
                (name, self.of(target))
            }
            Meaning::Nothing => (name, *self.asked.get(name)?),
            Meaning::Plugin => {
                self.asked.get(name)?;
                (name, self.of(PLUGINS))
            }
        };
        Some(LoggerLevel { level, last_modified: self.modified.get(name).copied() })
    }

    /// Sets a logger and those below it at a time in milliseconds. Answers which of these changed: of a class those below it, else all.
    pub(super) fn set(&mut self, name: &str, level: Level, now: i64) -> Vec<String> {
        let before = self.all();
        let is_class = self.change(name, level);
        let level_of = |logger: &LoggerLevel| logger.level;
        let mut changed: Vec<String> = self
            .all()
            .iter()
            .filter(|(name, logger)| before.get(*name).map(level_of) != Some(logger.level))
            .map(|(name, _)| name.clone())
            .collect();
        self.modified.extend(changed.iter().map(|name| (name.clone(), now)));
        changed.retain(|one| !is_class || is_below(one, name));
        changed
    }

    /// Sets a logger and those below it. Answers whether it is a class.
    fn change(&mut self, name: &str, level: Level) -> bool {
        match meaning(name) {
            Meaning::Root => {
                self.root = level;
                self.targets.clear();
                self.asked.values_mut().for_each(|asked| *asked = level);
                return false;
            }
            Meaning::Module(target) => {
                self.set_target(target, level);
                return false;
            }
            Meaning::Known(_) => {
                let below = KNOWN.iter().filter(|(known, _)| is_below(known, name));
                for target in below.flat_map(|(_, targets)| *targets) {
                    self.set_target(target, level);
                }
                let below = self.asked.iter_mut().filter(|(asked, _)| is_below(asked, name));
                below.for_each(|(_, asked)| *asked = level);
            }
            Meaning::Nothing => drop(self.asked.insert(name.to_owned(), level)),
            Meaning::Plugin => {
                self.asked.insert(name.to_owned(), level);
                self.set_target(PLUGINS, level);
            }
        }
        true
    }

    fn set_target(&mut self, target: &str, level: Level) {
        let below = format!("{}::", target.trim_end_matches(':'));
        self.targets.retain(|known, _| !known.starts_with(&below));
        self.targets.insert(target.to_owned(), level);
    }

    /// The level of a module.
    fn of(&self, target: &str) -> Level {
        let prefixes =
            self.targets.iter().filter(|(prefix, _)| target.starts_with(prefix.as_str()));
        prefixes.max_by_key(|(prefix, _)| prefix.len()).map_or(self.root, |(_, level)| *level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &str = "org.apache.kafka.connect";
    const SINK: &str = "org.apache.kafka.connect.runtime.WorkerSinkTask";

    fn levels() -> Levels {
        let targets = ["plugin", "tombolo"].map(|target| (target.to_owned(), Level::Info));
        Levels::new(Level::Warn, targets)
    }

    fn level(levels: &Levels, name: &str) -> Option<Level> {
        levels.find(name).map(|logger| logger.level)
    }

    #[test]
    fn a_logger_has_the_level_of_the_next_one_above() {
        let mut levels = levels();
        assert_eq!(level(&levels, "root"), Some(Level::Warn));
        assert_eq!(level(&levels, SINK), Some(Level::Info));
        assert_eq!(level(&levels, "org.example"), None);
        assert_eq!(levels.set(SINK, Level::Trace, 7), [SINK]);
        assert_eq!(levels.set(SINK, Level::Trace, 8), [""; 0]);
        let sink = levels.find(SINK).unwrap();
        assert_eq!(sink, LoggerLevel { level: Level::Trace, last_modified: Some(7) });
        assert_eq!(level(&levels, CONNECT), Some(Level::Info));
    }

    #[test]
    fn setting_a_logger_sets_those_below_and_no_others() {
        let mut levels = levels();
        levels.set(SINK, Level::Trace, 1);
        let changed = levels.set(CONNECT, Level::Debug, 2);
        assert!(changed.iter().any(|name| name == SINK), "{changed:?}");
        assert!(!changed.iter().any(|name| name.starts_with("org.apache.kafka.clients")));
        assert_eq!(level(&levels, SINK), Some(Level::Debug));
        assert_eq!(level(&levels, "org.apache.kafka.clients.consumer"), Some(Level::Info));
        levels.set("root", Level::Off, 3);
        assert!(levels.all().values().all(|logger| logger.level == Level::Off));
        let (root, targets) = levels.directives();
        assert_eq!((root, targets.count()), (Level::Off, 0));
    }

    #[test]
    fn a_plugins_class_sets_what_plugins_log_and_a_class_of_the_worker_without_counterpart_nothing()
    {
        let mut levels = levels();
        assert_eq!(levels.set("io.example", Level::Debug, 1), ["io.example"]);
        assert_eq!(level(&levels, "plugin"), Some(Level::Debug));
        let nothing = "org.apache.kafka.connect.runtime.Nothing";
        assert_eq!(levels.set(nothing, Level::Error, 2), [nothing]);
        assert_eq!(level(&levels, "org.apache.kafka.connect.runtime"), Some(Level::Info));
        assert_eq!(level(&levels, nothing), Some(Level::Error));
    }
}
