//! Logs to standard error, with levels that may be changed while the worker runs.
//!
//! Not here: what is logged.

mod levels;
mod lines;
mod names;
mod writer;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tombolo_herder::{Error, Level, LoggerLevel, Loggers};
use tombolo_model::log_lines::LogLines;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use levels::Levels;
use lines::{Format, Lines};
use writer::Writer;

/// What is logged where `TOMBOLO_LOG` does not say: our own progress and that of plugins, and warnings of everything else.
const DEFAULT: &str = "warn,tombolo=info,plugin=info";

/// Standard error, once logging has started.
static WRITER: OnceLock<Writer> = OnceLock::new();

/// Waits until what was logged is written, as far as somebody reads it.
pub(crate) fn flush() {
    if let Some(writer) = WRITER.get() {
        writer.flush();
    }
}

/// Waits for that when it is dropped, by a panic among others.
pub(crate) struct Flushed;

impl Drop for Flushed {
    fn drop(&mut self) {
        flush();
    }
}

/// The log of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    levels: Arc<Mutex<Levels>>,
    filter: reload::Handle<Targets, Registry>,
    /// The last lines of each connector.
    pub(crate) lines: Arc<LogLines>,
}

/// Starts logging.
pub(crate) fn start(default: Option<&str>) -> Log {
    #[expect(clippy::disallowed_methods, reason = "the program reads its environment here")]
    let wanted = std::env::var("TOMBOLO_LOG").ok();
    let default = default.unwrap_or(DEFAULT);
    let parsed: Result<Targets, _> = wanted.as_deref().unwrap_or(default).parse();
    let targets = match &parsed {
        Ok(targets) => targets.clone(),
        Err(_) => default.parse().unwrap_or_default(),
    };
    let levels = Arc::new(Mutex::new(levels(&targets)));
    let (filter, handle) = reload::Layer::new(targets);
    let (format, format_error) = format();
    let kept = Arc::default();
    let writer = WRITER.get_or_init(|| Writer::start(Box::new(std::io::stderr()))).clone();
    let lines = Lines { format, kept: Arc::clone(&kept), writer };
    tracing_subscriber::registry().with(filter).with(lines).init();
    if let Some(wanted) = format_error {
        tracing::warn!("TOMBOLO_LOG_FORMAT={wanted} is not understood; expected `text` or `json`");
    }
    if let (Err(error), Some(wanted)) = (parsed, wanted) {
        tracing::warn!(
            %error,
            "TOMBOLO_LOG={wanted} is not understood; expected levels as `info` or `tombolo_worker=debug,warn`"
        );
    }
    Log { levels, filter: handle, lines: kept }
}

/// How lines look, as `TOMBOLO_LOG_FORMAT` says; and what it says where that cannot be.
fn format() -> (Format, Option<String>) {
    #[expect(clippy::disallowed_methods, reason = "the program reads its environment here")]
    let wanted = std::env::var("TOMBOLO_LOG_FORMAT").ok();
    let text = Format::Text { is_colored: std::io::stderr().is_terminal() };
    match wanted.as_deref() {
        Some("json") => (Format::Json, None),
        None | Some("" | "text") => (text, None),
        Some(_) => (text, wanted),
    }
}

fn levels(targets: &Targets) -> Levels {
    let root = level(targets.default_level().unwrap_or(LevelFilter::OFF));
    let each = targets.iter().filter(|(target, _)| !target.is_empty());
    Levels::new(root, each.map(|(target, filter)| (target.to_owned(), level(filter))))
}

fn level(filter: LevelFilter) -> Level {
    match filter.into_level() {
        None => Level::Off,
        Some(tracing::Level::ERROR) => Level::Error,
        Some(tracing::Level::WARN) => Level::Warn,
        Some(tracing::Level::INFO) => Level::Info,
        Some(tracing::Level::DEBUG) => Level::Debug,
        Some(tracing::Level::TRACE) => Level::Trace,
    }
}

/// Nothing here is more than an error, and nothing less than a trace.
fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Off => LevelFilter::OFF,
        Level::Fatal | Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace | Level::All => LevelFilter::TRACE,
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loggers for Log {
    fn all(&self) -> BTreeMap<String, LoggerLevel> {
        self.lock().all()
    }

    fn find(&self, name: &str) -> Option<LoggerLevel> {
        self.lock().find(name)
    }

    fn check(&self, name: &str) -> Result<(), Error> {
        self.lock().check(name).map_err(Error::BadRequest)
    }

    fn set(&self, name: &str, level: Level) -> Result<Vec<String>, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        tracing::info!("Setting level of namespace {name} and children to {}", level.name());
        let mut levels = self.lock();
        let changed = levels.set(name, level, now).map_err(Error::BadRequest)?;
        let (root, targets) = levels.directives();
        let targets = targets.map(|(target, level)| (target, filter(level)));
        let filters = Targets::new().with_default(filter(root)).with_targets(targets);
        if let Err(error) = self.filter.reload(filters) {
            tracing::error!(%error, "the log's levels could not be changed");
        }
        Ok(changed)
    }
}
