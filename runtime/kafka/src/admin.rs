//! Requests about topics, groups and the cluster.
//!
//! Not here: when topics are created, and with which settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tombolo_model::offset::{PartitionOffset, TopicPartition};

use crate::error::Error;
use crate::ffi::{self, Client, Offsets, Role, groups, request, topics};
use crate::patience::insist;
use crate::settings::ClientSettings;

/// An admin client. Cheap to clone.
#[derive(Clone)]
pub struct Admin {
    client: Arc<Client>,
    /// For requests about offsets of groups, made with the first of them.
    groups: Arc<OnceLock<Arc<Client>>>,
    settings: ClientSettings,
    client_id: Arc<str>,
    wait: Duration,
}

/// The group that a client for groups has and never joins.
const OWN_GROUP: &str = "tombolo-admin";

/// Admin clients of this process that are shared by whoever has equal settings: each would have threads and connections of its own. Cheap to clone.
#[derive(Clone)]
pub struct Admins {
    client_id: Arc<str>,
    by_settings: Arc<Mutex<HashMap<ClientSettings, Weak<Client>>>>,
}

impl Admins {
    /// None yet. All have this client id, unless settings name one.
    pub fn new(client_id: &str) -> Admins {
        Admins { client_id: client_id.into(), by_settings: Arc::default() }
    }

    /// As [`Admin::new`], with a client that is there already if one has these settings. It ends with the last who has it.
    pub fn admin(&self, settings: &ClientSettings, wait: Duration) -> Result<Admin, Error> {
        let mut clients = self.by_settings.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, client| client.strong_count() > 0);
        if let Some(client) = clients.get(settings).and_then(Weak::upgrade) {
            return Ok(Admin::with(client, settings, &self.client_id, wait));
        }
        let admin = Admin::new(settings, &self.client_id, wait)?;
        clients.insert(settings.clone(), Arc::downgrade(&admin.client));
        Ok(admin)
    }
}

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Number of partitions, -1 for the broker's default.
    pub partitions: i32,
    /// Replication factor, -1 for the broker's default.
    pub replication_factor: i16,
    /// Its settings.
    pub settings: Vec<(String, String)>,
}

/// What is known of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// Number of partitions.
    pub partitions: i32,
}

impl Admin {
    /// Makes an admin client. Does not wait for a broker.
    ///
    /// Every request waits at most `wait` for its answer, also for a broker that is away.
    pub fn new(settings: &ClientSettings, client_id: &str, wait: Duration) -> Result<Admin, Error> {
        let own = [("client.id", client_id)];
        let client = Client::new(Role::Admin, settings.properties_over(&own))?;
        Ok(Admin::with(client, settings, client_id, wait))
    }

    fn with(
        client: Arc<Client>,
        settings: &ClientSettings,
        client_id: &str,
        wait: Duration,
    ) -> Admin {
        let (groups, settings) = (Arc::default(), settings.clone());
        Admin { client, groups, settings, client_id: client_id.into(), wait }
    }

    fn group_client(&self) -> Result<Arc<Client>, Error> {
        if let Some(client) = self.groups.get() {
            return Ok(Arc::clone(client));
        }
        let own = [("client.id", &*self.client_id), ("group.id", OWN_GROUP)];
        let client = Client::new(Role::GroupAdmin, self.settings.properties_over(&own))?;
        Ok(Arc::clone(self.groups.get_or_init(|| client)))
    }

    /// The topic, or none when it does not exist.
    pub async fn topic(&self, name: &str) -> Result<Option<TopicInfo>, Error> {
        insist(name, Some(self.wait), |wait| topics::topic(&self.client, name, wait)).await
    }

    /// Names of all topics.
    pub async fn topics(&self) -> Result<Vec<String>, Error> {
        let (client, wait) = (Arc::clone(&self.client), self.wait);
        tokio::task::spawn_blocking(move || request::topics(&client, wait))
            .await
            .unwrap_or_else(|_| Err(ffi::error(ffi::code::TIMED_OUT, "list topics", "")))
    }

    /// Creates a topic. Answers false when it existed already.
    pub async fn create_topic(&self, topic: &NewTopic) -> Result<bool, Error> {
        topics::create_topic(&self.client, topic, self.wait).await
    }

    /// Deletes a topic. Answers false when it did not exist.
    pub async fn delete_topic(&self, name: &str) -> Result<bool, Error> {
        topics::delete_topic(&self.client, name, self.wait).await
    }

    /// The settings of a topic, by name; secret ones are left out.
    pub async fn topic_settings(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        insist(name, Some(self.wait), |wait| topics::topic_settings(&self.client, name, wait)).await
    }

    /// Changes settings of a topic; none takes a setting back to its default. Others stay.
    pub async fn alter_topic_settings(
        &self,
        name: &str,
        changes: &[(&str, Option<&str>)],
    ) -> Result<(), Error> {
        topics::alter_topic_settings(&self.client, name, changes, self.wait).await
    }

    /// First offsets still there.
    pub async fn beginning_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<PartitionOffset>, Error> {
        let ask = |wait| topics::offsets(&self.client, partitions, Offsets::Beginning, wait);
        insist("beginning offsets", Some(self.wait), ask).await
    }

    /// Offsets that the next records will get.
    pub async fn end_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<PartitionOffset>, Error> {
        let which = Offsets::End { committed_only: false };
        insist("end offsets", Some(self.wait), |wait| {
            topics::offsets(&self.client, partitions, which, wait)
        })
        .await
    }

    /// Offsets committed by a group, for every partition that has one.
    pub async fn group_offsets(&self, group: &str) -> Result<Vec<PartitionOffset>, Error> {
        let client = self.group_client()?;
        insist(group, Some(self.wait), |wait| groups::group_offsets(&client, group, None, wait))
            .await
    }

    /// The client for groups, once it knows the coordinator of this one, and the time that is left: what changes a group is sent at once then, and not
    /// when nobody waits for it any more.
    async fn knowing(&self, group: &str) -> Result<(Arc<Client>, Duration), Error> {
        let end = Instant::now() + self.wait;
        self.group_offsets(group).await?;
        Ok((self.group_client()?, end.saturating_duration_since(Instant::now())))
    }

    /// Sets committed offsets of a group without members.
    pub async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
    ) -> Result<(), Error> {
        let (client, left) = self.knowing(group).await?;
        insist(group, Some(left), |_| groups::alter_group_offsets(&client, group, offsets, left))
            .await
    }

    /// Forgets committed offsets of a group without members.
    pub async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<(), Error> {
        let (client, left) = self.knowing(group).await?;
        let delete = |_| groups::delete_group_offsets(&client, group, partitions, left);
        insist(group, Some(left), delete).await
    }

    /// Deletes a group without members. Answers false when it did not exist.
    pub async fn delete_group(&self, group: &str) -> Result<bool, Error> {
        let (client, left) = self.knowing(group).await?;
        groups::delete_group(&client, group, left).await
    }

    /// The id of the cluster.
    pub async fn cluster_id(&self) -> Result<String, Error> {
        request::cluster_id(&self.client, self.wait).await
    }
}

#[cfg(test)]
mod tests {
    use tombolo_model::Settings;

    use super::*;
    use crate::settings::ClientKind;

    #[test]
    fn equal_settings_share_a_client_until_the_last_goes() {
        let admins = Admins::new("test");
        let admin = |servers: &str| {
            let java: Settings = [("bootstrap.servers", servers)].into_iter().collect();
            let (settings, _) = ClientSettings::translate(ClientKind::Admin, &java).unwrap();
            admins.admin(&settings, Duration::from_secs(1)).unwrap()
        };
        let (one, same, other) = (admin("127.0.0.1:1"), admin("127.0.0.1:1"), admin("127.0.0.1:2"));
        assert!(Arc::ptr_eq(&one.client, &same.client));
        assert!(!Arc::ptr_eq(&one.client, &other.client));
        drop((one, same));
        admin("127.0.0.1:2");
        assert_eq!(admins.by_settings.lock().unwrap().len(), 1);
    }
}
