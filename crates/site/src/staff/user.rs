//! One person: roles, sessions, tokens, what they did; granting, disabling, a link for their password.
//! Spec site.md 10.

use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;
use sqlx::Row;
use ui::form::{Fault as Shown, Field, Kind};
use ui::html::Html;
use ui::time::At;

use super::desk::{Desk, act, to};
use super::roles::{self, Reason};
use crate::access::{Form, Object, Permission, Place, Refusal, Role};
use crate::people::{Fault, accounts, codes, day, lists, roles as grants};
use crate::web::sheet::{self, Sheet, inline};
use crate::web::table::{Table, link as anchor, paragraph, pieces, section};

const AREA: &str = "/staff/users/";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Typed {
    role: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    expires: String,
    #[serde(default)]
    reason: String,
}

struct User {
    id: i64,
    username: String,
    fullname: String,
    email: Option<String>,
    is_disabled: bool,
}

async fn load(desk: &Desk, username: &str) -> Result<User, Refusal> {
    let row = sqlx::query("SELECT id, username, fullname, email, disabled_at FROM account WHERE username_key = ?1")
        .bind(username.to_lowercase())
        .fetch_optional(desk.site.store.readers())
        .await?
        .ok_or(Refusal::Hidden)?;
    Ok(User {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        fullname: row.try_get("fullname")?,
        email: row.try_get("email")?,
        is_disabled: row.try_get::<Option<i64>, _>("disabled_at")?.is_some(),
    })
}

pub(super) async fn show(desk: Desk, Path(username): Path<String>) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    drawn(&desk, &user, &Typed::default(), None, &[]).await
}

async fn drawn(
    desk: &Desk,
    user: &User,
    typed: &Typed,
    link: Option<&str>,
    faults: &[Shown],
) -> Result<Response, Refusal> {
    let base = format!("{AREA}{}/", user.username);
    let mut main = Html::default();
    if let Some(link) = link {
        main.push(&paragraph("Give this link to the person, by a way that nobody else reads. It is shown this once, counts once, for seven days:"));
        main.push(&paragraph(link));
    }
    let email = user.email.as_deref().unwrap_or("no e-mail address");
    let state = if user.is_disabled { "Disabled: cannot sign in, no role counts." } else { "May sign in." };
    main.push(&paragraph(&format!("{} ({}), {email}. {state}", user.fullname, user.username)));
    let mut held = vec![roles::list(desk, Some(user.id), None).await?];
    let why = format!("Reason for taking all roles from {}", user.username);
    held.push(inline(&desk.viewer, &format!("{base}clear/"), &[], ("Take all roles back", ""), &why));
    held.push(form(desk, &base, typed, faults));
    main.push(&section("Roles", &pieces(held)));
    if desk.viewer.can(Permission::UserManage, &Object::SITE) {
        let (act, word) = if user.is_disabled { ("enable", "Enable") } else { ("disable", "Disable") };
        let why = format!("Reason: {word} {}", user.username);
        let disable = inline(&desk.viewer, &format!("{base}{act}/"), &[], (word, &user.username), &why);
        let link = inline(&desk.viewer, &format!("{base}link/"), &[], ("Make a link to choose a password", ""), "");
        main.push(&section("Account", &pieces([disable, link])));
    }
    main.push(&section("Sessions and tokens", &access(desk, user.id).await?));
    Ok(desk.page(AREA, Some(&user.username), faults, &main))
}

fn form(desk: &Desk, base: &str, typed: &Typed, faults: &[Shown]) -> Html {
    let roles = Role::ALL.iter().map(|role| (role.as_str().to_owned(), role.as_str().to_owned())).collect();
    let fields = [
        Field::line("role", "Role").kind(Kind::Choice(roles)).value(&typed.role).required(),
        Field::line("place", "For")
            .hint("Empty: the whole site. Else project/SLUG or backend/SLUG")
            .value(&typed.place),
        Field::line("expires", "Until")
            .kind(Kind::Line("date"))
            .hint("The last day it does not count any more, UTC")
            .value(&typed.expires),
        Field::line("reason", "Reason").hint("For the audit log").value(&typed.reason).required(),
    ];
    Sheet::new(&desk.viewer, format!("{base}roles/"), "Grant role").fields(&fields, faults).shown()
}

async fn access(desk: &Desk, account: i64) -> Result<Html, Refusal> {
    let now = desk.site.clock.microseconds();
    let rows = sqlx::query(
        "SELECT 'session: ' || agent || ', ' || ip_prefix AS what, created_at, last_seen_at AS used FROM session WHERE account = ?1
         UNION ALL SELECT 'token: ' || name || ' (' || scopes || ')', created_at, last_used_at FROM api_token
             WHERE account = ?1 AND revoked_at IS NULL AND expires_at > ?2
         LIMIT 100",
    )
    .bind(account)
    .bind(now)
    .fetch_all(desk.site.store.readers())
    .await?;
    let mut table = Table::new("Ways in", &["What", "Since", "Last used"]);
    for row in &rows {
        let used: Option<i64> = row.try_get("used")?;
        table.push(vec![
            Html::text(&row.try_get::<String, _>("what")?),
            At(row.try_get("created_at")?).short(At(now)),
            used.map_or_else(|| Html::text("never"), |at| At(at).short(At(now))),
        ]);
    }
    let mut shown = table.shown("None.");
    if desk.viewer.can(Permission::AuditView, &Object::SITE) {
        shown.push(&anchor("What this person did", &format!("/staff/audit/?actor={account}")));
    }
    Ok(shown)
}

/// What a typed place means.
async fn place_of(desk: &Desk, text: &str) -> Result<Place, Fault> {
    lists::place(&desk.site.store, text).await.map_err(|fault| match fault {
        Fault::Refused(Refusal::Invalid(why)) => Fault::Field { name: "place", why },
        other => other,
    })
}

pub(super) async fn grant(
    desk: Desk,
    Path(username): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    let done = async {
        let role = Role::of(&typed.role);
        let role = role.ok_or_else(|| Fault::Field { name: "role", why: "there is no such role".to_owned() })?;
        let (place, expires_at) = (place_of(&desk, &typed.place).await?, day("expires", &typed.expires)?);
        let new = grants::New { account: user.id, role, place, reason: &typed.reason, expires_at };
        act!(desk, change, by, grants::grant(change, by, new))
    };
    match done.await {
        Ok(_) => Ok(to(&format!("{AREA}{}/", user.username))),
        Err(fault) => drawn(&desk, &user, &typed, None, &sheet::faults(fault)?).await,
    }
}

pub(super) async fn clear(
    desk: Desk,
    Path(username): Path<String>,
    Form(typed): Form<Reason>,
) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    act!(desk, change, by, grants::clear(change, by, user.id, &typed.reason))?;
    Ok(to(&format!("{AREA}{}/", user.username)))
}

pub(super) async fn disable(
    desk: Desk,
    Path(username): Path<String>,
    Form(typed): Form<Reason>,
) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    act!(desk, change, by, accounts::disable(change, by, user.id, &typed.reason))?;
    Ok(to(&format!("{AREA}{}/", user.username)))
}

pub(super) async fn enable(
    desk: Desk,
    Path(username): Path<String>,
    Form(typed): Form<Reason>,
) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    act!(desk, change, by, accounts::enable(change, by, user.id, &typed.reason))?;
    Ok(to(&format!("{AREA}{}/", user.username)))
}

pub(super) async fn link(desk: Desk, Path(username): Path<String>) -> Result<Response, Refusal> {
    let user = load(&desk, &username).await?;
    let link = act!(desk, change, by, codes::password_link(change, &desk.site, by, user.id))?;
    // Shown by this answer only, so that it is in no address of the staff's history.
    drawn(&desk, &user, &Typed::default(), Some(&link), &[]).await
}
