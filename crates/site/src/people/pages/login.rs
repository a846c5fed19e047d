//! Signing in and out.
//! Spec site.md 11.1, 11.2.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::page::{Crumb, Page};

use crate::access::{Form, Prefix, Refusal, RequestId, Viewer, local, session};
use crate::people::{By, Fault, sign_in};
use crate::store::StoreError;
use crate::web::sheet::{self, Sheet};
use crate::{Opened, Site};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    username: String,
    password: String,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Picked {
    username: String,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "people/login.html")]
struct Login<'a> {
    sheet: Html,
    personas: &'a [Persona],
    csrf: &'a str,
    next: &'a str,
}

struct Persona {
    username: String,
    fullname: String,
    roles: String,
}

/// Where to go after signing in.
fn back(next: Option<&str>) -> &str {
    next.and_then(local).unwrap_or("/")
}

pub(super) async fn show(
    State(site): State<Opened>,
    viewer: Viewer,
    Query(next): Query<Next>,
) -> Result<Response, Refusal> {
    let next = back(next.next.as_deref());
    if viewer.account().is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    drawn(&site, &viewer, next, "", &[]).await
}

async fn drawn(
    site: &Site,
    viewer: &Viewer,
    next: &str,
    username: &str,
    faults: &[Shown],
) -> Result<Response, Refusal> {
    let fields = [
        Field::line("username", "User name").kind(Kind::Own("text", "username")).value(username).required(),
        Field::line("password", "Password").kind(Kind::Secret("current-password")).required(),
    ];
    let sheet = Sheet::new(viewer, "/login/", "Sign in").hidden("next", next).fields(&fields, faults).shown();
    let personas = if site.settings.personas { personas(site).await? } else { Vec::new() };
    let main = Html::of(&Login { sheet, personas: &personas, csrf: viewer.csrf(), next });
    let page = Page {
        title: "Sign in".to_owned(),
        heading: "Sign in".to_owned(),
        description: "For people who work on projects, and for staff.".to_owned(),
        crumbs: vec![Crumb::here("", "Sign in")],
        ..Page::default()
    };
    Ok(sheet::page_with(site, viewer, page, faults, &main))
}

async fn personas(site: &Site) -> Result<Vec<Persona>, Refusal> {
    let rows = sqlx::query(
        "SELECT a.username, a.fullname, (SELECT group_concat(DISTINCT g.role) FROM role_grant g
             WHERE g.account = a.id AND g.revoked_at IS NULL) AS roles
         FROM account a WHERE a.kind = 'human' AND a.disabled_at IS NULL
           AND (a.password IS NOT NULL OR EXISTS (SELECT 1 FROM role_grant g WHERE g.account = a.id))
         ORDER BY a.id LIMIT 50",
    )
    .fetch_all(site.store.readers())
    .await?;
    let one = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Persona {
            username: row.try_get("username")?,
            fullname: row.try_get("fullname")?,
            roles: row.try_get::<Option<String>, _>("roles")?.unwrap_or_default().replace(',', ", "),
        })
    };
    Ok(rows.iter().map(one).collect::<Result<_, sqlx::Error>>()?)
}

pub(super) async fn send(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    prefix: Prefix,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let next = back(typed.next.as_deref());
    let from = sign_in::From { viewer: &viewer, prefix: &prefix, headers: &headers, request: &request };
    match sign_in::by_password(&site, &typed.username, &typed.password, from).await {
        Ok(begun) => Ok(with_cookie(begun.cookie, next)),
        Err(Fault::Refused(Refusal::Invalid(why))) => {
            let faults = [Shown { field: None, message: why }];
            drawn(&site, &viewer, next, &typed.username, &faults).await
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn pick(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    prefix: Prefix,
    headers: HeaderMap,
    Form(picked): Form<Picked>,
) -> Result<Response, Refusal> {
    let from = sign_in::From { viewer: &viewer, prefix: &prefix, headers: &headers, request: &request };
    let begun = sign_in::as_persona(&site, &picked.username, from).await?;
    Ok(with_cookie(begun.cookie, back(picked.next.as_deref())))
}

pub(super) fn with_cookie(cookie: HeaderValue, to: &str) -> Response {
    let mut answer = Redirect::to(to).into_response();
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    answer
}

pub(super) async fn leave(State(site): State<Opened>, viewer: Viewer, request: RequestId) -> Result<Response, Refusal> {
    if let Viewer::Person(person) = &viewer {
        let mut change = site.store.change().await?;
        let by = By::viewer(&viewer, &request);
        sign_in::end(&mut change, &by, person.account.id, &person.session).await?;
        change.commit().await.map_err(StoreError::from)?;
    }
    Ok(with_cookie(session::forget(&site.settings), "/"))
}
