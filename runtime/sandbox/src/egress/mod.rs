//! The way out of the sandbox: one policy for HTTP, for TCP of WASI and for connections of the contract.
//!
//! Everything is denied that two lists do not have, the connector's and the operator's. A name is looked up once, by the host; one forbidden answer
//! forbids all; what was checked is dialled ([`gate`]). No redirect is followed, and no proxy used. Not here: the interfaces that guests see (`host`).

mod addresses;
mod conduit;
mod credentials;
mod flow;
mod gate;
mod refusal;
mod resolver;
mod tls;

pub(crate) use conduit::Channel;
pub(crate) use gate::{CONNECT_MAX, Gate, Net, Place};
pub(crate) use refusal::{ConnectError, Refusal};
pub use resolver::{Resolver, SystemResolver};
pub(crate) use tls::{TlsError, TlsTerms, Verification};
