//! The policy: who may connect where, and the one place that dials.
//!
//! Not here: what is spoken over a connection.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tombolo_model::capability::Capability;
use tombolo_model::egress::{ClientCertificate, Egress, Host, HttpAuth, Offered, Scheme};
use tombolo_model::meters::Meters;

use super::conduit::{Channel, Conduit};
use super::flow::{BYTES_PER_SECOND, Flow, Valve};
use super::refusal::{ConnectError, Refusal};
use super::resolver::Resolver;
use super::tls::{self, TlsError, TlsTerms, Trust};
use super::{addresses, credentials};
use crate::host::log::Confided;

/// Longest time for looking a name up.
pub(crate) const LOOKUP_MAX: Duration = Duration::from_secs(2);

/// Longest time for a connection to stand, the lookup and TLS not counted.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Most addresses of a name. A service behind more has a name for each region.
pub(crate) const ANSWERS_MAX: usize = 16;

/// Most open connections of one connector.
pub(crate) const CONNECTIONS_MAX: usize = 32;

/// Most connections that one connector opens in a second, refused ones among them.
pub(crate) const CONNECTIONS_PER_SECOND: u32 = 50;

/// Longest wait for a place among them, while connections that wait for a next request end.
const PLACE_MAX: Duration = Duration::from_millis(100);

/// Most requests over HTTP that one connector sends in a second, on kept connections and new ones: what moves them is not in its bill of processor
/// time, and takes about a tenth of a processor at this rate.
pub(crate) const REQUESTS_PER_SECOND: u32 = 1_000;

/// Most names that are looked up for one connector at once; a name that nobody answers for holds a thread for longer than anyone waits for it.
const LOOKUPS_MAX: usize = 2;

/// Most refusals of one connector that are logged in a second; all are counted.
const LOGGED_PER_SECOND: u32 = 5;

/// What all connectors of a worker share: what the operator offers, and who looks names up.
pub(crate) struct Net {
    offered: Offered,
    trust: Trust,
    resolver: Arc<dyn Resolver>,
    connectors: Mutex<BTreeMap<String, Weak<ConnectorNet>>>,
}

impl Net {
    pub(crate) fn new(offered: Offered, resolver: Arc<dyn Resolver>) -> Arc<Self> {
        for opening in &offered.private {
            tracing::info!(%opening, "connectors that are allowed to may reach a place that is not public");
        }
        let trust = Trust::new(offered.authorities.clone());
        Arc::new(Self { offered, trust, resolver, connectors: Mutex::default() })
    }

    /// What a connector may do, and did: shared with its other tasks for as long as one of them is there.
    pub(crate) fn gate(
        self: &Arc<Self>,
        connector: &str,
        egress: Egress,
        (meters, confided): (Arc<Meters>, Confided),
    ) -> Gate {
        let mut all = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, shared| shared.strong_count() > 0);
        let known = all.get(connector).and_then(Weak::upgrade);
        let shared = known.unwrap_or_else(|| {
            let shared = Arc::new(ConnectorNet::new(connector));
            all.insert(connector.to_owned(), Arc::downgrade(&shared));
            shared
        });
        drop(all);
        Gate { net: Arc::clone(self), egress: Arc::new(egress), shared, meters, confided }
    }
}

/// What the tasks of one connector share.
pub(crate) struct ConnectorNet {
    connector: Arc<str>,
    places: Arc<Semaphore>,
    /// Told when a place is wanted and there is none.
    wanted: Arc<Notify>,
    /// Who waits for a place.
    waiting: AtomicUsize,
    lookups: Arc<Semaphore>,
    receives: Arc<Flow>,
    sends: Arc<Flow>,
    pace: Mutex<Pace>,
    requests: Mutex<Pace>,
    logged: Mutex<Pace>,
}

impl ConnectorNet {
    fn new(connector: &str) -> Self {
        Self {
            connector: connector.into(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            wanted: Arc::default(),
            waiting: AtomicUsize::new(0),
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            receives: Flow::new(BYTES_PER_SECOND),
            sends: Flow::new(BYTES_PER_SECOND),
            pace: Mutex::new(Pace::new(CONNECTIONS_PER_SECOND)),
            requests: Mutex::new(Pace::new(REQUESTS_PER_SECOND)),
            logged: Mutex::new(Pace::new(LOGGED_PER_SECOND)),
        }
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(all: &'a AtomicUsize) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// So many in a second.
struct Pace {
    per_second: u32,
    left: u32,
    since: Instant,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { per_second, left: per_second, since: Instant::now() }
    }

    fn admit(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            (self.left, self.since) = (self.per_second, now);
        }
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// When the next second begins.
    fn next(&self) -> Instant {
        self.since + Duration::from_secs(1)
    }
}

/// What one store's connections go through. Clones are the same.
#[derive(Clone)]
pub(crate) struct Gate {
    net: Arc<Net>,
    egress: Arc<Egress>,
    shared: Arc<ConnectorNet>,
    meters: Arc<Meters>,
    /// What must not be seen in the log, as a part of a host's name least of all.
    confided: Confided,
}

/// Whom a guest wants to speak to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// Longest text of what is no place in logs and metrics, in bytes.
const ODD_MAX: usize = 100;

impl Place {
    /// What to call what was asked for, and is no place.
    pub(crate) fn odd(scheme: Scheme, asked: &str) -> String {
        let cut = asked.get(..asked.floor_char_boundary(ODD_MAX)).unwrap_or_default();
        format!("{scheme}://{}", cut.escape_debug())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl Gate {
    /// Lets nobody through: for validation, and for a look at a component's catalog.
    pub(crate) fn closed() -> Self {
        Net::new(Offered::default(), Arc::new(super::SystemResolver::default())).gate(
            "",
            Egress::default(),
            Default::default(),
        )
    }

    /// Opens a connection, if the policy lets it: looks the name up once, holds every answer to the policy, and dials one of them.
    ///
    /// Cost: microseconds beside what the network takes.
    pub(crate) async fn connect(
        &self,
        place: &Place,
        timeout: Duration,
    ) -> Result<Conduit, ConnectError> {
        let connected = self.admitted(place, timeout.min(CONNECT_MAX)).await;
        match &connected {
            Ok(_) => self.connected(place),
            Err(ConnectError::Denied(refusal)) => self.refuse(&place.to_string(), *refusal),
            Err(_) => {}
        }
        connected
    }

    /// Returns once one more request over HTTP may be sent: who sends too many is slowed down.
    pub(crate) async fn admit_request(&self) {
        loop {
            let next = {
                let requests = self.shared.requests.lock();
                let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
                if requests.admit(Instant::now()) {
                    return;
                }
                requests.next()
            };
            tokio::time::sleep_until(next.into()).await;
        }
    }

    /// Resolves once a connection is to be opened and there are as many as may be, from this call on.
    pub(crate) fn place_wanted(&self) -> OwnedNotified {
        Arc::clone(&self.shared.wanted).notified_owned()
    }

    /// Has connections that wait for a next request end.
    pub(crate) fn want_place(&self) {
        self.shared.wanted.notify_waiters();
    }

    /// A place among the connector's connections.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = Waiting::begin(&self.shared.waiting);
        if let Some(place) = self.try_place() {
            return Some(place);
        }
        let place = Arc::clone(&self.shared.places).acquire_owned();
        tokio::time::timeout(PLACE_MAX, place).await.ok()?.ok()
    }

    /// Whether somebody waits for a place now.
    pub(crate) fn is_place_wanted(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) > 0
    }

    /// A place among the connector's connections, if there is one now; else connections that are only kept end.
    pub(crate) fn try_place(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.shared.places).try_acquire_owned().ok();
        if place.is_none() {
            self.want_place();
        }
        place
    }

    /// As [`Gate::connect`], for an address that a guest dials itself, or has the system dial.
    pub(crate) async fn may_dial(&self, address: SocketAddr) -> bool {
        let place =
            Place { scheme: Scheme::Tcp, host: Host::Address(address.ip()), port: address.port() };
        let checked = match self.may_ask(&place) {
            Ok(()) => self.check(&place, &[address.ip()]).await,
            refused => refused,
        };
        match checked {
            Ok(()) => self.connected(&place),
            Err(refusal) => self.refuse(&place.to_string(), refusal),
        }
        checked.is_ok()
    }

    /// Whether there is an address that a guest may dial itself.
    pub(crate) fn has_addresses(&self) -> bool {
        use tombolo_model::egress::Pattern::{Exactly, Network};
        let is_address = |host: &_| matches!(host, Network(..) | Exactly(Host::Address(_)));
        self.egress.allow.iter().any(|one| one.scheme == Scheme::Tcp && is_address(&one.host))
    }

    fn connected(&self, place: &Place) {
        self.meters.connected(&self.confided.hide(&place.to_string()));
        self.meters.capabilities().uses(Capability::Network);
    }

    /// Counts and logs what never came as far as a place: a host or a port that is none.
    pub(crate) fn refuse(&self, place: &str, refusal: Refusal) {
        let ConnectorNet { connector, logged, .. } = &*self.shared;
        let place = self.confided.hide(place);
        self.meters.connection_refused(&place, refusal.name());
        let mut logged = logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.admit(Instant::now()) {
            let (reason, detail) = (refusal.name(), refusal.detail());
            tracing::warn!(%connector, %place, reason, "a connection was denied: {detail}");
        }
    }

    /// Starts TLS on a connection.
    pub(crate) async fn start_tls(
        &self,
        conduit: Conduit,
        terms: TlsTerms<'_>,
    ) -> Result<Channel, TlsError> {
        tls::start(&self.net.trust, conduit, terms)
            .await
            .map(|stream| Channel::Tls(Box::new(stream)))
    }

    /// The certificate with this name, of those that the connector has.
    pub(crate) fn certificate(&self, name: &str) -> Option<&ClientCertificate> {
        self.egress.certificates.iter().find(|certificate| certificate.name == name)
    }

    /// The headers that the host adds to requests to a place.
    pub(crate) fn credentials<'a>(
        &'a self,
        place: &'a Place,
    ) -> impl Iterator<Item = &'a HttpAuth> {
        credentials::of(&self.egress, &self.net.offered, place.scheme, &place.host, place.port)
    }

    async fn admitted(&self, place: &Place, timeout: Duration) -> Result<Conduit, ConnectError> {
        self.may_ask(place).map_err(ConnectError::Denied)?;
        let taken = self.place().await;
        let taken = taken.ok_or(ConnectError::Denied(Refusal::TooManyConnections))?;
        let addresses = self.look_up(&place.host).await?;
        self.check(place, &addresses).await.map_err(ConnectError::Denied)?;
        let stream = dial(&addresses, place.port, timeout).await?;
        let peer = stream.peer_addr().map_err(ConnectError::Failed)?;
        if !addresses.contains(&peer.ip()) || peer.port() != place.port {
            return Err(ConnectError::Denied(Refusal::Address(peer.ip())));
        }
        stream.set_nodelay(true).map_err(ConnectError::Failed)?;
        let ConnectorNet { receives, sends, .. } = &*self.shared;
        Ok(Conduit {
            stream,
            meters: Arc::clone(&self.meters),
            receives: Valve::new(receives),
            sends: Valve::new(sends),
            _place: taken,
        })
    }

    /// Whether both lists have it, and it is not asked for too often.
    fn may_ask(&self, place: &Place) -> Result<(), Refusal> {
        let mut pace = self.shared.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if !pace.admit(Instant::now()) {
            return Err(Refusal::TooFast);
        }
        if place.port == 0 {
            return Err(Refusal::PortZero);
        }
        let has = |list: &[tombolo_model::egress::Destination]| {
            list.iter().any(|one| one.has(place.scheme, &place.host, place.port))
        };
        match (has(&self.egress.allow), has(&self.net.offered.allow)) {
            (false, _) => Err(Refusal::NotAllowed),
            (true, false) => Err(Refusal::NotOffered),
            (true, true) => Ok(()),
        }
    }

    async fn look_up(&self, host: &Host) -> Result<Vec<IpAddr>, ConnectError> {
        let name = match host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name,
        };
        let (name, resolver) = (name.clone(), Arc::clone(&self.net.resolver));
        let lookups = Arc::clone(&self.shared.lookups);
        let found = async {
            let lookup = lookups.acquire_owned().await.ok()?;
            let found = tokio::spawn(async move {
                // Until it is over, also where nobody waits for it any more.
                let _lookup = lookup;
                resolver.addresses(&name).await
            });
            found.await.ok()?.ok()
        };
        let found = tokio::time::timeout(LOOKUP_MAX, found).await;
        let Ok(Some(addresses)) = found else { return Err(ConnectError::NoAnswer) };
        match addresses.len() {
            0 => Err(ConnectError::NoAnswer),
            1..=ANSWERS_MAX => Ok(addresses),
            _ => Err(ConnectError::Denied(Refusal::TooManyAnswers)),
        }
    }

    /// Holds all addresses of a place to the policy: one that is forbidden forbids all, for a mixed answer is how a name is turned against its asker.
    async fn check(&self, place: &Place, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let offered = &self.net.offered;
        for &address in addresses {
            let (is_opened, is_opened_exactly) = opened(offered, place, address);
            if !is_opened
                && (addresses::is_special(address) || addresses::is_of_this_machine(address))
            {
                return Err(Refusal::Address(address));
            }
            if !is_opened_exactly && self.is_own(place, address).await {
                return Err(Refusal::Own(address));
            }
        }
        Ok(())
    }

    /// Whether it is one of the worker's listeners or brokers, by its name or by an address.
    async fn is_own(&self, place: &Place, address: IpAddr) -> bool {
        for (host, port) in &self.net.offered.own {
            if *port != place.port {
                continue;
            }
            let is_here = match host {
                host if *host == place.host => true,
                Host::Address(own) if own.is_unspecified() => {
                    addresses::is_of_this_machine(address)
                }
                Host::Address(own) => *own == address,
                // Of a broker whose name cannot be looked up now, no address is known not to be its own.
                Host::Name(_) => {
                    self.look_up(host).await.map_or(true, |found| found.contains(&address))
                }
            };
            if is_here {
                return true;
            }
        }
        false
    }
}

/// Whether the operator opened an address of a place, and whether in so many words.
fn opened(offered: &Offered, place: &Place, address: IpAddr) -> (bool, bool) {
    let address = Host::Address(address);
    let opening = offered.private.iter().filter(|opening| {
        let is_host = opening.host.matches(&address) || opening.host.matches(&place.host);
        is_host && opening.ports.contains(&place.port)
    });
    let mut opened = (false, false);
    for opening in opening {
        opened = (true, opened.1 || opening.is_exact());
    }
    opened
}

/// Connects to the first address that answers.
async fn dial(
    addresses: &[IpAddr],
    port: u16,
    timeout: Duration,
) -> Result<TcpStream, ConnectError> {
    let end = Instant::now() + timeout;
    let mut failed = ConnectError::Timeout;
    for (tried, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        // None keeps those after it from being tried.
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match tokio::time::timeout(share, TcpStream::connect((*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed = ConnectError::Failed(error),
            Err(_) => {}
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests;
