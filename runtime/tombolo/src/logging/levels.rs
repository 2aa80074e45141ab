//! Levels by logger and by module: what was asked for, and what that comes to.
//!
//! Not here: which module a logger stands for (`names`), and the log itself.

use std::collections::BTreeMap;

use tombolo_herder::{Level, LoggerLevel};

use super::names::{KNOWN, Meaning, PLUGINS, is_below, meaning};

/// The name of the root in answers.
const ROOT: &str = "root";

/// Most names that are kept beside the known ones: far more than people set, and few enough to be looked through for each request.
const NAMES_MAX: usize = 1_000;

/// Longest of them, in bytes: several times a class of Java deep in its packages.
const NAME_MAX: usize = 1_024;

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

    /// Whether a logger can be set; else why not.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let is_kept = match meaning(name) {
            Meaning::Root | Meaning::Known(_) => true,
            Meaning::Module(target) => self.targets.contains_key(target),
            Meaning::Nothing | Meaning::Plugin => self.asked.contains_key(name),
        };
        if name.len() > NAME_MAX {
            return Err(format!(
                "The name of the logger has {} bytes: expected at most {NAME_MAX}",
                name.len()
            ));
        }
        if !is_kept && self.asked.len() + self.targets.len() >= NAMES_MAX {
            return Err(format!(
                "Logger {name} cannot be set: {NAMES_MAX} loggers have levels of their own already"
            ));
        }
        Ok(())
    }

    /// Sets a logger and those below it at a time in milliseconds. Answers which of these changed: of a class those below it, else all.
    ///
    /// Errors: as [`Levels::check`].
    pub(super) fn set(
        &mut self,
        name: &str,
        level: Level,
        now: i64,
    ) -> Result<Vec<String>, String> {
        self.check(name)?;
        let before = self.all();
        let is_class = self.change(name, level);
        let level_of = |logger: &LoggerLevel| logger.level;
        let after = self.all();
        let mut changed: Vec<String> = after
            .iter()
            .filter(|(name, logger)| before.get(*name).map(level_of) != Some(logger.level))
            .map(|(name, _)| name.clone())
            .collect();
        self.modified.retain(|name, _| after.contains_key(name));
        self.modified.extend(changed.iter().map(|name| (name.clone(), now)));
        changed.retain(|one| !is_class || is_below(one, name));
        Ok(changed)
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

    fn set(levels: &mut Levels, name: &str, level: Level, now: i64) -> Vec<String> {
        levels.set(name, level, now).unwrap()
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
        assert_eq!(set(&mut levels, SINK, Level::Trace, 7), [SINK]);
        assert_eq!(set(&mut levels, SINK, Level::Trace, 8), [""; 0]);
        let sink = levels.find(SINK).unwrap();
        assert_eq!(sink, LoggerLevel { level: Level::Trace, last_modified: Some(7) });
        assert_eq!(level(&levels, CONNECT), Some(Level::Info));
    }

    #[test]
    fn setting_a_logger_sets_those_below_and_no_others() {
        let mut levels = levels();
        set(&mut levels, SINK, Level::Trace, 1);
        let changed = set(&mut levels, CONNECT, Level::Debug, 2);
        assert!(changed.iter().any(|name| name == SINK), "{changed:?}");
        assert!(!changed.iter().any(|name| name.starts_with("org.apache.kafka.clients")));
        assert_eq!(level(&levels, SINK), Some(Level::Debug));
        assert_eq!(level(&levels, "org.apache.kafka.clients.consumer"), Some(Level::Info));
        set(&mut levels, "root", Level::Off, 3);
        assert!(levels.all().values().all(|logger| logger.level == Level::Off));
        let (root, targets) = levels.directives();
        assert_eq!((root, targets.count()), (Level::Off, 0));
    }

    #[test]
    fn a_plugins_class_sets_what_plugins_log_and_a_class_of_the_worker_without_counterpart_nothing()
    {
        let mut levels = levels();
        assert_eq!(set(&mut levels, "io.example", Level::Debug, 1), ["io.example"]);
        assert_eq!(level(&levels, "plugin"), Some(Level::Debug));
        let nothing = "org.apache.kafka.connect.runtime.Nothing";
        assert_eq!(set(&mut levels, nothing, Level::Error, 2), [nothing]);
        assert_eq!(level(&levels, "org.apache.kafka.connect.runtime"), Some(Level::Info));
        assert_eq!(level(&levels, nothing), Some(Level::Error));
    }

    #[test]
    fn names_that_are_kept_are_bounded_and_known_ones_can_always_be_set() {
        let mut levels = levels();
        let mut taken = 0;
        while levels.set(&format!("io.example.{taken}"), Level::Debug, 1).is_ok() {
            taken += 1;
        }
        // Beside `plugin` and `tombolo`.
        assert_eq!(taken, NAMES_MAX - 2);
        for name in ["io.another", "tombolo_worker::commit", "org.apache.kafka.common.A"] {
            let refused = levels.set(name, Level::Info, 2).unwrap_err();
            let expected = format!("Logger {name} cannot be set: 1000 loggers have levels");
            assert!(refused.starts_with(&expected), "{refused}");
            assert_eq!(level(&levels, name), None);
        }
        for name in ["io.example.7", SINK, "root", "plugin"] {
            set(&mut levels, name, Level::Warn, 3);
            assert_eq!(level(&levels, name), Some(Level::Warn));
        }
        let refused = levels.check(&"x".repeat(NAME_MAX + 1)).unwrap_err();
        assert_eq!(refused, "The name of the logger has 1025 bytes: expected at most 1024");
    }

    #[test]
    fn times_of_names_that_are_no_longer_kept_are_forgotten() {
        let mut levels = levels();
        for number in 0..10 {
            set(&mut levels, &format!("tombolo_worker::{number}"), Level::Debug, 1);
            set(&mut levels, "root", Level::Info, 2);
        }
        let names = levels.all();
        assert!(levels.modified.keys().all(|name| names.contains_key(name)));
    }
}
