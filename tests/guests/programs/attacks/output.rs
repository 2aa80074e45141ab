//! Says too much, or something that would mislead who reads it.

use std::io::Write as _;

use tombolo_guest_programs::host::{log, metrics};

use crate::host_calls::note;
use crate::{Answer, setting, tell};

pub(crate) fn attack(name: &str) -> Option<Answer> {
    Some(match name {
        "log flood" => lines(),
        "log flood without end" => lines_without_end(),
        "a flood of empty lines" => empty_lines(),
        "a line of 64 MiB" => line(),
        "terminal codes and line ends" => codes(),
        "names of metrics" => names(),
        "tell" => tell(format!("told {}", setting("what"))),
        "log" => {
            note(&setting("what"));
            tell("logged")
        }
        "an error of 24 MiB" => tell("x".repeat(24 << 20)),
        "an error of 8 MiB" => tell("y".repeat(8 << 20)),
        _ => return None,
    })
}

/// As many lines as may be written in one call, each of them long.
fn lines() -> Answer {
    let long = "flood ".repeat(512);
    for _ in 0..20_000 {
        note(&long);
    }
    tell("wrote 20000 lines")
}

/// Until it is ended.
fn lines_without_end() -> ! {
    let long = "flood ".repeat(512);
    loop {
        note(&long);
    }
}

/// As many as fit: none has a byte but its end.
fn empty_lines() -> Answer {
    write(b'\n', 4 << 20, "wrote 4194304 empty lines")
}

/// Without an end.
fn line() -> Answer {
    write(b'x', 64 << 20, "wrote a line of 64 MiB")
}

/// So many of one byte to standard output.
fn write(byte: u8, count: usize, told: &str) -> Answer {
    let piece = vec![byte; 4_096];
    let mut out = std::io::stdout();
    for _ in 0..count / piece.len() {
        if let Err(error) = out.write_all(&piece).and_then(|()| out.flush()) {
            return tell(format!("denied: {error}"));
        }
    }
    tell(told)
}

fn codes() -> Answer {
    let forged = "innocent\r\n1970-01-01T00:00:00Z ERROR forged line\u{1b}[2J\u{1b}]0;owned\u{7}";
    log::log(log::Level::Warn, forged);
    tell(format!("told {forged}"))
}

fn names() -> Answer {
    for number in 0..50_000 {
        metrics::count(&format!("name-{number}\"}} 1\nforged_metric 1"), 1);
        if number % 500 == 0 {
            metrics::gauge(&format!("flood-{number}"), f64::NAN);
        }
    }
    tell("counted under 50000 names")
}
