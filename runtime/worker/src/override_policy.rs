//! Which settings of Kafka clients a connector may override.
//!
//! Not here: what the settings mean (`kafka::settings`).

use tombolo_model::Settings;

/// Which client settings connectors may override.
///
/// Follows `ConnectorClientConfigOverridePolicy` and its implementations in Kafka Connect; `Tuning` is our own.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum OverridePolicy {
    /// All.
    #[default]
    All,
    /// None.
    None,
    /// Those that say who the connector is.
    Principal,
    /// Those that make a client faster or slower, or choose what it reads first: none that say where it connects, as whom, with which files, or in
    /// which group.
    Tuning,
    /// These.
    Allowlist(Vec<String>),
}

/// What [`OverridePolicy::Principal`] allows.
const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];

/// What [`OverridePolicy::Tuning`] allows. A list of what is allowed, and not of what is not: a setting that is new is harmful until it is known.
const TUNING: [&str; 33] = [
    "acks",
    "auto.offset.reset",
    "batch.size",
    "buffer.memory",
    "client.rack",
    "compression.gzip.level",
    "compression.lz4.level",
    "compression.type",
    "compression.zstd.level",
    "connections.max.idle.ms",
    "delivery.timeout.ms",
    "enable.idempotence",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "heartbeat.interval.ms",
    "isolation.level",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "metadata.max.age.ms",
    "partition.assignment.strategy",
    "partitioner.class",
    "partitioner.ignore.keys",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "session.timeout.ms",
];

impl OverridePolicy {
    /// Reads a policy by its name, or by its class in Kafka Connect.
    pub(crate) fn from_settings(name: &str, allowlist: &str) -> Result<Self, String> {
        let simple = name.rsplit('.').next().unwrap_or(name);
        let simple = simple.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(simple);
        match simple {
            "All" => Ok(Self::All),
            "None" => Ok(Self::None),
            "Principal" => Ok(Self::Principal),
            "Tuning" => Ok(Self::Tuning),
            "Allowlist" => {
                let names = allowlist.split(',').map(str::trim).filter(|name| !name.is_empty());
                Ok(Self::Allowlist(names.map(str::to_owned).collect()))
            }
            _ => Err(format!(
                "Invalid value {name} for configuration connector.client.config.override.policy: \
                 expected All, None, Principal, Allowlist or Tuning"
            )),
        }
    }

    /// The overrides that are not allowed, each with the reason in Kafka Connect's words.
    pub fn refused(&self, overrides: &Settings) -> Vec<(String, String)> {
        let name = match self {
            Self::All => "All",
            Self::None => "None",
            Self::Principal => "Principal",
            Self::Tuning => "Tuning",
            Self::Allowlist(_) => "Allowlist",
        };
        let reason = |setting: &str| {
            format!(
                "The '{name}' policy does not allow '{setting}' to be overridden in the connector configuration."
            )
        };
        overrides
            .iter()
            .filter(|(setting, _)| !self.allows(setting))
            .map(|(setting, _)| (setting.to_owned(), reason(setting)))
            .collect()
    }

    fn allows(&self, setting: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Principal => PRINCIPAL.contains(&setting),
            Self::Tuning => TUNING.contains(&setting),
            Self::Allowlist(allowed) => allowed.iter().any(|allowed| allowed == setting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_what_it_does_not_allow() {
        let overrides: Settings =
            [("acks", "1"), ("security.protocol", "SSL")].into_iter().collect();
        let check = |name: &str, expected: &[&str]| {
            let policy = OverridePolicy::from_settings(name, "linger.ms, acks").unwrap();
            let refused = policy.refused(&overrides);
            let names: Vec<&str> = refused.iter().map(|(setting, _)| setting.as_str()).collect();
            assert_eq!(names, expected, "{name}");
        };
        check("All", &[]);
        check("None", &["acks", "security.protocol"]);
        check("Principal", &["acks"]);
        check("Allowlist", &["security.protocol"]);
        check("Tuning", &["security.protocol"]);
        let class = "org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy";
        check(class, &["acks"]);
        assert_eq!(
            OverridePolicy::None.refused(&overrides)[0].1,
            "The 'None' policy does not allow 'acks' to be overridden in the connector configuration."
        );
    }
}
