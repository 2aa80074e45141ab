//! The HTTP server: listens, serves, stops.
//!
//! Not here: what it serves (`routes`).

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tombolo_herder::HerderHandle;
use tombolo_model::WorkerId;

use crate::config::RestConfig;
use crate::error::Failure;
use crate::root;
use crate::routes::router;

/// What every route works with.
#[derive(Clone)]
pub(crate) struct Context {
    herder: Arc<OnceCell<HerderHandle>>,
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
    listeners: Vec<TcpListener>,
    worker_id: WorkerId,
    address: SocketAddr,
}

impl Bound {
    /// Opens the sockets of all listeners.
    ///
    /// Errors: the address that could not be opened, with the reason.
    pub async fn open(config: &RestConfig) -> std::io::Result<Self> {
        let mut listeners = Vec::new();
        for (host, port) in &config.listeners {
            let host = if host.is_empty() { "0.0.0.0" } else { host };
            let listener = TcpListener::bind((host, *port)).await.map_err(|err| {
                std::io::Error::new(err.kind(), format!("cannot listen at {host}:{port}: {err}"))
            })?;
            listeners.push(listener);
        }
        let none = || std::io::Error::other("no listener is configured");
        let address = listeners.first().ok_or_else(none)?.local_addr()?;
        let host = config.listeners.first().map_or("", |(host, _)| host);
        let worker_id = WorkerId::new(config.advertised(host, address.port()));
        Ok(Self { listeners, worker_id, address })
    }

    /// The worker, as others know it.
    pub fn worker_id(&self) -> &WorkerId {
        &self.worker_id
    }

    /// Where the first listener listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until `shutdown`, then lets running requests end. The herder may come later: until then answers say that the worker is starting.
pub async fn serve(
    bound: Bound,
    herder: Arc<OnceCell<HerderHandle>>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = router(Context { herder });
    let mut servers = tokio::task::JoinSet::new();
    for listener in bound.listeners {
        let serving = axum::serve(listener, router.clone());
        let shutdown = shutdown.clone().cancelled_owned();
        servers.spawn(serving.with_graceful_shutdown(shutdown).into_future());
    }
    while let Some(ended) = servers.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    Ok(())
}
