//! What is said of a join: how many rows found a partner, in numbers that give nothing away (actions.md 3.6, 4.3).
//! As text, or one JSON object a line.

use std::io::Write;

use serde_json::json;

use crate::text::{about, clean};

use super::matches::Keys;

/// What was counted while a left file was joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) matched: u64,
    /// Identifiers of the right side that it has too.
    pub(super) used: u64,
}

/// How to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
    Quiet,
}

/// Of one left file.
pub(super) fn file(name: &str, counts: Counts, keys: Keys, form: Form, stderr: &mut dyn Write) {
    let rows = about(counts.rows);
    let matched = about(counts.matched);
    let unmatched = about(counts.rows - counts.matched);
    let unused = about(keys.all.saturating_sub(counts.used));
    let line = match form {
        Form::Quiet => return,
        Form::Text => format!(
            "{name}: rows: {rows}; matched: {matched}; unmatched: {unmatched}; right-hand patient_ids never used: {unused}"
        ),
        Form::Json => json!({
            "file": name, "rows": rows, "matched": matched, "unmatched": unmatched, "unused_right_ids": unused,
        })
        .to_string(),
    };
    let _ = writeln!(stderr, "{}", clean(&line));
}

/// Of the right side, once.
pub(super) fn duplicates(name: &str, keys: Keys, form: Form, stderr: &mut dyn Write) {
    let (repeated, extra) = (about(keys.repeated), about(keys.extra));
    let line = match form {
        Form::Json => json!({"warning": "duplicate_key", "file": name, "duplicate_ids": repeated, "extra_rows": extra})
            .to_string(),
        _ => format!(
            "warning: {name} has patient_ids more than once: {repeated}, with rows beyond the first: {extra}; left rows \
             that match them multiply"
        ),
    };
    let _ = writeln!(stderr, "{}", clean(&line));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(form: Form) -> String {
        let mut out = Vec::new();
        let keys = Keys { all: 4_321, repeated: 3, extra: 12 };
        file("a.csv", Counts { rows: 1_234, matched: 1_229, used: 1_000 }, keys, form, &mut out);
        duplicates("b.csv", keys, form, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_are_about_so_many() {
        assert_eq!(
            said(Form::Text),
            "a.csv: rows: about 1,200; matched: about 1,200; unmatched: fewer than 8; right-hand patient_ids never \
             used: about 3,300\n\
             warning: b.csv has patient_ids more than once: fewer than 8, with rows beyond the first: about 10; left \
             rows that match them multiply\n"
        );
        assert_eq!(
            said(Form::Json),
            "{\"file\":\"a.csv\",\"rows\":\"about 1,200\",\"matched\":\"about 1,200\",\"unmatched\":\"fewer than 8\",\
             \"unused_right_ids\":\"about 3,300\"}\n\
             {\"warning\":\"duplicate_key\",\"file\":\"b.csv\",\"duplicate_ids\":\"fewer than 8\",\
             \"extra_rows\":\"about 10\"}\n"
        );
        assert!(said(Form::Quiet).starts_with("warning: b.csv"));
    }
}
