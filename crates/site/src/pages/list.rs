//! A table of job requests, for the event log and for the short lists on other pages; its rows can be patched one by one.
//! Spec site.md 6.1, 14.

use askama::Template;
use ui::html::Html;
use ui::time::{At, Hms};

use super::words;
use crate::store::read::ListRow;

#[derive(Template)]
#[template(path = "list_row.html")]
struct Row<'a> {
    /// Rows of live tables have one.
    id: Option<&'a str>,
    places: Places,
    people: bool,
    r: &'a ListRow,
    href: String,
    label: Html,
    jobs: String,
    more: i64,
    created: Html,
    runtime: String,
}

#[derive(Template)]
#[template(path = "list.html")]
struct Table<'a> {
    caption: &'a str,
    rows: &'a [(String, Html)],
    places: Places,
    people: bool,
}

/// Which columns the page around says already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    /// Where it belongs.
    pub(super) places: Places,
    /// Who asked.
    pub(super) people: bool,
}

/// How much of where a request belongs is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// Workspace, project and organisation.
    All,
    /// The workspace.
    Workspace,
    /// Nothing: the page is about the workspace.
    None,
}

/// All columns.
pub(super) const ALL: Columns = Columns { places: Places::All, people: true };

/// The table; nothing without rows.
pub(super) fn table(rows: &[ListRow], caption: &str, columns: Columns, now: i64) -> Html {
    around(&drawn(rows, columns, now, false), caption, columns)
}

/// The rows of a live table, each with its id. One page has one such table.
pub(super) fn rows(rows: &[ListRow], columns: Columns, now: i64) -> Vec<(String, Html)> {
    drawn(rows, columns, now, true)
}

/// The table around rows; nothing without rows.
pub(super) fn around(rows: &[(String, Html)], caption: &str, columns: Columns) -> Html {
    if rows.is_empty() {
        return Html::default();
    }
    Html::of(&Table { caption, rows, places: columns.places, people: columns.people })
}

fn drawn(rows: &[ListRow], columns: Columns, now: i64, live: bool) -> Vec<(String, Html)> {
    let draw = |r: &ListRow| {
        let id = format!("r-{}", r.number);
        let row = Html::of(&Row {
            id: live.then_some(&id),
            places: columns.places,
            people: columns.people,
            href: format!("/{}/{}/{}/", r.project.slug, r.workspace, r.number),
            label: label(r),
            jobs: jobs(r.counts),
            more: r.actions_in_all - i64::try_from(r.actions.len()).unwrap_or(0),
            created: At(r.created_at).shown(At(now)),
            runtime: if r.first_started_at.is_none() { Hms(None) } else { Hms::seconds(r.runtime_s) }.to_string(),
            r,
        });
        (id, row)
    };
    rows.iter().map(draw).collect()
}

/// `12/13`, and how many failed.
fn jobs([pending, running, succeeded, failed]: [i64; 4]) -> String {
    let all = pending + running + succeeded + failed;
    if failed > 0 { format!("{succeeded}/{all}, {failed} failed") } else { format!("{succeeded}/{all}") }
}

fn label(row: &ListRow) -> Html {
    let state = words::request_state(&row.status, row.cancelled);
    match state {
        ui::icon::State::Unknown if row.status != "unknown" => state.label_as(&words::neutral(&row.status)),
        state => state.label(),
    }
}
