//! `tombolo top`: what connectors and their tasks use, live in the terminal, or printed again and again.
//!
//! Asks a worker for `GET /meters` each few seconds; what is shown is the difference between two answers. Not here: measuring (the worker does),
//! what an answer says (`snapshot`), the table (`table`), and the terminal (`screen`).

mod client;
mod keys;
mod screen;
mod snapshot;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::args::TopArguments;
use client::Client;
use keys::Key;
use screen::{Screen, Size};
use snapshot::Snapshot;
use table::View;

/// Longest wait for the first rates of a live view, so that it is not empty for a whole interval.
const FIRST: Duration = Duration::from_secs(1);
/// Width of a table that is printed to a file.
const WIDTH: usize = 160;

/// Shows what connectors use until someone quits, or so many times.
pub(crate) fn run(arguments: &TopArguments) -> anyhow::Result<()> {
    let client = Client::new(&arguments.url)?;
    let delay = Duration::try_from_secs_f64(arguments.delay)
        .ok()
        .filter(|delay| !delay.is_zero())
        .with_context(|| format!("-d {}: expected a number of seconds above 0", arguments.delay))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let view = View { sort: arguments.sort, has_keys: !arguments.batch, ..View::default() };
    let ended = runtime.block_on(async {
        if arguments.batch {
            return print(&client, delay, arguments.iterations, &view).await;
        }
        if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
            bail!("top needs a terminal; with -b it prints to anything");
        }
        Live::new(&client, delay, view).run(arguments.iterations).await
    });
    // A thread that waits for a key would be waited for.
    runtime.shutdown_background();
    ended
}

/// Prints so many tables, or one after the other for ever; each shows the time since the one before.
async fn print(
    client: &Client,
    delay: Duration,
    iterations: Option<u64>,
    view: &View,
) -> anyhow::Result<()> {
    let mut before = client.snapshot().await?;
    let mut printed = 0;
    while iterations.is_none_or(|most| printed < most) {
        tokio::time::sleep(delay).await;
        let now = client.snapshot().await?;
        let size = Size { columns: WIDTH, rows: usize::MAX };
        let lines = table::lines(client.shown(), Some(&before), &now, view, size);
        let mut text: String =
            lines.iter().map(|line| format!("{}\n", line.text.trim_end())).collect();
        text.push('\n');
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // Whoever read it has seen enough, as `head`.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("cannot print")?,
        }
        before = now;
        printed += 1;
    }
    Ok(())
}

/// A live view.
struct Live<'a> {
    client: &'a Client,
    delay: Duration,
    view: View,
    screen: Screen,
    before: Option<Snapshot>,
    now: Snapshot,
    /// Why there is nothing newer.
    trouble: Option<String>,
}

impl<'a> Live<'a> {
    fn new(client: &'a Client, delay: Duration, view: View) -> Self {
        let (screen, now) = (Screen::default(), Snapshot::default());
        Self { client, delay, view, screen, before: None, now, trouble: None }
    }

    async fn run(mut self, iterations: Option<u64>) -> anyhow::Result<()> {
        // Before the screen is taken: what goes wrong here is told on the usual one.
        self.now = self.client.snapshot().await?;
        self.screen.open()?;
        let mut keys = keys::read();
        let mut resized = signal(SignalKind::window_change())?;
        let mut terminated = signal(SignalKind::terminate())?;
        let (mut due, mut shown) = (Instant::now() + FIRST.min(self.delay), 1);
        loop {
            self.draw()?;
            if iterations.is_some_and(|most| shown >= most) {
                return Ok(());
            }
            tokio::select! {
                _ = terminated.recv() => return Ok(()),
                _ = resized.recv() => {}
                key = keys.recv() => match key {
                    None | Some(Key::Quit) => return Ok(()),
                    Some(Key::Refresh) => due = Instant::now(),
                    Some(key) => self.view.press(key, self.now.rows.len()),
                },
                () = tokio::time::sleep_until(due) => {
                    due = Instant::now() + self.delay;
                    shown += 1;
                    tokio::select! {
                        _ = terminated.recv() => return Ok(()),
                        answer = self.client.snapshot() => self.take(answer),
                    }
                }
            }
        }
    }

    /// What is known stays where nothing newer is.
    fn take(&mut self, answer: anyhow::Result<Snapshot>) {
        match answer {
            Ok(newer) => {
                self.before = Some(std::mem::replace(&mut self.now, newer));
                self.trouble = None;
            }
            Err(error) => self.trouble = Some(format!("{error:#}")),
        }
    }

    fn draw(&self) -> anyhow::Result<()> {
        let size = self.screen.size()?;
        let shown = self.client.shown();
        let mut lines = table::lines(shown, self.before.as_ref(), &self.now, &self.view, size);
        if let Some(trouble) = &self.trouble {
            table::warn(&mut lines, trouble);
        }
        self.screen.show(&lines, size)
    }
}
