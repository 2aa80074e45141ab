//! The table at the end: each case, and what came of it on both. Not here: playing.

use std::collections::BTreeMap;

use crate::peer::Peer;
use crate::verdict::{Judgement, Outcome, Verdict};

/// All verdicts as a table, and what went wrong below it.
pub fn table(verdicts: &[Verdict]) -> String {
    let mut rows: BTreeMap<&str, (&str, BTreeMap<&str, &Verdict>)> = BTreeMap::new();
    for verdict in verdicts {
        let row = rows.entry(verdict.case.name).or_insert((verdict.case.from, BTreeMap::new()));
        row.1.insert(verdict.peer.name(), verdict);
    }
    let width = |words: &mut dyn Iterator<Item = usize>| words.max().unwrap_or_default();
    let names = width(&mut rows.keys().map(|name| name.len()));
    let froms = width(&mut rows.values().map(|(from, _)| from.len()));
    let [theirs, ours] = Peer::ALL.map(Peer::title);
    let mut text = format!("{:names$}  {:froms$}  {theirs:12}  {ours}\n", "case", "from");
    for (name, (from, by_peer)) in &rows {
        let [theirs, ours] =
            Peer::ALL.map(|peer| by_peer.get(peer.name()).map_or(String::new(), |one| word(one)));
        text.push_str(&format!("{name:names$}  {from:froms$}  {theirs:12}  {ours}\n"));
    }
    text.push('\n');
    text.extend(verdicts.iter().filter_map(complaint));
    for peer in Peer::ALL {
        text.push_str(&summary(peer, verdicts));
    }
    text
}

/// A verdict in a cell.
pub fn word(verdict: &Verdict) -> String {
    let word = match verdict.judgement() {
        Judgement::Good => "pass",
        Judgement::Listed(_) => "listed",
        Judgement::Bad => "FAIL",
        Judgement::Better => "PASS, LISTED",
        Judgement::None => return "not played".to_owned(),
    };
    format!("{word} {:.1} s", verdict.took.as_secs_f64())
}

/// What is wrong with a verdict, if anything.
pub fn complaint(verdict: &Verdict) -> Option<String> {
    if !verdict.is_wrong() {
        return None;
    }
    let (name, peer) = (verdict.case.name, verdict.peer.title());
    Some(match &verdict.outcome {
        Outcome::Failed(why) => format!("{name} on {peer}:\n  {}\n\n", why.replace('\n', "\n  ")),
        _ => format!("{name} passes on {peer}: take it out of the list of those that do not\n\n"),
    })
}

fn summary(peer: Peer, verdicts: &[Verdict]) -> String {
    let of_peer = || verdicts.iter().filter(|verdict| verdict.peer == peer);
    if of_peer().next().is_none() {
        return String::new();
    }
    let count = |is: fn(Judgement) -> bool| of_peer().filter(|one| is(one.judgement())).count();
    format!(
        "{}: {} cases, {} passed, {} listed, {} wrong, {} not played\n",
        peer.title(),
        of_peer().count(),
        count(|one| matches!(one, Judgement::Good | Judgement::Better)),
        count(|one| matches!(one, Judgement::Listed(_))),
        of_peer().filter(|one| one.is_wrong()).count(),
        count(|one| one == Judgement::None),
    )
}
