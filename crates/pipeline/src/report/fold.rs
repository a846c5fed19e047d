//! Decides what of many diagnostics is printed in full: repeats fold into lists, overlaps group into one message.
//! Spec project-yaml.md 6.3 (P521) and 11 (5 repeats, 200 shown).

use std::collections::BTreeMap;

use crate::{Code, Diagnostic, Severity};

/// Repeats of one code that are printed in full.
const REPEATS: usize = 5;
/// Messages printed in all.
const SHOWN: usize = 200;
/// The code whose messages are one message: overlaps between two actions.
const OVERLAP: Code = Code("P521");

/// One printed message.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    /// In full.
    Full(&'a Diagnostic),
    /// Repeats of a code, as a list of positions.
    Repeats(Vec<&'a Diagnostic>),
    /// Several overlaps of output patterns.
    Overlaps(Vec<&'a Diagnostic>),
}

/// What is printed, and how many messages are not.
pub(crate) fn fold(diagnostics: &[Diagnostic]) -> (Vec<Item<'_>>, usize) {
    let sorted = super::in_order(diagnostics);
    let overlaps: Vec<&Diagnostic> = sorted.iter().copied().filter(|d| d.code == OVERLAP).collect();
    let mut groups: BTreeMap<(Code, Severity), usize> = BTreeMap::new();
    for d in &sorted {
        *groups.entry((d.code, d.severity)).or_default() += 1;
    }
    let mut seen: BTreeMap<(Code, Severity), usize> = BTreeMap::new();
    let mut slot: BTreeMap<(Code, Severity), usize> = BTreeMap::new();
    let mut items = Vec::new();
    let mut overlaps_done = overlaps.len() < 2;
    for d in sorted {
        if d.code == OVERLAP && overlaps.len() > 1 {
            if !overlaps_done {
                overlaps_done = true;
                items.push(Item::Overlaps(overlaps.clone()));
            }
            continue;
        }
        let key = (d.code, d.severity);
        let count = seen.entry(key).or_default();
        *count += 1;
        // One repeat more than the limit is printed: a list of one position is no shorter than the message.
        if *count <= REPEATS || groups.get(&key) == Some(&(REPEATS + 1)) {
            items.push(Item::Full(d));
        } else if let Some(Item::Repeats(list)) = slot.get(&key).and_then(|&i| items.get_mut(i)) {
            list.push(d);
        } else {
            slot.insert(key, items.len());
            items.push(Item::Repeats(vec![d]));
        }
    }
    let hidden = items.iter().skip(SHOWN).map(Item::len).sum();
    items.truncate(SHOWN);
    (items, hidden)
}

impl Item<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Full(_) => 1,
            Self::Repeats(list) | Self::Overlaps(list) => list.len(),
        }
    }
}
