//! What settings become, and what is wrong with them.

use super::*;
use tombolo_sdk::settings::Settings;

fn settings() -> Settings {
    [("connection.url", "jdbc:postgresql://db/shop"), ("connection.user", "me")].into()
}

fn error(settings: &Settings) -> String {
    SinkSettings::read(settings).unwrap_err().to_string()
}

#[test]
fn every_default_and_what_is_required_is_enough() {
    let read = SinkSettings::read(&settings()).unwrap();
    assert_eq!((read.access.database.as_str(), read.access.user.as_str()), ("shop", "me"));
    assert_eq!((read.writing.mode, read.writing.primary_key), (Mode::Insert, PrimaryKey::None));
    assert_eq!((read.writing.batch_size, read.retries_max), (3000, 10));
    assert_eq!(read.access.tls.mode, TlsMode::Prefer);
    assert!(read.access.password.is_none() && !read.access.wants_primary);
    for key in SinkSettings::KEYS {
        assert!(!key.describe().doc.is_empty(), "{}", key.describe().name);
    }
}

#[test]
fn a_setting_counts_before_the_url() {
    let url = "jdbc:postgresql://db/shop?user=a&password=b&sslmode=require&socketTimeout=3&currentSchema=s";
    let read = SinkSettings::read(&[("connection.url", url)].into()).unwrap();
    assert_eq!(read.access.user, "a");
    assert_eq!(read.access.password.as_ref().unwrap().reveal(), "b");
    assert_eq!(read.access.tls.mode, TlsMode::Require);
    assert_eq!(read.access.socket_timeout, Duration::from_secs(3));
    assert_eq!(read.access.schema.as_deref(), Some("s"));
    let over = settings().with("connection.url", url).with("sslmode", "verify-full");
    let read = SinkSettings::read(&over.with("connection.password", "c")).unwrap();
    assert_eq!(read.access.user, "me");
    assert_eq!(read.access.password.as_ref().unwrap().reveal(), "c");
    assert_eq!(read.access.tls.mode, TlsMode::VerifyFull);
}

#[test]
fn ssl_in_the_url_means_all_checks_unless_sslmode_says_otherwise() {
    let mode = |parameters: &str| {
        let url = format!("jdbc:postgresql://db/shop?user=me&{parameters}");
        SinkSettings::read(&[("connection.url", url.as_str())].into()).unwrap().access.tls.mode
    };
    assert_eq!(mode("ssl=true"), TlsMode::VerifyFull);
    assert_eq!(mode("ssl"), TlsMode::VerifyFull);
    assert_eq!(mode("ssl=TRUE&sslmode=require"), TlsMode::Require);
    assert_eq!(mode("ssl=false"), TlsMode::Prefer);
    assert_eq!(mode("x=1"), TlsMode::Prefer);
}

#[test]
fn all_waits_are_shorter_than_a_call() {
    let times = |settings: &Settings| {
        let Access { connect_timeout, socket_timeout, put_timeout, .. } =
            SinkSettings::read(settings).unwrap().access;
        [connect_timeout, socket_timeout, put_timeout].map(|time| time.as_secs())
    };
    assert_eq!(times(&settings()), [10, 20, 27]);
    assert_eq!(times(&settings().with("sandbox.call.timeout.ms", "300000")), [10, 200, 270]);
    let url = "jdbc:postgresql://db/shop?connectTimeout=4&socketTimeout=60";
    assert_eq!(times(&settings().with("connection.url", url)), [4, 60, 27]);
}

#[test]
fn a_single_address_has_to_be_the_primary_where_the_url_says_so() {
    let wants_primary = |target: &str| {
        let url = format!("jdbc:postgresql://db/shop?targetServerType={target}");
        let settings = settings().with("connection.url", url);
        SinkSettings::read(&settings).unwrap().access.wants_primary
    };
    assert!(wants_primary("primary") && wants_primary("master"));
    assert!(!wants_primary("any"));
}

#[test]
fn what_cannot_work_together_is_refused_by_name() {
    let set = |name: &str, value: &str| settings().with(name, value);
    assert!(error(&set("insert.mode", "upsert")).contains("pk.mode"));
    let delete = set("delete.enabled", "true").with("pk.mode", "record_value");
    assert!(error(&delete).contains("record_key"));
    let kafka = set("pk.mode", "kafka").with("pk.fields", "a,b");
    assert!(error(&kafka).contains("Three names"));
    let secret = set("connection.url", "jdbc:mysql://me:secret@db/shop");
    assert!(error(&secret).contains("jdbc:postgresql://") && !error(&secret).contains("secret"));
    assert!(error(&set("sslrootcert", "/etc/ca.pem")).contains("PEM"));
    let parameter = set("connection.url", "jdbc:postgresql://db/shop?sslmode=perhaps");
    assert!(error(&parameter).contains("perhaps"));
}
