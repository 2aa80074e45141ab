//! Connections: accepts them, speaks HTTP/1.1 on each, and lets their requests end when the server stops.
//!
//! Not here: the sockets (`server`), TLS (`tls`), what is answered (`routes`).

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longest time from where a connection waits for a request to the end of that request's head: as long as Kafka Connect leaves a connection idle.
///
/// Who sends a head byte by byte holds a connection no longer than who sends nothing, so that a few such clients do not use up the worker's file descriptors.
const HEAD_TIMEOUT: Duration = Duration::from_secs(90);

/// Answers on all connections of a listener until `shutdown`, then lets running requests end.
pub(crate) async fn serve(
    mut listener: impl Listener,
    answers: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            (stream, _) = listener.accept() => {
                connections.spawn(speak(stream, answers.clone(), shutdown.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = shutdown.cancelled() => break,
        }
    }
    // Nobody connects any more; who is being answered is answered.
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: Router,
    shutdown: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let answers = TowerToHyperService::new(answers);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answers));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection has ended early");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::time::{Instant, timeout};

    use super::*;

    /// Time between two of a slow client's words: each comes long before any patience is over.
    const PAUSE: Duration = Duration::from_secs(10);

    fn connect() -> DuplexStream {
        let (client, server) = tokio::io::duplex(64 << 10);
        let answers = Router::new().route("/", get(async || "here"));
        tokio::spawn(speak(server, answers, CancellationToken::new()));
        client
    }

    /// Says something again and again until the server ends the connection, and how long that took.
    async fn say_until_end(client: &mut DuplexStream, word: &[u8]) -> Duration {
        let begin = Instant::now();
        loop {
            client.write_all(word).await.unwrap();
            if let Ok(read) = timeout(PAUSE, client.read(&mut [0; 1 << 10])).await {
                assert_eq!(read.unwrap(), 0, "nothing is answered to half a request");
                return begin.elapsed();
            }
        }
    }

    async fn expect_answer(client: &mut DuplexStream) {
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"here") {
            assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0, "the connection ended");
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_ends_the_connection() {
        let mut client = connect();
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let took = say_until_end(&mut client, b"a: b\r\n").await;
        assert!((HEAD_TIMEOUT..HEAD_TIMEOUT + PAUSE).contains(&took), "it took {took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_requests_that_come_now_and_then() {
        let mut client = connect();
        for _ in 0..5 {
            expect_answer(&mut client).await;
            timeout(HEAD_TIMEOUT - PAUSE, client.read(&mut [0])).await.unwrap_err();
        }
        let took = say_until_end(&mut client, b"").await;
        assert!(took <= PAUSE + PAUSE, "{took:?} more than it may be idle");
    }
}
