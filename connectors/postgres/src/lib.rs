//! A sink that writes records into tables of PostgreSQL, with the settings of the JDBC sinks of Confluent and Aiven.
//!
//! Read `sink` first: a `put` becomes a plan (`plan`), the plan a transaction (`transaction`). Values go from CBOR into binary `COPY` in one pass (`shape`,
//! `encode`). The protocol is in `wire`. Not here: sockets and TLS, which are the host's.

mod book;
mod encode;
mod kind;
mod name;
mod numeric;
mod plan;
mod schema_change;
mod session;
mod settings;
mod shape;
mod sink;
mod statement;
mod table;
mod text;
mod transaction;
mod trouble;
mod url;
mod wanted;
mod wire;

pub use settings::SinkSettings;
pub use sink::PostgresSink;

tombolo_sdk::export! { sink: [PostgresSink] }
