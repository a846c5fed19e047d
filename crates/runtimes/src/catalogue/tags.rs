//! Which tags a runtime ever had. A tag is `v` and numbers joined by dots; `latest` and `dev` are known everywhere.
//! Spec actions.md 2.1-2.2: numbers between the first and the last exist; only a patch after the very last is "newer".

use pipeline::TagStatus;

/// The last pin of each `v0.MINOR` line of sqlrunner and the first patch of that line.
const SQLRUNNER: &[(u64, u64, u64)] = &[(0, 1, 21), (1, 0, 19), (2, 0, 6), (3, 0, 44), (4, 0, 37)];

pub(super) fn python(tag: &str) -> TagStatus {
    one_of(tag, &["v1", "v2"])
}

pub(super) fn r(tag: &str) -> TagStatus {
    one_of(tag, &["v1", "v2"])
}

pub(super) fn ehrql(tag: &str) -> TagStatus {
    one_of(tag, &["v1", "v0"])
}

pub(super) fn only_v1(tag: &str) -> TagStatus {
    one_of(tag, &["v1"])
}

/// `v1` and everything below it: the command is the same at every version.
pub(super) fn cohortextractor(tag: &str) -> TagStatus {
    match numbers(tag).as_deref() {
        Some([1, ..]) => TagStatus::Known,
        _ => one_of(tag, &["v1"]),
    }
}

/// A file action: `v0.0.1` to `v0.0.LAST`, and `v1`, our own profile.
pub(super) fn patches<const LAST: u64>(tag: &str) -> TagStatus {
    match numbers(tag).as_deref() {
        Some([0, 0, patch]) if (1..=LAST).contains(patch) => TagStatus::Known,
        Some([0, 0, patch]) if *patch > LAST => TagStatus::Newer { last_known: format!("v0.0.{LAST}") },
        Some([0, 0, 0]) => nearest(&["v0.0.1".to_owned(), format!("v0.0.{LAST}"), "v1".to_owned()]),
        _ => one_of(tag, &["v1", &format!("v0.0.{LAST}")]),
    }
}

pub(super) fn sqlrunner(tag: &str) -> TagStatus {
    let newest = SQLRUNNER.last().copied().unwrap_or_default();
    let last_known = format!("v0.{}.{}", newest.0, newest.2);
    if let Some([0, minor, patch]) = numbers(tag).as_deref()
        && let Some((_, first, last)) = SQLRUNNER.iter().find(|line| line.0 == *minor)
    {
        return match patch {
            patch if (first..=last).contains(&patch) => TagStatus::Known,
            patch if patch > last && *minor == newest.0 => TagStatus::Newer { last_known },
            patch if patch > last => {
                nearest(&[format!("v0.{minor}.{last}"), format!("v0.{}.0", minor + 1), "v1".to_owned()])
            }
            _ => nearest(&[format!("v0.{minor}.{first}"), last_known, "v1".to_owned()]),
        };
    }
    one_of(tag, &["v1", &last_known])
}

/// The numbers of `v1.2.3`, if that is what it is: no sign, no leading zero, no empty part.
fn numbers(tag: &str) -> Option<Vec<u64>> {
    let text = tag.strip_prefix('v')?;
    text.split('.')
        .map(|part| {
            let plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (part.len() == 1 || !part.starts_with('0'));
            if plain { part.parse().ok() } else { None }
        })
        .collect()
}

/// Known if listed. All of the few that exist are near enough to be named, those that `tag` begins like first.
fn one_of(tag: &str, existing: &[&str]) -> TagStatus {
    if tag == "latest" || tag == "dev" || existing.contains(&tag) {
        return TagStatus::Known;
    }
    let mut sorted: Vec<String> = existing.iter().map(|one| (*one).to_owned()).collect();
    sorted.sort_by_key(|one| !tag.starts_with(one.as_str()));
    nearest(&sorted)
}

fn nearest(best_first: &[String]) -> TagStatus {
    TagStatus::Unknown { nearest: best_first.iter().take(3).cloned().collect() }
}
