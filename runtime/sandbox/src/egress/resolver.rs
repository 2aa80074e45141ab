//! Looking names up.
//!
//! A name is asked for as it stands, without search domains. Not here: what is made of the answers (`gate`).

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

/// Most lookups at once: each takes a thread until the system's resolver gives up. Those of thirty connectors whose names nobody answers for.
const LOOKUPS_MAX: usize = 64;

/// Where names that are known without asking anybody stand.
const HOSTS_FILE: &str = "/etc/hosts";

/// Finds the addresses of names.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of a name, which is in lower case, is no address, and has no last dot.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own resolver.
#[derive(Clone, Debug)]
pub struct SystemResolver(Arc<Semaphore>);

impl Default for SystemResolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS_MAX)))
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        let name = name.to_owned();
        let looked_up = tokio::task::spawn_blocking(move || {
            // Held until the thread is done, also where nobody waits for it any more.
            let _permit = permit;
            look_up(&name)
        });
        looked_up.await.map_err(io::Error::other)?
    }
}

fn look_up(name: &str) -> io::Result<Vec<IpAddr>> {
    // The last dot below keeps this file from being asked, as it keeps search domains out.
    let hosts = std::fs::read_to_string(HOSTS_FILE).unwrap_or_default();
    let known = in_hosts(&hosts, name);
    if !known.is_empty() {
        return Ok(known);
    }
    let mut addresses: Vec<_> =
        (format!("{name}.").as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect();
    addresses.dedup();
    Ok(addresses)
}

/// The addresses of a name in a hosts file.
fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    let of_line = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    };
    hosts.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_names_addresses() {
        let hosts = "# comment\n127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # b\n10.0.0.5 DB db.internal\nfe80::1%lo a\n";
        let found =
            |name: &str| in_hosts(hosts, name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(found("db"), ["10.0.0.5"]);
        assert_eq!(found("b"), [] as [&str; 0]);
        assert_eq!(found("a"), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn a_name_that_is_known_locally_is_found() {
        let found = SystemResolver::default().addresses("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
    }
}
