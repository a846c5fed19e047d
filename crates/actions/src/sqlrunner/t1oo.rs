//! Type 1 opt-outs: whether the SQL says how it treats them, and what follows when it does not (actions.md 7.5).
//! Only words are checked here; protecting the rows is the backend's.

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;

use super::profile::{Profile, T1ooRule};
use super::query_file::QueryFile;

const DISSENT: &str = "PatientsWithTypeOneDissent";
const ALLOWED: &str = "AllowedPatientsWithTypeOneDissent";

/// The first project.yaml version under which undeclared SQL is refused.
const FIRST_STRICT_PROJECT: f64 = 4.0;

const HELP: &str = "exclude opted-out patients with \
    `Patient_ID NOT IN (SELECT Patient_ID FROM PatientsWithTypeOneDissent)`, or state why they belong in, \
    in a comment such as `-- AllowedPatientsWithTypeOneDissent: deaths are counted for all`";

/// Lets declared SQL pass; refuses other SQL, or only warns where history allows it. On a backend the rule of today holds
/// whatever version the study writes, and only a waiver for these very bytes lets other SQL pass.
pub(crate) fn check(query: &QueryFile, profile: &Profile, context: &mut Context<'_>) -> Result<(), Fault> {
    if declares(T1ooRule::Declared, &query.text) {
        return Ok(());
    }
    let undeclared = format!("{} does not say how it treats type 1 opt-outs", query.name);
    let refused = |why: String| Err(Fault::new(FaultCode::T1ooUndeclared, Exit::NotPermitted, why).help(HELP));
    let note = match &context.waived_sql {
        Some(files) if files.contains(&query.sha256) => {
            warn(context.stderr, &format!("{undeclared}; this backend has a waiver for these very bytes"));
            return Ok(());
        }
        Some(_) => {
            let why = format!("{undeclared}, and this backend has no waiver for it (SHA-256 {})", query.sha256);
            return refused(why);
        }
        None if declares(profile.t1oo, &query.text) => {
            "this version of sqlrunner asks no more, but a backend will refuse it without a waiver"
        }
        None if context.project_version.is_some_and(|version| version < FIRST_STRICT_PROJECT) => {
            "a backend will refuse it without a waiver"
        }
        None => return refused(undeclared),
    };
    warn(context.stderr, &format!("{undeclared}; {note}\n  help: {HELP}"));
    Ok(())
}

fn declares(rule: T1ooRule, text: &str) -> bool {
    match rule {
        T1ooRule::Nothing => true,
        T1ooRule::DissentAnywhere => text.contains(DISSENT),
        T1ooRule::AllowedAnywhere => text.contains(ALLOWED),
        T1ooRule::Declared => {
            begins_a_word(text, DISSENT) || line_comments(text).any(|comment| comment.contains(ALLOWED))
        }
    }
}

fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_'))
}

/// The `--` comments of a SQL text, each up to its line end. Strings, names and block comments hold none.
fn line_comments(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            match (bytes[at], bytes.get(at + 1)) {
                (b'-', Some(b'-')) => {
                    let start = at;
                    at += bytes[at..].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count();
                    return Some(&text[start..at]);
                }
                (b'/', Some(b'*')) => at = after_block_comment(bytes, at),
                (b'\'', _) => at = after_quoted(bytes, at, b'\''),
                (b'"', _) => at = after_quoted(bytes, at, b'"'),
                (b'[', _) => at = after_quoted(bytes, at, b']'),
                _ => at += 1,
            }
        }
        None
    })
}

/// Past the closing mark; a doubled one opens a new quotation at once, which comes to the same.
fn after_quoted(bytes: &[u8], open: usize, close: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] == close {
            true if close == b']' && bytes.get(at + 1) == Some(&close) => at += 2,
            true => return at + 1,
            false => at += 1,
        }
    }
    at
}

/// Past the end of a block comment; those of T-SQL nest.
fn after_block_comment(bytes: &[u8], open: usize) -> usize {
    let (mut at, mut depth) = (open, 0_usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (at, depth) = (at + 2, depth + 1),
            (b'*', Some(b'/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlrunner::profile::{KNOWN, MOVING};
    use crate::version;
    use proptest::prelude::*;

    #[test]
    fn the_rule_of_today() {
        let rows = [
            ("SELECT 1 FROM PatientsWithTypeOneDissent", true),
            ("x NOT IN (SELECT Patient_ID FROM dbo.PatientsWithTypeOneDissent)", true),
            ("[PatientsWithTypeOneDissent]", true),
            ("PatientsWithTypeOneDissentAndMore", true),
            ("/* PatientsWithTypeOneDissent */", true),
            ("'PatientsWithTypeOneDissent'", true),
            ("-- PatientsWithTypeOneDissent", true),
            ("patientswithtypeonedissent", false),
            ("XPatientsWithTypeOneDissent", false),
            ("éPatientsWithTypeOneDissent", false),
            ("_PatientsWithTypeOneDissent", false),
            ("1PatientsWithTypeOneDissent", false),
            ("SELECT 1 FROM AllowedPatientsWithTypeOneDissent", false),
            ("SELECT 1 -- AllowedPatientsWithTypeOneDissent: why", true),
            ("--AllowedPatientsWithTypeOneDissent", true),
            ("--xAllowedPatientsWithTypeOneDissentx", true),
            ("-- allowedpatientswithtypeonedissent", false),
            ("--\nAllowedPatientsWithTypeOneDissent", false),
            ("--\rAllowedPatientsWithTypeOneDissent", false),
            ("-- it's\n-- AllowedPatientsWithTypeOneDissent", true),
            ("/* AllowedPatientsWithTypeOneDissent */", false),
            ("/* -- AllowedPatientsWithTypeOneDissent */", false),
            ("/* /* */ -- AllowedPatientsWithTypeOneDissent", false),
            ("/* /* */ */ -- AllowedPatientsWithTypeOneDissent", true),
            ("/*/ -- AllowedPatientsWithTypeOneDissent", false),
            ("'-- AllowedPatientsWithTypeOneDissent'", false),
            ("'it''s' -- AllowedPatientsWithTypeOneDissent", true),
            ("[a]]b] -- AllowedPatientsWithTypeOneDissent", true),
            ("[-- AllowedPatientsWithTypeOneDissent]", false),
            ("a - -AllowedPatientsWithTypeOneDissent", false),
            ("", false),
        ];
        for (text, expected) in rows {
            assert_eq!(declares(T1ooRule::Declared, text), expected, "{text}");
        }
    }

    /// The table of actions.md 7.5, row by row.
    #[test]
    fn who_runs_it_decides_what_follows() {
        let (by_hand, backend) = (None, Some(vec![]));
        let waived = |sql: &str| Some(vec!["0".repeat(64), sql.to_owned()]);
        // SHA-256 of `abc`, from FIPS 180-4.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let rows = [
            (None, by_hand.clone(), false, ""),
            (Some(4.0), by_hand.clone(), false, ""),
            (Some(3.0), by_hand, true, "a backend will refuse it without a waiver"),
            (Some(4.0), backend.clone(), false, abc),
            (Some(3.0), backend, false, abc),
            (Some(3.0), waived(abc), true, "has a waiver for these very bytes"),
            (Some(4.0), waived(&abc.to_uppercase()), false, abc),
            (Some(3.0), Some(vec![String::new()]), false, abc),
        ];
        let profile = crate::sqlrunner::profile::of(version::resolve("sqlrunner", None, MOVING, KNOWN).unwrap().pin);
        for (version, files, passes, words) in rows {
            let query = QueryFile { name: "a.sql".into(), text: "abc".into(), sha256: abc.into() };
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut context = Context::by_hand(std::path::Path::new("."), &mut out, &mut err);
            (context.project_version, context.waived_sql) = (version, files.clone());
            let said = check(&query, profile, &mut context);
            let told = said.as_ref().map_or_else(|fault| fault.message.clone(), |()| String::from_utf8(err).unwrap());
            assert!(said.is_ok() == passes && told.contains(words), "{version:?} {files:?}: {told}");
        }
    }

    #[test]
    fn older_rules_look_for_a_text() {
        assert!(declares(T1ooRule::Nothing, ""));
        assert!(declares(T1ooRule::DissentAnywhere, "xAllowedPatientsWithTypeOneDissent"));
        assert!(!declares(T1ooRule::DissentAnywhere, "x"));
        assert!(declares(T1ooRule::AllowedAnywhere, "FROM AllowedPatientsWithTypeOneDissent"));
        assert!(!declares(T1ooRule::AllowedAnywhere, "FROM PatientsWithTypeOneDissent"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_judged(text in "[-/*'\"\\[\\]\n aé]{0,40}") {
            for comment in line_comments(&text) {
                prop_assert!(comment.starts_with("--"));
            }
        }
    }
}
