//! What a script is made of: requests, and waits for a state that each worker reaches in its own time.
//!
//! In paths and bodies, `NAME` stands for the case's connector, `TOPIC` for its topic, and `FILES/` for its files. Not here: sending (`exchange`).

use serde_json::Value;

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send this, and compare the answer.
    Ask(Ask),
    /// Wait until a member of an answer is this.
    Wait {
        /// What is asked for.
        path: String,
        /// Where the member is.
        pointer: String,
        /// What it has to be.
        value: Value,
    },
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    /// Messages are in the words of a JSON parser or of a class loader: only the status is compared.
    pub(super) is_status_only: bool,
}

/// A request without a body.
pub fn ask(method: &str, path: &str) -> Step {
    Step::Ask(Ask {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        is_status_only: false,
    })
}

/// A wait.
pub fn wait(path: &str, pointer: &str, value: Value) -> Step {
    Step::Wait { path: path.to_owned(), pointer: pointer.to_owned(), value }
}

impl Step {
    fn with(mut self, change: impl FnOnce(&mut Ask)) -> Self {
        if let Self::Ask(ask) = &mut self {
            change(ask);
        }
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|ask| ask.headers.push((name.to_owned(), value.to_owned())))
    }

    /// With a body of this media type.
    #[must_use]
    pub fn raw(self, media: &str, body: &str) -> Self {
        self.header("content-type", media).with(|ask| ask.body = Some(body.to_owned()))
    }

    /// With JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", &body.to_string())
    }

    /// Compared by its status alone.
    #[must_use]
    pub fn status_only(self) -> Self {
        self.with(|ask| ask.is_status_only = true)
    }
}
