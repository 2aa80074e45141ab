//! Listeners as settings name them: `http://host:port`.
//!
//! Not here: opening them.

use crate::config::ConfigError;

/// How a listener is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As it is.
    Http,
    /// Within TLS.
    Https,
}

impl Scheme {
    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A name or an address; empty for every address of this machine.
    pub host: String,
    /// 0 for any that is free.
    pub port: u16,
}

/// Reads a list of listeners. Follows `RestServer.createConnector` and `ListenersValidator` of Kafka Connect.
pub(crate) fn addresses(key: &'static str, text: &str) -> Result<Vec<Address>, ConfigError> {
    let mut all: Vec<Address> = Vec::new();
    for url in text.split(',').map(str::trim) {
        let address = address(key, url)?;
        if all.contains(&address) {
            return Err(ConfigError::new(key, text, "values must not be duplicated"));
        }
        all.push(address);
    }
    Ok(all)
}

fn address(key: &'static str, url: &str) -> Result<Address, ConfigError> {
    let wrong = |why: &str| ConfigError::new(key, url, why);
    if url.is_empty() {
        return Err(wrong("Empty URL found when parsing listeners list."));
    }
    let form = || wrong("Listener doesn't have the right format (protocol://hostname:port).");
    let (scheme, rest) = url.split_once("://").ok_or_else(form)?;
    let scheme = Scheme::from_name(scheme)
        .ok_or_else(|| wrong("Listener protocol must be either \"http\" or \"https\"."))?;
    let (host, port) = rest.rsplit_once(':').ok_or_else(form)?;
    let port = port.parse().map_err(|_| form())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || "-%._:".contains(c)) {
        return Err(form());
    }
    Ok(Address { scheme, host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_read_as_kafka_connect_reads_them() {
        let check = |text: &str, expected: &[(Scheme, &str, u16)]| {
            let read = addresses("listeners", text).unwrap();
            let read: Vec<_> = read.iter().map(|a| (a.scheme, a.host.as_str(), a.port)).collect();
            assert_eq!(read, expected);
        };
        check("http://127.0.0.1:0", &[(Scheme::Http, "127.0.0.1", 0)]);
        check(
            "http://:8083, HTTPS://[::1]:9",
            &[(Scheme::Http, "", 8083), (Scheme::Https, "::1", 9)],
        );
        for wrong in ["8083", "http://x", "http://x:y", "ftp://x:1", "http://a b:1", "http://:1,,"]
        {
            let error = addresses("listeners", wrong).unwrap_err().to_string();
            assert!(error.contains(" for configuration listeners: "), "{error}");
        }
        assert!(addresses("listeners", "http://:1,http://:1").is_err());
    }
}
