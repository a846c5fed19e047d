//! What the commands of an operator print: a table or JSON of what there is, a sentence or JSON of what was done.
//! Spec site.md 10: each prints a table or `--json`.

use jiff::Timestamp;
use pipeline::report::visible;
use serde::Serialize;
use serde_json::Value;

use crate::terminal::Terminal;

pub(super) struct Out<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) json: bool,
}

impl Out<'_> {
    /// A table with a line for each item, or a JSON list of the items. Only what is wider than the widest column is cut, by
    /// the terminal.
    pub(super) fn table<T: Serialize, const N: usize>(
        &self,
        heads: [&str; N],
        items: &[T],
        row: impl Fn(&T) -> [String; N],
    ) {
        if self.json {
            return self.terminal.line(&serde_json::json!(items).to_string());
        }
        if items.is_empty() {
            return self.terminal.line("none");
        }
        let rows: Vec<[String; N]> =
            items.iter().map(|item| row(item).map(|cell| visible(&cell).into_owned())).collect();
        let mut widths = heads.map(str::len);
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.terminal.line(&line(&heads.map(str::to_uppercase)));
        for row in &rows {
            self.terminal.line(&line(row));
        }
    }

    /// What was done.
    pub(super) fn said(&self, words: &str, value: &Value) {
        let words =
            if self.json { value.to_string() } else { words.lines().map(visible).collect::<Vec<_>>().join("\n") };
        self.terminal.line(&words);
    }
}

/// `2027-03-04 09:15`, in UTC.
pub(super) fn minute(at: i64) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// The same, or these words.
pub(super) fn minute_or(at: Option<i64>, words: &str) -> String {
    at.map_or_else(|| words.to_owned(), minute)
}
