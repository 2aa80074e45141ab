//! The three lists: every setting of Kafka 4.3's clients, and what becomes of it.
//!
//! Not here: how values are converted (`convert`), and what security settings mean together (`ssl`, `sasl`).

use super::ClientKind::{self, Admin, Consumer, Producer};
use super::convert::{self, Convert};

/// What becomes of a setting.
#[derive(Clone, Copy)]
pub(super) enum Treatment {
    /// librdkafka has it under the same name.
    Same,
    /// librdkafka has it under this name.
    Renamed(&'static str),
    /// Its value is converted.
    Converted(Convert),
    /// It is read together with others, in `ssl` or `sasl`.
    Security,
    /// It makes no difference here, for this reason.
    Ignored(&'static str),
    /// Delivery or security would change without it, for this reason.
    Refused(&'static str),
    /// Kafka's clients have no such setting.
    Unknown,
}

use Treatment::{Converted, Ignored, Refused, Renamed, Same, Security};

const ALL: &[ClientKind] = &[Consumer, Producer, Admin];

const SOCKETS: &str = "the operating system chooses buffers of sockets";
const METRICS: &str = "metrics are not reported by Java classes";
const SERIALIZERS: &str = "converters make the bytes";
const JAVA_TLS: &str = "it chooses a part of Java's TLS, which is not used";
const REFRESH: &str = "librdkafka refreshes logins in its own rhythm";
const BLOCKING: &str = "nothing blocks on a client here";
const INTERCEPTORS: &str = "interceptors are Java classes that may change or count records";
const HANDLERS: &str = "it is a Java class that takes part in authentication";

/// Every setting of the clients, by the kinds of client that know it.
pub(super) const SETTINGS: &[(&str, &[ClientKind], Treatment)] = &[
    // Connections.
    ("bootstrap.servers", ALL, Same),
    ("client.id", ALL, Same),
    ("client.dns.lookup", ALL, Same),
    ("metadata.max.age.ms", ALL, Converted(convert::metadata_max_age)),
    ("metadata.recovery.strategy", ALL, Same),
    ("metadata.recovery.rebootstrap.trigger.ms", ALL, Same),
    ("reconnect.backoff.ms", ALL, Same),
    ("reconnect.backoff.max.ms", ALL, Same),
    ("retry.backoff.ms", ALL, Converted(convert::at_least_one)),
    ("retry.backoff.max.ms", ALL, Converted(convert::at_least_one)),
    ("request.timeout.ms", ALL, Converted(convert::request_timeout)),
    ("socket.connection.setup.timeout.ms", ALL, Converted(convert::setup_timeout)),
    ("connections.max.idle.ms", ALL, Converted(convert::max_idle)),
    ("enable.metrics.push", ALL, Same),
    ("send.buffer.bytes", ALL, Ignored(SOCKETS)),
    ("receive.buffer.bytes", ALL, Ignored(SOCKETS)),
    ("socket.connection.setup.timeout.max.ms", ALL, Ignored("the first timeout is kept")),
    ("default.api.timeout.ms", ALL, Ignored(BLOCKING)),
    ("bootstrap.resolve.timeout.ms", ALL, Ignored("names are resolved again and again")),
    ("metadata.cluster.check.enable", ALL, Ignored("librdkafka does not check it")),
    ("bootstrap.controllers", &[Admin], Refused("requests go to brokers only")),
    // Metrics and extensions.
    ("metric.reporters", ALL, Ignored(METRICS)),
    ("metrics.num.samples", ALL, Ignored(METRICS)),
    ("metrics.recording.level", ALL, Ignored(METRICS)),
    ("metrics.sample.window.ms", ALL, Ignored(METRICS)),
    ("auto.include.jmx.reporter", ALL, Ignored(METRICS)),
    ("interceptor.classes", &[Consumer, Producer], Refused(INTERCEPTORS)),
    ("config.providers", ALL, Ignored("the worker resolves variables")),
    // Consumers.
    ("group.id", &[Consumer], Same),
    ("group.instance.id", &[Consumer], Same),
    ("group.protocol", &[Consumer], Converted(convert::security_protocol)),
    ("group.remote.assignor", &[Consumer], Same),
    ("session.timeout.ms", &[Consumer], Same),
    ("heartbeat.interval.ms", &[Consumer], Same),
    ("max.poll.interval.ms", &[Consumer], Same),
    ("max.poll.records", &[Consumer], Converted(|_, _, _| Ok(()))),
    ("partition.assignment.strategy", &[Consumer], Converted(convert::assignors)),
    ("auto.offset.reset", &[Consumer], Converted(convert::auto_offset_reset)),
    ("enable.auto.commit", &[Consumer], Converted(convert::auto_commit)),
    ("isolation.level", &[Consumer], Converted(convert::security_protocol)),
    ("fetch.min.bytes", &[Consumer], Converted(convert::at_least_one)),
    ("fetch.max.bytes", &[Consumer], Same),
    ("fetch.max.wait.ms", &[Consumer], Renamed("fetch.wait.max.ms")),
    ("max.partition.fetch.bytes", &[Consumer], Converted(convert::at_least_one)),
    ("check.crcs", &[Consumer], Same),
    ("allow.auto.create.topics", &[Consumer], Same),
    ("client.rack", &[Consumer], Same),
    ("auto.commit.interval.ms", &[Consumer], Ignored("the worker commits")),
    ("exclude.internal.topics", &[Consumer], Ignored("no pattern matches Kafka's internal topics")),
    ("key.deserializer", &[Consumer], Ignored(SERIALIZERS)),
    ("value.deserializer", &[Consumer], Ignored(SERIALIZERS)),
    // How far a consumer fetches ahead; librdkafka's names, as Java has none.
    ("queued.max.messages.kbytes", &[Consumer], Same),
    ("queued.min.messages", &[Consumer], Same),
    // Producers.
    ("acks", &[Producer], Same),
    ("enable.idempotence", &[Producer], Same),
    ("max.in.flight.requests.per.connection", &[Producer], Same),
    ("retries", &[Producer], Same),
    ("linger.ms", &[Producer], Same),
    ("batch.size", &[Producer], Converted(convert::at_least_one)),
    ("buffer.memory", &[Producer], Converted(convert::buffer_memory)),
    ("max.request.size", &[Producer], Renamed("message.max.bytes")),
    ("delivery.timeout.ms", &[Producer], Converted(convert::delivery_timeout)),
    ("compression.type", &[Producer], Same),
    ("compression.gzip.level", &[Producer], Converted(convert::compression_level)),
    ("compression.lz4.level", &[Producer], Converted(convert::compression_level)),
    ("compression.zstd.level", &[Producer], Converted(convert::compression_level)),
    ("partitioner.ignore.keys", &[Producer], Converted(convert::ignore_keys)),
    ("partitioner.class", &[Producer], Converted(convert::partitioner)),
    ("transaction.timeout.ms", &[Producer], Same),
    ("transactional.id", &[Producer], Refused("transactions are the worker's, which has none yet")),
    ("transaction.two.phase.commit.enable", &[Producer], Refused("transactions are the worker's")),
    ("max.block.ms", &[Producer], Ignored(BLOCKING)),
    ("metadata.max.idle.ms", &[Producer], Ignored("topics are not forgotten")),
    (
        "partitioner.adaptive.partitioning.enable",
        &[Producer],
        Ignored("records without a key go to partitions at random"),
    ),
    (
        "partitioner.availability.timeout.ms",
        &[Producer],
        Ignored("records without a key go to partitions at random"),
    ),
    ("key.serializer", &[Producer], Ignored(SERIALIZERS)),
    ("value.serializer", &[Producer], Ignored(SERIALIZERS)),
    // TLS.
    ("security.protocol", ALL, Converted(convert::security_protocol)),
    ("security.providers", ALL, Refused(HANDLERS)),
    ("ssl.engine.factory.class", ALL, Refused("it is a Java class that makes TLS connections")),
    ("ssl.protocol", ALL, Security),
    ("ssl.enabled.protocols", ALL, Security),
    ("ssl.cipher.suites", ALL, Security),
    ("ssl.endpoint.identification.algorithm", ALL, Security),
    ("ssl.keystore.type", ALL, Security),
    ("ssl.keystore.location", ALL, Security),
    ("ssl.keystore.password", ALL, Security),
    ("ssl.keystore.key", ALL, Security),
    ("ssl.keystore.certificate.chain", ALL, Security),
    ("ssl.key.password", ALL, Security),
    ("ssl.truststore.type", ALL, Security),
    ("ssl.truststore.location", ALL, Security),
    ("ssl.truststore.password", ALL, Security),
    ("ssl.truststore.certificates", ALL, Security),
    ("ssl.provider", ALL, Ignored(JAVA_TLS)),
    ("ssl.keymanager.algorithm", ALL, Ignored(JAVA_TLS)),
    ("ssl.trustmanager.algorithm", ALL, Ignored(JAVA_TLS)),
    ("ssl.secure.random.implementation", ALL, Ignored(JAVA_TLS)),
    // SASL.
    ("sasl.mechanism", ALL, Security),
    ("sasl.jaas.config", ALL, Security),
    ("sasl.login.callback.handler.class", ALL, Security),
    ("sasl.client.callback.handler.class", ALL, Refused(HANDLERS)),
    ("sasl.login.class", ALL, Refused(HANDLERS)),
    ("sasl.kerberos.service.name", ALL, Same),
    ("sasl.kerberos.min.time.before.relogin", ALL, Same),
    ("sasl.kerberos.kinit.cmd", ALL, Ignored("librdkafka's own command renews tickets")),
    ("sasl.kerberos.ticket.renew.window.factor", ALL, Ignored(REFRESH)),
    ("sasl.kerberos.ticket.renew.jitter", ALL, Ignored(REFRESH)),
    ("sasl.login.refresh.window.factor", ALL, Ignored(REFRESH)),
    ("sasl.login.refresh.window.jitter", ALL, Ignored(REFRESH)),
    ("sasl.login.refresh.min.period.seconds", ALL, Ignored(REFRESH)),
    ("sasl.login.refresh.buffer.seconds", ALL, Ignored(REFRESH)),
    ("sasl.login.connect.timeout.ms", ALL, Ignored(REFRESH)),
    ("sasl.login.read.timeout.ms", ALL, Ignored(REFRESH)),
    ("sasl.login.retry.backoff.ms", ALL, Ignored(REFRESH)),
    ("sasl.login.retry.backoff.max.ms", ALL, Ignored(REFRESH)),
    ("sasl.oauthbearer.token.endpoint.url", ALL, Security),
    ("sasl.oauthbearer.client.credentials.client.id", ALL, Security),
    ("sasl.oauthbearer.client.credentials.client.secret", ALL, Security),
    ("sasl.oauthbearer.scope", ALL, Security),
];

/// Settings of a family that are not each in the list.
const FAMILIES: &[(&str, Treatment)] = &[
    ("sasl.oauthbearer.assertion.", Refused("only client credentials are exchanged for tokens")),
    ("sasl.oauthbearer.jwks.", Ignored("brokers check tokens, clients do not")),
    ("sasl.oauthbearer.expected.", Ignored("brokers check tokens, clients do not")),
    ("sasl.oauthbearer.jwt.", Refused(HANDLERS)),
    ("sasl.oauthbearer.", Ignored("librdkafka has its own way")),
];

/// What a setting needs that not every build of the program has, for people.
pub(super) fn needs(name: &str) -> Option<&'static str> {
    match name {
        "sasl.mechanism" => Some(
            "`GSSAPI`, the default as in Kafka, needs a program that was built with `--features gssapi`",
        ),
        "sasl.kerberos.service.name" | "sasl.kerberos.min.time.before.relogin" => {
            Some("needs a program that was built with `--features gssapi`")
        }
        "sasl.oauthbearer.token.endpoint.url"
        | "sasl.oauthbearer.client.credentials.client.id"
        | "sasl.oauthbearer.client.credentials.client.secret"
        | "sasl.oauthbearer.scope" => Some("needs a program that was built with `--features oidc`"),
        _ => None,
    }
}

/// The setting that librdkafka has under this name.
pub(super) fn java_name(kind: ClientKind, property: &str) -> &str {
    let is_it = |treatment: &Treatment| matches!(treatment, Renamed(name) if *name == property);
    let found = SETTINGS.iter().find(|(_, kinds, how)| kinds.contains(&kind) && is_it(how));
    found.map_or(property, |(name, ..)| name)
}

/// What becomes of a setting of a client of this kind.
pub(super) fn treatment(kind: ClientKind, name: &str) -> Treatment {
    let exact = SETTINGS.iter().find(|(known, ..)| *known == name);
    match exact {
        Some((_, kinds, treatment)) if kinds.contains(&kind) => *treatment,
        Some(_) => Ignored("it is a setting of another kind of client"),
        None => FAMILIES
            .iter()
            .find(|(family, _)| name.starts_with(family))
            .map_or(Treatment::Unknown, |(_, treatment)| *treatment),
    }
}
