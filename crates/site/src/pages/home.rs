//! The first page: what this is, what runs now, the latest requests, and one's own work.
//! Spec site.md 3 (home), 14.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ui::html::Html;
use ui::page::{Page, notices};

use super::list::{self, Columns, Places};
use super::status::{Card, cards};
use super::{Drawn, shell};
use crate::access::{Refusal, Viewer};
use crate::store::StoreError;
use crate::store::read::{self, Filter};
use crate::{Opened, Site};

/// Requests on this page.
const LATEST: u32 = 10;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    /// For somebody who signed in: their unfinished requests, and their workspaces.
    mine: Option<(Html, Vec<(String, String)>)>,
    now: Html,
    latest: Html,
}

#[derive(Template)]
#[template(path = "home_now.html")]
struct Now {
    backends: Vec<Card>,
}

#[derive(Template)]
#[template(path = "home_latest.html")]
struct Latest {
    table: Html,
    empty: bool,
}

/// The parts of the page that can change: two statements.
pub(super) async fn drawn(site: &Site, now: i64) -> Result<Drawn, StoreError> {
    let filter = Filter { active_backends: true, ..Filter::default() };
    let latest = read::newest(site.store.readers(), &filter, LATEST).await?;
    let (backends, alerts, _) = cards(site, now).await?;
    let rows = list::rows(&latest, list::ALL, now);
    let table = list::around(&rows, "The newest first", list::ALL);
    let parts = vec![
        ("notices", notices(&shell::notices(&alerts))),
        ("now", Html::of(&Now { backends })),
        ("latest", Html::of(&Latest { table, empty: rows.is_empty() })),
    ];
    Ok(Drawn { parts, rows, holder: "latest", is_final: false })
}

/// `/`.
pub(super) async fn page(State(site): State<Opened>, viewer: Viewer, asked: HeaderMap) -> Result<Response, Refusal> {
    let now = site.clock.microseconds();
    let mine = match viewer.account() {
        Some(account) => {
            let filter = Filter { user: Some(account.username.clone()), open: true, ..Filter::default() };
            let open = read::newest(site.store.readers(), &filter, LATEST).await?;
            let columns = Columns { places: Places::All, people: false };
            let table = list::table(&open, "Mine that are not finished", columns, now);
            Some((table, read::workspaces_of(site.store.readers(), account.id, now).await?))
        }
        None => None,
    };
    let drawn = drawn(&site, now).await?;
    let page = Page {
        title: "Everything that runs, in the open".into(),
        heading: "Everything that runs, in the open".into(),
        description: "The public record of all code that was run on health records here.".into(),
        canonical: Some("/".into()),
        told: Some(drawn.part("notices")),
        live: Some("/events".into()),
        ..Page::default()
    };
    let main = Html::of(&Home { mine, now: drawn.part("now"), latest: drawn.part("latest") });
    Ok(shell::show(&site, &viewer, &asked, page, &main))
}
