//! Names of connectors, tasks, workers, tenants and secrets.
//!
//! Not here: what is known about them.

use std::fmt;
use std::sync::Arc;

/// Name of a connector, unique in a cluster.
///
/// Shape: not empty, no control characters; checked where a configuration is validated.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorName(Arc<str>);

impl ConnectorName {
    /// Takes the name as it is.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// A task of a connector. Prints as `name-0`.
///
/// Follows `ConnectorTaskId` of Kafka Connect.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TaskId {
    /// The connector it belongs to.
    pub connector: ConnectorName,
    /// Its number, from 0.
    pub index: u32,
}

impl TaskId {
    /// Task `index` of `connector`.
    pub fn new(connector: ConnectorName, index: u32) -> Self {
        Self { connector, index }
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.index)
    }
}

/// A worker, as every status shows it.
///
/// Shape: the advertised `host:port` of its REST listener.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WorkerId(Arc<str>);

impl WorkerId {
    /// Takes `host:port`.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// `host:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whoever connectors and secrets belong to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// Text of the only one there is where no tenants are configured.
    pub const DEFAULT: &str = "default";

    /// The only one there is where no tenants are configured.
    pub fn default_tenant() -> Self {
        Self(Self::DEFAULT.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Most letters of the name of a secret.
pub const SECRET_NAME_MAX: usize = 128;

/// Name of a secret, unique among those of a tenant.
///
/// Shape: 1 to [`SECRET_NAME_MAX`] letters, digits, dots, dashes and underscores of ASCII, so that a reference can name it, and a path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SecretName(Arc<str>);

impl SecretName {
    /// Takes a name.
    ///
    /// Errors: what a name is, where this is none.
    pub fn parse(name: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if (1..=SECRET_NAME_MAX).contains(&name.len()) && name.bytes().all(is_part) {
            return Ok(Self(name.into()));
        }
        Err(format!(
            "Invalid name of a secret: expected 1 to {SECRET_NAME_MAX} letters, digits, dots, dashes and underscores"
        ))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_name_that_references_and_paths_can_hold() {
        for name in ["db", "DB_password-2.old", &"x".repeat(SECRET_NAME_MAX)] {
            assert_eq!(SecretName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "a:b", "a/b", "a}", "é", "a b", &"x".repeat(SECRET_NAME_MAX + 1)] {
            assert!(SecretName::parse(name).is_err(), "{name}");
        }
    }
}
