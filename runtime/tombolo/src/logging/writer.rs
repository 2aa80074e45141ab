//! Writes lines: at once while whoever reads them keeps up, else from a thread of its own, so that a slow reader holds up no plugin.
//!
//! When too much waits, lines of plugins are dropped and counted, and so are the worker's own where they wait for room in vain. Not here: what a line
//! looks like (`lines`).

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Most bytes that wait: several seconds of all that a worker with some connectors logs.
const WAITING_MAX: usize = 1 << 20;

/// Most bytes with which a plugin's line is taken still: what is left is for the worker's own, which would hold up what it does.
const WAITING_OF_PLUGINS_MAX: usize = WAITING_MAX / 2;

/// Longest line that a pipe which takes anything takes without waiting, in bytes: `PIPE_BUF` of Linux.
const AT_ONCE_MAX: usize = 4 << 10;

/// Longest wait of the worker for room: who has read nothing by then reads nothing soon.
const ROOM_MAX: Duration = Duration::from_secs(1);

/// How long the end of the program waits for whoever reads its log.
const FLUSH_MAX: Duration = Duration::from_secs(5);

/// What lines are written to.
pub(super) trait Sink: Write + AsFd + Send {}

impl<T: Write + AsFd + Send> Sink for T {}

/// Who says a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A plugin, which must not wait.
    Plugin,
    /// The worker, which waits for a while before its lines are dropped.
    Worker,
}

impl Whose {
    fn waiting_max(self) -> usize {
        match self {
            Self::Plugin => WAITING_OF_PLUGINS_MAX,
            Self::Worker => WAITING_MAX,
        }
    }
}

/// Writes lines. Clones are the same.
#[derive(Clone)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    /// Without it every line is written at once.
    has_thread: bool,
}

struct Shared {
    state: Mutex<State>,
    /// A line waits.
    filled: Condvar,
    /// A line that waited is written.
    drained: Condvar,
    /// Locked by whoever writes; never before the state.
    sink: Mutex<Box<dyn Sink>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    /// Bytes of what waits, and of the line that the thread writes just now: as long as there are any, no other line may be written at once.
    bytes: usize,
    /// Lines that were dropped since that was told last.
    dropped: u64,
    /// Somebody waited for room in vain, and no line was read since.
    is_stuck: bool,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(sink: Box<dyn Sink>) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
            sink: Mutex::new(sink),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".to_owned());
        let has_thread = thread.spawn(move || of_thread.write_what_waits()).is_ok();
        Self { shared, has_thread }
    }

    /// Writes a line, drops it, or has it wait; `notice` says in a line of its own how many were dropped before it.
    pub(super) fn write(&self, line: String, whose: Whose, notice: impl FnOnce(u64) -> String) {
        let mut state = self.shared.lock();
        let is_full = |state: &State| {
            state.bytes > 0 && state.bytes.saturating_add(line.len()) > whose.waiting_max()
        };
        if is_full(&state) && whose == Whose::Worker && !state.is_stuck {
            let waits = |state: &mut State| is_full(state) && !state.is_stuck;
            let waited = self.shared.drained.wait_timeout_while(state, ROOM_MAX, waits);
            let (found, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = found;
            state.is_stuck |= timeout.timed_out();
        }
        if is_full(&state) {
            state.dropped += 1;
            return;
        }
        let line = match std::mem::take(&mut state.dropped) {
            0 => line,
            dropped => notice(dropped) + &line,
        };
        if state.bytes == 0 && (!self.has_thread || self.shared.takes(&line)) {
            // With the state locked: the next line comes after this one.
            return self.shared.put(&line);
        }
        state.bytes = state.bytes.saturating_add(line.len());
        state.waiting.push_back(line);
        self.shared.filled.notify_one();
    }

    /// Waits until everything is written, but not for ever: nobody may read any more.
    pub(super) fn flush(&self) {
        let waits = |state: &mut State| state.bytes > 0;
        let waited = self.shared.drained.wait_timeout_while(self.shared.lock(), FLUSH_MAX, waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sink(&self) -> MutexGuard<'_, Box<dyn Sink>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a line can be written without waiting for whoever reads: of a terminal nobody knows.
    fn takes(&self, line: &str) -> bool {
        let sink = self.sink();
        if sink.as_fd().is_terminal() {
            return false;
        }
        let mut polled = [PollFd::from_borrowed_fd(sink.as_fd(), PollFlags::OUT)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        line.len() <= AT_ONCE_MAX && poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    fn put(&self, line: &str) {
        // Where nobody reads any more, there is nobody to tell.
        self.sink().write_all(line.as_bytes()).ok();
    }

    /// The thread's part, for as long as the process runs.
    fn write_what_waits(&self) {
        loop {
            let line = self.next();
            self.put(&line);
            let mut state = self.lock();
            state.bytes = state.bytes.saturating_sub(line.len());
            state.is_stuck = false;
            drop(state);
            self.drained.notify_all();
        }
    }

    /// Waits for the next line.
    fn next(&self) -> String {
        let mut state = self.lock();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                return line;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader};
    use std::time::Instant;

    use super::*;

    const LAST: &str = "last";

    /// A writer into a pipe, and the pipe's other end.
    fn piped() -> (Writer, PipeReader) {
        let (reader, sink) = std::io::pipe().unwrap();
        (Writer::start(Box::new(sink)), reader)
    }

    fn write(writer: &Writer, line: &str, whose: Whose) {
        writer.write(format!("{line}\n"), whose, |dropped| format!("dropped {dropped}\n"));
    }

    /// The lines before the last.
    fn read(reader: PipeReader) -> Vec<String> {
        let lines = BufReader::new(reader).lines().map(Result::unwrap);
        lines.take_while(|line| line != LAST).collect()
    }

    #[test]
    fn a_plugin_never_waits_for_who_reads_the_log_and_what_is_dropped_is_told() {
        let (writer, reader) = piped();
        let long = "x".repeat(999);
        for _ in 0..2_000 {
            write(&writer, &long, Whose::Plugin);
        }
        write(&writer, LAST, Whose::Worker);
        let lines = read(reader);
        let told = lines.iter().filter_map(|line| line.strip_prefix("dropped "));
        let dropped: usize = told.map(|count| count.parse::<usize>().unwrap()).sum();
        let written = lines.iter().filter(|line| **line == long).count();
        assert_eq!(written + dropped, 2_000);
        // What waited, and what the pipe held.
        assert!(written * 1_000 > WAITING_OF_PLUGINS_MAX - 2_000, "{written}");
        assert!(dropped > 1_000, "{dropped}");
    }

    #[test]
    fn no_line_of_the_worker_is_lost_and_all_stay_in_order() {
        let (writer, reader) = piped();
        let writing = std::thread::spawn(move || {
            let long = "x".repeat(2_000);
            for number in 0..2_000 {
                // Some are longer than a pipe takes at once.
                let line = long.repeat(1 + number % 4);
                write(&writer, &format!("{number} {line}"), Whose::Worker);
            }
            write(&writer, LAST, Whose::Worker);
            writer.flush();
            writer.shared.lock().bytes
        });
        let lines = read(reader);
        let number = |line: &String| line.split(' ').next().unwrap().parse::<usize>().unwrap();
        assert!(lines.iter().map(number).eq(0..2_000));
        assert_eq!(writing.join().unwrap(), 0);
    }

    #[test]
    fn the_worker_goes_on_though_nobody_reads_its_log() {
        let (writer, reader) = piped();
        let long = "x".repeat(9_999);
        let start = Instant::now();
        // Twice what waits and what a pipe holds.
        for _ in 0..300 {
            write(&writer, &long, Whose::Worker);
        }
        let took = start.elapsed();
        assert!(took >= ROOM_MAX && took < ROOM_MAX * 5, "{took:?}");
        assert!(writer.shared.lock().dropped > 100);
        drop(reader);
    }

    #[test]
    fn a_line_is_there_when_it_was_written_while_somebody_reads() {
        let (writer, reader) = piped();
        write(&writer, "one", Whose::Plugin);
        assert_eq!(writer.shared.lock().bytes, 0);
        write(&writer, LAST, Whose::Worker);
        assert_eq!(read(reader), ["one"]);
    }
}
