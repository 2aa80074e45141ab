//! The network side: connections, frames, and which request goes where. Not here: what requests do (`api`).

mod connection;
mod dispatch;
mod frame;
mod guard;

pub(crate) use connection::accept;
pub(crate) use dispatch::{APIS, Api};
