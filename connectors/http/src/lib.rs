//! HTTP: a sink that sends records to an API, and a source that asks an API for records.
//!
//! `README.md` has examples and all settings. Not here: how a request is sent (`tombolo_sdk::http`), and where to it may go, which the host decides by
//! `sandbox.net.allow`.

mod call;
mod pointer;
mod settings;
mod sink;
mod source;
mod template;

pub use sink::HttpSink;
pub use source::HttpSource;

tombolo_sdk::export! { source: [HttpSource], sink: [HttpSink] }
