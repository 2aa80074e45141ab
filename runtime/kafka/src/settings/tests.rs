//! The three lists, and what values become.

use super::*;
use ClientKind::{Admin, Consumer, Producer};

/// Names and values.
type Pairs<'a> = &'a [(&'a str, &'a str)];

fn translate(
    kind: ClientKind,
    java: &[(&str, &str)],
) -> Result<(ClientSettings, Vec<Warning>), RefusedSetting> {
    ClientSettings::translate(kind, &java.iter().copied().collect())
}

/// The properties that settings add to the defaults.
fn added(kind: ClientKind, java: &[(&str, &str)]) -> Vec<(String, String)> {
    let plain = translate(kind, &[]).unwrap().0;
    let (settings, warnings) = translate(kind, java).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    settings.properties.into_iter().filter(|(name, value)| plain.get(name) != Some(value)).collect()
}

fn check(kind: ClientKind, java: (&str, &str), expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(added(kind, &[java]), expected, "{java:?}");
}

#[test]
fn settings_are_translated() {
    for kind in [Consumer, Producer, Admin] {
        check(kind, ("bootstrap.servers", " a:1,b:2 "), &[("bootstrap.servers", "a:1,b:2")]);
        check(kind, ("client.id", "me"), &[("client.id", "me")]);
        check(
            kind,
            ("metadata.max.age.ms", "9000000"),
            &[("topic.metadata.refresh.interval.ms", "3600000")],
        );
        check(kind, ("connections.max.idle.ms", "-1"), &[("connections.max.idle.ms", "0")]);
        check(kind, ("request.timeout.ms", "40000"), &[("socket.timeout.ms", "40000")]);
        check(kind, ("retry.backoff.ms", "0"), &[("retry.backoff.ms", "1")]);
    }
    check(Consumer, ("auto.offset.reset", "none"), &[("auto.offset.reset", "error")]);
    check(Consumer, ("auto.offset.reset", "LATEST"), &[("auto.offset.reset", "latest")]);
    check(
        Consumer,
        ("isolation.level", "READ_COMMITTED"),
        &[("isolation.level", "read_committed")],
    );
    check(Consumer, ("fetch.max.wait.ms", "7"), &[("fetch.wait.max.ms", "7")]);
    check(Consumer, ("enable.auto.commit", "false"), &[]);
    check(
        Consumer,
        ("fetch.max.bytes", "200000000"),
        &[("fetch.max.bytes", "200000000"), ("receive.message.max.bytes", "200000512")],
    );
    check(
        Consumer,
        ("fetch.max.bytes", "5000"),
        &[
            ("fetch.max.bytes", "5000"),
            ("message.max.bytes", "5000"),
            ("receive.message.max.bytes", "100000000"),
        ],
    );
    let both = "org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    check(Consumer, ("partition.assignment.strategy", both), &[]);
    check(
        Consumer,
        (
            "partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        ),
        &[("partition.assignment.strategy", "cooperative-sticky")],
    );
    check(Producer, ("delivery.timeout.ms", "2147483647"), &[]);
    check(Producer, ("delivery.timeout.ms", "5000"), &[("message.timeout.ms", "5000")]);
    check(Producer, ("buffer.memory", "1048576"), &[("queue.buffering.max.kbytes", "1024")]);
    check(Producer, ("max.request.size", "5000000"), &[("message.max.bytes", "5000000")]);
    check(Producer, ("partitioner.ignore.keys", "true"), &[("partitioner", "random")]);
    assert_eq!(translate(Consumer, &[("max.poll.records", "7")]).unwrap().0.poll_records_max(), 7);
    assert_eq!(translate(Consumer, &[]).unwrap().0.poll_records_max(), 500);
}

#[test]
fn queues_are_bounded_and_what_is_in_them_does_not_expire() {
    let holds = |kind: ClientKind, java: Pairs<'_>, property: &str, expected: &str| {
        let settings = translate(kind, java).unwrap().0;
        assert_eq!(settings.get(property), Some(expected), "{java:?}");
    };
    let (fetched, sent) = ("queued.max.messages.kbytes", "queue.buffering.max.kbytes");
    holds(Consumer, &[], fetched, &(16 * 1024).to_string());
    holds(Consumer, &[(fetched, "1024")], fetched, "1024");
    holds(Producer, &[], sent, &(32 * 1024).to_string());
    holds(Producer, &[("buffer.memory", "67108864")], sent, &(64 * 1024).to_string());
    holds(Producer, &[], "message.timeout.ms", "0");
    // Bytes bound the producer's queue, and each task's budget; a number of records does not.
    holds(Producer, &[], "queue.buffering.max.messages", "0");
}

#[test]
fn a_compression_level_counts_for_its_own_compression() {
    let levels = [
        ("compression.type", "zstd"),
        ("compression.zstd.level", "7"),
        ("compression.gzip.level", "9"),
    ];
    let expected = [("compression.level", "7"), ("compression.type", "zstd")];
    assert_eq!(
        added(Producer, &levels),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn idempotence_goes_where_other_settings_forbid_it_as_in_java() {
    let one_by_one =
        [("enable.idempotence", "false"), ("max.in.flight.requests.per.connection", "1")];
    let cases: [(Pairs<'_>, Pairs<'_>); 5] = [
        (&[("acks", "1")], &[("acks", "1"), one_by_one[0], one_by_one[1]]),
        (&[("acks", "-1")], &[("acks", "-1")]),
        (&[("retries", "0")], &[one_by_one[0], one_by_one[1], ("retries", "0")]),
        (&[("enable.idempotence", "false")], &one_by_one),
        (
            &[("max.in.flight.requests.per.connection", "20")],
            &[one_by_one[0], ("max.in.flight.requests.per.connection", "20")],
        ),
    ];
    for (java, expected) in cases {
        let expected: Vec<(String, String)> =
            expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(added(Producer, java), expected, "{java:?}");
    }
}

#[test]
fn what_makes_no_difference_is_ignored_with_one_warning() {
    let cases = [
        (Consumer, "key.deserializer"),
        (Consumer, "metric.reporters"),
        (Consumer, "receive.buffer.bytes"),
        (Consumer, "linger.ms"),
        (Producer, "value.serializer"),
        (Producer, "max.block.ms"),
        (Producer, "ssl.provider"),
        (Admin, "send.buffer.bytes"),
        (Admin, "sasl.login.refresh.window.factor"),
        (Admin, "no.such.setting"),
    ];
    for (kind, name) in cases {
        let (settings, warnings) = translate(kind, &[(name, "x")]).unwrap();
        assert_eq!(warnings.len(), 1, "{name}");
        assert_eq!(warnings[0].name, name);
        assert_eq!(settings, translate(kind, &[]).unwrap().0, "{name} changes nothing");
    }
    let mine = [("partition.assignment.strategy", "com.example.Mine")];
    assert_eq!(translate(Consumer, &mine).unwrap().1.len(), 1, "an assignor's class");
}

#[test]
fn what_would_change_delivery_or_security_is_refused() {
    let ssl = ("security.protocol", "SSL");
    let sasl = ("security.protocol", "SASL_PLAINTEXT");
    let cases: [(ClientKind, Pairs<'_>, &str); 12] = [
        (Consumer, &[("interceptor.classes", "com.example.Spy")], "interceptor.classes"),
        (Producer, &[("interceptor.classes", "com.example.Spy")], "interceptor.classes"),
        (Producer, &[("partitioner.class", "com.example.Mine")], "partitioner.class"),
        (Producer, &[("transactional.id", "mine")], "transactional.id"),
        (Consumer, &[("enable.auto.commit", "true")], "enable.auto.commit"),
        (Consumer, &[("auto.offset.reset", "by_duration:PT1H")], "auto.offset.reset"),
        (Admin, &[("ssl.engine.factory.class", "com.example.Engine")], "ssl.engine.factory.class"),
        (Admin, &[("security.providers", "com.example.P")], "security.providers"),
        (Admin, &[ssl, ("ssl.enabled.protocols", "TLSv1.3")], "ssl.enabled.protocols"),
        (
            Admin,
            &[("sasl.client.callback.handler.class", "com.example.H")],
            "sasl.client.callback.handler.class",
        ),
        (
            Admin,
            &[
                sasl,
                ("sasl.mechanism", "PLAIN"),
                ("sasl.login.callback.handler.class", "com.example.H"),
            ],
            "sasl.login.callback.handler.class",
        ),
        (Admin, &[sasl, ("sasl.mechanism", "PLAIN")], "sasl.jaas.config"),
    ];
    for (kind, java, name) in cases {
        let refusal = translate(kind, java).unwrap_err();
        assert_eq!(refusal.name, name, "{refusal}");
        assert!(!refusal.reason.is_empty());
    }
}

#[test]
fn a_value_that_is_not_of_its_type_is_refused_by_the_name_of_its_setting() {
    for (kind, name, value) in [
        (Producer, "linger.ms", "soon"),
        (Producer, "max.request.size", "much"),
        (Consumer, "session.timeout.ms", "-1"),
    ] {
        let refusal = translate(kind, &[(name, value)]).unwrap_err();
        assert_eq!(refusal.name, name);
        assert!(!refusal.to_string().contains(value), "{refusal}");
    }
}

const SASL: (&str, &str) = ("security.protocol", "SASL_SSL");
const MODULES: &str = "org.apache.kafka.common.security";

#[test]
fn logins_are_taken_from_jaas() {
    let plain =
        format!("{MODULES}.plain.PlainLoginModule required username=\"al\" password=\"p=;'w\";");
    let scram = format!("{MODULES}.scram.ScramLoginModule required username=al password='pw' ;");
    let oauth = format!(
        "{MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"al\" unsecuredLoginLifetimeSeconds=60 extension_a=b;"
    );
    let cases = [
        ("PLAIN", plain, vec![("sasl.password", "p=;'w"), ("sasl.username", "al")]),
        ("SCRAM-SHA-512", scram, vec![("sasl.password", "pw"), ("sasl.username", "al")]),
        (
            "OAUTHBEARER",
            oauth,
            vec![
                ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
                ("sasl.oauthbearer.config", "principal=al lifeSeconds=60 extension_a=b"),
            ],
        ),
    ];
    for (mechanism, jaas, expected) in cases {
        let settings =
            translate(Admin, &[SASL, ("sasl.mechanism", mechanism), ("sasl.jaas.config", &jaas)])
                .unwrap()
                .0;
        assert_eq!(settings.get("sasl.mechanism"), Some(mechanism));
        for (name, value) in expected {
            assert_eq!(settings.get(name), Some(value), "{mechanism}");
        }
        assert!(!format!("{settings:?}").contains("pw"), "secrets are not shown");
    }
    let wrong = translate(
        Admin,
        &[
            SASL,
            ("sasl.mechanism", "PLAIN"),
            ("sasl.jaas.config", "x.Krb5LoginModule required password=\"hunter2\";"),
        ],
    )
    .unwrap_err();
    assert!(
        wrong.reason.contains("PlainLoginModule") && !wrong.reason.contains("hunter2"),
        "{wrong}"
    );
}

#[test]
fn mechanisms_that_this_build_lacks_are_refused_by_name() {
    let kerberos = "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab=\"/k\" principal=\"p@R\";";
    let oauth =
        format!("{MODULES}.oauthbearer.OAuthBearerLoginModule required clientId=a clientSecret=b;");
    let cases: [(&str, &str, Pairs<'_>, Pairs<'_>); 2] = [
        (
            "sasl_gssapi",
            "gssapi",
            &[SASL, ("sasl.jaas.config", kerberos)],
            &[("sasl.kerberos.keytab", "/k"), ("sasl.kerberos.principal", "p@R")],
        ),
        (
            "oidc",
            "oidc",
            &[
                SASL,
                ("sasl.mechanism", "OAUTHBEARER"),
                ("sasl.jaas.config", &oauth),
                ("sasl.oauthbearer.token.endpoint.url", "https://id.example/token"),
            ],
            &[("sasl.oauthbearer.method", "oidc"), ("sasl.oauthbearer.client.id", "a")],
        ),
    ];
    for (feature, ours, java, expected) in cases {
        match translate(Admin, java) {
            Ok((settings, _)) => {
                assert!(crate::ffi::has_feature(feature));
                for (name, value) in expected {
                    assert_eq!(settings.get(name), Some(*value));
                }
            }
            Err(refusal) => {
                assert!(!crate::ffi::has_feature(feature));
                assert!(refusal.reason.contains(&format!("--features {ours}")), "{refusal}");
            }
        }
    }
}

#[test]
fn cipher_suites_have_openssl_names() {
    let java = [
        ("security.protocol", "SSL"),
        ("ssl.cipher.suites", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA"),
    ];
    let settings = translate(Admin, &java).unwrap().0;
    assert_eq!(settings.get("ssl.cipher.suites"), Some("ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA"));
    for wrong in ["TLS_AES_256_GCM_SHA384", "TLS_MADE_UP"] {
        let java = [("security.protocol", "SSL"), ("ssl.cipher.suites", wrong)];
        assert_eq!(translate(Admin, &java).unwrap_err().name, "ssl.cipher.suites");
    }
}

#[test]
fn loosely_written_pem_is_put_in_order() {
    let one_line =
        "-----BEGIN A B----- MII C -----END A B----- -----BEGIN C-----\nD\n-----END C-----";
    let expected =
        "-----BEGIN A B-----\nMIIC\n-----END A B-----\n-----BEGIN C-----\nD\n-----END C-----\n";
    assert_eq!(store_file::normalized_pem(one_line), Ok(expected.to_owned()));
    for wrong in ["", "x", "-----BEGIN A-----x", "-----BEGIN A-----\nProc-Type: 4\n-----END A-----"]
    {
        assert!(store_file::normalized_pem(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_default_is_one_that_librdkafka_takes() {
    use crate::ffi::{Client, Role};
    for (kind, role) in [(Consumer, Role::Member), (Producer, Role::Producer), (Admin, Role::Admin)]
    {
        let settings = translate(kind, &[]).unwrap().0;
        Client::new(role, settings.properties_over(&[("group.id", "g")])).map(drop).unwrap();
    }
}
