//! Asks a worker for its meters.
//!
//! Not here: what the answer says (`snapshot`).

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::snapshot::{GROUPS, Snapshot};

/// Longest wait for an answer; a worker that is there takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer: some hundred thousand tasks.
const ANSWER_MAX: u64 = 256 << 20;

/// Where a worker is asked.
#[derive(Clone)]
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    /// The URL as it may be shown: without a password.
    shown: String,
}

impl Client {
    /// Asks at this URL of a REST API.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/');
        let Some(rest) = url.strip_prefix("http://") else {
            bail!("--url {url}: expected http://HOST:PORT, where a worker's REST API is");
        };
        let (_, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let shown = format!("http://{place}");
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        Ok(Self { agent: config.into(), url: url.to_owned(), shown })
    }

    /// The URL as it may be shown.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// What the worker measures now.
    pub(super) async fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let client = self.clone();
        tokio::task::spawn_blocking(move || client.ask()).await.context("nothing was asked")?
    }

    fn ask(&self) -> anyhow::Result<Snapshot> {
        let groups: Vec<String> = GROUPS.iter().map(|group| format!("group={group}")).collect();
        let url = format!("{}/meters?{}", self.url, groups.join("&"));
        let shown = &self.shown;
        let answer = self.agent.get(&url).call();
        let mut answer = answer
            .with_context(|| format!("no worker answers at {shown} (--url says where to ask)"))?;
        let at = std::time::Instant::now();
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string();
        let text = text.with_context(|| format!("the answer of {shown} ends early"))?;
        let body: Option<Value> = serde_json::from_str(&text).ok();
        match (status, body) {
            (200, Some(body)) => Ok(Snapshot::read(&body, at)),
            (404, _) => {
                bail!("{shown} has no /meters: it is no worker of Tombolo's, or an older one")
            }
            (status, body) => {
                let message = body.as_ref().and_then(|body| body.get("message")?.as_str());
                bail!("{shown} answers {status}: {}", message.unwrap_or("without a reason"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_http_and_its_password_is_not_shown() {
        assert_eq!(Client::new("http://localhost:8083/").unwrap().shown(), "http://localhost:8083");
        assert_eq!(Client::new("http://me:secret@host:1").unwrap().shown(), "http://host:1");
        for wrong in ["localhost:8083", "https://localhost", ""] {
            let error = Client::new(wrong).err().unwrap().to_string();
            let expected = format!("--url {wrong}: expected http://HOST:PORT");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
