//! The event log: all requests by any filters, as a page, as CSV and as JSON; also with one filter fixed.
//! Spec site.md 6.1.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use ui::html::Html;
use ui::list::{Pager, Total};
use ui::page::{Crumb, Page};
use ui::time::{At, Hms};

use super::query::{Query, STATUSES};
use super::{Drawn, Overview, list, shell, words};
use crate::Opened;
use crate::access::{Refusal, Viewer};
use crate::store::read::{self, ListRow, Listed};

/// The log of everything.
const ALL: &str = "/event-log/";
/// The most rows of a CSV.
const CSV_ROWS: u32 = 10_000;

#[derive(Template)]
#[template(path = "log.html")]
struct Log<'a> {
    summary: Html,
    action: &'a str,
    q: &'a str,
    statuses: Vec<(&'static str, String, bool)>,
    from: &'a str,
    to: &'a str,
    hidden: Vec<(&'static str, &'a str)>,
    chips: Html,
    unknown: String,
    list: Html,
    query: String,
}

#[derive(Template)]
#[template(path = "log_list.html")]
struct Rows {
    empty: bool,
    table: Html,
    pager: Html,
}

/// A log with one filter fixed: which key, its value, and the page that it belongs to.
struct Fixed {
    path: String,
    key: &'static str,
    value: String,
    crumbs: Vec<Crumb>,
    name: String,
}

async fn org(site: &Opened, slug: &str) -> Result<Fixed, Refusal> {
    let org = read::org_page(site.store.readers(), slug).await?.ok_or(Refusal::Hidden)?.face;
    let page = format!("/orgs/{}/", org.slug);
    let crumbs = vec![Crumb::to("Organisation", &org.name, &page)];
    Ok(Fixed { path: format!("{page}logs/"), key: "org", value: org.slug, crumbs, name: org.name })
}

async fn project(site: &Opened, slug: &str) -> Result<Fixed, Refusal> {
    let now = site.clock.microseconds();
    let project = read::project_page(site.store.readers(), slug, now).await?.ok_or(Refusal::Hidden)?.face;
    let crumbs = vec![Crumb::to("Project", &project.title, format!("/{slug}/"))];
    Ok(Fixed { path: format!("/{slug}/logs/"), key: "project", value: slug.to_owned(), crumbs, name: project.title })
}

async fn workspace(site: &Opened, (slug, name): (&str, &str)) -> Result<Fixed, Refusal> {
    let project = read::workspace_face(site.store.readers(), slug, name).await?.ok_or(Refusal::Hidden)?;
    let page = format!("/{slug}/{name}/");
    let crumbs = vec![Crumb::to("Project", &project.title, format!("/{slug}/")), Crumb::to("Workspace", name, &page)];
    let (value, name) = (name.to_owned(), name.to_owned());
    Ok(Fixed { path: format!("{page}logs/"), key: "workspace", value, crumbs, name })
}

async fn person(site: &Opened, name: &str) -> Result<Fixed, Refusal> {
    let person = read::user_page(site.store.readers(), name).await?.ok_or(Refusal::Hidden)?.face;
    let page = format!("/users/{}/", person.username);
    let crumbs = vec![Crumb::to("Person", &person.fullname, &page)];
    Ok(Fixed { path: format!("{page}logs/"), key: "user", value: person.username, crumbs, name: person.fullname })
}

/// The stream of a log: its address is that of the page with `events` behind the path.
///
/// # Errors
/// There is no such page, or it is not live.
pub(crate) async fn stream(site: &Opened, path: &[&str], query: &str) -> Result<Overview, Refusal> {
    let fixed = match path {
        [] => None,
        ["orgs", slug] => Some(org(site, slug).await?),
        ["users", name] => Some(person(site, name).await?),
        [slug] => Some(project(site, slug).await?),
        [slug, name] => Some(workspace(site, (slug, name)).await?),
        _ => return Err(Refusal::Hidden),
    };
    let (path, fixed) = match fixed {
        Some(fixed) => (fixed.path, Some((fixed.key, fixed.value))),
        None => (ALL.to_owned(), None),
    };
    Overview::log(&path, fixed, query).ok_or(Refusal::Hidden)
}

/// `/event-log/`.
pub(super) async fn all(
    State(site): State<Opened>,
    viewer: Viewer,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    page(&site, &viewer, &asked, &query.unwrap_or_default(), None).await
}

/// `/orgs/SLUG/logs/`.
pub(super) async fn of_org(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let fixed = org(&site, &slug).await?;
    page(&site, &viewer, &asked, &query.unwrap_or_default(), Some(fixed)).await
}

/// `/PROJECT/logs/`.
pub(super) async fn of_project(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let fixed = project(&site, &slug).await?;
    page(&site, &viewer, &asked, &query.unwrap_or_default(), Some(fixed)).await
}

/// `/PROJECT/WORKSPACE/logs/`.
pub(super) async fn of_workspace(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((slug, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let fixed = workspace(&site, (&slug, &name)).await?;
    page(&site, &viewer, &asked, &query.unwrap_or_default(), Some(fixed)).await
}

/// `/users/NAME/logs/`.
pub(super) async fn of_user(
    State(site): State<Opened>,
    viewer: Viewer,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let fixed = person(&site, &name).await?;
    page(&site, &viewer, &asked, &query.unwrap_or_default(), Some(fixed)).await
}

async fn page(
    site: &Opened,
    viewer: &Viewer,
    asked: &HeaderMap,
    text: &str,
    fixed: Option<Fixed>,
) -> Result<Response, Refusal> {
    let path = fixed.as_ref().map_or_else(|| ALL.to_owned(), |fixed| fixed.path.clone());
    let path = path.as_str();
    let mut query = Query::read(text);
    if let Some(fixed) = &fixed {
        query.fix(fixed.key, &fixed.value);
    }
    let found = if query.faults.is_empty() {
        read::requests(site.store.readers(), &query.filter, shell::ROWS).await?
    } else {
        Listed { rows: vec![], next: None, total: 0 }
    };
    let drawn = drawn(&query, &found, path, site.clock.microseconds());
    let (page, main) = compose(&query, &drawn, path, fixed);
    let mut answer = shell::show(site, viewer, asked, page, &main);
    if !query.faults.is_empty() {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(answer)
}

/// The list and its pager: what new requests and news of the shown ones change.
pub(super) fn drawn(query: &Query, found: &Listed, path: &str, now: i64) -> Drawn {
    let rows = list::rows(&found.rows, list::ALL, now);
    let pager = Pager {
        total: Total::of(found.total).words("job request", "job requests"),
        first: query.filter.after.map(|_| query.address(path, None, None)),
        next: found.next.map(|next| query.address(path, None, Some(next))),
    };
    let list = Html::of(&Rows {
        empty: rows.is_empty() && query.faults.is_empty(),
        table: list::around(&rows, "Job requests, newest first", list::ALL),
        pager: pager.shown(),
    });
    Drawn { parts: vec![("list", list)], rows, holder: "list", is_final: false }
}

fn compose(query: &Query, drawn: &Drawn, path: &str, fixed: Option<Fixed>) -> (Page, Html) {
    let mut export = Query { given: query.given.clone(), ..Query::default() };
    if let Some(fixed) = &fixed {
        export.given.push((fixed.key, fixed.value.clone()));
    }
    let in_form = ["q", "status", "from", "to"];
    let main = Html::of(&Log {
        summary: ui::form::summary(&query.faults),
        action: path,
        q: query.value("q"),
        statuses: STATUSES.map(|status| (status, words::neutral(status), status == query.value("status"))).to_vec(),
        from: query.value("from"),
        to: query.value("to"),
        hidden: query.given.iter().filter(|(k, _)| !in_form.contains(k)).map(|(k, v)| (*k, v.as_str())).collect(),
        chips: ui::list::chips(&query.chips(path, fixed.as_ref().map(|f| f.key))),
        unknown: query.unknown.join(", "),
        list: drawn.part("list"),
        query: export.address("", None, None),
    });
    let (heading, mut crumbs) = match fixed {
        Some(fixed) => (format!("Event log: {}", fixed.name), fixed.crumbs),
        None => ("Event log".to_owned(), vec![]),
    };
    crumbs.push(Crumb::here("", "Event log"));
    let page = Page {
        title: heading.clone(),
        heading,
        description: "Every job request, newest first: who asked, which code, what ran, and how it ended.".into(),
        canonical: text_of_first_page(query, path),
        section: "log",
        // Later pages stay as they are: their rows would wander under the reader's eyes.
        live: (query.filter.after.is_none() && query.faults.is_empty())
            .then(|| query.address(&format!("{path}events"), None, None)),
        crumbs,
        ..Page::default()
    };
    (page, main)
}

/// Searches and later pages are for people; robots take the plain log.
fn text_of_first_page(query: &Query, path: &str) -> Option<String> {
    (query.given.is_empty() && query.filter.after.is_none()).then(|| path.to_owned())
}

async fn rows(site: &Opened, text: &str, limit: u32) -> Result<Listed, Refusal> {
    let query = Query::read(text);
    if let Some(fault) = query.faults.first() {
        return Err(Refusal::Malformed(fault.message.clone()));
    }
    Ok(read::requests(site.store.readers(), &query.filter, limit).await?)
}

/// `/event-log.json`.
pub(super) async fn as_json(
    State(site): State<Opened>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let found = rows(&site, &query.unwrap_or_default(), 100).await?;
    let items: Vec<Value> = found.rows.iter().map(item).collect();
    let total = (found.total <= ui::list::COUNTED_TO).then_some(found.total);
    let body = json!({"items": items, "next": found.next.map(|n| n.to_string()), "total": total});
    Ok(shell::tagged(&asked, "application/json", body.to_string()))
}

fn item(row: &ListRow) -> Value {
    let [pending, running, succeeded, failed] = row.counts;
    json!({
        "number": row.number,
        "identifier": row.identifier,
        "status": row.status,
        "cancelled": row.cancelled,
        "jobs": {"pending": pending, "running": running, "succeeded": succeeded, "failed": failed},
        "workspace": row.workspace,
        "project": row.project.slug,
        "organisation": row.project.org.as_ref().map(|org| &org.name),
        "backend": row.backend.slug,
        "requested_by": {"name": row.requested_by.fullname, "username": row.requested_by.username},
        "requested_actions": row.actions_in_all,
        "commit": row.commit,
        "created_at": At(row.created_at).machine(),
        "started_at": row.first_started_at.map(|at| At(at).machine()),
        "runtime": Hms(row.first_started_at.map(|_| row.runtime_s)).to_string(),
    })
}

/// `/event-log.csv`.
pub(super) async fn as_csv(State(site): State<Opened>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let found = rows(&site, &query.unwrap_or_default(), CSV_ROWS).await?;
    let mut text = String::from(
        "number,identifier,status,cancelled,succeeded,failed,total,workspace,project,organisation,backend,requested_by,commit,created_at,runtime\r\n",
    );
    for row in &found.rows {
        let cells = [
            row.number.to_string(),
            row.identifier.clone(),
            row.status.clone(),
            row.cancelled.to_string(),
            row.counts[2].to_string(),
            row.counts[3].to_string(),
            row.counts.iter().sum::<i64>().to_string(),
            row.workspace.clone(),
            row.project.title.clone(),
            row.project.org.as_ref().map(|org| org.name.clone()).unwrap_or_default(),
            row.backend.slug.clone(),
            row.requested_by.fullname.clone(),
            row.commit.clone().unwrap_or_default(),
            At(row.created_at).machine(),
            Hms(row.first_started_at.map(|_| row.runtime_s)).to_string(),
        ];
        text.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"event-log.csv\"")),
    ];
    Ok((headers, text).into_response())
}

/// A cell that no spreadsheet takes for a formula.
fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text != "-";
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_never_formulas() {
        for (text, cell) in [
            ("a", "a"),
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("-", "-"),
            ("-2", "'-2"),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("\tx", "'\tx"),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
