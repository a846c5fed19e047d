//! Backends: the list, and adding one.
//! Spec site.md 10.

use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use crate::access::{Form, Refusal};
use crate::people::backends;
use crate::web::sheet::{self, Sheet};
use crate::web::table::{Table, link, pieces, section};

pub(super) const AREA: &str = "/staff/backends/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    slug: String,
    name: String,
    flavour: String,
    data_kind: String,
}

/// Flavour and source of data, as every page that names a backend tells them.
pub(super) fn told(flavour: &str, data_kind: &str) -> String {
    let flavour = match flavour {
        "tpp" => "TPP",
        "emis" => "EMIS",
        _ => "other",
    };
    format!("{flavour} · {} data", if data_kind == "real" { "real" } else { "dummy" })
}

pub(super) async fn show(desk: Desk) -> Result<Response, Refusal> {
    drawn(&desk, &Typed::default(), &[]).await
}

async fn drawn(desk: &Desk, typed: &Typed, faults: &[Shown]) -> Result<Response, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT slug, name, flavour, data_kind, is_active, confirmed_at, last_contact_at, mode, version FROM backend ORDER BY name",
    );
    let rows = rows.fetch_all(desk.site.store.readers()).await?;
    let mut table = Table::new("Backends", &["Name", "Data", "State", "Last contact", "Program"]);
    for row in &rows {
        let text = |name| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let state = if row.try_get::<i64, _>("is_active")? == 0 {
            "not in use".to_owned()
        } else if row.try_get::<Option<i64>, _>("confirmed_at")?.is_none() {
            "its key is not confirmed".to_owned()
        } else {
            text("mode")?.replace('_', " ")
        };
        let contact: Option<i64> = row.try_get("last_contact_at")?;
        table.push(vec![
            link(&text("name")?, &format!("{AREA}{}/", text("slug")?)),
            Html::text(&told(&text("flavour")?, &text("data_kind")?)),
            Html::text(&state),
            contact.map_or_else(|| Html::text("never"), |at| At(at).short(At(now))),
            Html::text(&text("version")?),
        ]);
    }
    let choice =
        |pairs: &[(&str, &str)]| Kind::Choice(pairs.iter().map(|(v, w)| ((*v).to_owned(), (*w).to_owned())).collect());
    let fields = [
        Field::line("slug", "Slug").hint("Small letters, digits and -, never changed").value(&typed.slug).required(),
        Field::line("name", "Name").value(&typed.name).required(),
        Field::line("flavour", "Flavour")
            .kind(choice(&[("tpp", "TPP"), ("emis", "EMIS"), ("other", "Other")]))
            .value(&typed.flavour)
            .required(),
        Field::line("data_kind", "Data")
            .kind(choice(&[("synthetic", "Dummy"), ("real", "Real")]))
            .hint("The backend itself says so when it connects")
            .value(&typed.data_kind)
            .required(),
    ];
    let sheet = Sheet::new(&desk.viewer, AREA, "Add backend").fields(&fields, faults).shown();
    let main = pieces([table.shown("None yet."), section("Add a backend", &sheet)]);
    Ok(desk.page(AREA, None, faults, &main))
}

pub(super) async fn add(desk: Desk, Form(typed): Form<Typed>) -> Result<Response, Refusal> {
    let Typed { slug, name, flavour, data_kind } = &typed;
    let new = backends::New { slug, name, flavour, data_kind };
    match act!(desk, change, by, backends::add(change, by, new)) {
        Ok(_) => Ok(to(&format!("{AREA}{}/", slug.trim()))),
        Err(fault) => drawn(&desk, &typed, &sheet::faults(fault)?).await,
    }
}
