//! How each backend stands: for people, and in one word for monitors.
//! Spec site.md 6.4, 14. The home page shows the same in short.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::fact::codes::Pool;
use ui::html::Html;
use ui::icon::State as Look;
use ui::page::{Crumb, Notice, Page, Tone, notices};
use ui::time::{At, Hms};

use super::{Drawn, shell};
use crate::access::{Refusal, Viewer};
use crate::line::Seen;
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::store::read::{self, Alert, BackendNow, Waited};
use crate::{Opened, Site};

/// A difference of clocks that is told, in microseconds.
const CLOCKS_DIFFER: i64 = 1_000_000;

#[derive(Template)]
#[template(path = "status_card.html")]
pub(super) struct Card {
    id: BackendId,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) state: Html,
    words: String,
    contact: Option<Html>,
    pools: Vec<(&'static str, String)>,
    waited: Option<String>,
    oldest: Option<Html>,
    success: Option<Html>,
    version: Option<String>,
    data: Option<String>,
    offset: Option<String>,
    pub(super) running: i64,
    pub(super) waiting: i64,
}

#[derive(Template)]
#[template(path = "status.html")]
struct Status<'a> {
    cards: &'a [(String, Html)],
}

/// The one word of a backend, in this order of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Missing,
    Maintenance,
    Paused,
    Ok,
}

impl Word {
    fn of(backend: &BackendNow, seen: &Seen, now: i64) -> Self {
        let contact = seen.contact.max(backend.last_contact_at);
        let heard = BackendNow { last_contact_at: contact, ..backend.clone() };
        match backend.mode.as_deref() {
            _ if heard.is_missing(now) => Self::Missing,
            Some("db_maintenance") => Self::Maintenance,
            Some("paused") => Self::Paused,
            _ => Self::Ok,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Missing => "missing\n",
            Self::Maintenance => "maintenance\n",
            Self::Paused => "paused\n",
            Self::Ok => "ok\n",
        }
    }

    fn label(self) -> Html {
        match self {
            Self::Missing => Look::Failed.label_as("No contact"),
            Self::Maintenance => Look::Pending.label_as("Database maintenance"),
            Self::Paused => Look::Pending.label_as("Paused"),
            Self::Ok => Look::Succeeded.label_as("Open"),
        }
    }
}

fn card(backend: BackendNow, seen: &Seen, now: i64) -> Card {
    let moment = |at: i64| At(at).shown(At(now));
    let word = Word::of(&backend, seen, now);
    let contact = seen.contact.max(backend.last_contact_at);
    let since = backend.mode_since.map(|at| format!(" since {}", At(at).exact())).unwrap_or_default();
    let until = backend.mode_ends_at.map(|at| format!(", until about {}", At(at).exact())).unwrap_or_default();
    let kind = match backend.mode_kind.as_deref() {
        Some("scheduled") => ", as planned",
        Some("manual") => ", by an operator",
        _ => "",
    };
    let words = match word {
        Word::Missing => match contact {
            Some(at) => {
                format!("No contact since {}. What it runs goes on; news comes when it calls again.", At(at).exact())
            }
            None => "It has never been in contact.".to_owned(),
        },
        Word::Maintenance => {
            format!("Its database is in maintenance{since}{kind}{until}. Jobs that read the database wait.")
        }
        Word::Paused => format!("It is paused{since}{kind}{until}. Jobs wait and start by themselves."),
        Word::Ok => format!("It takes and runs jobs{since}."),
    };
    let data = if backend.face.is_synthetic { "No real patient data: dummy data only. " } else { "" };
    Card {
        id: backend.face.id,
        slug: backend.face.slug.clone(),
        name: backend.face.told(),
        state: word.label(),
        words: format!("{data}{words}"),
        contact: contact.map(moment),
        pools: pools(&backend, seen),
        waited: None,
        oldest: backend.oldest_waiting_at.map(moment),
        success: backend.last_success_at.map(moment),
        offset: backend.clock_offset.filter(|o| o.saturating_abs() > CLOCKS_DIFFER).map(|offset| {
            let by = offset.saturating_abs() / 1_000_000;
            format!("{by} s {} this site's", if offset > 0 { "ahead of" } else { "behind" })
        }),
        running: backend.running.0 + backend.running.1,
        waiting: backend.waiting.0 + backend.waiting.1,
        version: backend.version,
        data: backend.data_version,
    }
}

/// Running and waiting in each pool: as the backend told last, else counted from what the site knows.
fn pools(backend: &BackendNow, seen: &Seen) -> Vec<(&'static str, String)> {
    let name = |pool: Pool| match pool {
        Pool::Db => "Database jobs",
        Pool::Other => "Other jobs",
    };
    if let Some(pools) = seen.gauges.as_ref().and_then(|gauges| gauges.pools.as_ref()) {
        return pools
            .iter()
            .map(|p| {
                let (running, capacity, waiting) = (p.running.get(), p.capacity.get(), p.waiting.get());
                (name(p.pool), format!("{running} of {capacity} places in use, {waiting} waiting"))
            })
            .collect();
    }
    let told = |running: i64, waiting: i64| format!("{running} running, {waiting} waiting");
    vec![
        (name(Pool::Db), told(backend.running.0, backend.waiting.0)),
        (name(Pool::Other), told(backend.running.1, backend.waiting.1)),
    ]
}

/// The backends in use, and the messages of the operators: one statement.
pub(super) async fn cards(site: &Site, now: i64) -> Result<(Vec<Card>, Vec<Alert>, bool), StoreError> {
    let found = read::now(site.store.readers(), now).await?;
    let card = |backend: BackendNow| {
        let seen = site.line.seen(backend.face.id);
        card(backend, &seen, now)
    };
    Ok((found.backends.into_iter().map(card).collect(), found.alerts, found.one_person))
}

/// Half of the jobs that began waited no longer than this.
fn median(waited: &Waited) -> Option<String> {
    let words = |wait: i64| Hms::seconds(wait / 1_000_000).to_string();
    let week = words(waited.week?);
    Some(waited.today.map_or_else(
        || format!("{week} over seven days"),
        |today| format!("{} today, {week} over seven days", words(today)),
    ))
}

/// The parts of the page that can change.
pub(super) async fn drawn(site: &Site, now: i64) -> Result<Drawn, StoreError> {
    let (mut cards, alerts, one_person) = cards(site, now).await?;
    let waited = read::waited(site.store.readers(), now).await?;
    for card in &mut cards {
        card.waited = waited.get(&card.id).and_then(median);
    }
    let rows: Vec<(String, Html)> = cards.iter().map(|card| (format!("b-{}", card.slug), Html::of(card))).collect();
    let backends = Html::of(&Status { cards: &rows });
    let mut told = shell::notices(&alerts);
    if one_person {
        let words = "On this site one person alone may give the roles that need two people elsewhere: its operator has \
                     switched that rule off.";
        told.push(Notice::text(Tone::Warning, words));
    }
    let notices = notices(&told);
    Ok(Drawn { parts: vec![("notices", notices), ("backends", backends)], rows, holder: "backends", is_final: false })
}

/// `/status/`.
pub(super) async fn page(State(site): State<Opened>, viewer: Viewer, asked: HeaderMap) -> Result<Response, Refusal> {
    let drawn = drawn(&site, site.clock.microseconds()).await?;
    let page = Page {
        title: "Status of the backends".into(),
        heading: "Status of the backends".into(),
        description: "Whether each backend is open, and what it runs.".into(),
        canonical: Some("/status/".into()),
        section: "status",
        crumbs: vec![Crumb::here("", "Status")],
        told: Some(drawn.part("notices")),
        live: Some("/status/events".into()),
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &drawn.part("backends")))
}

/// `/status/BACKEND/`: one word and how it is, for monitors.
pub(super) async fn word(State(site): State<Opened>, Path(slug): Path<String>) -> Result<Response, Refusal> {
    let backend = read::backend_now(site.store.readers(), &slug).await?.ok_or(Refusal::Hidden)?;
    let word = Word::of(&backend, &site.line.seen(backend.face.id), site.clock.microseconds());
    let status = if word == Word::Missing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok((status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], word.text()).into_response())
}

/// `/status/BACKEND/db-availability/`: whether the database takes jobs.
pub(super) async fn database(State(site): State<Opened>, Path(slug): Path<String>) -> Result<Response, Refusal> {
    let backend = read::backend_now(site.store.readers(), &slug).await?.ok_or(Refusal::Hidden)?;
    let word = Word::of(&backend, &site.line.seen(backend.face.id), site.clock.microseconds());
    let (status, text) = match word {
        Word::Missing => (StatusCode::SERVICE_UNAVAILABLE, "missing\n"),
        Word::Maintenance => (StatusCode::OK, "maintenance\n"),
        Word::Paused | Word::Ok => (StatusCode::OK, "ok\n"),
    };
    Ok((status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
