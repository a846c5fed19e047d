//! Which of many patterns overlap, without comparing each with each (spec project-yaml.md 6.3, 16).
//! Two patterns can only meet if, in every folder level, what stands before the first star of one begins the other's,
//! and what stands after the last star ends it. So each pattern with a star looks only at those that agree with it in
//! the part that tells most patterns apart.

use std::collections::HashMap;

use crate::pattern::{contains, intersect};

/// How two patterns meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// One matches everything that the other matches.
    Contains,
    /// Some path matches both.
    Intersects,
}

/// Two patterns that meet, by their numbers, the lower first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) how: Meeting,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Overlaps {
    pub(crate) pairs: Vec<Pair>,
    /// The search was ended early: more pairs may exist.
    pub(crate) cut: bool,
}

/// Pairs reported at most.
const MOST_PAIRS: usize = 10_000;
/// Comparisons made at most; real files need a few thousand.
const MOST_WORK: usize = 3_000_000;

/// Finds all pairs of different patterns that meet. Equal texts are not reported: they are P520.
/// `wanted` says which pairs are of interest; others cost work but are not kept.
pub(crate) fn find(patterns: &[&str], wanted: impl Fn(usize, usize) -> bool) -> Overlaps {
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, pattern) in patterns.iter().enumerate() {
        groups.entry(pattern.bytes().filter(|&b| b == b'/').count()).or_default().push(i);
    }
    let mut found = Overlaps::default();
    let mut work = MOST_WORK;
    let mut depths: Vec<usize> = groups.keys().copied().collect();
    depths.sort_unstable();
    for depth in depths {
        let members = &groups[&depth];
        if members.iter().any(|&i| patterns[i].contains('*')) {
            search(patterns, members, depth + 1, &wanted, &mut found, &mut work);
        }
    }
    found.pairs.sort_by_key(|p| (p.second, p.first));
    found
}

/// The fixed ends of one folder level over all members of a group.
struct Column<'p> {
    /// Sorted by text.
    sorted: Vec<(&'p [u8], usize)>,
    /// By exact text.
    exact: HashMap<&'p [u8], Vec<usize>>,
}

impl<'p> Column<'p> {
    fn new(texts: &[&'p [u8]], members: &[usize]) -> Self {
        let mut sorted: Vec<(&[u8], usize)> = texts.iter().copied().zip(members.iter().copied()).collect();
        sorted.sort_unstable();
        let mut exact: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for &(text, i) in &sorted {
            exact.entry(text).or_default().push(i);
        }
        Self { sorted, exact }
    }

    /// Members whose text begins with `text`.
    fn longer(&self, text: &[u8]) -> &[(&'p [u8], usize)] {
        let from = self.sorted.partition_point(|(t, _)| *t < text);
        let len = self.sorted[from..].partition_point(|(t, _)| t.starts_with(text));
        &self.sorted[from..from + len]
    }

    /// Members whose text is a shorter beginning of `text`.
    fn shorter(&self, text: &'p [u8]) -> impl Iterator<Item = usize> {
        (0..text.len()).filter_map(move |len| self.exact.get(&text[..len])).flatten().copied()
    }

    fn count(&self, text: &[u8]) -> usize {
        let shorter: usize = (0..text.len()).filter_map(|len| self.exact.get(&text[..len])).map(Vec::len).sum();
        self.longer(text).len() + shorter
    }
}

fn search(
    patterns: &[&str],
    members: &[usize],
    depth: usize,
    wanted: &impl Fn(usize, usize) -> bool,
    found: &mut Overlaps,
    work: &mut usize,
) {
    // Heads as written and tails backwards, for each folder level: `2 * depth` texts for each member.
    let reversed: Vec<String> = members.iter().map(|&i| patterns[i].chars().rev().collect()).collect();
    let mut texts: Vec<Vec<&[u8]>> = vec![Vec::with_capacity(members.len()); 2 * depth];
    for (&i, backwards) in members.iter().zip(&reversed) {
        for (level, segment) in patterns[i].split('/').enumerate() {
            texts[level].push(head(segment));
        }
        for (level, segment) in backwards.split('/').enumerate() {
            texts[2 * depth - 1 - level].push(head(segment));
        }
    }
    let columns: Vec<Column<'_>> = texts.iter().map(|t| Column::new(t, members)).collect();
    for (slot, &i) in members.iter().enumerate() {
        if !patterns[i].contains('*') {
            continue;
        }
        let Some(best) = (0..columns.len()).min_by_key(|&c| columns[c].count(texts[c][slot])) else { continue };
        let text = texts[best][slot];
        let near = columns[best].longer(text).iter().map(|&(_, j)| j);
        for j in near.chain(columns[best].shorter(text)) {
            // A pair of two stars is met from both sides; once is enough.
            if j == i || (j > i && patterns[j].contains('*')) {
                continue;
            }
            if *work == 0 || found.pairs.len() >= MOST_PAIRS {
                found.cut = true;
                return;
            }
            *work -= 1;
            let (first, second) = (i.min(j), i.max(j));
            if !wanted(first, second) || patterns[i] == patterns[j] {
                continue;
            }
            if contains(patterns[i], patterns[j]) || contains(patterns[j], patterns[i]) {
                found.pairs.push(Pair { first, second, how: Meeting::Contains });
            } else if intersect(patterns[i], patterns[j]) {
                found.pairs.push(Pair { first, second, how: Meeting::Intersects });
            }
        }
    }
}

/// What stands before the first star.
fn head(segment: &str) -> &[u8] {
    let bytes = segment.as_bytes();
    &bytes[..bytes.iter().position(|&b| b == b'*').unwrap_or(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn many_patterns_in_one_folder_need_little_work() {
        let mut owned: Vec<String> = (0..9_000).map(|i| format!("output/model_{i}_table.csv")).collect();
        owned.extend((0..1_000).map(|i| format!("output/figure_{i}_*.svg")));
        let patterns: Vec<&str> = owned.iter().map(String::as_str).collect();
        let found = find(&patterns, |_, _| true);
        assert!(found.pairs.is_empty() && !found.cut);
    }

    #[test]
    fn hostile_sets_end() {
        let owned: Vec<String> = (0..5_000).map(|i| format!("a/*x{i}*/b*{i}*c")).collect();
        let patterns: Vec<&str> = owned.iter().map(String::as_str).collect();
        assert!(find(&patterns, |_, _| true).cut);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn agrees_with_comparing_all(patterns in proptest::collection::vec("[ab*]{1,4}(/[ab*]{1,3})?", 0..14)) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let mut expected = Vec::new();
            for second in 0..patterns.len() {
                for first in 0..second {
                    let (a, b) = (patterns[first], patterns[second]);
                    if a != b && (contains(a, b) || contains(b, a)) {
                        expected.push(Pair { first, second, how: Meeting::Contains });
                    } else if a != b && intersect(a, b) {
                        expected.push(Pair { first, second, how: Meeting::Intersects });
                    }
                }
            }
            prop_assert_eq!(find(&patterns, |_, _| true).pairs, expected);
        }
    }
}
