//! File name patterns: `*`, `?`, `[…]`, `[!…]` inside one segment of a path (actions.md 3.1).
//! Nothing here touches a disk.

/// Whether a segment of a pattern means more than itself.
pub(crate) fn has_magic(segment: &str) -> bool {
    segment.contains(['*', '?', '['])
}

/// Whether a name fits a segment of a pattern. Names that begin with `.` only fit a pattern that does.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on after a misfit: behind the last star, with one character more under it.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if n == name.len() && pattern[p..].iter().all(|c| *c == '*') {
            return true;
        }
        let step = match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(_) if n < name.len() => one(&pattern[p..], name[n]),
            _ => None,
        };
        match (step, retry) {
            (Some(width), _) => (p, n) = (p + width, n + 1),
            (None, Some((after, from))) if from < name.len() => {
                retry = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// How many characters of the pattern stand for this one; `None` if it does not fit.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match class(rest) {
            Some((width, members, negated)) => (holds(members, c) != negated).then_some(width + 1),
            None => (c == '[').then_some(1),
        },
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

/// A class behind its `[`: width with the `]`, members, whether it is turned round. `]` first is a member.
fn class(rest: &[char]) -> Option<(usize, &[char], bool)> {
    let negated = rest.first() == Some(&'!');
    let start = usize::from(negated);
    let end = rest.iter().skip(start + 1).position(|c| *c == ']')? + start + 1;
    Some((end + 1, &rest[start..end], negated))
}

fn holds(members: &[char], c: char) -> bool {
    match members {
        [low, '-', high, rest @ ..] => (*low..=*high).contains(&c) || holds(rest, c),
        [one, rest @ ..] => *one == c || holds(rest, c),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made with Python's fnmatch, but for the row about the leading dot, which its glob adds.
    #[test]
    fn segments_fit_as_the_rule_says() {
        let rows = [
            ("measure_*.csv", "measure_bp.csv", true),
            ("measure_*.csv", "measure_bp.csv.gz", false),
            ("measure_*.csv*", "measure_bp.csv.gz", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("**", "a", true),
            ("?", "é", true),
            ("a?", "a", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[!ab]x", "cx", true),
            ("[a-c]", "b", true),
            ("[a-c]", "-", false),
            ("[]x]", "]", true),
            ("[!]]", "]", false),
            ("[a", "[a", true),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    /// The rule in its plainest form.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], _) => name.is_empty(),
            (['*', rest @ ..], _) => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
            (_, []) => false,
            (['?', rest @ ..], [_, more @ ..]) => naive(rest, more),
            ([p, rest @ ..], [n, more @ ..]) => p == n && naive(rest, more),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn stars_and_marks_fit_as_in_the_naive_model(pattern in "[ab*?]{0,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(fits(&pattern, &name), naive(&chars(&pattern), &chars(&name)));
        }

        #[test]
        fn no_pattern_panics_or_takes_long(pattern in "[a*?\\[\\]!-]{0,40}", name in "a{0,60}") {
            fits(&pattern, &name);
        }
    }
}
