//! `connection.url`: JDBC's `jdbc:postgresql://host:port/database?name=value`, or the same without `jdbc:`. Not here: what the parameters mean.

use std::fmt::Write as _;

/// The port where none is named.
const PORT: u16 = 5432;

/// Where one server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// At least one; tried in this order.
    pub(crate) addresses: Vec<Address>,
    pub(crate) database: Option<String>,
    /// A user and a password before the hosts, as `postgresql://user:password@host` has them.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
}

impl Url {
    /// Reads one. Errors: what is expected there; without the URL, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = "Expected jdbc:postgresql://host:port/database";
        let url = text.strip_prefix("jdbc:").unwrap_or(text);
        let rest = url.strip_prefix("postgresql://").or_else(|| url.strip_prefix("postgres://"));
        let rest = rest.ok_or(expected)?;
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (login, None),
        };
        let addresses: Vec<Address> =
            hosts.split(',').map(address).collect::<Option<_>>().ok_or(expected)?;
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        };
        let parameters = parameters.split('&').filter(|pair| !pair.is_empty()).map(pair);
        Ok(Self {
            addresses,
            database: Some(decoded(database)?).filter(|name| !name.is_empty()),
            user: Some(decoded(user)?).filter(|name| !name.is_empty()),
            password,
            parameters: parameters.collect::<Result<_, String>>()?,
        })
    }

    /// The last parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let named = self.parameters.iter().rev().find(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// `host`, `host:port`, or the same with an address of IPv6 in brackets.
fn address(text: &str) -> Option<Address> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    let good = !host.is_empty() && port > 0;
    good.then(|| Address { host: host.to_owned(), port })
}

/// Text without `%` escapes.
fn decoded(text: &str) -> Result<String, String> {
    let wrong = || format!("Expected two hexadecimal digits after every % in {text}");
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Addresses with commas between, for messages.
pub(crate) fn listed(addresses: &[Address]) -> String {
    let mut text = String::new();
    for (place, address) in addresses.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        // Writing to a string does not fail.
        write!(text, "{comma}{address}").ok();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, addresses: &str, database: Option<&str>) -> Url {
        let url = Url::parse(text).unwrap();
        assert_eq!(listed(&url.addresses), addresses, "{text}");
        assert_eq!(url.database.as_deref(), database, "{text}");
        url
    }

    #[test]
    fn urls_of_jdbc_and_of_libpq_are_read() {
        check("jdbc:postgresql://db:5433/shop", "db:5433", Some("shop"));
        check("jdbc:postgresql://db/", "db:5432", None);
        check("postgres://[::1]:1/a%20b", "[::1]:1", Some("a b"));
        check("jdbc:postgresql://a:1,b:2/c", "a:1,b:2", Some("c"));
        let url =
            check("postgresql://me:p%40ss@db/c?sslmode=require&x=1&x=2&y", "db:5432", Some("c"));
        assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("me"), Some("p@ss")));
        assert_eq!(url.parameter("sslmode"), Some("require"));
        assert_eq!((url.parameter("x"), url.parameter("y")), (Some("2"), Some("")));
        assert_eq!(url.parameter("z"), None);
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_shown() {
        for text in [
            "",
            "db:5432",
            "jdbc:mysql://db/c",
            "jdbc:postgresql://",
            "jdbc:postgresql://db:x/c",
            "jdbc:postgresql://db:0/c",
            "jdbc:postgresql://a,/c",
            "postgres://[::1/c",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(error.starts_with("Expected jdbc:postgresql://"), "{text}: {error}");
        }
        assert!(Url::parse("postgres://db/%4").unwrap_err().contains("after every %"));
    }
}
