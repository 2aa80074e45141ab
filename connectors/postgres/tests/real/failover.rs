//! Several addresses: which of them is written to.

use std::net::TcpListener;
use std::path::Path;

use super::*;

#[derive(Serialize)]
struct One {
    a: i32,
}

fn one(a: i32) -> SinkRecords {
    records("led", &[((), One { a })])
}

/// Starts a server again as a standby, of nobody: it is there to be read, and waits for what it is to repeat.
fn become_standby(postgres: &mut Postgres) {
    let folder = rows(postgres, "SHOW data_directory").concat();
    postgres.stop().unwrap();
    std::fs::write(Path::new(&folder).join("standby.signal"), "").unwrap();
    postgres.start_again().unwrap();
    assert_eq!(rows(postgres, "SELECT pg_is_in_recovery()"), ["t"]);
}

#[test]
fn rows_go_to_the_primary_whichever_address_it_has() {
    let mut first = Postgres::start().unwrap();
    let second = postgres();
    first.query("CREATE TABLE led (a int)").unwrap();
    second.query("CREATE TABLE led (a int)").unwrap();
    let both = url(&[first.port(), second.port()], "");
    let mut task = start(&settings(&second).with("connection.url", both));
    put(&mut task, one(1));
    become_standby(&mut first);
    let gone = failure(&mut task, one(2));
    assert!(matches!(gone, Fault::Retriable(_)), "{gone:?}");
    put(&mut task, one(2));
    assert_eq!(rows(&first, "SELECT a FROM led"), ["1"]);
    assert_eq!(rows(&second, "SELECT a FROM led"), ["2"]);

    // A single address is taken as it is, unless the URL asks for more.
    for (parameters, words) in [("", "25006"), ("&targetServerType=primary", "takes no writes")] {
        let alone = settings(&first).with("connection.url", url(&[first.port()], parameters));
        let refused = failure(&mut start(&alone), one(3));
        assert!(matches!(refused, Fault::Retriable(_)), "{refused:?}");
        assert!(refused.problem().message.contains(words), "{refused:?}");
    }
}

#[test]
fn an_address_where_nobody_answers_leaves_time_for_the_next() {
    let postgres = postgres();
    postgres.query("CREATE TABLE reached (a int)").unwrap();
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let ports = [silent.local_addr().unwrap().port(), postgres.port()];
    let settings = settings(&postgres)
        .with("connection.url", url(&ports, ""))
        .with("sandbox.call.timeout.ms", 4000);
    put(&mut start(&settings), records("reached", &[((), One { a: 1 })]));
    assert_eq!(rows(&postgres, "SELECT a FROM reached"), ["1"]);
}
