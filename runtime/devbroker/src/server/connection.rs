//! Connections: accepting them, and answering one request after another on each. Not here: decoding (`dispatch`).

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::dispatch::{self, DispatchError};
use super::frame::{FrameError, Frames};
use crate::api::Peer;
use crate::state::State;
use crate::stopping::Stopping;

/// Why a connection was closed by this side.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Request(#[from] DispatchError),
    #[error("cannot write an answer: {0}")]
    Write(#[source] std::io::Error),
}

/// Accepts connections until the broker is to stop, and then ends them all.
///
/// Requests change state between two points where they wait, never across one, so an end at any time leaves no half of
/// a change.
pub(crate) async fn accept(listener: TcpListener, state: Arc<State>, mut stopping: Stopping) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopping.wait() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    connections.spawn(serve(stream, address, state.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    // Out of descriptors, most likely: wait for one to become free.
                    let freed = connections.join_next();
                    drop(tokio::time::timeout(std::time::Duration::from_millis(100), freed).await);
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "a connection's task panicked");
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn serve(mut stream: TcpStream, address: SocketAddr, state: Arc<State>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "cannot turn delays off");
    }
    match answer_all(&mut stream, address, &state).await {
        Ok(()) => tracing::trace!(%address, "a client left"),
        // Clients come and go by resets; that is no news.
        Err(Closed::Frame(FrameError::Io(error)) | Closed::Write(error)) => {
            tracing::debug!(%address, %error, "a connection broke");
        }
        Err(error) => tracing::warn!(%address, %error, "closing a connection"),
    }
}

async fn answer_all(
    stream: &mut TcpStream,
    address: SocketAddr,
    state: &State,
) -> Result<(), Closed> {
    let peer = Peer { host: format!("/{}", address.ip()) };
    let mut frames = Frames::default();
    while let Some(frame) = frames.next(stream).await? {
        if let Some(answer) = dispatch::answer(state, &peer, frame).await? {
            stream.write_all(&answer).await.map_err(Closed::Write)?;
        }
    }
    Ok(())
}
