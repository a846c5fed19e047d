//! One's own settings: the page.
//! Spec site.md 3 (`/settings/`).

use askama::Template;
use axum::response::Response;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::page::{Crumb, Page};
use ui::time::At;

use crate::Site;
use crate::access::{Fields, Permission, Person, Place, Refusal, TokenScope, Viewer};
use crate::people::tokens;
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::link;

/// A token that was just made, or what was typed to make one.
pub(super) enum Made {
    New(tokens::Made),
    Typed(Fields),
}

#[derive(Template)]
#[template(path = "people/settings.html")]
struct Settings<'a> {
    username: &'a str,
    profile: Html,
    password: Html,
    token: Html,
    made: Option<&'a str>,
    roles: Vec<[Html; 3]>,
    sessions: Vec<[Html; 4]>,
    tokens: Vec<[Html; 6]>,
}

pub(super) async fn drawn(
    site: &Site,
    viewer: &Viewer,
    person: &Person,
    done: Option<&str>,
    made: Option<&Made>,
    faults: &[Shown],
) -> Result<Response, Refusal> {
    let (id, now) = (person.account.id, site.clock.microseconds());
    let row = sqlx::query("SELECT fullname, email, password IS NOT NULL AS has FROM account WHERE id = ?1").bind(id);
    let row = row.fetch_one(site.store.readers()).await?;
    let (fullname, email): (String, Option<String>) = (row.try_get("fullname")?, row.try_get("email")?);
    let main = Html::of(&Settings {
        username: &person.account.username,
        profile: profile(viewer, &fullname, email.as_deref().unwrap_or_default(), faults),
        password: password(viewer, row.try_get::<i64, _>("has")? != 0, faults),
        token: token(viewer, made, faults),
        made: if let Some(Made::New(token)) = made { Some(token.reveal()) } else { None },
        roles: roles(site, person, now).await?,
        sessions: sessions(site, viewer, person, now).await?,
        tokens: rows_of_tokens(site, viewer, id, now).await?,
    });
    let page = Page {
        title: "Settings".to_owned(),
        heading: "Settings".to_owned(),
        crumbs: vec![Crumb::here("", "Settings")],
        notices: sheet::done(done),
        ..Page::default()
    };
    Ok(sheet::page_with(site, viewer, page, faults, &main))
}

fn profile(viewer: &Viewer, fullname: &str, email: &str, faults: &[Shown]) -> Html {
    let fields = [
        Field::line("fullname", "Full name")
            .kind(Kind::Own("text", "name"))
            .hint("Shown beside what you do")
            .value(fullname)
            .required(),
        Field::line("email", "E-mail address").kind(Kind::Own("email", "email")).hint("Never public").value(email),
    ];
    Sheet::new(viewer, "/settings/profile/", "Save").fields(&fields, faults).shown()
}

fn password(viewer: &Viewer, has: bool, faults: &[Shown]) -> Html {
    let mut fields = Vec::new();
    if has {
        fields.push(Field::line("old_password", "Password of now").kind(Kind::Secret("current-password")).required());
    }
    fields.push(
        Field::line("password", "New password")
            .kind(Kind::Secret("new-password"))
            .hint("12 characters or more. Your other sessions end")
            .required(),
    );
    Sheet::new(viewer, "/settings/password/", "Change password").fields(&fields, faults).shown()
}

#[derive(Template)]
#[template(path = "people/scopes.html")]
struct Scopes {
    scopes: Vec<(&'static str, &'static str, bool)>,
}

fn token(viewer: &Viewer, made: Option<&Made>, faults: &[Shown]) -> Html {
    let typed = if let Some(Made::Typed(fields)) = made { Some(fields) } else { None };
    let value = |name: &str, none: &str| typed.and_then(|f| f.get(name)).unwrap_or(none).to_owned();
    let name = Field::line("name", "Name").hint("What it is for").value(value("name", "")).required();
    let rest = [
        Field::line("days", "Days until it ends")
            .kind(Kind::Line("number"))
            .hint("At most 365")
            .value(value("days", &tokens::DAYS.to_string()))
            .required(),
        Field::line("projects", "Only these projects")
            .hint("As in their addresses, with commas between. Empty: all of yours")
            .value(value("projects", "")),
    ];
    let ticked =
        |scope: &TokenScope| typed.is_some_and(|fields| fields.all("scopes").any(|word| word == scope.as_str()));
    let scopes = TokenScope::ALL.iter().map(|scope| (scope.as_str(), scope.explained(), ticked(scope))).collect();
    Sheet::new(viewer, "/settings/tokens/", "Make token")
        .fields(&[name], faults)
        .piece(Html::of(&Scopes { scopes }))
        .fields(&rest, faults)
        .shown()
}

async fn roles(site: &Site, person: &Person, now: i64) -> Result<Vec<[Html; 3]>, Refusal> {
    let mut rows = Vec::new();
    for grant in person.account.grants.iter() {
        let (sql, id) = match grant.place {
            Place::Site => ("SELECT 'the whole site' WHERE ?1 = 0", 0),
            Place::Project(id) => ("SELECT 'project ' || name FROM project WHERE id = ?1", id),
            Place::Backend(id) => ("SELECT 'backend ' || name FROM backend WHERE id = ?1", id),
        };
        let place: Option<String> = sqlx::query_scalar(sql).bind(id).fetch_optional(site.store.readers()).await?;
        let place = place.unwrap_or_default();
        // An operator of one backend has no way to it through the menu of staff.
        let place = match (grant.place, grant.role.permissions().contains(&Permission::BackendManage)) {
            (Place::Backend(id), true) => {
                let slug: String = sqlx::query_scalar("SELECT slug FROM backend WHERE id = ?1")
                    .bind(id)
                    .fetch_one(site.store.readers())
                    .await?;
                link(&place, &format!("/staff/backends/{slug}/"))
            }
            _ => Html::text(&place),
        };
        let ends = grant.expires_at.map_or_else(|| Html::text("no end"), |end| At(end).short(At(now)));
        rows.push([Html::text(grant.role.as_str()), place, ends]);
    }
    Ok(rows)
}

async fn sessions(site: &Site, viewer: &Viewer, person: &Person, now: i64) -> Result<Vec<[Html; 4]>, Refusal> {
    let rows = sqlx::query(
        "SELECT id_hash, agent, ip_prefix, created_at, last_seen_at FROM session WHERE account = ?1
         ORDER BY last_seen_at DESC LIMIT 100",
    )
    .bind(person.account.id)
    .fetch_all(site.store.readers())
    .await?;
    let one = |row: &SqliteRow| -> Result<[Html; 4], sqlx::Error> {
        let hash: Vec<u8> = row.try_get("id_hash")?;
        let (agent, prefix): (String, String) = (row.try_get("agent")?, row.try_get("ip_prefix")?);
        let end = if hash == person.session {
            Html::text("this one")
        } else {
            let hidden = [("session", data_encoding::HEXLOWER.encode(&hash))];
            inline(viewer, "/settings/sessions/end/", &hidden, ("End", &format!("the session of {agent}")), "")
        };
        let time = |name| row.try_get::<i64, _>(name).map(|at| At(at).short(At(now)));
        Ok([Html::text(&format!("{agent}, {prefix}")), time("created_at")?, time("last_seen_at")?, end])
    };
    Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
}

async fn rows_of_tokens(site: &Site, viewer: &Viewer, account: i64, now: i64) -> Result<Vec<[Html; 6]>, Refusal> {
    let rows = sqlx::query(
        "SELECT id, name, prefix, scopes, expires_at, last_used_at, last_used_ip_prefix FROM api_token
         WHERE account = ?1 AND revoked_at IS NULL AND expires_at > ?2 ORDER BY id DESC LIMIT 100",
    )
    .bind(account)
    .bind(now)
    .fetch_all(site.store.readers())
    .await?;
    let one = |row: &SqliteRow| -> Result<[Html; 6], sqlx::Error> {
        let text = |name| row.try_get::<String, _>(name);
        let used: Option<i64> = row.try_get("last_used_at")?;
        let hidden = [("token", row.try_get::<i64, _>("id")?.to_string())];
        Ok([
            Html::text(&text("name")?),
            Html::text(&format!("{}…", text("prefix")?)),
            Html::text(&text("scopes")?),
            At(row.try_get("expires_at")?).short(At(now)),
            used.map_or_else(|| Html::text("never"), |at| At(at).short(At(now))),
            inline(
                viewer,
                "/settings/tokens/revoke/",
                &hidden,
                ("Revoke", &format!("the token {}", text("name")?)),
                "",
            ),
        ])
    };
    Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
}
