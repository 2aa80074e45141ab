//! The terminal: taken as a whole, and given back as it was.
//!
//! Escape sequences are those that every terminal of today knows (ECMA-48, and xterm's second screen). Not here: what is shown (`table`).

use std::cell::RefCell;
use std::io::Write as _;

use anyhow::Context as _;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::table::{Line, Style};

/// How large the terminal is, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Size of a terminal that does not say.
const USUAL: Size = Size { columns: 80, rows: 24 };

const OPEN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const CLOSE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The terminal, which is given back as it was when this is dropped.
#[derive(Default)]
pub(super) struct Screen {
    before: RefCell<Option<Termios>>,
}

impl Screen {
    /// Takes the terminal: a screen of its own, keys as they are pressed.
    pub(super) fn open(&self) -> anyhow::Result<()> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).context("the terminal does not say how it is set")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Flush, &raw).context("the terminal cannot be set")?;
        self.before.replace(Some(before));
        write(OPEN)
    }

    /// How large it is now.
    pub(super) fn size(&self) -> anyhow::Result<Size> {
        let size = tcgetwinsize(std::io::stdout()).context("the terminal has no size")?;
        let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
        Ok(if columns == 0 || rows == 0 { USUAL } else { Size { columns, rows } })
    }

    /// Shows lines from the top, over what was there.
    pub(super) fn show(&self, lines: &[Line], size: Size) -> anyhow::Result<()> {
        let mut text = "\x1b[H".to_owned();
        for (place, line) in lines.iter().take(size.rows).enumerate() {
            if place > 0 {
                text.push_str("\r\n");
            }
            text.push_str(match line.style {
                Style::Plain => "\x1b[0m",
                Style::Head => "\x1b[7m",
                Style::Warned => "\x1b[33m",
                Style::Bad => "\x1b[31m",
            });
            text.extend(line.text.chars().take(size.columns));
            text.push_str("\x1b[0m\x1b[K");
        }
        text.push_str("\x1b[J");
        write(&text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            // Nothing can be done about a terminal that is gone.
            write(CLOSE).ok();
            tcsetattr(std::io::stdin(), OptionalActions::Flush, &before).ok();
        }
    }
}

fn write(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("the terminal is gone")
}
