//! Who comes in, and who does not.

use super::*;

#[derive(Serialize)]
struct One {
    a: i32,
}

/// What becomes of a record that this user writes with this password.
fn writes(postgres: &Postgres, user: &str, password: &str) -> Result<(), Fault> {
    let settings =
        settings(postgres).with("connection.user", user).with("connection.password", password);
    let mut task = start(&settings.with("table.name.format", "entered"));
    task.put(records("t", &[((), One { a: 1 })])).map(|answered| assert_eq!(answered.faults, []))
}

#[test]
fn every_way_to_prove_a_password_is_spoken() {
    let postgres = postgres();
    postgres
        .query(
            "CREATE TABLE entered (a int); GRANT ALL ON entered TO PUBLIC; \
             SET password_encryption = 'scram-sha-256'; \
             CREATE USER by_scram PASSWORD 'pencil'; CREATE USER in_clear PASSWORD 'naïve'; CREATE USER wide PASSWORD 'Ⅸé'; \
             CREATE USER tls_only PASSWORD 'x'; \
             SET password_encryption = 'md5'; CREATE USER by_md5 PASSWORD 'pencil'",
        )
        .unwrap();
    for (user, password) in
        [("by_scram", "pencil"), ("by_md5", "pencil"), ("in_clear", "naïve"), ("wide", "IXé")]
    {
        writes(&postgres, user, password).unwrap();
        let refused = writes(&postgres, user, "wrong").unwrap_err();
        assert!(matches!(refused, Fault::Config(_)), "{refused:?}");
        assert!(refused.problem().message.contains("28P01"), "{refused:?}");
    }
    let nobody = writes(&postgres, "nobody", "x").unwrap_err();
    assert!(matches!(nobody, Fault::Config(_)), "{nobody:?}");
    let plain = writes(&postgres, "tls_only", "x").unwrap_err();
    assert!(plain.problem().message.contains("pg_hba.conf"), "{plain:?}");
    assert_eq!(rows(&postgres, "SELECT count(*) FROM entered"), ["4"]);
}

#[test]
fn who_lacks_a_right_is_told_and_no_record_is_to_blame() {
    let postgres = postgres();
    postgres.query("CREATE TABLE closed (a int); CREATE USER stranger PASSWORD 'pencil'").unwrap();
    let stranger = settings(&postgres)
        .with("connection.user", "stranger")
        .with("connection.password", "pencil");
    let refused = failure(&mut start(&stranger), records("closed", &[((), One { a: 1 })]));
    assert!(matches!(refused, Fault::Config(_)), "{refused:?}");
    assert!(refused.problem().message.contains("42501"), "{refused:?}");
}

#[test]
fn a_server_that_speaks_no_tls_natively_is_said_to() {
    let postgres = postgres();
    let mut task = start(&settings(&postgres).with("sslmode", "require"));
    let refused = failure(&mut task, records("t", &[((), One { a: 1 })]));
    assert!(refused.problem().message.contains("no TLS"), "{refused:?}");
}
