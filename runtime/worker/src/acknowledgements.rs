//! What a source that acknowledges each record to its system is told, by poll and row.
//!
//! Not here: the offsets that may be committed (`submitted_records`). A source that wants none of this costs nothing here.

use std::collections::VecDeque;

use tombolo_model::role::Acknowledged;

/// Rows of a source on their way to Kafka, and those to acknowledge.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    batches: VecDeque<Sent>,
    ready: Vec<Acknowledged>,
}

#[derive(Debug)]
struct Sent {
    first_seq: u64,
    poll: u64,
    unsettled: u32,
    /// Where a transformation dropped or split rows: the polled row of each sent row, and how many of each polled row's are unsettled.
    changed: Option<(Vec<u32>, Vec<u32>)>,
}

impl Acknowledgements {
    /// Takes in a polled batch; `first_seq`, `sent` and `origin` as in `SubmittedRecords::submit`. Dropped rows are ready at once.
    pub(crate) fn submit(
        &mut self,
        poll: u64,
        rows: u32,
        origin: Option<&[u32]>,
        (first_seq, sent): (u64, u32),
    ) {
        let changed = origin.map(|origin| {
            let mut unsettled = vec![0_u32; rows as usize];
            for &row in origin {
                if let Some(unsettled) = unsettled.get_mut(row as usize) {
                    *unsettled += 1;
                }
            }
            for (row, _) in (0..rows).zip(&unsettled).filter(|(_, unsettled)| **unsettled == 0) {
                self.ready.push(Acknowledged { batch: poll, row, written: None });
            }
            (origin.to_vec(), unsettled)
        });
        if sent > 0 {
            self.batches.push_back(Sent { first_seq, poll, unsettled: sent, changed });
        }
    }

    /// Takes in what became of a sent row; a polled row is ready when all rows sent for it are settled.
    pub(crate) fn settle(&mut self, seq: u64, written: Option<(i32, i64)>) {
        let index = self.batches.partition_point(|sent| sent.first_seq <= seq).checked_sub(1);
        let Some(sent) = index.and_then(|index| self.batches.get_mut(index)) else { return };
        sent.unsettled = sent.unsettled.saturating_sub(1);
        let row = u32::try_from(seq - sent.first_seq).unwrap_or(u32::MAX);
        let done = match &mut sent.changed {
            None => Some(row),
            Some((origin, unsettled)) => origin.get(row as usize).copied().filter(|&polled| {
                unsettled.get_mut(polled as usize).is_some_and(|left| {
                    *left = left.saturating_sub(1);
                    *left == 0
                })
            }),
        };
        if let Some(row) = done {
            self.ready.push(Acknowledged { batch: sent.poll, row, written });
        }
        while self.batches.pop_front_if(|sent| sent.unsettled == 0).is_some() {}
    }

    /// Whether rows are on their way.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.batches.is_empty()
    }

    /// The rows to acknowledge now; the caller clears them once it has told the source.
    pub(crate) fn ready(&mut self) -> &mut Vec<Acknowledged> {
        &mut self.ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(acknowledgements: &mut Acknowledgements) -> Vec<Acknowledged> {
        std::mem::take(acknowledgements.ready())
    }

    fn row(batch: u64, row: u32, written: Option<(i32, i64)>) -> Acknowledged {
        Acknowledged { batch, row, written }
    }

    #[test]
    fn each_row_is_acknowledged_once_with_where_it_was_written() {
        let mut all = Acknowledgements::default();
        all.submit(7, 2, None, (0, 2));
        all.submit(8, 1, None, (2, 1));
        all.settle(2, Some((0, 40)));
        all.settle(0, None);
        assert_eq!(ready(&mut all), [row(8, 0, Some((0, 40))), row(7, 0, None)]);
        assert!(all.is_waiting());
        all.settle(1, Some((1, 41)));
        assert_eq!(ready(&mut all), [row(7, 1, Some((1, 41)))]);
        assert!(!all.is_waiting());
    }

    #[test]
    fn dropped_rows_are_ready_at_once_and_split_rows_as_a_whole() {
        let mut all = Acknowledgements::default();
        all.submit(1, 3, Some(&[1, 1]), (0, 2));
        assert_eq!(ready(&mut all), [row(1, 0, None), row(1, 2, None)]);
        all.settle(1, Some((0, 1)));
        assert_eq!(ready(&mut all), []);
        all.settle(0, Some((0, 0)));
        assert_eq!(ready(&mut all), [row(1, 1, Some((0, 0)))]);
    }
}
