//! Secrets of the worker's own, to which configurations refer: set, listed and deleted, and never told.
//!
//! Not here: keeping them (`store`), and resolving references (`model::references`).

use tombolo_model::references::refer_to;
use tombolo_model::{ConnectorName, SecretName, TenantId};
use tombolo_store::SecretStore;
use tombolo_store::secret_store::{self, PROVIDER, WITHOUT_KEY};

use crate::error::Error;
use crate::handle::HerderHandle;
use crate::info::RestartFlags;
use crate::shell::milliseconds_now;

/// Fewest bytes of a secret: what is shorter is not looked for in texts, and could not be hidden in them.
pub const SECRET_BYTES_MIN: usize = tombolo_model::secrets::SECRET_BYTES_MIN;

/// Most bytes of a secret: a bundle of certificates has some hundred KiB, and its sealed form must fit into a record of 1 MiB.
pub const SECRET_BYTES_MAX: usize = 256 << 10;

/// What is told of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: SecretName,
    /// How often it was set since it was last deleted.
    pub version: u64,
    /// When it was set, in milliseconds since 1970.
    pub set: i64,
    /// The connectors whose configurations refer to it.
    pub connectors: Vec<ConnectorName>,
}

impl HerderHandle {
    /// All secrets, by name.
    ///
    /// Errors: `Forbidden` where the worker has no key for secrets, as everywhere here.
    pub fn secrets(&self) -> Result<Vec<SecretInfo>, Error> {
        let all = self.secret_store()?.all(&TenantId::default_tenant());
        Ok(all.into_iter().map(|secret| self.told(secret)).collect())
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> Result<SecretInfo, Error> {
        let store = self.secret_store()?;
        let name = SecretName::parse(name).map_err(Error::BadRequest)?;
        let found = store.find(&TenantId::default_tenant(), &name);
        found.map(|secret| self.told(secret)).ok_or_else(|| unknown(&name))
    }

    /// Sets a secret; answers whether there was none. Connectors that run have it when they are restarted.
    ///
    /// Errors: `BadRequest` where it is no text, or not of a bearable length.
    pub async fn put_secret(&self, name: &str, value: &[u8]) -> Result<(bool, SecretInfo), Error> {
        let store = self.secret_store()?;
        let name = SecretName::parse(name).map_err(Error::BadRequest)?;
        let text = text(value).map_err(Error::BadRequest)?;
        let tenant = TenantId::default_tenant();
        let is_new = store.find(&tenant, &name).is_none();
        let put = store.put(&tenant, &name, text, milliseconds_now()).await;
        let secret = put.map_err(|error| {
            Error::failed(format!("The secret '{name}' could not be stored"), &error)
        })?;
        tracing::info!(secret = %name, version = secret.version, "a secret was set");
        Ok((is_new, self.told(secret)))
    }

    /// Restarts the connectors that refer to a secret, with their tasks, so that they have its new value. Answers those that are restarted.
    pub async fn restart_users(&self, secret: &SecretInfo) -> Vec<ConnectorName> {
        let flags = RestartFlags { only_failed: false, include_tasks: true };
        let mut restarted = Vec::new();
        for connector in &secret.connectors {
            match self.restart(connector.as_str(), flags).await {
                Ok(_) => restarted.push(connector.clone()),
                Err(error) => tracing::warn!(%connector, %error, "not restarted for a new secret"),
            }
        }
        restarted
    }

    /// Deletes a secret, and where it is forced one that connectors refer to: they do not start again without it.
    ///
    /// Errors: `Conflict` where connectors refer to it.
    pub async fn delete_secret(&self, name: &str, is_forced: bool) -> Result<(), Error> {
        let secret = self.secret(name)?;
        let SecretInfo { name, connectors, .. } = secret;
        if !connectors.is_empty() && !is_forced {
            let names: Vec<&str> = connectors.iter().map(ConnectorName::as_str).collect();
            return Err(Error::Conflict(format!(
                "The secret '{name}' is referred to by {}; with force=true it is deleted all the same, and they do not start again",
                names.join(", ")
            )));
        }
        let deleted = self.secret_store()?.delete(&TenantId::default_tenant(), &name).await;
        deleted.map_err(|error| {
            Error::failed(format!("The secret '{name}' could not be deleted"), &error)
        })?;
        tracing::info!(secret = %name, "a secret was deleted");
        Ok(())
    }

    fn secret_store(&self) -> Result<&SecretStore, Error> {
        let store = self.shared.stores.secrets.as_ref();
        store.ok_or_else(|| Error::Forbidden(WITHOUT_KEY.to_owned()))
    }

    fn told(&self, secret: secret_store::SecretInfo) -> SecretInfo {
        let secret_store::SecretInfo { name, version, set } = secret;
        let snapshot = self.shared.stores.config.snapshot();
        let refers = |config| refer_to(config, PROVIDER, name.as_str());
        let users = snapshot.connectors().filter(|(_, connector)| refers(&connector.config));
        let connectors = users.map(|(connector, _)| connector.clone()).collect();
        SecretInfo { name, version, set, connectors }
    }
}

fn unknown(name: &SecretName) -> Error {
    Error::NotFound(format!("Secret {name} not found"))
}

/// The text of a secret. What is wrong with one says nothing of it.
fn text(value: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(value).map_err(|_| "A secret is UTF-8 text".to_owned())?;
    if text.trim().len() < SECRET_BYTES_MIN {
        return Err(format!(
            "A secret has at least {SECRET_BYTES_MIN} bytes beside space: a shorter one could not be hidden in what is logged"
        ));
    }
    if text.len() > SECRET_BYTES_MAX {
        return Err(format!("A secret has at most {SECRET_BYTES_MAX} bytes"));
    }
    Ok(text)
}
