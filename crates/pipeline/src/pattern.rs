//! Patterns of output paths: what they match, how two of them overlap, and which must be refused whatever `load` said.
//! Spec project-yaml.md 6.2, 6.4. Every comparison takes linear time in practice: one star is retried, never two.

use crate::Pattern;

/// Why a pattern may never be collected, checked at load and again at collection (spec project-yaml.md 6.4 rule 3, 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// A `..` segment.
    #[error("the path goes up with `..`")]
    GoesUp,
    /// Begins with `/`, a drive or a host.
    #[error("the path is absolute")]
    Absolute,
    /// An empty segment, a `.` segment or a `/` at the end; also the empty path.
    #[error("the path is not in normal form: it has an empty segment, a `.` segment or a `/` at the end")]
    NotNormal,
    /// `metadata` or below it.
    #[error("`metadata` belongs to the platform")]
    Metadata,
    /// A `.git` segment in any spelling.
    #[error("`.git` belongs to the repository")]
    Git,
    /// A control character.
    #[error("the path holds a control character")]
    Control,
    /// A back slash.
    #[error("the path holds a back slash")]
    BackSlash,
    /// A wildcard other than a single `*`.
    #[error("of the wildcards only a single `*` may be used")]
    Wildcard,
    /// More than 1,024 bytes, or a segment of more than 255.
    #[error("the path is longer than 1,024 bytes, or one of its parts is longer than 255")]
    TooLong,
}

impl Pattern {
    /// Whether a path relative to the workspace root is collected. `*` matches any run of characters except `/`,
    /// also none and also a leading dot; everything else matches itself, case-sensitively.
    pub fn matches(&self, path: &str) -> bool {
        matches_text(self.as_str(), path)
    }

    /// The folder before the first segment with a `*`, or before the file name; empty for the root.
    pub fn parent_folder(&self) -> &str {
        let text = self.as_str();
        let literal = &text[..text.find('*').unwrap_or(text.len())];
        literal.rfind('/').map_or("", |slash| &text[..slash])
    }

    /// Whether it names exactly one path.
    pub fn is_literal(&self) -> bool {
        !self.as_str().contains('*')
    }

    /// Refuses what no pattern may be, at any version.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), PatternFault> {
        faults(self.as_str()).into_iter().next().map_or(Ok(()), Err)
    }
}

const LETTER: u8 = 1;
const DOT: u8 = 2;
const SLASH: u8 = 3;
/// What each byte is in a path of the ordinary kind; 0 where such a path does not hold it.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte: u8 = 0;
    while byte < 0x80 {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => LETTER,
            b'.' => DOT,
            b'/' => SLASH,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// Whether a path is of the ordinary kind, which has no fault and nothing doubtful but perhaps the name of a device:
/// short, its parts made of letters, digits, `_`, `-` and `.`, none beginning with a dot. Most are, and need one look.
pub(crate) fn is_plain(text: &str) -> bool {
    let mut begins = true;
    for byte in text.bytes() {
        let kind = KINDS[byte as usize];
        if kind == 0 || (begins && kind != LETTER) {
            return false;
        }
        begins = kind == SLASH;
    }
    !begins && text.len() <= 255 && !text.starts_with("metadata")
}

/// Every structural fault of a path, each kind once, consequences left out.
pub(crate) fn faults(text: &str) -> Vec<PatternFault> {
    let mut found = Vec::new();
    if is_plain(text) {
        return found;
    }
    let absolute = text.starts_with('/') || has_drive(text);
    if text.contains('\\') {
        found.push(PatternFault::BackSlash);
    }
    if text.contains("**") || text.contains(['?', '[']) {
        found.push(PatternFault::Wildcard);
    }
    if text.split('/').any(|s| s == "..") {
        found.push(PatternFault::GoesUp);
    } else {
        // The slashes that make it absolute are not counted as empty segments too.
        let below = if absolute { text.trim_start_matches('/') } else { text };
        if below.split('/').any(|s| s.is_empty() || s == ".") && text != "/" {
            found.push(PatternFault::NotNormal);
        }
    }
    if text.split('/').find(|s| !s.is_empty() && *s != ".") == Some("metadata") && !text.starts_with('/') {
        found.push(PatternFault::Metadata);
    }
    if text.split(['/', '\\']).any(|s| s.eq_ignore_ascii_case(".git")) {
        found.push(PatternFault::Git);
    }
    if absolute {
        found.push(PatternFault::Absolute);
    }
    if text.chars().any(char::is_control) {
        found.push(PatternFault::Control);
    }
    if text.len() > 1024 || text.split('/').any(|s| s.len() > 255) {
        found.push(PatternFault::TooLong);
    }
    found
}

/// `C:/…` or `C:\…`.
fn has_drive(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() >= 3 && b[0].is_ascii_alphabetic() && b[1] == b':' && matches!(b[2], b'/' | b'\\')
}

fn matches_text(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|p| segments.next().is_some_and(|s| segment_matches(p, s))) && segments.next().is_none()
}

/// Greedy from the left: it is enough to go back to the last star seen.
fn segment_matches(pattern: &str, text: &str) -> bool {
    let Some(star) = pattern.find('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(&pattern[..star]) else { return false };
    let mut chunks = pattern[star + 1..].split('*').peekable();
    while let Some(chunk) = chunks.next() {
        if chunks.peek().is_none() {
            return rest.ends_with(chunk);
        }
        match rest.find(chunk) {
            Some(at) => rest = &rest[at + chunk.len()..],
            None => return false,
        }
    }
    true
}

/// Whether some path matches both. Two segments with stars intersect when what stands before the first star and what
/// stands after the last one agree: everything between can be put one after the other.
pub(crate) fn intersect(a: &str, b: &str) -> bool {
    let (mut xs, mut ys) = (a.split('/'), b.split('/'));
    loop {
        match (xs.next(), ys.next()) {
            (None, None) => return true,
            (Some(x), Some(y)) if segments_intersect(x, y) => {}
            _ => return false,
        }
    }
}

fn segments_intersect(a: &str, b: &str) -> bool {
    match (a.find('*'), b.find('*')) {
        (None, None) => a == b,
        (None, Some(_)) => segment_matches(b, a),
        (Some(_), None) => segment_matches(a, b),
        (Some(i), Some(j)) => {
            let (head_a, head_b) = (&a.as_bytes()[..i], &b.as_bytes()[..j]);
            let (tail_a, tail_b) = (after_last_star(a), after_last_star(b));
            (head_a.starts_with(head_b) || head_b.starts_with(head_a))
                && (tail_a.ends_with(tail_b) || tail_b.ends_with(tail_a))
        }
    }
}

fn after_last_star(text: &str) -> &[u8] {
    text.rfind('*').map_or(b"", |i| &text.as_bytes()[i + 1..])
}

/// Whether every path that `b` matches is also matched by `a`: a star of `b` must lie wholly inside a star of `a`,
/// so it is treated as a character that no pattern holds.
pub(crate) fn contains(a: &str, b: &str) -> bool {
    if b.contains('*') { matches_text(a, &b.replace('*', "\u{0}")) } else { matches_text(a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stays_in_its_segment() {
        let p = Pattern::new("output/inp*.feather");
        assert!(p.matches("output/inp.feather"));
        assert!(p.matches("output/input_1.feather"));
        assert!(!p.matches("output/inp/x.feather"));
        assert!(!p.matches("output/INP.feather"));
        assert!(Pattern::new("*/a*b*c").matches(".h/aXbXbc"));
        assert!(!Pattern::new("*/a*b*c").matches("h/acb"));
        assert!(!Pattern::new("a*a").matches("a"));
    }

    #[test]
    fn folders() {
        for (pattern, folder) in
            [("a.csv", ""), ("o/a.csv", "o"), ("o/*/a.csv", "o"), ("o/p/x_*.csv", "o/p"), ("*/a", "")]
        {
            assert_eq!(Pattern::new(pattern).parent_folder(), folder);
        }
    }

    #[test]
    fn refusals() {
        use PatternFault as F;
        let cases = [
            ("../a.csv", Some(F::GoesUp)),
            ("a/../b.csv", Some(F::GoesUp)),
            ("/a.csv", Some(F::Absolute)),
            ("C:/a.csv", Some(F::Absolute)),
            ("//h/a.csv", Some(F::Absolute)),
            ("a//b.csv", Some(F::NotNormal)),
            ("./a.csv", Some(F::NotNormal)),
            ("a/", Some(F::NotNormal)),
            ("", Some(F::NotNormal)),
            ("metadata/x.csv", Some(F::Metadata)),
            ("metadata", Some(F::Metadata)),
            ("metadata2/x.csv", None),
            ("a/metadata/x.csv", None),
            ("a/.GIT/x", Some(F::Git)),
            ("a\u{7}b", Some(F::Control)),
            ("a\\b", Some(F::BackSlash)),
            ("a?b", Some(F::Wildcard)),
            ("a[b", Some(F::Wildcard)),
            ("**/x", Some(F::Wildcard)),
            ("a b/é*.csv", None),
            ("a..b/c...csv", None),
        ];
        for (text, fault) in cases {
            assert_eq!(Pattern::new(text).check().err(), fault, "{text}");
        }
        assert_eq!(faults(&"x".repeat(256)), [F::TooLong]);
        assert_eq!(faults(&"x".repeat(255)), []);
    }

    #[test]
    fn plain_paths_are_those_without_anything_to_say() {
        for text in ["output/a.csv", "a", "a-b/c_d/e.f.g", "a../b"] {
            assert!(is_plain(text), "{text}");
        }
        for text in ["", "/a", "a//b", "a/", "a/.b", ".a", "a*", "a b", "é", "C:/a", "metadata/x", "a/./b"] {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn overlap_of_the_seeds() {
        assert!(contains("output/inp*.csv.gz", "output/input_*.csv.gz"));
        assert!(!contains("output/input_*.csv.gz", "output/inp*.csv.gz"));
        assert!(intersect("output/*_composite_measure.csv", "output/indicator_measure_*.csv"));
        assert!(!intersect("output/measure*_rate.csv", "output/indicator_measure_*.csv"));
        assert!(!contains("a*b", "*"));
        assert!(contains("*", "a*b"));
    }
}
