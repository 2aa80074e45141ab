//! Settings of a connector's Kafka clients: the worker's, with the connector's over them where the policy allows it.
//!
//! Not here: Kafka Connect's defaults and the translation to our client (`kafka::settings`).

use tombolo_kafka::{ClientKind, ClientSettings, Warning};
use tombolo_model::{Fault, Settings};

use crate::config::WorkerConfig;

/// Records of one poll of a consumer where `max.poll.records` is not set, as in Kafka.
const MAX_POLL_RECORDS: usize = 500;

impl WorkerConfig {
    /// Settings of a connector's client of this kind, in Java's terms.
    ///
    /// Errors: `Config`, where the policy does not allow an override.
    ///
    /// Follows `Worker.baseProducerConfigs`, `baseConsumerConfigs` and `adminConfigs` of Kafka Connect: an admin client gets the worker's own
    /// settings too, the others only what stands below their prefix.
    pub(crate) fn client(&self, kind: ClientKind, overrides: &Settings) -> Result<Settings, Fault> {
        if let Some((_, message)) = self.override_policy.refused(overrides).into_iter().next() {
            return Err(Fault::config(message));
        }
        let (prefix, own) = match kind {
            ClientKind::Consumer => ("consumer.", bootstrap(&self.all)),
            ClientKind::Producer => ("producer.", bootstrap(&self.all)),
            ClientKind::Admin => ("admin.", without_prefixes(&self.all)),
        };
        Ok(own.overlaid(&self.all.with_prefix(prefix)).overlaid(overrides))
    }
}

/// Translates settings of a consumer or a producer; what has no effect is said once for each that is made.
pub(crate) fn translate(kind: ClientKind, java: &Settings) -> Result<ClientSettings, Fault> {
    let (settings, warnings) = translated(kind, java)?;
    tell(&warnings);
    Ok(settings)
}

/// The same for a connector's admin client, from its overrides on.
pub(crate) fn admin(worker: &WorkerConfig, overrides: &Settings) -> Result<ClientSettings, Fault> {
    let (settings, warnings) = admin_with_warnings(worker, overrides)?;
    tell(&warnings);
    Ok(settings)
}

/// An admin client's settings, and what of those that are meant for it has no effect: it is given the whole worker file, most of which is for others.
pub(crate) fn admin_with_warnings(
    worker: &WorkerConfig,
    overrides: &Settings,
) -> Result<(ClientSettings, Vec<Warning>), Fault> {
    let java = worker.client(ClientKind::Admin, overrides)?;
    let (settings, mut warnings) = translated(ClientKind::Admin, &java)?;
    let meant = worker.all.with_prefix("admin.").overlaid(overrides);
    warnings.retain(|warning| meant.contains(&warning.name));
    Ok((settings, warnings))
}

fn translated(kind: ClientKind, java: &Settings) -> Result<(ClientSettings, Vec<Warning>), Fault> {
    check_addresses(java)?;
    ClientSettings::translate(kind, java).map_err(|refused| Fault::config(refused.to_string()))
}

fn tell(warnings: &[Warning]) {
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
}

/// Refuses what is no address of a broker, for which our client would wait for ever.
///
/// Follows `ClientUtils.parseAndValidateAddresses` of Kafka.
fn check_addresses(java: &Settings) -> Result<(), Fault> {
    let addresses = java.get("bootstrap.servers").unwrap_or_default();
    let is_address = |address: &str| {
        let port = address.rsplit_once(':').map(|(_, port)| port);
        port.is_some_and(|port| port.parse::<u16>().is_ok())
    };
    let mut given = addresses.split(',').map(str::trim).filter(|address| !address.is_empty());
    match given.find(|address| !is_address(address)) {
        None => Ok(()),
        Some(wrong) => Err(Fault::config(format!("Invalid url in bootstrap.servers: {wrong}"))),
    }
}

/// How many records a sink gets at once: the consumer's `max.poll.records`.
pub(crate) fn rows_max(consumer: &Settings) -> usize {
    let records = consumer.get("max.poll.records").and_then(|text| text.trim().parse().ok());
    records.unwrap_or(MAX_POLL_RECORDS).max(1)
}

fn bootstrap(all: &Settings) -> Settings {
    ["bootstrap.servers", "client.dns.lookup"]
        .into_iter()
        .filter_map(|name| Some((name, all.get(name)?)))
        .collect()
}

fn without_prefixes(all: &Settings) -> Settings {
    let prefixed = |name: &str| {
        ["producer.", "consumer.", "admin."].iter().any(|prefix| name.starts_with(prefix))
    };
    all.iter().filter(|(name, _)| !prefixed(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(policy: &str) -> WorkerConfig {
        let settings: Settings = [
            ("bootstrap.servers", "b:9092"),
            ("key.converter", "K"),
            ("value.converter", "V"),
            ("security.protocol", "SSL"),
            ("producer.linger.ms", "5"),
            ("consumer.max.poll.records", "7"),
            ("connector.client.config.override.policy", policy),
        ]
        .into_iter()
        .collect();
        WorkerConfig::from_settings(&settings).unwrap()
    }

    #[test]
    fn clients_get_the_worker_s_settings_and_the_connectors_over_them() {
        let overrides: Settings = [("linger.ms", "9")].into_iter().collect();
        let check = |kind: ClientKind, name: &str, expected: Option<&str>| {
            let settings = config("All").client(kind, &overrides).unwrap();
            assert_eq!(settings.get(name), expected, "{kind:?} {name}");
        };
        check(ClientKind::Producer, "bootstrap.servers", Some("b:9092"));
        check(ClientKind::Producer, "linger.ms", Some("9"));
        check(ClientKind::Producer, "security.protocol", None);
        check(ClientKind::Producer, "producer.linger.ms", None);
        check(ClientKind::Consumer, "max.poll.records", Some("7"));
        check(ClientKind::Admin, "security.protocol", Some("SSL"));
        check(ClientKind::Admin, "producer.linger.ms", None);
        let consumer = config("All").client(ClientKind::Consumer, &overrides).unwrap();
        assert_eq!((rows_max(&consumer), rows_max(&Settings::default())), (7, 500));
    }

    #[test]
    fn what_has_no_effect_on_an_admin_client_is_said_once_if_it_was_meant_for_it() {
        let mut worker = config("All");
        // The first and the last are for the worker's own clients.
        for name in ["linger.ms", "admin.metric.reporters", "send.buffer.bytes"] {
            worker.all.insert(name, "1");
        }
        let said = |overrides: &[(&str, &str)]| {
            let overrides: Settings = overrides.iter().copied().collect();
            let (_, warnings) = admin_with_warnings(&worker, &overrides).unwrap();
            warnings.into_iter().map(|warning| warning.name).collect::<Vec<_>>()
        };
        assert_eq!(said(&[]), ["metric.reporters"]);
        let overrides =
            [("send.buffer.bytes", "2"), ("acks", "all"), ("request.timeout.ms", "40000")];
        assert_eq!(said(&overrides), ["acks", "metric.reporters", "send.buffer.bytes"]);
    }

    #[test]
    fn addresses_without_a_port_are_refused_as_kafka_refuses_them() {
        let check = |addresses: &str, wrong: Option<&str>| {
            let java: Settings = [("bootstrap.servers", addresses)].into_iter().collect();
            let refused = translate(ClientKind::Producer, &java).err().map(|fault| fault.message);
            let expected = wrong.map(|wrong| format!("Invalid url in bootstrap.servers: {wrong}"));
            assert_eq!(refused, expected, "{addresses}");
        };
        check("a:1, SSL://b.c:2,[::1]:3", None);
        check("a:1, b", Some("b"));
        check("a:many", Some("a:many"));
    }

    #[test]
    fn an_override_that_the_policy_does_not_allow_is_a_configuration_error() {
        let overrides: Settings = [("acks", "1")].into_iter().collect();
        let fault = config("None").client(ClientKind::Producer, &overrides).unwrap_err();
        assert!(fault.message.starts_with("The 'None' policy"), "{}", fault.message);
    }
}
