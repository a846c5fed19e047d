//! Which known word was meant: case-insensitive Damerau-Levenshtein distance.
//! Spec project-yaml.md 11.

/// The known words nearest to `word`, best first, at most three. Near means at most `max(1, length / 3)` edits,
/// where an edit inserts, deletes or replaces a character or swaps two neighbours.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<String> {
    // Words longer than this are no typing mistake; it bounds the time.
    const LONGEST: usize = 200;
    let folded: Vec<char> = word.to_lowercase().chars().collect();
    if folded.is_empty() || folded.len() > LONGEST {
        return Vec::new();
    }
    let limit = (folded.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates {
        if candidate == word || candidate.len() > 4 * (folded.len() + limit) {
            continue;
        }
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if other.len().abs_diff(folded.len()) > limit {
            continue;
        }
        let d = distance(&folded, &other, limit);
        if d <= limit {
            found.push((d, candidate));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    found.dedup();
    found.into_iter().take(3).map(|(_, c)| c.to_owned()).collect()
}

/// Edits between two words, or more than `limit` as soon as that is certain.
fn distance(a: &[char], b: &[char], limit: usize) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        if row.iter().min().is_some_and(|&m| m > limit) && last.iter().min().is_some_and(|&m| m > limit) {
            return limit + 1;
        }
        before = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_best_first() {
        let known = ["make_table", "make_tables", "clean", "run"];
        assert_eq!(nearest("make_tabel", known), ["make_table", "make_tables"]);
        assert_eq!(nearest("CLEAN", known), ["clean"]);
        assert_eq!(nearest("rnu", known), ["run"]);
        assert!(nearest("rxx", known).is_empty());
        assert!(nearest("", known).is_empty());
    }
}
