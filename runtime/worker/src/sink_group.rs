//! The consumer group of a sink connector, and what reaches it.
//!
//! Not here: what is asked of it (the herder), being a member of it (`sink_task`).

use tombolo_kafka::{ClientKind, ClientSettings};
use tombolo_model::{ConnectorName, Fault, Settings};

use crate::client_settings::admin_with_warnings;
use crate::config::WorkerConfig;
use crate::connector_config::ConnectorConfig;

/// The consumer group of a sink connector.
#[derive(Clone, Debug)]
pub struct SinkGroup {
    /// Its id.
    pub id: String,
    /// Settings of an admin client that reaches it: it may live in another cluster than the worker's groups.
    pub admin: ClientSettings,
}

impl SinkGroup {
    /// The group of which the tasks of this connector are members.
    ///
    /// Errors: `Config`, where the worker's policy does not allow an override, or a client cannot have a setting.
    ///
    /// Follows `Worker.sinkConnectorOffsets` of Kafka Connect: the policy is asked about both clients, because validation does not ask about those
    /// that only this needs, and may have asked another policy.
    pub(crate) fn new(worker: &WorkerConfig, connector: &ConnectorConfig) -> Result<Self, Fault> {
        let consumer = worker.client(ClientKind::Consumer, &connector.consumer_override)?;
        // What has no effect is not said: it would be with every request.
        let (admin, _) = admin_with_warnings(worker, &connector.admin_override)?;
        Ok(Self { id: id(&connector.name, &consumer), admin })
    }
}

/// The group of a connector whose consumers have these settings.
pub(crate) fn id(connector: &ConnectorName, consumer: &Settings) -> String {
    consumer.get("group.id").map_or_else(|| format!("connect-{connector}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use tombolo_model::plugin::PluginKind;

    use super::*;
    use crate::client_settings::translate;

    fn group(policy: &str, more: &[(&str, &str)]) -> Result<SinkGroup, String> {
        let worker: Settings = [
            ("bootstrap.servers", "b:9092"),
            ("key.converter", "K"),
            ("value.converter", "V"),
            ("admin.retry.backoff.ms", "70"),
            ("connector.client.config.override.policy", policy),
        ]
        .into_iter()
        .collect();
        let worker = WorkerConfig::from_settings(&worker).unwrap();
        let own = [("name", "s"), ("connector.class", "C"), ("topics", "t")];
        let config: Settings = own.iter().chain(more).copied().collect();
        let connector = ConnectorConfig::from_settings(&config, PluginKind::Sink).unwrap();
        SinkGroup::new(&worker, &connector).map_err(|fault| fault.message)
    }

    #[test]
    fn a_group_is_where_the_overrides_of_its_clients_say_if_the_policy_allows_them() {
        let client = |bootstrap: &str| {
            let java = [("bootstrap.servers", bootstrap), ("retry.backoff.ms", "70")];
            translate(ClientKind::Admin, &java.into_iter().collect()).unwrap()
        };
        let plain = group("None", &[]).unwrap();
        assert_eq!((plain.id.as_str(), plain.admin), ("connect-s", client("b:9092")));
        let elsewhere = [
            ("consumer.override.group.id", "g"),
            ("admin.override.bootstrap.servers", "elsewhere:9092"),
        ];
        let allowed = group("All", &elsewhere).unwrap();
        assert_eq!((allowed.id.as_str(), allowed.admin), ("g", client("elsewhere:9092")));
        for (name, value) in elsewhere {
            let refused = group("Tuning", &[(name, value)]).unwrap_err();
            let setting = name.split_once(".override.").unwrap().1;
            assert_eq!(
                refused,
                format!(
                    "The 'Tuning' policy does not allow '{setting}' to be overridden in the connector configuration."
                )
            );
        }
    }
}
