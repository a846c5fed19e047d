//! Notices for everybody: written, listed, ended.
//! Spec site.md 2.3 (`site_alert`), 10.

use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use crate::access::{Form, Refusal};
use crate::audit::{self, fields};
use crate::people::{By, Fault};
use crate::store::Change;
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::{Table, pieces, section};

const AREA: &str = "/staff/alerts/";
const LEVELS: [&str; 4] = ["info", "success", "warning", "danger"];
const AUDIENCES: [&str; 3] = ["everyone", "signed_in", "staff"];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    title: String,
    message: String,
    level: String,
    audience: String,
}

pub(super) async fn show(desk: Desk) -> Result<Response, Refusal> {
    drawn(&desk, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT id, title, message, level, audience, from_at FROM site_alert WHERE until_at IS NULL OR until_at > ?1 ORDER BY id",
    );
    let rows = rows.bind(now).fetch_all(desk.site.store.readers()).await?;
    let mut table = Table::new("Alerts that are shown", &["Title", "Message", "Level", "For", "Since", "Acts"]);
    for row in &rows {
        let text = |name| row.try_get::<String, _>(name);
        let (id, title): (i64, String) = (row.try_get("id")?, text("title")?);
        table.push(vec![
            Html::text(&title),
            Html::text(&text("message")?),
            Html::text(&text("level")?),
            Html::text(&text("audience")?.replace('_', " ")),
            At(row.try_get("from_at")?).short(At(now)),
            inline(&desk.viewer, &format!("{AREA}{id}/end/"), &[], ("End", &title), ""),
        ]);
    }
    let choice =
        |words: &[&str]| Kind::Choice(words.iter().map(|word| ((*word).to_owned(), word.replace('_', " "))).collect());
    let fields = [
        Field::line("title", "Title").value(&typed.title).required(),
        Field::line("message", "Message").kind(Kind::Area { rows: 3 }).value(&typed.message).required(),
        Field::line("level", "Level").kind(choice(&LEVELS)).value(&typed.level).required(),
        Field::line("audience", "For").kind(choice(&AUDIENCES)).value(&typed.audience).required(),
    ];
    let sheet = Sheet::new(&desk.viewer, AREA, "Show it").fields(&fields, faults).shown();
    let main = pieces([table.shown("None."), section("Write one", &sheet)]);
    Ok(desk.page(AREA, None, faults, &main))
}

async fn write(change: &mut Change, by: &By, typed: &Typed, now: i64) -> Result<(), Fault> {
    let blank = |name, text: &str, most: usize| {
        let fits = !text.trim().is_empty() && text.chars().count() <= most;
        if fits { Ok(()) } else { Err(Fault::Field { name, why: format!("this has 1 to {most} characters") }) }
    };
    blank("title", &typed.title, 200)?;
    blank("message", &typed.message, 2_000)?;
    if !LEVELS.contains(&typed.level.as_str()) || !AUDIENCES.contains(&typed.audience.as_str()) {
        return Err(Fault::Field { name: "level", why: "this is none of the choices".to_owned() });
    }
    let id = sqlx::query(
        "INSERT INTO site_alert (title, message, level, audience, from_at, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
    )
    .bind(typed.title.trim())
    .bind(typed.message.trim())
    .bind(&typed.level)
    .bind(&typed.audience)
    .bind(now)
    .bind(by.account())
    .execute(&mut **change)
    .await?
    .last_insert_rowid();
    let after = fields([("level", json!(typed.level)), ("audience", json!(typed.audience))]);
    audit::record(change, by.act("alert_shown").on("site_alert", id).after(after)).await?;
    Ok(())
}

pub(super) async fn add(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    match act!(desk, change, by, write(change, by, &typed, now)) {
        Ok(()) => Ok(to(AREA)),
        Err(fault) => drawn(&desk, &typed, &sheet::faults(fault)?).await,
    }
}

pub(super) async fn end(desk: Desk, Path(alert): Path<i64>) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    act!(desk, change, by, async {
        let done =
            sqlx::query("UPDATE site_alert SET until_at = ?1 WHERE id = ?2 AND (until_at IS NULL OR until_at > ?1)");
        if done.bind(now).bind(alert).execute(&mut **change).await?.rows_affected() == 0 {
            return Err(Fault::Refused(Refusal::Conflict("It is not shown any more.".to_owned())));
        }
        audit::record(change, by.act("alert_ended").on("site_alert", alert)).await?;
        Ok::<_, crate::people::Fault>(())
    })?;
    Ok(to(AREA))
}
