//! The HTTP server: listens, serves, stops.
//!
//! Not here: connections (`connection`), and what is answered on them (`routes`).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tombolo_herder::HerderHandle;
use tombolo_model::WorkerId;

use crate::address::{Address, Scheme};
use crate::body::Room;
use crate::config::{AdminListeners, RestConfig};
use crate::connection;
use crate::error::Failure;
use crate::routes::{Part, router};
use crate::tls::{Tls, TlsListener};
use crate::{cross_origin, response_headers, root, upload};

/// What every route works with.
#[derive(Clone)]
pub(crate) struct Context {
    herder: Arc<OnceCell<HerderHandle>>,
    /// Where components are kept that are uploaded.
    pub(crate) uploads: Room,
}

impl Context {
    /// The herder.
    ///
    /// Errors: 503 until it has started.
    pub(crate) fn herder(&self) -> Result<&HerderHandle, Failure> {
        self.herder
            .get()
            .ok_or_else(|| Failure::new(StatusCode::SERVICE_UNAVAILABLE, root::STARTING.message))
    }
}

/// Sockets that are open and not served yet: clients that connect now are answered once [`serve`] runs.
pub struct Bound {
    main: Vec<Opened>,
    admin: Vec<Opened>,
    config: RestConfig,
    worker_id: WorkerId,
    address: SocketAddr,
}

/// An open socket, and how it is spoken to.
struct Opened {
    tcp: TcpListener,
    scheme: Scheme,
}

impl Bound {
    /// Opens the sockets of all listeners.
    ///
    /// Errors: the address that could not be opened, with the reason.
    pub async fn open(config: &RestConfig) -> std::io::Result<Self> {
        let main = open(&config.listeners).await?;
        let admin = match &config.admin {
            AdminListeners::Own(listeners) => open(listeners).await?,
            AdminListeners::Main | AdminListeners::Nowhere => Vec::new(),
        };
        let none = || std::io::Error::other("no listener is configured");
        let address = main.first().ok_or_else(none)?.tcp.local_addr()?;
        // The setting was held to the listeners: one of this scheme is there.
        let is_advertised = |opened: &&Opened| opened.scheme == config.advertised_scheme;
        let advertised = main.iter().find(is_advertised).ok_or_else(none)?.tcp.local_addr()?;
        let host = config.listeners.iter().find(|one| one.scheme == config.advertised_scheme);
        let host = host.map_or("", |listener| listener.host.as_str());
        let worker_id = WorkerId::new(config.advertised(host, advertised.port()));
        Ok(Self { main, admin, config: config.clone(), worker_id, address })
    }

    /// The worker, as others know it.
    pub fn worker_id(&self) -> &WorkerId {
        &self.worker_id
    }

    /// Where the first listener listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the listeners for `/admin` alone listen.
    pub fn admin_addresses(&self) -> Vec<SocketAddr> {
        self.admin.iter().filter_map(|opened| opened.tcp.local_addr().ok()).collect()
    }
}

async fn open(listeners: &[Address]) -> std::io::Result<Vec<Opened>> {
    let mut all = Vec::with_capacity(listeners.len());
    for Address { scheme, host, port } in listeners {
        let host = if host.is_empty() { "0.0.0.0" } else { host };
        let tcp = TcpListener::bind((host, *port)).await.map_err(|err| {
            std::io::Error::new(err.kind(), format!("cannot listen at {host}:{port}: {err}"))
        })?;
        all.push(Opened { tcp, scheme: *scheme });
    }
    Ok(all)
}

/// Serves until `shutdown`, then lets running requests end. The herder may come later: until then answers say that the worker is starting.
pub async fn serve(
    bound: Bound,
    herder: Arc<OnceCell<HerderHandle>>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let uploads = Room::new(upload::WAITING_BYTES_MAX);
    let context = Context { herder, uploads };
    let Bound { main, admin, config, .. } = bound;
    let part = if config.admin == AdminListeners::Main { Part::All } else { Part::WithoutAdmin };
    let answers = with_headers(router(context.clone(), part), &config);
    let mut servers = JoinSet::new();
    for opened in main {
        spawn(&mut servers, opened, (config.tls.as_ref(), &answers), &shutdown);
    }
    let answers = router(context, Part::Admin);
    for opened in admin {
        spawn(&mut servers, opened, (config.admin_tls.as_ref(), &answers), &shutdown);
    }
    while let Some(ended) = servers.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    Ok(())
}

/// Adds what the operator wants in every answer of the main listeners.
fn with_headers(mut router: Router, config: &RestConfig) -> Router {
    if !config.response_headers.is_empty() {
        let headers = config.response_headers.clone();
        router = router.layer(from_fn_with_state(headers, response_headers::add));
    }
    if let Some(cross_origin) = &config.cross_origin {
        router = router.layer(from_fn_with_state(cross_origin.clone(), cross_origin::allow));
    }
    router
}

fn spawn(
    servers: &mut JoinSet<std::io::Result<()>>,
    opened: Opened,
    (tls, answers): (Option<&Tls>, &Router),
    shutdown: &CancellationToken,
) {
    let answers = answers.clone().layer(Extension(opened.scheme));
    let shutdown = shutdown.clone();
    match tls.filter(|_| opened.scheme == Scheme::Https) {
        Some(tls) => {
            let listener = TlsListener::new(opened.tcp, tls.clone());
            servers.spawn(connection::serve(listener, answers, shutdown));
        }
        None => {
            servers.spawn(connection::serve(opened.tcp, answers, shutdown));
        }
    }
}
