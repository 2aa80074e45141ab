//! PostgreSQL's protocol, version 3: messages out, messages in, and how a session begins. Nothing here reads or writes by itself but `login`, over a `line`.
//!
//! Own code, and little: a session here logs in, asks the catalog in text, and copies rows. Not here: what is said (`session`, `statement`).

pub(crate) mod backend;
pub(crate) mod frontend;
pub(crate) mod line;
pub(crate) mod login;
pub(crate) mod refusal;
pub(crate) mod scram;
