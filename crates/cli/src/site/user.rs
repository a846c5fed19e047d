//! `cloister site user`. Spec site.md 10.

use std::error::Error;

use serde_json::json;
use site::Site;
use site::people::{accounts, codes, lists, operate};

use super::args::User;
use super::out::{Out, minute_or};

pub(super) async fn user(site: &Site, command: &User, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        User::List => {
            let all = lists::users(&site.store).await?;
            out.table(["username", "name", "kind", "state", "last seen"], &all, |one| {
                let state = if one.is_disabled { "disabled" } else { "" };
                let seen = minute_or(one.last_seen_at, "never");
                [one.username.clone(), one.fullname.clone(), one.kind.clone(), state.to_owned(), seen]
            });
        }
        User::Show { username } => show(site, username, out).await?,
        User::Add { username, name, email, service, link } => {
            let kind = if *service { accounts::Kind::Service } else { accounts::Kind::Human };
            let new = accounts::New { username, fullname: name, email, kind };
            let made = operate(site, async |change, by| {
                let account = accounts::add(change, by, new).await?;
                if *link { codes::password_link(change, site, by, account).await.map(Some) } else { Ok(None) }
            });
            let made = made.await?;
            let words = made.as_ref().map_or_else(
                || format!("{username} is added, without roles"),
                |link| {
                    format!(
                        "{username} is added, without roles. They choose a password here, within seven days:\n  {link}"
                    )
                },
            );
            out.said(&words, &json!({"username": username, "link": made}));
        }
        User::Edit { username, name, email } => {
            let now = lists::person(&site.store, username).await?;
            let (name, email) = (name.as_ref().unwrap_or(&now.fullname), email.as_ref().unwrap_or(&now.email));
            operate(site, async |change, by| accounts::edit(change, by, now.id, name, email).await).await?;
            out.said(&format!("{username} is changed"), &json!({"username": username}));
        }
        User::Disable { username, reason } => {
            let account = lists::account(&site.store, username).await?;
            operate(site, async |change, by| accounts::disable(change, by, account, reason).await).await?;
            out.said(
                &format!("{username} is disabled: no session, token or role counts"),
                &json!({"username": username}),
            );
        }
        User::Enable { username, reason } => {
            let account = lists::account(&site.store, username).await?;
            operate(site, async |change, by| accounts::enable(change, by, account, reason).await).await?;
            out.said(&format!("{username} may sign in again"), &json!({"username": username}));
        }
        User::Link { username } => {
            let account = lists::account(&site.store, username).await?;
            let link = operate(site, async |change, by| codes::password_link(change, site, by, account).await).await?;
            let words = format!("{username} chooses a password here, once, within seven days:\n  {link}");
            out.said(&words, &json!({"username": username, "link": link}));
        }
    }
    Ok(())
}

async fn show(site: &Site, username: &str, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    let (one, now) = (lists::person(&site.store, username).await?, site.clock.microseconds());
    let roles = lists::roles(&site.store, Some(one.id), now).await?;
    let tokens = lists::tokens(&site.store, Some(one.id), now).await?;
    if out.json {
        out.said("", &json!({"user": one, "roles": roles, "tokens": tokens}));
        return Ok(());
    }
    let or_none = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let state = if one.is_disabled { "disabled" } else { "may act" };
    let held = |held: &lists::Held| {
        let waits = if held.waits { ", waits for approval" } else { "" };
        format!("{} for {} ({}{waits})", held.role, held.place, held.id)
    };
    let roles: Vec<String> = roles.iter().map(held).collect();
    let tokens: Vec<String> = tokens.iter().map(|token| format!("{} ({})", token.name, token.id)).collect();
    let words = [
        format!("{} ({}), {}, {state}", one.fullname, one.username, one.kind),
        format!("e-mail         {}", if one.email.is_empty() { "none" } else { &one.email }),
        format!("organisations  {}", or_none(&one.organisations)),
        format!("backends       {}", or_none(&one.backends)),
        format!("roles          {}", or_none(&roles)),
        format!("tokens         {}", or_none(&tokens)),
        format!("sessions       {}", one.sessions),
    ];
    out.said(&words.join("\n"), &json!(null));
    Ok(())
}
