//! Two answers become lines.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};

use super::*;
use crate::top::snapshot::Worker;

const WIDE: Size = Size { columns: 120, rows: 100 };

fn owner(connector: &str, task: Option<u32>) -> Owner {
    Owner { connector: connector.to_owned(), task }
}

fn row(state: &str, times: f64) -> Row {
    Row {
        state: state.to_owned(),
        cpu_seconds: 0.5 * times,
        memory: 1_048_576.0 * times,
        memory_max: 134_217_728.0,
        records: 1_500.0 * times,
        bytes_in: 3_072.0 * times,
        bytes_out: 1_000.0 * times,
        network: 0.0,
        calls: 7.0 * times,
        restarts: times,
        breaches: 0.0,
    }
}

/// Two answers with two seconds between: one task works, one failed, one is new.
fn answers() -> (Snapshot, Snapshot) {
    let at = Instant::now();
    let before = Snapshot {
        at: Some(at),
        worker: Worker { cpu_seconds: 10.0, memory: 0.0 },
        rows: [
            (owner("lines", None), row("RUNNING", 0.0)),
            (owner("lines", Some(0)), row("RUNNING", 1.0)),
            (owner("lines", Some(1)), row("FAILED", 3.0)),
        ]
        .into(),
    };
    let now = Snapshot {
        at: Some(at + Duration::from_secs(2)),
        worker: Worker { cpu_seconds: 13.0, memory: 200_000_000.0 },
        rows: [
            (owner("lines", None), row("RUNNING", 0.0)),
            (owner("lines", Some(0)), row("RUNNING", 2.0)),
            (owner("lines", Some(1)), row("FAILED", 3.0)),
            (owner("numbers\x1b[2J", Some(0)), row("RESTARTING", 5.0)),
        ]
        .into(),
    };
    (before, now)
}

fn check(view: &View, size: Size, expected: &Expect) {
    let (before, now) = answers();
    let lines = lines("http://h:1", Some(&before), &now, view, size);
    let text: Vec<&str> = lines.iter().map(|line| line.text.trim_end()).collect();
    expected.assert_eq(&text.join("\n"));
}

#[test]
fn what_was_done_between_two_answers_is_told_by_the_second() {
    check(
        &View::default(),
        WIDE,
        &expect![[r#"
        tombolo top - http://h:1 - 2 connectors, 3 tasks: 1 failed, 1 restarting, 1 running
        worker: 150.0 % CPU, 190.7M memory; plugins: 25.0 % CPU, 10.0M memory

        CONNECTOR    TASK STATE        CPU%  MEMORY   LIMIT   REC/S    IN/S   OUT/S   NET/S CALLS/S RESTARTS BREACHES
        lines           0 RUNNING      25.0    2.0M  128.0M     750    1.5K     500       0     3.5        2        0
        lines           - RUNNING       0.0       0  128.0M       0       0       0       0       0        0        0
        lines           1 FAILED        0.0    3.0M  128.0M       0       0       0       0       0        3        0
        numbers?[2J     0 RESTARTING      -    5.0M  128.0M       -       -       -       -       -        5        0"#]],
    );
}

#[test]
fn rows_are_sorted_by_what_is_asked_for_and_cut_to_the_terminal() {
    let view = View { sort: SortBy::Memory, has_keys: true, ..View::default() };
    check(
        &view,
        Size { columns: 80, rows: 6 },
        &expect![[r#"
        tombolo top - http://h:1 - 2 connectors, 3 tasks: 1 failed, 1 restarting, 1 running
        worker: 150.0 % CPU, 190.7M memory; plugins: 25.0 % CPU, 10.0M memory
        sort by c CPU, m memory, r records, b bytes, w network, a calls, x restarts, n name; R reverse, arrows scroll, space now, q quit
        CONNECTOR    TASK STATE        CPU%  MEMORY   LIMIT   REC/S    IN/S   OUT/S   NET/S CALLS/S RESTARTS BREACHES
        numbers?[2J     0 RESTARTING      -    5.0M  128.0M       -       -       -       -       -        5        0
        lines           1 FAILED        0.0    3.0M  128.0M       0       0       0       0       0        3        0"#]],
    );
    let view = View { sort: SortBy::Name, is_reversed: true, skipped: 3, ..View::default() };
    check(
        &view,
        WIDE,
        &expect![[r#"
        tombolo top - http://h:1 - 2 connectors, 3 tasks: 1 failed, 1 restarting, 1 running
        worker: 150.0 % CPU, 190.7M memory; plugins: 25.0 % CPU, 10.0M memory

        CONNECTOR    TASK STATE        CPU%  MEMORY   LIMIT   REC/S    IN/S   OUT/S   NET/S CALLS/S RESTARTS BREACHES
        lines           - RUNNING       0.0       0  128.0M       0       0       0       0       0        0        0"#]],
    );
}

#[test]
fn a_first_answer_has_no_rates_and_an_answer_that_does_not_come_is_told() {
    let (_, now) = answers();
    let mut lines = lines("http://h:1", None, &now, &View::default(), WIDE);
    warn(&mut lines, "connection refused");
    let text: Vec<&str> = lines.iter().map(|line| line.text.trim_end()).collect();
    expect![[r#"
        tombolo top - http://h:1 - 2 connectors, 3 tasks: 1 failed, 1 restarting, 1 running
        worker: - % CPU, 190.7M memory; plugins: - % CPU, 10.0M memory
        not newer: connection refused
        CONNECTOR    TASK STATE        CPU%  MEMORY   LIMIT   REC/S    IN/S   OUT/S   NET/S CALLS/S RESTARTS BREACHES
        lines           - RUNNING         -       0  128.0M       -       -       -       -       -        0        0"#]].assert_eq(&text[..5].join("\n"));
    assert_eq!(lines[2].style, Style::Bad);
    let styles: Vec<Style> = lines[4..].iter().map(|line| line.style).collect();
    assert_eq!(styles, [Style::Plain, Style::Plain, Style::Bad, Style::Warned]);
}

#[test]
fn what_counts_from_its_start_again_did_that_since() {
    let rates = Rates::between(&row("", 9.0), &row("", 1.0), 2.0);
    assert_eq!((rates.cpu, rates.records), (0.25, 750.0));
}

#[test]
fn keys_choose_the_order_and_scroll_within_the_rows() {
    let mut view = View { has_keys: true, ..View::default() };
    let mut press = |key, rows| {
        view.press(key, rows);
        (view.sort, view.is_reversed, view.skipped)
    };
    assert_eq!(press(Key::Down, 3), (SortBy::Cpu, false, 1));
    assert_eq!(press(Key::PageDown, 3), (SortBy::Cpu, false, 2));
    assert_eq!(press(Key::Up, 3), (SortBy::Cpu, false, 1));
    assert_eq!(press(Key::Letter('R'), 3), (SortBy::Cpu, true, 1));
    assert_eq!(press(Key::Letter('z'), 3), (SortBy::Cpu, true, 1));
    for (letter, sort) in [
        ('c', SortBy::Cpu),
        ('m', SortBy::Memory),
        ('r', SortBy::Records),
        ('b', SortBy::Bytes),
        ('w', SortBy::Network),
        ('a', SortBy::Calls),
        ('x', SortBy::Restarts),
        ('n', SortBy::Name),
    ] {
        assert_eq!(press(Key::Letter(letter), 3), (sort, false, 0));
    }
    assert_eq!(press(Key::Down, 0), (SortBy::Name, false, 0));
    assert!(view.has_keys);
}

#[test]
fn numbers_are_short() {
    let counts = [0.0, 0.25, 7.0, 12.34, 999.0, 999.97, 1_500.0, 123_456.0, 2.5e9, 9e15];
    let told = counts.map(count);
    assert_eq!(told, ["0", "0.2", "7", "12.3", "999", "1.0K", "1.5K", "123.5K", "2.5G", "9000.0T"]);
    assert_eq!([1_023.0, 1_024.0, 134_217_728.0].map(bytes), ["1023", "1.0K", "128.0M"]);
}
