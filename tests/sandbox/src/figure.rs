//! A figure: what was measured, what came out, and what it must not pass; and a table of them.
//!
//! Not here: measuring.

use std::fmt;
use std::time::Duration;

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What came out.
    pub figure: String,
    /// What it must not pass, or must reach.
    pub bound: String,
    /// Whether it does so.
    pub holds: bool,
}

impl Figure {
    /// A line.
    pub fn new(
        what: impl Into<String>,
        figure: impl Into<String>,
        bound: impl Into<String>,
        holds: bool,
    ) -> Self {
        Self { what: what.into(), figure: figure.into(), bound: bound.into(), holds }
    }
}

/// Figures below each other.
pub struct Table<'a>(pub &'a [Figure]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |text: fn(&Figure) -> &str| {
            self.0.iter().map(|line| text(line).chars().count()).max().unwrap_or_default()
        };
        let what = widest(|line| &line.what);
        let (figure, bound) = (widest(|line| &line.figure), widest(|line| &line.bound));
        for line in self.0 {
            let verdict = if line.holds { "holds" } else { "does not hold" };
            let Figure { what: of, figure: came, bound: most, .. } = line;
            writeln!(f, "{of:what$}  {came:figure$}  {most:bound$}  {verdict}")?;
        }
        Ok(())
    }
}

/// Bytes, as `1.5 MiB`.
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Time, as `0.52 s`.
pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// A share, as `+1.5 %`.
pub fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}
