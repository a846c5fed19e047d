//! A link that counts once: the first administrator sets the site up; a new person chooses a password.
//! Spec site.md 11.1.

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::page::Page;

use super::login::with_cookie;
use crate::access::{Form, Prefix, Refusal, RequestId, Viewer};
use crate::audit::Actor;
use crate::people::codes::{self, Purpose};
use crate::people::{By, Fault, accounts, sign_in};
use crate::store::StoreError;
use crate::web::sheet::{self, Sheet};
use crate::{Opened, Site};

#[derive(Debug, Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    code: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    fullname: String,
    #[serde(default)]
    email: String,
    password: String,
}

async fn purpose(site: &Site, code: &str, prefix: &Prefix) -> Result<codes::Code, Refusal> {
    // Guessing a code is as slow as guessing a password.
    site.gate.sign_in.take(prefix.clone(), std::time::Instant::now()).map_err(Refusal::TooMany)?;
    let found = codes::look(site.store.readers(), site, code).await?;
    found.ok_or_else(|| {
        Refusal::Conflict("This link counts no more: it was used, or its time is over. Ask for a new one.".to_owned())
    })
}

pub(super) async fn show(
    State(site): State<Opened>,
    viewer: Viewer,
    prefix: Prefix,
    Query(Code { code }): Query<Code>,
) -> Result<Response, Refusal> {
    let found = purpose(&site, &code, &prefix).await?;
    let typed =
        Typed { code, username: String::new(), fullname: String::new(), email: String::new(), password: String::new() };
    Ok(drawn(&site, &viewer, found.purpose, &typed, &[]))
}

fn drawn(site: &Site, viewer: &Viewer, purpose: Purpose, typed: &Typed, faults: &[Shown]) -> Response {
    let secret = Field::line("password", "Password")
        .kind(Kind::Secret("new-password"))
        .hint("12 characters or more; four words that have nothing to do with each other are good")
        .required();
    let (heading, fields) = match purpose {
        Purpose::Setup => (
            "Set up this site",
            vec![
                Field::line("username", "User name")
                    .kind(Kind::Own("text", "username"))
                    .hint("Public. Letters, digits and -, at most 39")
                    .value(&typed.username)
                    .required(),
                Field::line("fullname", "Full name").hint("Shown beside what you do").value(&typed.fullname).required(),
                Field::line("email", "E-mail address")
                    .kind(Kind::Line("email"))
                    .hint("Never public")
                    .value(&typed.email),
                secret,
            ],
        ),
        Purpose::Password => ("Choose your password", vec![secret]),
    };
    let mut main = Html::text(match purpose {
        Purpose::Setup => "You become the first administrator: of people, projects and the site itself.",
        Purpose::Password => "This link counts once. After this you are signed in.",
    });
    let sheet = Sheet::new(viewer, "/welcome/", "Go on").hidden("code", &typed.code).fields(fields.as_slice(), faults);
    main.push(&sheet.shown());
    let page = Page { title: heading.to_owned(), heading: heading.to_owned(), ..Page::default() };
    sheet::page_with(site, viewer, page, faults, &main)
}

pub(super) async fn send(
    State(site): State<Opened>,
    viewer: Viewer,
    request: RequestId,
    prefix: Prefix,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let found = purpose(&site, &typed.code, &prefix).await?;
    let from = sign_in::From { viewer: &viewer, prefix: &prefix, headers: &headers, request: &request };
    match begin(&site, &typed, found, from).await {
        Ok(begun) => Ok(with_cookie(begun.cookie, "/")),
        Err(fault) => Ok(drawn(&site, &viewer, found.purpose, &typed, &sheet::faults(fault)?)),
    }
}

async fn begin(
    site: &Site,
    typed: &Typed,
    found: codes::Code,
    from: sign_in::From<'_>,
) -> Result<crate::access::session::Begun, Fault> {
    let kept = match found.account {
        None => accounts::kept(&typed.username, typed.password.clone()).await?,
        Some(account) => accounts::kept(&username(site, account).await?, typed.password.clone()).await?,
    };
    let mut change = site.store.change().await?;
    let account = match found.account {
        None => {
            let (username, fullname, email) = (&typed.username, &typed.fullname, &typed.email);
            let new = accounts::New { username, fullname, email, kind: accounts::Kind::Human };
            codes::set_up(&mut change, site, &typed.code, new, &kept).await?
        }
        Some(account) => {
            let by = By::account_itself(Actor::Account { id: account, token: None }, from.request);
            codes::choose_password(&mut change, site, &typed.code, &by, &kept).await?
        }
    };
    let begun = sign_in::begin(&mut change, site, account, &from, "signed_in").await?;
    change.commit().await.map_err(StoreError::from)?;
    Ok(begun)
}

async fn username(site: &Site, account: i64) -> Result<String, Fault> {
    let row = sqlx::query_scalar("SELECT username FROM account WHERE id = ?1").bind(account);
    Ok(row.fetch_one(site.store.readers()).await?)
}
