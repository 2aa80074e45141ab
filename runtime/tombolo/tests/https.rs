//! HTTPS with a store as Java's `keytool` makes it, on the program itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509;
use tombolo_harness::{Kafka, Worker, free_port};

const PASSWORD: &str = "keytool-secret";

#[test]
fn loggers_are_served_within_tls_where_the_operator_wants_them_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("own.p12");
    let keytool = |arguments: &[&str]| {
        let mut command = Command::new("keytool");
        command.args(arguments).args(["-alias", "own", "-storepass", PASSWORD, "-keystore"]);
        let output = command.arg(&store).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        output.stdout
    };
    keytool(&[
        "-genkeypair",
        "-keyalg",
        "EC",
        "-dname",
        "CN=tombolo",
        "-ext",
        "san=ip:127.0.0.1",
        "-storetype",
        "PKCS12",
    ]);
    let certificate = X509::from_pem(&keytool(&["-exportcert", "-rfc"])).unwrap();

    let port = free_port().unwrap();
    let settings = [
        ("admin.listeners", format!("https://127.0.0.1:{port}")),
        ("admin.listeners.https.ssl.keystore.location", store.display().to_string()),
        ("admin.listeners.https.ssl.keystore.password", PASSWORD.to_owned()),
        ("admin.listeners.https.ssl.keystore.type", "PKCS12".to_owned()),
    ];
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let kafka = Kafka::shared().unwrap();
    let worker = Worker::start(env!("CARGO_BIN_EXE_tombolo"), kafka, &settings).unwrap();
    assert_eq!(worker.request("GET", "/admin/loggers", None).unwrap().0, 404);
    assert!(!worker.log().contains(PASSWORD));

    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.cert_store_mut().add_cert(certificate).unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = builder.build().connect("127.0.0.1", tcp).unwrap();
    stream
        .write_all(b"GET /admin/loggers/root HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with(r#"{"level":"WARN","last_modified":null}"#), "{answer}");
}
