//! The store of secrets: sealed texts by tenant and name, in a compacted topic, and the config provider that opens them.
//!
//! Not here: sealing (`sealed`). Kafka Connect has nothing like it; the format is ours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tombolo_model::{ConfigProvider, SecretName, TenantId};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::journal::{Entry, Journal, Journals, LogRecord, shown_key};
use crate::json::to_vec;
use crate::sealed::{Sealed, SecretKeys};
use crate::topics::InternalTopic;

/// Name of the provider in references: `${secret:name}`.
pub const PROVIDER: &str = "secret";

/// What is said where a worker has no key for secrets.
pub const WITHOUT_KEY: &str =
    "This worker keeps no secrets: its setting secrets.key.file names no file with a key for them";

/// The store of secrets. Cheap to clone.
#[derive(Clone)]
pub struct SecretStore {
    journal: Arc<dyn Journal>,
    keys: SecretKeys,
    read: Arc<Mutex<BTreeMap<Owner, Value>>>,
}

/// What is known of a secret, which is not its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: SecretName,
    /// How often it was set since it was last deleted.
    pub version: u64,
    /// When it was set, in milliseconds since 1970.
    pub set: i64,
}

/// Whose secret, under which name.
type Owner = (TenantId, SecretName);

/// Value of a record `secret-<tenant>-<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Value {
    /// Number of this format.
    format: u32,
    /// How often the secret was set.
    version: u64,
    /// When, in milliseconds since 1970.
    set: i64,
    /// Its text.
    sealed: Sealed,
}

impl Value {
    const FORMAT: u32 = 1;

    fn told(&self, name: &SecretName) -> SecretInfo {
        SecretInfo { name: name.clone(), version: self.version, set: self.set }
    }
}

impl SecretStore {
    /// Opens the topic and reads it to its end. What an older key has sealed, the newest seals from now on.
    ///
    /// Errors: as [`Journals::open`]. A secret that no key opens is told in the log, and when it is referred to.
    pub async fn open(
        journals: &dyn Journals,
        topic: &InternalTopic,
        keys: SecretKeys,
    ) -> Result<Self> {
        let read = Arc::new(Mutex::new(BTreeMap::new()));
        let reader = Arc::clone(&read);
        let journal = journals.open(topic, Box::new(move |record| take(&reader, record))).await?;
        let store = Self { journal, keys, read };
        store.seal_anew().await?;
        Ok(store)
    }

    async fn seal_anew(&self) -> Result<()> {
        let all = self.lock().clone();
        let mut entries = Vec::new();
        for (owner, value) in all.iter().filter(|(_, value)| !self.keys.is_newest(&value.sealed)) {
            match self.keys.seal_anew(&bound(owner, value.version), &value.sealed) {
                Ok(sealed) => entries.push(entry(owner, &Value { sealed, ..value.clone() })?),
                Err(error) => {
                    let (tenant, secret) = (owner.0.as_str(), owner.1.as_str());
                    tracing::error!(tenant, secret, %error, "a secret cannot be opened");
                }
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        self.journal.append(&entries).await?;
        self.journal.read_to_end().await
    }

    /// All secrets of a tenant, by name.
    pub fn all(&self, tenant: &TenantId) -> Vec<SecretInfo> {
        let read = self.lock();
        let own = read.iter().filter(|((of, _), _)| of == tenant);
        own.map(|((_, name), value)| value.told(name)).collect()
    }

    /// A secret of a tenant.
    pub fn find(&self, tenant: &TenantId, name: &SecretName) -> Option<SecretInfo> {
        self.lock().get(&(tenant.clone(), name.clone())).map(|value| value.told(name))
    }

    /// Sets a secret at this time, in milliseconds since 1970; returns when it is durable and read back.
    pub async fn put(
        &self,
        tenant: &TenantId,
        name: &SecretName,
        text: &str,
        now: i64,
    ) -> Result<SecretInfo> {
        let owner = (tenant.clone(), name.clone());
        let version = self.lock().get(&owner).map_or(0, |value| value.version) + 1;
        let sealed = self.keys.seal(&bound(&owner, version), text)?;
        let value = Value { format: Value::FORMAT, version, set: now, sealed };
        self.journal.append(&[entry(&owner, &value)?]).await?;
        self.journal.read_to_end().await?;
        Ok(value.told(name))
    }

    /// Deletes a secret; returns when that is durable and read back.
    pub async fn delete(&self, tenant: &TenantId, name: &SecretName) -> Result<()> {
        let owner = (tenant.clone(), name.clone());
        self.journal.append(&[(key(&owner), None)]).await?;
        self.journal.read_to_end().await
    }

    /// What resolves the references of a tenant's connectors.
    pub fn provider(&self, tenant: TenantId) -> impl ConfigProvider {
        TenantSecrets { store: self.clone(), tenant }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Owner, Value>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key((tenant, name): &Owner) -> Vec<u8> {
    format!("secret-{}-{name}", tenant.as_str()).into_bytes()
}

fn entry(owner: &Owner, value: &Value) -> Result<Entry> {
    Ok((key(owner), Some(to_vec(value)?)))
}

/// What a secret is bound to: neither part has a NUL.
fn bound((tenant, name): &Owner, version: u64) -> String {
    format!("{}\0{name}\0{version}", tenant.as_str())
}

/// A record that cannot be read is told and skipped.
fn take(read: &Mutex<BTreeMap<Owner, Value>>, record: LogRecord<'_>) {
    let owner = record.key.and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| {
        let name = key.strip_prefix("secret-")?.strip_prefix(TenantId::DEFAULT)?;
        let name = SecretName::parse(name.strip_prefix('-')?).ok()?;
        Some((TenantId::default_tenant(), name))
    });
    let value = record.value.map(serde_json::from_slice::<Value>);
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    match (owner, value) {
        (Some(owner), None) => drop(read.remove(&owner)),
        (Some(owner), Some(Ok(value))) if value.format == Value::FORMAT => {
            read.insert(owner, value);
        }
        _ => {
            let (offset, key) = (record.offset, shown_key(&record));
            tracing::warn!(offset, "ignoring record '{key}' of the topic of secrets");
        }
    }
}

/// `${secret:name}` is the text of a secret, and `${secret:name:key}` a member of one whose text is a JSON object.
struct TenantSecrets {
    store: SecretStore,
    tenant: TenantId,
}

impl TenantSecrets {
    fn text(&self, name: &str) -> std::result::Result<Zeroizing<String>, String> {
        let name = SecretName::parse(name)?;
        let owner = (self.tenant.clone(), name.clone());
        let value = self.store.lock().get(&owner).cloned();
        let value = value
            .ok_or_else(|| format!("There is no secret '{name}': PUT /secrets/{name} sets it"))?;
        let opened = self.store.keys.open(&bound(&owner, value.version), &value.sealed);
        opened.map_err(|why| format!("The secret '{name}' cannot be opened: {why}"))
    }

    fn member(&self, name: &str, key: &str) -> std::result::Result<String, String> {
        let text = self.text(name)?;
        // What serde_json says of a text may repeat it.
        let members: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&text).map_err(|_| {
                format!("The secret '{name}' has no keys: its value is not a JSON object")
            })?;
        match members.get(key) {
            Some(serde_json::Value::String(text)) => Ok(text.clone()),
            Some(scalar @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => {
                Ok(scalar.to_string())
            }
            Some(_) => {
                Err(format!("The key '{key}' of the secret '{name}' is no text, number or boolean"))
            }
            None => Err(format!("The secret '{name}' has no key '{key}'")),
        }
    }
}

impl ConfigProvider for TenantSecrets {
    fn get(
        &self,
        path: &str,
        keys: &BTreeSet<&str>,
    ) -> std::result::Result<BTreeMap<String, String>, String> {
        let value = |key: &&str| {
            let value = match path {
                "" => self.text(key)?.to_string(),
                name => self.member(name, key)?,
            };
            Ok(((*key).to_owned(), value))
        };
        keys.iter().map(value).collect()
    }
}

/// Stands for the provider where the worker has no key: a reference is refused, and not taken for a value.
pub struct WithoutKey;

impl ConfigProvider for WithoutKey {
    fn get(
        &self,
        _: &str,
        _: &BTreeSet<&str>,
    ) -> std::result::Result<BTreeMap<String, String>, String> {
        Err(WITHOUT_KEY.to_owned())
    }
}

#[cfg(test)]
mod tests;
