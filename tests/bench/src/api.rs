//! Requests to a worker's REST API, the same for both programs.
//!
//! Not here: the worker (`peer`).

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tombolo_harness::wait_for;

/// Longest time for an answer, and for a connector to run.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client of one worker.
#[derive(Clone)]
pub struct Api {
    url: String,
    agent: ureq::Agent,
}

impl Api {
    /// A client of the worker on this port of this machine.
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { url: format!("http://127.0.0.1:{port}"), agent: config.into() }
    }

    /// The body of a 200; none where there is no such answer.
    pub fn get(&self, path: &str) -> Result<Option<String>> {
        let Ok(mut response) = self.agent.get(format!("{}{path}", self.url)).call() else {
            return Ok(None);
        };
        match response.status().as_u16() {
            200 => Ok(Some(response.body_mut().read_to_string()?)),
            _ => Ok(None),
        }
    }

    /// Creates a connector.
    pub fn create(&self, connector: &Value) -> Result<()> {
        let url = format!("{}/connectors", self.url);
        let mut response = self.agent.post(url).send_json(connector)?;
        let status = response.status();
        ensure!(status == 201, "{status}: {}", response.body_mut().read_to_string()?);
        Ok(())
    }

    /// Deletes a connector.
    pub fn delete(&self, connector: &str) -> Result<()> {
        let response = self.agent.delete(format!("{}/connectors/{connector}", self.url)).call()?;
        ensure!(response.status() == 204, "{}", response.status());
        Ok(())
    }

    /// Uploads a component.
    pub fn upload(&self, component: &[u8]) -> Result<()> {
        let url = format!("{}/connector-plugins", self.url);
        let mut response = self.agent.post(url).send(component)?;
        let status = response.status();
        ensure!(status.is_success(), "{status}: {}", response.body_mut().read_to_string()?);
        Ok(())
    }

    /// Fails if the connector or its task has failed.
    pub fn check(&self, connector: &str) -> Result<()> {
        let status = self.status(connector)?;
        ensure!(!status.contains("FAILED"), "{status}");
        Ok(())
    }

    /// Waits until the connector and its task run.
    pub fn wait_until_running(&self, connector: &str) -> Result<()> {
        let runs = || {
            let status = self.status(connector).unwrap_or_default();
            status.matches("RUNNING").count() == 2
        };
        wait_for(runs, "a connector and its task run", PATIENCE)
            .with_context(|| self.status(connector).unwrap_or_default())
    }

    fn status(&self, connector: &str) -> Result<String> {
        Ok(self.get(&format!("/connectors/{connector}/status"))?.unwrap_or_default())
    }
}
