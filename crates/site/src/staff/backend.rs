//! One backend: its code for enrolment, the words of its key, tokens, members, contact, rejected messages.
//! Spec site.md 10; protocol.md 2.

use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::ask;
use super::backends::{AREA, told};
use super::desk::{Desk, act, to};
use super::epoch;
use super::orgs::{Member, members, named};
use super::roles::Reason;
use crate::access::{Backend, Form, Refusal};
use crate::line;
use crate::people::backends;
use crate::store::ids::BackendId;
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::{Table, paragraph, pieces, section};

#[derive(Debug, Deserialize)]
pub(super) struct Active {
    active: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Alert {
    alert_after: String,
}

pub(super) fn at(backend: &Backend) -> String {
    format!("{AREA}{}/", backend.slug)
}

pub(super) async fn show(desk: Desk, backend: Backend) -> Result<Response, Refusal> {
    drawn(&desk, &backend, None, &[]).await
}

async fn drawn(desk: &Desk, backend: &Backend, code: Option<&str>, faults: &[Shown]) -> Result<Response, Refusal> {
    let (base, now) = (at(backend), desk.site.clock.microseconds());
    let row = sqlx::query(
        "SELECT flavour, data_kind, mode, mode_since, last_contact_at, version, clock_offset, alert_after_s, confirmed_at,
             (SELECT count(*) FROM directive d WHERE d.backend = b.id AND d.delivered_at IS NULL) AS waiting
         FROM backend b WHERE id = ?1",
    )
    .bind(backend.id)
    .fetch_one(desk.site.store.readers())
    .await?;
    let mut main = Html::default();
    if let Some(code) = code {
        main.push(&paragraph("The code for one enrolment, valid for an hour and shown this once. At the backend: cloister backend enrol SETTINGS"));
        main.push(&paragraph(code));
    }
    let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
    let contact: Option<i64> = row.try_get("last_contact_at")?;
    let offset: Option<i64> = row.try_get("clock_offset")?;
    let mut facts = Table::new("How it is", &["What", "Now"]);
    for (what, now_is) in [
        ("Data", Html::text(&told(&text("flavour")?, &text("data_kind")?))),
        ("In use", Html::text(if backend.is_active { "yes" } else { "no: its calls are refused" })),
        ("State", Html::text(&text("mode")?.replace('_', " "))),
        ("Last contact", contact.map_or_else(|| Html::text("never"), |at| At(at).short(At(now)))),
        ("Program", Html::text(&text("version")?)),
        ("Its clock minus ours", Html::text(&offset.map_or_else(String::new, |us| format!("{} ms", us / 1_000)))),
        ("Directives it has not fetched", Html::text(&row.try_get::<i64, _>("waiting")?.to_string())),
    ] {
        facts.push(vec![Html::text(what), now_is]);
    }
    main.push(&facts.shown(""));
    if let Some(offered) = epoch::shown(desk, backend, &base).await? {
        main.push(&section("A new epoch waits for you", &offered));
    }
    main.push(&section("Key and tokens", &keys(desk, backend, &base).await?));
    main.push(&section("People who may ask it for runs", &people(desk, backend, &base, faults).await?));
    let alert = [Field::line("alert_after", "Seconds without contact until it counts as missing")
        .kind(Kind::Line("number"))
        .value(row.try_get::<i64, _>("alert_after_s")?.to_string())
        .required()];
    let alert = Sheet::new(&desk.viewer, format!("{base}alert/"), "Save").fields(&alert, faults).shown();
    let (value, word) = if backend.is_active { ("no", "Take out of use") } else { ("yes", "Put into use") };
    let hidden = [("active", value.to_owned())];
    let active =
        inline(&desk.viewer, &format!("{base}active/"), &hidden, (word, &backend.name), &format!("Reason: {word}"));
    main.push(&section("Use", &pieces([alert, active])));
    if backend.is_active && contact.is_some() {
        main.push(&section("Ask its operator", &ask::sheet(desk, &base)));
    }
    main.push(&section("Messages that changed nothing", &rejected(desk, backend).await?));
    Ok(desk.page(AREA, Some(&backend.name), faults, &main))
}

async fn keys(desk: &Desk, backend: &Backend, base: &str) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let button = |path: &str, word: &str, asks: &str| {
        inline(&desk.viewer, &format!("{base}{path}/"), &[], (word, &backend.name), asks)
    };
    let mut all = Vec::new();
    match line::fingerprint(&desk.site, BackendId(backend.id)).await {
        Ok(words) => {
            let row = sqlx::query(
                "SELECT count(*) AS n FROM backend_key WHERE backend = ?1 AND confirmed_at IS NULL AND to_seq IS NULL",
            );
            let row = row.bind(backend.id).fetch_one(desk.site.store.readers()).await?;
            all.push(paragraph(&format!("The words of its newest key: {}", words.join(" "))));
            if row.try_get::<i64, _>("n")? > 0 {
                all.push(paragraph("This key is not confirmed. Compare the words with those that the backend's operator reads out, and confirm only if all six are the same."));
                all.push(button("confirm", "The words are the same: confirm", ""));
            }
        }
        Err(_) => all.push(paragraph("It has not enrolled.")),
    }
    let rows = sqlx::query(
        "SELECT created_at, expires_at, first_used_at FROM backend_token WHERE backend = ?1 AND revoked_at IS NULL
         AND expires_at > ?2 ORDER BY created_at DESC",
    );
    let rows = rows.bind(backend.id).bind(now).fetch_all(desk.site.store.readers()).await?;
    let mut table = Table::new("Tokens that count", &["Made", "Ends", "First used"]);
    for row in &rows {
        let used: Option<i64> = row.try_get("first_used_at")?;
        let time = |name| row.try_get::<i64, _>(name).map(|at| At(at).short(At(now)));
        table.push(vec![
            time("created_at")?,
            time("expires_at")?,
            used.map_or_else(|| Html::text("not yet"), |at| At(at).short(At(now))),
        ]);
    }
    all.push(table.shown("No token counts."));
    all.push(button("code", "Make a code for enrolment", ""));
    if !rows.is_empty() {
        all.push(button("rotate", "Give it a new token", ""));
        all.push(button("revoke", "Revoke all its tokens", "Reason for revoking the tokens"));
    }
    Ok(pieces(all))
}

async fn people(desk: &Desk, backend: &Backend, base: &str, faults: &[Shown]) -> Result<Html, Refusal> {
    let rows = sqlx::query(
        "SELECT a.username, a.fullname FROM backend_member m JOIN account a ON a.id = m.account WHERE m.backend = ?1
         ORDER BY a.username_key LIMIT 1000",
    );
    let rows = rows.bind(backend.id).fetch_all(desk.site.store.readers()).await?;
    members(desk, &format!("{base}members/"), &rows, faults)
}

async fn rejected(desk: &Desk, backend: &Backend) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT kind, 'fact ' || epoch || '/' || seq AS place, not_applied AS why, received_at AS at FROM backend_fact
             WHERE backend = ?1 AND not_applied IS NOT NULL
         UNION ALL SELECT kind, 'directive ' || cursor, rejected, answered_at FROM directive
             WHERE backend = ?1 AND rejected IS NOT NULL
         ORDER BY at DESC LIMIT 50",
    );
    let rows = rows.bind(backend.id).fetch_all(desk.site.store.readers()).await?;
    let mut table = Table::new("The newest 50", &["Message", "Kind", "Why", "When"]);
    for row in &rows {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let at: Option<i64> = row.try_get("at")?;
        table.push(vec![
            Html::text(&text("place")?),
            Html::text(&text("kind")?),
            Html::text(&text("why")?),
            at.map_or_else(Html::default, |at| At(at).short(At(now))),
        ]);
    }
    Ok(table.shown("None."))
}

pub(super) async fn code(desk: Desk, backend: Backend) -> Result<Response, Refusal> {
    let code = act!(desk, change, by, backends::make_code(change, &desk.site, by, backend.id))?;
    // Shown by this answer only, so that it is in no address.
    drawn(&desk, &backend, Some(code.reveal()), &[]).await
}

pub(super) async fn confirm(desk: Desk, backend: Backend) -> Result<Response, Refusal> {
    act!(desk, change, by, backends::confirm(change, &desk.site, by, backend.id))?;
    Ok(to(&at(&backend)))
}

pub(super) async fn rotate(desk: Desk, backend: Backend) -> Result<Response, Refusal> {
    let sent = act!(desk, change, by, backends::rotate(change, &desk.site, by, backend.id))?;
    desk.site.line.wake(&sent);
    Ok(to(&at(&backend)))
}

pub(super) async fn revoke(desk: Desk, backend: Backend, Form(typed): Form<Reason>) -> Result<Response, Refusal> {
    act!(desk, change, by, backends::revoke_tokens(change, by, backend.id, &typed.reason))?;
    Ok(to(&at(&backend)))
}

pub(super) async fn member(desk: Desk, backend: Backend, Form(typed): Form<Member>) -> Result<Response, Refusal> {
    let done = async {
        let account = named(&desk, &typed.username).await?;
        let is_member = typed.remove != "yes";
        act!(desk, change, by, backends::set_member(change, by, backend.id, account, is_member))
    };
    match done.await {
        Ok(()) => Ok(to(&at(&backend))),
        Err(fault) => drawn(&desk, &backend, None, &sheet::faults(fault)?).await,
    }
}

pub(super) async fn active(desk: Desk, backend: Backend, Form(typed): Form<Active>) -> Result<Response, Refusal> {
    let active = typed.active == "yes";
    act!(desk, change, by, backends::set_active(change, by, backend.id, active, &typed.reason))?;
    Ok(to(&at(&backend)))
}

pub(super) async fn alert(desk: Desk, backend: Backend, Form(typed): Form<Alert>) -> Result<Response, Refusal> {
    let seconds = typed.alert_after.trim().parse().unwrap_or(0);
    match act!(desk, change, by, backends::set_alert(change, by, backend.id, seconds)) {
        Ok(()) => Ok(to(&at(&backend))),
        Err(fault) => drawn(&desk, &backend, None, &sheet::faults(fault)?).await,
    }
}
