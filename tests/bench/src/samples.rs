//! Progress and CPU time over time, read between samples.
//!
//! Not here: taking them.

use std::time::Duration;

/// What was seen at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Time since the connector was created.
    pub at: Duration,
    /// Bytes or records written.
    pub progress: u64,
    /// CPU time of the process.
    pub cpu: Duration,
}

/// Samples of one run, in order.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Adds a sample.
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// The time of the first progress.
    pub fn first_progress(&self) -> Option<Duration> {
        self.0.iter().find(|sample| sample.progress > 0).map(|sample| sample.at)
    }

    /// Time and CPU time when `progress` was reached, in a straight line between the samples around it.
    pub fn when(&self, progress: u64) -> Option<(Duration, Duration)> {
        let next = self.0.partition_point(|sample| sample.progress < progress);
        let after = self.0.get(next)?;
        let before = self.0.get(next.checked_sub(1)?)?;
        let part = (progress - before.progress) as f64 / (after.progress - before.progress) as f64;
        let between = |from: Duration, to: Duration| from + (to - from).mul_f64(part);
        Some((between(before.at, after.at), between(before.cpu, after.cpu)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_between_two_samples_is_read_on_the_line_between_them() {
        let ms = Duration::from_millis;
        let mut samples = Samples::default();
        for (at, progress, cpu) in [(0, 0, 0), (10, 0, 5), (20, 100, 25), (30, 300, 35)] {
            samples.push(Sample { at: ms(at), progress, cpu: ms(cpu) });
        }
        let cases = [
            (50, Some((ms(15), ms(15)))),
            (100, Some((ms(20), ms(25)))),
            (200, Some((ms(25), ms(30)))),
            (300, Some((ms(30), ms(35)))),
            (301, None),
        ];
        for (progress, expected) in cases {
            assert_eq!(samples.when(progress), expected, "{progress}");
        }
        assert_eq!(samples.first_progress(), Some(ms(20)));
    }
}
