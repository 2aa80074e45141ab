//! What is played: requests, and waits for a state that both reach in their own time.

use serde_json::Value;

/// One step.
pub(crate) enum Step {
    /// Send this, and compare the answers.
    Ask(Ask),
    /// Wait until a member of an answer is this.
    Wait { path: String, pointer: String, value: Value },
}

/// A request.
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    /// Messages are in the words of a JSON parser or of a class loader: only the status is compared.
    pub(crate) is_status_only: bool,
}

pub(crate) fn ask(method: &str, path: &str) -> Step {
    Step::Ask(Ask {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        is_status_only: false,
    })
}

pub(crate) fn wait(path: &str, pointer: &str, value: Value) -> Step {
    Step::Wait { path: path.to_owned(), pointer: pointer.to_owned(), value }
}

impl Step {
    fn with(mut self, change: impl FnOnce(&mut Ask)) -> Self {
        if let Self::Ask(ask) = &mut self {
            change(ask);
        }
        self
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.with(|ask| ask.headers.push((name.to_owned(), value.to_owned())))
    }

    pub(crate) fn raw(self, media: &str, body: &str) -> Self {
        self.header("content-type", media).with(|ask| ask.body = Some(body.to_owned()))
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.raw("application/json", &body.to_string())
    }

    pub(crate) fn status_only(self) -> Self {
        self.with(|ask| ask.is_status_only = true)
    }
}
