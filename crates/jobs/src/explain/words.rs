//! Reasons and durations as people read them.
//! Spec cli.md 6.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{ActionView, PlanView};
use crate::{Difference, JobState, Reason, Staleness};

/// Text that comes from a study, safe for a terminal: whatever could move the cursor, change colours or turn the
/// direction of writing is shown as an escape.
pub fn shown(text: &str) -> Cow<'_, str> {
    let unsafe_char = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(unsafe_char) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if unsafe_char(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// A length of time in at most two units: `12s`, `3m 20s`, `1h 05m`. Below a second it says so.
pub fn duration(seconds: f64) -> String {
    // Past any run: also keeps what is not a number out of the arithmetic.
    let whole = seconds.round().clamp(0.0, 1e9) as u64;
    match whole {
        0 => "<1s".to_owned(),
        1..60 => format!("{whole}s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// `2026-01-02 03:04`, in UTC.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// How many more there are to tell of than the first: code that is not known to be read is not a cause.
fn more_causes(differences: &[Difference]) -> usize {
    let tells = |d: &&Difference| d.is_cause() || matches!(d, Difference::Needs { .. });
    differences.iter().filter(tells).count().saturating_sub(1)
}

/// One difference after `out of date`.
fn stale_words(difference: &Difference) -> String {
    match difference {
        Difference::Needs { action, first, cause } if action == first => format!(", because of {action}: {cause}"),
        Difference::Needs { action, first, cause } => format!(", because of {action}, which rests on {first}: {cause}"),
        own => format!(": {own}"),
    }
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}

/// Why an action runs or is reused, in a few words.
pub fn reason(action: &ActionView, plan: &PlanView) -> String {
    let finished = action.last.as_ref().and_then(|last| last.finished_at).map(minute);
    let text = match action.reason {
        Reason::Requested => "requested".to_owned(),
        Reason::Forced => "forced".to_owned(),
        Reason::NeverRun => "never run".to_owned(),
        Reason::FailedBefore => finished.map_or("failed before".to_owned(), |at| format!("failed before ({at})")),
        Reason::OutputMissing => match action.missing.as_slice() {
            [] => "an output is gone".to_owned(),
            [path, more @ ..] => {
                format!("{path}{} gone", if more.is_empty() { " is".into() } else { and_more(more.len()) + " are" })
            }
        },
        Reason::Stale => match &action.staleness {
            Some(Staleness::Stale(differences)) if !differences.is_empty() => {
                format!("out of date{}{}", stale_words(&differences[0]), and_more(more_causes(differences)))
            }
            _ => {
                let moves = |need: &&pipeline::ActionName| {
                    plan.actions.iter().any(|other| &other.action == *need && other.reason != Reason::Succeeded)
                };
                match action.needs.iter().find(moves) {
                    Some(need) => format!("out of date: {need} is made again"),
                    None => "out of date".to_owned(),
                }
            }
        },
        Reason::Succeeded => {
            let when = finished.map_or(String::new(), |at| format!(", {at}"));
            match &action.staleness {
                Some(Staleness::UpToDate) => format!("up to date{when}"),
                Some(Staleness::Stale(differences)) if !differences.is_empty() => {
                    format!("out of date{}{}", stale_words(&differences[0]), and_more(more_causes(differences)))
                }
                Some(Staleness::PossiblyStale(changes)) if !changes.is_empty() => format!(
                    "perhaps out of date: {} {}{}, which it is not known to read",
                    changes[0].path,
                    changes[0].change,
                    and_more(changes.len() - 1)
                ),
                Some(Staleness::Unknown) => format!("no record of how it was made{when}"),
                _ => format!("succeeded{when}"),
            }
        }
        Reason::AlreadyActive => match action.last.as_ref().map(|last| last.state) {
            Some(JobState::Running) => "already running".to_owned(),
            _ => "already waiting to run".to_owned(),
        },
    };
    shown(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [(0.2, "<1s"), (0.5, "1s"), (12.4, "12s"), (59.6, "1m 00s"), (200.0, "3m 20s"), (3900.0, "1h 05m")];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(duration(f64::NAN), "<1s");
    }

    #[test]
    fn nothing_from_a_study_reaches_the_terminal_raw() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\n"), "a\\u{1b}[2Jb\\u{202e}c\\u{a}");
        assert_eq!(shown("é ok"), "é ok");
    }
}
