//! Which known word was meant: case-insensitive Damerau-Levenshtein distance.
//! Spec project-yaml.md 11.

/// The known words nearest to `word`, best first, at most three. Near means at most `max(1, length / 3)` edits,
/// where an edit inserts, deletes or replaces a character or swaps two neighbours.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<String> {
    ranked(word, candidates).into_iter().take(3).map(|(_, c)| c.to_owned()).collect()
}

/// Of the nearest words only those that are as near as the nearest one: for long words that look alike anyway.
pub(crate) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<String> {
    let found = ranked(word, candidates);
    let best = found.first().map_or(0, |(d, _)| *d);
    found.into_iter().take_while(|(d, _)| *d == best).take(3).map(|(_, c)| c.to_owned()).collect()
}

/// Near words with their distance, best first.
fn ranked<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Vec<(usize, &'c str)> {
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
    found
}

/// Edits between two words, or more than `limit` as soon as that is certain.
fn distance(a: &[char], b: &[char], limit: usize) -> usize {
    let width = b.len() + 1;
    // Three rows in turn: the one before the last, the last, the current.
    let mut rows = vec![0; 3 * width];
    for (j, cell) in rows[width..2 * width].iter_mut().enumerate() {
        *cell = j;
    }
    let (mut before, mut last, mut row) = (0, width, 2 * width);
    let mut least_before = 0;
    for i in 1..=a.len() {
        rows[row] = i;
        let mut least = i;
        for j in 1..width {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[last + j] + 1).min(rows[row + j - 1] + 1).min(rows[last + j - 1] + changed);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[before + j - 2] + 1);
            }
            rows[row + j] = best;
            least = least.min(best);
        }
        if least > limit && least_before > limit {
            return limit + 1;
        }
        least_before = least;
        (before, last, row) = (last, row, before);
    }
    rows[last + b.len()]
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
        let levels = ["highly_sensitive", "moderately_sensitive", "minimally_sensitive"];
        assert_eq!(closest("moderatly_sensitive", levels), ["moderately_sensitive"]);
        assert_eq!(closest("make_tablex", known), ["make_table", "make_tables"]);
    }
}
