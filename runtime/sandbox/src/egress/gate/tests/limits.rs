//! How many connections, requests, bytes and lookups a connector may have, and that its neighbours do not notice.
//!
//! Not here: where it may connect to.

use super::*;

#[tokio::test]
async fn connections_are_counted_and_paced() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let gate = gate(&format!("127.0.0.1:{port}"), vec![], vec![]);
    let place = Place { scheme: Scheme::Tcp, host: Host::parse("127.0.0.1").unwrap(), port };
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        open.push(gate.connect(&place, CONNECT_MAX).await.unwrap());
    }
    let refusal = |error| match error {
        ConnectError::Denied(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let another = gate.connect(&place, CONNECT_MAX).await.map(drop).map_err(refusal);
    assert_eq!(another, Err(Refusal::TooManyConnections));
    // Of another task of the same connector.
    let other = gate.net.gate("c", (*gate.egress).clone(), Default::default());
    let another = other.connect(&place, CONNECT_MAX).await.map(drop).map_err(refusal);
    assert_eq!(another, Err(Refusal::TooManyConnections));
    // One that is only kept makes room, also for another task.
    let (wanted, kept) = (gate.place_wanted(), open.pop());
    let makes_room = async {
        wanted.await;
        drop(kept);
    };
    let (another, ()) = tokio::join!(other.connect(&place, CONNECT_MAX), makes_room);
    open.push(another.unwrap());
    open.clear();
    gate.connect(&place, CONNECT_MAX).await.unwrap();
    let mut pace = Pace::new(2);
    let start = pace.since;
    assert_eq!(
        [0, 10, 20, 1_000].map(|ms| pace.admit(start + Duration::from_millis(ms))),
        [true, true, false, true]
    );
}

#[tokio::test]
async fn who_sends_more_requests_than_it_may_waits_for_the_next_second() {
    let gate = gate("127.0.0.1:1", vec![], vec![]);
    let start = gate.shared.requests.lock().unwrap().since;
    for _ in 0..REQUESTS_PER_SECOND {
        gate.admit_request().await;
    }
    let other = gate.net.gate("c", Egress::default(), Default::default());
    other.admit_request().await;
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

/// Never answers for names that say so.
struct Silent(tokio::sync::Notify);

#[async_trait]
impl Resolver for Silent {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if name.starts_with("silent") {
            self.0.notified().await;
        }
        Ok(vec![v4("192.0.2.1").into()])
    }
}

#[tokio::test]
async fn names_that_nobody_answers_for_hold_up_their_own_connector_alone() {
    let offered = Offered { allow: destinations(EVERYTHING).unwrap(), ..Offered::default() };
    let egress = Egress { allow: destinations(EVERYTHING).unwrap(), ..Egress::default() };
    let net = Net::new(offered, Arc::new(Silent(tokio::sync::Notify::new())));
    let attacker = net.gate("attacker", egress.clone(), Default::default());
    let ask = || refused(&attacker, "silent.example.com", 443);
    let none = Some("no-answer");
    assert_eq!(tokio::join!(ask(), ask(), ask()), (none, none, none));
    assert_eq!(attacker.shared.lookups.available_permits(), 0, "the lookups are still under way");
    assert_eq!(refused(&attacker, "example.com", 443).await, Some("no-answer"));
    let neighbour = net.gate("neighbour", egress, Default::default());
    assert_eq!(refused(&neighbour, "example.com", 443).await, Some("address"));
}

#[tokio::test]
async fn bytes_beyond_a_connector_s_rate_wait_on_all_its_connections() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    const RATE: u64 = 1 << 20;
    const BYTES: usize = 256 << 10;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = ConnectorNet {
        receives: Flow::new(RATE),
        sends: Flow::new(RATE),
        ..ConnectorNet::new("c")
    };
    let wide = gate(&format!("127.0.0.1:{port}"), vec![], vec![]);
    let gate = Gate { shared: Arc::new(shared), ..wide };
    let place = Place { scheme: Scheme::Tcp, host: Host::parse("127.0.0.1").unwrap(), port };
    // Sends back all that comes.
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await.unwrap();
            });
        }
    });
    let exchange = async || {
        let conduit = gate.connect(&place, CONNECT_MAX).await.unwrap();
        let (mut read, mut write) = tokio::io::split(conduit);
        let send = async {
            write.write_all(&vec![1; BYTES]).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut got = Vec::new();
        let (_, received) = tokio::join!(send, read.read_to_end(&mut got));
        received.unwrap()
    };
    let start = Instant::now();
    assert_eq!(tokio::join!(exchange(), exchange()), (BYTES, BYTES));
    // Half a second's worth, of which a tenth of a second may go at once, and the last piece of each is paid off later.
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}
