//! Holds what a program wrote against what it had to write, so that nobody wins by doing less.
//!
//! Not here: how long it took.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::broker::Broker;
use crate::case::Case;
use crate::records::Record;
use crate::run::Bench;

/// Bytes of the file that the sink has to write: no less for fields in another order.
pub fn file_size(case: Case, topic: &str, count: u64) -> u64 {
    let line = |id| {
        let fields = case.fields(&Record::new(id), topic);
        // Brackets and a line's end, and a comma and a blank between two fields.
        3 + fields.iter().map(String::len).sum::<usize>() + 2 * (fields.len() - 1)
    };
    (0..count).map(|id| line(id) as u64).sum()
}

/// Checks every line of a file sink; returns where the last warm and the last counted record end, in bytes.
pub fn file(path: &Path, case: Case, topic: &str, bench: &Bench) -> Result<[u64; 2]> {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut line, mut end, mut marks) = (String::new(), 0, [0; 2]);
    for id in 0..bench.total() {
        line.clear();
        end += lines.read_line(&mut line)? as u64;
        let expected = case.fields(&Record::new(id), topic);
        let found =
            fields(&line).with_context(|| format!("record {id} was written as {line:?}"))?;
        ensure!(found == expected, "record {id} was written as {found:?}, expected {expected:?}");
        mark(&mut marks, id, end, bench);
    }
    line.clear();
    ensure!(lines.read_line(&mut line)? == 0, "more than {} records: {line:?}", bench.total());
    Ok(marks)
}

/// Fields of a printed map, sorted.
fn fields(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix('{')?.strip_suffix("}\n")?;
    let mut fields: Vec<&str> = inside.split(", ").collect();
    fields.sort_unstable();
    Some(fields)
}

/// Checks every record of a topic; returns the offsets after the last warm and the last counted record.
pub fn topic(broker: &Broker, topic: &str, bench: &Bench) -> Result<[u64; 2]> {
    let mut marks = [0; 2];
    broker.read(topic, bench.total(), |id, value| {
        let expected = Record::new(id).json();
        ensure!(value == expected.as_bytes(), "record {id} was written as {value:?}");
        mark(&mut marks, id, id + 1, bench);
        Ok(())
    })?;
    let length = broker.length(topic)?;
    ensure!(length == bench.total(), "{length} records, expected {}", bench.total());
    Ok(marks)
}

fn mark(marks: &mut [u64; 2], id: u64, end: u64, bench: &Bench) {
    let [warm, counted] = marks;
    if id + 1 == bench.records {
        *warm = end;
    }
    if id + 1 == bench.records * 2 {
        *counted = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_map_is_the_same_in_any_order() {
        assert_eq!(fields("{b=2, a=, c=x y}\n"), fields("{c=x y, b=2, a=}\n"));
        assert_ne!(fields("{a=1, b=2}\n"), fields("{a=1}\n"));
        assert_eq!(fields("a=1\n"), None);
    }

    #[test]
    fn the_size_of_the_file_is_known_before() {
        let printed =
            |case: Case, id| format!("{{{}}}\n", case.fields(&Record::new(id), "t").join(", "));
        for case in [Case::JsonToFile, Case::TransformedToFile] {
            let bytes = (0..20).map(|id| printed(case, id).len() as u64).sum::<u64>();
            assert_eq!(file_size(case, "t", 20), bytes);
        }
    }
}
