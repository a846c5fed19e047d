//! Which of many patterns overlap, without comparing each with each (spec project-yaml.md 6.3, 16).
//! Two patterns can only meet if, in every folder level, what stands before the first star of one begins the other's,
//! and what stands after the last star ends it. So each pattern with a star looks only at those that agree with it in
//! the part that tells most patterns apart.

use crate::hash::HashMap;
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
    if !patterns.iter().any(|pattern| pattern.contains('*')) {
        return Overlaps::default();
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::default();
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

/// One way to tell patterns apart: the fixed text at one place, read in one direction. Of a pattern that ends in this
/// direction at a star it is the text before the star, of any other the whole.
struct Column<'p> {
    texts: Vec<&'p [u8]>,
    /// Text and number within the group, sorted.
    sorted: Vec<(&'p [u8], usize)>,
    /// Of the patterns that end at a star here, by exact text.
    exact: HashMap<&'p [u8], Vec<usize>>,
    /// The lengths that occur in `exact`, sorted.
    lengths: Vec<usize>,
}

impl<'p> Column<'p> {
    /// From `(fixed text, it ends at a star)` of each member.
    fn new(ends: impl Iterator<Item = (&'p [u8], bool)>) -> Self {
        let mut exact: HashMap<&[u8], Vec<usize>> = HashMap::default();
        let mut texts = Vec::new();
        for (i, (text, star)) in ends.enumerate() {
            texts.push(text);
            if star {
                exact.entry(text).or_default().push(i);
            }
        }
        let mut sorted: Vec<(&[u8], usize)> = texts.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let mut lengths: Vec<usize> = exact.keys().map(|text| text.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        Self { texts, sorted, exact, lengths }
    }

    /// Members that can meet member `i`: their text goes on where its text ends, or the other way round.
    fn near(&self, i: usize) -> impl Iterator<Item = usize> {
        let text = self.texts[i];
        self.longer(text).iter().map(|&(_, j)| j).chain(self.shorter(text).flatten().copied())
    }

    /// Members that end at a star within this text.
    fn shorter(&self, text: &'p [u8]) -> impl Iterator<Item = &Vec<usize>> {
        self.lengths
            .iter()
            .take_while(move |&&len| len < text.len())
            .filter_map(move |&len| self.exact.get(&text[..len]))
    }

    fn longer(&self, text: &[u8]) -> &[(&'p [u8], usize)] {
        let from = self.sorted.partition_point(|(t, _)| *t < text);
        // Most ranges are short: look near the start first.
        let mut bound = 8;
        while self.sorted.get(from + bound).is_some_and(|(t, _)| t.starts_with(text)) {
            bound *= 2;
        }
        let rest = &self.sorted[from..(from + bound).min(self.sorted.len())];
        &rest[..rest.partition_point(|(t, _)| t.starts_with(text))]
    }

    fn count(&self, i: usize) -> usize {
        let text = self.texts[i];
        self.longer(text).len() + self.shorter(text).map(Vec::len).sum::<usize>()
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
    let reversed: Vec<String>;
    let stars: Vec<usize> = (0..members.len()).filter(|&m| patterns[members[m]].contains('*')).collect();
    let mut columns = vec![Column::new(members.iter().map(|&i| head(patterns[i])))];
    let cost = |columns: &[Column<'_>]| -> usize {
        stars.iter().map(|&m| columns.iter().map(|c| c.count(m)).min().unwrap_or(0)).sum()
    };
    // The other columns cost more than they save where beginnings alone tell the patterns apart.
    let enough = 4 * members.len();
    if cost(&columns) > enough {
        reversed = members.iter().map(|&i| patterns[i].chars().rev().collect()).collect();
        columns.push(Column::new(reversed.iter().map(|text| head(text))));
        if depth > 1 && cost(&columns) > enough {
            for level in 0..depth {
                columns.push(Column::new(members.iter().map(|&i| head(nth(patterns[i], level)))));
                columns.push(Column::new(reversed.iter().map(|text| head(nth(text, level)))));
            }
        }
    }
    for &m in &stars {
        let best = match columns.as_slice() {
            [only] => Some(only),
            several => several.iter().min_by_key(|c| c.count(m)),
        };
        let Some(best) = best else { continue };
        let i = members[m];
        for j in best.near(m).map(|n| members[n]) {
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

/// A folder level of a pattern.
fn nth(pattern: &str, level: usize) -> &str {
    pattern.split('/').nth(level).unwrap_or_default()
}

/// What stands before the first star, and whether there is one.
fn head(text: &str) -> (&[u8], bool) {
    let bytes = text.as_bytes();
    match bytes.iter().position(|&b| b == b'*') {
        Some(star) => (&bytes[..star], true),
        None => (bytes, false),
    }
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
        let owned: Vec<String> = owned.iter().map(|p| p.chars().rev().collect()).collect();
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
