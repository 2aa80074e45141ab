//! TLS and SASL against Apache Kafka, with certificates and stores that OpenSSL and Java's keytool made.
//!
//! Not here: the dev broker, which has neither.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tombolo_harness::Kafka;
use tombolo_harness::jars::java;
use tombolo_kafka::{Admin, ClientKind, ClientSettings, Error, Producers};
use tombolo_model::Settings;

use crate::support::{BUDGET, Broker, DEADLINE, Reader, Rows, new_topic, run, send_all, unique};

/// Password of every store here.
const PASSWORD: &str = "changeit";
/// How soon a broker's refusal must be told.
const SOON: Duration = Duration::from_secs(20);

/// Keys, certificates and stores.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Result<Certificates> {
        let own = Certificates(tempfile::tempdir()?);
        own.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30",
        )?;
        own.openssl("req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -subj /CN=other -days 30")?;
        own.signed("server", "IP:127.0.0.1")?;
        own.signed("elsewhere", "DNS:elsewhere.example")?;
        own.signed("client", "DNS:client.example")?;
        own.openssl("pkcs12 -export -in client.pem -inkey client.pem -out client.p12 -passout pass:changeit")?;
        own.keytool("truststore.p12", "PKCS12")?;
        own.keytool("truststore.jks", "JKS")?;
        Ok(own)
    }

    /// A PEM file with a key and its certificate.
    fn signed(&self, name: &str, address: &str) -> Result<()> {
        std::fs::write(self.path(&format!("{name}.ext")), format!("subjectAltName={address}"))?;
        self.openssl(&format!(
            "req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ))?;
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile {name}.ext -out {name}.crt"
        ))?;
        let key = std::fs::read_to_string(self.path(&format!("{name}.key")))?;
        let certificate = std::fs::read_to_string(self.path(&format!("{name}.crt")))?;
        Ok(std::fs::write(self.path(&format!("{name}.pem")), key + &certificate)?)
    }

    fn keytool(&self, store: &str, kind: &str) -> Result<()> {
        let ca = ["-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem"];
        let to = ["-keystore", store, "-storetype", kind, "-storepass", PASSWORD];
        succeed(Command::new("keytool").args(ca).args(to).current_dir(self.0.path()))
    }

    fn openssl(&self, arguments: &str) -> Result<()> {
        succeed(Command::new("openssl").args(arguments.split(' ')).current_dir(self.0.path()))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn name(&self, file: &str) -> String {
        self.path(file).display().to_string()
    }

    fn text(&self, file: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.path(file))?)
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?}: {said}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

const MODULES: &str = "org.apache.kafka.common.security";

/// A broker with a listener for passwords and tokens over TLS, one for certificates of both sides, and one whose name is wrong.
fn start(certificates: &Certificates) -> Result<Kafka> {
    let plain = format!("{MODULES}.plain.PlainLoginModule required user_alice=\"alice's\";");
    let scram = format!("{MODULES}.scram.ScramLoginModule required;");
    let oauth = format!(
        "{MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";"
    );
    let mut builder = Kafka::builder()
        .heap("-Xmx512M")
        .listener("SECURE", "SASL_SSL")
        .listener("MUTUAL", "SSL")
        .listener("ELSEWHERE", "SSL")
        .setting("listener.name.secure.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,OAUTHBEARER")
        .setting("listener.name.secure.plain.sasl.jaas.config", &plain)
        .setting("listener.name.secure.scram-sha-256.sasl.jaas.config", &scram)
        .setting("listener.name.secure.oauthbearer.sasl.jaas.config", &oauth)
        .setting("listener.name.mutual.ssl.client.auth", "required");
    for (listener, identity) in
        [("secure", "server.pem"), ("mutual", "server.pem"), ("elsewhere", "elsewhere.pem")]
    {
        let set = |name: &str| format!("listener.name.{listener}.ssl.{name}");
        builder = builder
            .setting(&set("keystore.type"), "PEM")
            .setting(&set("keystore.location"), &certificates.name(identity))
            .setting(&set("truststore.type"), "PEM")
            .setting(&set("truststore.location"), &certificates.name("ca.pem"));
    }
    let kafka = builder.start()?;
    let add =
        "--alter --add-config SCRAM-SHA-256=[password=bobs] --entity-type users --entity-name bob";
    let mut users = java(&["-Xmx128M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])?;
    users.args(["kafka.admin.ConfigCommand", "--bootstrap-server", &kafka.bootstrap()]);
    succeed(users.args(add.split(' ')))?;
    Ok(kafka)
}

/// A way to be let in, or not.
struct Case {
    name: &'static str,
    listener: &'static str,
    settings: Vec<(&'static str, String)>,
}

fn case(name: &'static str, listener: &'static str, settings: Vec<(&'static str, String)>) -> Case {
    Case { name, listener, settings }
}

fn login(mechanism: &str, module: &str, options: &str) -> Vec<(&'static str, String)> {
    vec![
        ("security.protocol", "SASL_SSL".to_owned()),
        ("sasl.mechanism", mechanism.to_owned()),
        ("sasl.jaas.config", format!("{MODULES}.{module} required {options};")),
    ]
}

const PLAIN: &str = "plain.PlainLoginModule";

fn ssl() -> Vec<(&'static str, String)> {
    vec![("security.protocol", "SSL".to_owned())]
}

fn with(
    mut settings: Vec<(&'static str, String)>,
    more: &[(&'static str, String)],
) -> Vec<(&'static str, String)> {
    settings.extend_from_slice(more);
    settings
}

fn let_in(own: &Certificates) -> Result<Vec<Case>> {
    let ca_file = [
        ("ssl.truststore.type", "PEM".to_owned()),
        ("ssl.truststore.location", own.name("ca.pem")),
    ];
    let ca_inline = [("ssl.truststore.certificates", own.text("ca.pem")?)];
    let ca_java = [
        ("ssl.truststore.location", own.name("truststore.p12")),
        ("ssl.truststore.password", PASSWORD.to_owned()),
    ];
    let alice = login("PLAIN", PLAIN, "username=\"alice\" password=\"alice's\"");
    let bob =
        login("SCRAM-SHA-256", "scram.ScramLoginModule", "username=\"bob\" password=\"bobs\"");
    let carol = login(
        "OAUTHBEARER",
        "oauthbearer.OAuthBearerLoginModule",
        "unsecuredLoginStringClaim_sub=\"carol\"",
    );
    let pem_file = [
        ("ssl.keystore.type", "PEM".to_owned()),
        ("ssl.keystore.location", own.name("client.pem")),
    ];
    let pem_inline = [
        // As a properties file has it whose lines go on: without line ends.
        ("ssl.keystore.key", own.text("client.key")?.replace('\n', " ")),
        ("ssl.keystore.certificate.chain", own.text("client.crt")?),
    ];
    let p12 = [
        ("ssl.keystore.location", own.name("client.p12")),
        ("ssl.keystore.password", PASSWORD.to_owned()),
    ];
    let unnamed = [("ssl.endpoint.identification.algorithm", String::new())];
    Ok(vec![
        case("a password, PEM trust file", "SECURE", with(alice, &ca_file)),
        case("SCRAM, PEM trust setting", "SECURE", with(bob, &ca_inline)),
        case("a token, PKCS12 trust store", "SECURE", with(carol, &ca_java)),
        case("a certificate in a PEM file", "MUTUAL", with(with(ssl(), &ca_file), &pem_file)),
        case("a certificate in settings", "MUTUAL", with(with(ssl(), &ca_file), &pem_inline)),
        case("a certificate in PKCS12", "MUTUAL", with(with(ssl(), &ca_java), &p12)),
        case("a wrong name nobody looks at", "ELSEWHERE", with(with(ssl(), &ca_file), &unnamed)),
    ])
}

fn shut_out(own: &Certificates) -> Vec<Case> {
    let ca = [("ssl.truststore.location", own.name("ca.pem"))];
    let other = [("ssl.truststore.location", own.name("other.pem"))];
    let wrong = login("PLAIN", PLAIN, "username=\"alice\" password=\"hunter2\"");
    let alice = login("PLAIN", PLAIN, "username=\"alice\" password=\"alice's\"");
    vec![
        case("a wrong password", "SECURE", with(wrong, &ca)),
        case("a broker that nobody vouches for", "SECURE", with(alice, &other)),
        case("a wrong name", "ELSEWHERE", with(ssl(), &ca)),
    ]
}

fn translate(kind: ClientKind, kafka: &Kafka, case: &Case) -> Result<ClientSettings> {
    let mut java: Settings =
        case.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    java.insert("bootstrap.servers", kafka.listener(case.listener)?);
    Ok(ClientSettings::translate(kind, &java).with_context(|| case.name)?.0)
}

#[test]
fn clients_are_let_in_by_tls_and_sasl_or_told_why_not() {
    run(async {
        let certificates = Certificates::new()?;
        let kafka = start(&certificates)?;
        for case in let_in(&certificates)? {
            use_it(&kafka, &case).await.with_context(|| case.name)?;
        }
        for case in shut_out(&certificates) {
            is_refused(&kafka, &case).await.with_context(|| case.name)?;
        }
        a_java_key_store_is_refused_with_the_way_out(&certificates)
    });
}

/// Every kind of client works.
async fn use_it(kafka: &Kafka, case: &Case) -> Result<()> {
    let admin = Admin::new(&translate(ClientKind::Admin, kafka, case)?, "test", DEADLINE)?;
    let topic = new_topic(1, &[]);
    ensure!(admin.create_topic(&topic).await?);
    let mut session =
        Producers::new("test").session(&translate(ClientKind::Producer, kafka, case)?, BUDGET)?;
    for delivery in send_all(&mut session, &Rows::numbered(&topic.name, 0, 0..10), 0).await? {
        delivery.outcome?;
    }
    let broker = Broker { bootstrap: kafka.listener(case.listener)? };
    let more: Vec<(&str, &str)> =
        case.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut reader = Reader::new(broker.consumer(&unique("group"), &[&topic.name], &more)?);
    reader.rows(10).await
}

/// Every kind of client says so, soon.
async fn is_refused(kafka: &Kafka, case: &Case) -> Result<()> {
    let admin = Admin::new(&translate(ClientKind::Admin, kafka, case)?, "test", DEADLINE)?;
    let answer = tokio::time::timeout(SOON, admin.cluster_id()).await?;
    ensure!(matches!(answer, Err(Error::Authentication { .. })), "admin: {answer:?}");
    ensure!(!format!("{answer:?}").contains("hunter2"), "{answer:?}");

    let settings = translate(ClientKind::Producer, kafka, case)?;
    let mut session = Producers::new("test").session(&settings, BUDGET)?;
    session.send(&Rows::numbered("any", 0, 0..1).columns(), 0, 0)?;
    let answer = tokio::time::timeout(SOON, session.deliveries(&mut Vec::new())).await?;
    ensure!(matches!(answer, Err(Error::Authentication { .. })), "producer: {answer:?}");

    let broker = Broker { bootstrap: kafka.listener(case.listener)? };
    let more: Vec<(&str, &str)> =
        case.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut reader = Reader::new(broker.consumer(&unique("group"), &["any"], &more)?);
    let answer = tokio::time::timeout(SOON, reader.rows(1)).await?;
    let told = answer
        .as_ref()
        .is_err_and(|err| matches!(err.downcast_ref(), Some(Error::Authentication { .. })));
    ensure!(told, "consumer: {answer:?}");
    Ok(())
}

fn a_java_key_store_is_refused_with_the_way_out(own: &Certificates) -> Result<()> {
    let jks = own.name("truststore.jks");
    let refusal = |name: &'static str, path: &Path| {
        let path = path.display().to_string();
        let java: Settings =
            [("security.protocol", "SSL"), (name, path.as_str())].into_iter().collect();
        ClientSettings::translate(ClientKind::Consumer, &java)
            .err()
            .map(|refusal| refusal.to_string())
    };
    let trust = refusal("ssl.truststore.location", Path::new(&jks)).context("a refusal")?;
    ensure!(trust.contains(&format!("keytool -list -rfc -keystore {jks}")), "{trust}");
    let identity = refusal("ssl.keystore.location", Path::new(&jks)).context("a refusal")?;
    ensure!(
        identity.contains("keytool -importkeystore") && identity.contains("openssl pkcs12"),
        "{identity}"
    );
    let missing = refusal("ssl.keystore.location", &own.path("nothing")).context("a refusal")?;
    ensure!(missing.contains("nothing"), "{missing}");
    Ok(())
}
