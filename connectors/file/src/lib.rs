//! FileStream: a source that reads the lines of a file, and a sink that appends lines to one, with the settings and the behaviour of Kafka Connect's.
//!
//! Where they differ, `docs/differences.md` says. Not here: which files a component may see; the host decides that by `sandbox.fs.roots`.

mod access;
mod followed;
mod lines;
mod pace;
mod settings;
mod sink;
mod source;
mod stdin;
mod target;
mod torn;

pub use sink::FileStreamSink;
pub use source::FileStreamSource;

tombolo_sdk::export! { source: [FileStreamSource], sink: [FileStreamSink] }
