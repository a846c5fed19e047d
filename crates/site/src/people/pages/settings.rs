//! One's own settings: what is sent from their page.
//! Spec site.md 3 (`/settings/`), 11.2, 11.6.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::settings_page::{self, Made};
use crate::access::{Fields, Form, Person, Refusal, RequestId, TokenScope, Viewer};
use crate::people::{By, Fault, accounts, password, sign_in, tokens};
use crate::store::{Change, StoreError};
use crate::web::sheet;
use crate::{Opened, Site};

#[derive(Debug, Deserialize)]
pub(super) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Profile {
    fullname: String,
    #[serde(default)]
    email: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Passwords {
    #[serde(default)]
    old_password: String,
    password: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    session: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Revoked {
    token: i64,
}

/// Settings belong to a session: programs have none.
fn person(viewer: &Viewer) -> Result<&Person, Refusal> {
    match viewer {
        Viewer::Person(person) => Ok(person),
        Viewer::Anonymous | Viewer::Token(_) => Err(Refusal::SignIn),
    }
}

async fn commit(change: Change) -> Result<(), Fault> {
    Ok(change.commit().await.map_err(StoreError::from)?)
}

fn saved(what: &str) -> Response {
    Redirect::to(&format!("/settings/?done={what}")).into_response()
}

pub(super) async fn show(
    State(site): State<Opened>,
    viewer: Viewer,
    Query(done): Query<Done>,
) -> Result<Response, Refusal> {
    let words = match done.done.as_str() {
        "profile" => Some("Your name and e-mail address are saved."),
        "password" => Some("Your password is changed, and your other sessions have ended."),
        "session" => Some("That session has ended."),
        "token" => Some("That token counts no more."),
        _ => None,
    };
    settings_page::drawn(&site, &viewer, person(&viewer)?, words, None, &[]).await
}

async fn or_again(site: &Site, viewer: &Viewer, done: Result<(), Fault>, what: &str) -> Result<Response, Refusal> {
    match done {
        Ok(()) => Ok(saved(what)),
        Err(fault) => {
            let faults = sheet::faults(fault)?;
            settings_page::drawn(site, viewer, person(viewer)?, None, None, &faults).await
        }
    }
}

pub(super) async fn profile(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    Form(new): Form<Profile>,
) -> Result<Response, Refusal> {
    let (account, by) = (person(&viewer)?.account.id, By::viewer(&viewer, &request));
    let mut change = site.store.change().await?;
    let done = accounts::edit(&mut change, &by, account, &new.fullname, &new.email).await;
    let done = match done {
        Ok(()) => commit(change).await,
        Err(fault) => {
            // The page is drawn from what is stored, which this change must not hold back.
            drop(change);
            Err(fault)
        }
    };
    or_again(&site, &viewer, done, "profile").await
}

pub(super) async fn password(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    Form(typed): Form<Passwords>,
) -> Result<Response, Refusal> {
    let done = set_password(&site, &viewer, &request, typed).await;
    or_again(&site, &viewer, done, "password").await
}

async fn set_password(site: &Site, viewer: &Viewer, request: &RequestId, typed: Passwords) -> Result<(), Fault> {
    let (person, by) = (person(viewer)?, By::viewer(viewer, request));
    let old: Option<String> = sqlx::query_scalar("SELECT password FROM account WHERE id = ?1")
        .bind(person.account.id)
        .fetch_one(site.store.readers())
        .await?;
    if old.is_some() {
        let (name, at) = (person.account.username.to_lowercase(), std::time::Instant::now());
        site.gate.wrong.may_try(&name, at).map_err(Refusal::TooMany)?;
        site.gate.wrong.add(&name, at);
        if !password::is(typed.old_password, old).await? {
            return Err(Fault::Field { name: "old_password", why: "this is not your password of now".to_owned() });
        }
        site.gate.wrong.clear(&name);
    }
    let kept = accounts::kept(&person.account.username, typed.password).await?;
    let mut change = site.store.change().await?;
    accounts::set_password(&mut change, &by, person.account.id, &kept, Some(&person.session)).await?;
    commit(change).await
}

pub(super) async fn end_session(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    Form(typed): Form<Session>,
) -> Result<Response, Refusal> {
    let (account, by) = (person(&viewer)?.account.id, By::viewer(&viewer, &request));
    let bytes = data_encoding::HEXLOWER.decode(typed.session.as_bytes()).ok();
    let hash: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Refusal::Hidden)?;
    let mut change = site.store.change().await?;
    sign_in::end(&mut change, &by, account, &hash).await?;
    commit(change).await?;
    Ok(saved("session"))
}

pub(super) async fn make_token(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    typed: Fields,
) -> Result<Response, Refusal> {
    let person = person(&viewer)?;
    match made(&site, &viewer, &request, &typed).await {
        // Shown by this answer and by no address, so it is in no history.
        Ok(token) => settings_page::drawn(&site, &viewer, person, None, Some(&Made::New(token)), &[]).await,
        Err(fault) => {
            let faults = sheet::faults(fault)?;
            settings_page::drawn(&site, &viewer, person, None, Some(&Made::Typed(typed)), &faults).await
        }
    }
}

async fn made(site: &Site, viewer: &Viewer, request: &RequestId, typed: &Fields) -> Result<tokens::Made, Fault> {
    let (account, by) = (&person(viewer)?.account, By::viewer(viewer, request));
    let scopes: Vec<TokenScope> = typed.all("scopes").filter_map(TokenScope::of).collect();
    let days = typed.get("days").unwrap_or_default().trim().parse().unwrap_or(0);
    let mut projects = Vec::new();
    for slug in typed.get("projects").unwrap_or_default().split([',', ' ', '\n', '\r']).filter(|slug| !slug.is_empty())
    {
        let id = sqlx::query_scalar("SELECT id FROM project WHERE slug = ?1").bind(slug);
        let unknown = || Fault::Field { name: "projects", why: format!("there is no project {slug}") };
        projects.push(id.fetch_optional(site.store.readers()).await?.ok_or_else(unknown)?);
    }
    let new = tokens::New { name: typed.get("name").unwrap_or_default(), scopes: &scopes, days, projects: &projects };
    let mut change = site.store.change().await?;
    let made = tokens::make(&mut change, &by, account.id, new).await?;
    commit(change).await?;
    Ok(made)
}

pub(super) async fn revoke_token(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    Form(typed): Form<Revoked>,
) -> Result<Response, Refusal> {
    let (account, by) = (person(&viewer)?.account.id, By::viewer(&viewer, &request));
    let mut change = site.store.change().await?;
    tokens::revoke(&mut change, &by, account, typed.token).await?;
    commit(change).await?;
    Ok(saved("token"))
}
