//! `cloister site role`. Spec site.md 10, 11.3.

use std::error::Error;

use serde_json::json;
use site::Site;
use site::access;
use site::people::roles::{self, Granted};
use site::people::{day, lists, operate};

use super::args::Role;
use super::out::{Out, minute_or};

pub(super) async fn role(site: &Site, command: &Role, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Role::List { username } => {
            let account = match username {
                Some(username) => Some(lists::account(&site.store, username).await?),
                None => None,
            };
            let all = lists::roles(&site.store, account, site.clock.microseconds()).await?;
            out.table(["id", "username", "role", "for", "state", "until", "why"], &all, |one| {
                let state = if one.waits { "waits for approval" } else { "counts" };
                let until = minute_or(one.expires_at, "no end");
                let text = String::clone;
                [
                    one.id.to_string(),
                    text(&one.username),
                    text(&one.role),
                    text(&one.place),
                    state.to_owned(),
                    until,
                    text(&one.reason),
                ]
            });
        }
        Role::Grant { username, role, at, reason, until } => {
            let account = lists::account(&site.store, username).await?;
            let place = lists::place(&site.store, at).await?;
            let role = access::Role::of(role).ok_or("error: there is no such role")?;
            let new = roles::New { account, role, place, reason, expires_at: day("until", until)? };
            let (id, waits) = match operate(site, async |change, by| roles::grant(change, by, new).await).await? {
                Granted::Counts(id) => (id, false),
                Granted::Waits(id) => (id, true),
            };
            let role = role.as_str();
            let words = if waits {
                format!("{role} of {username} waits until another person approves it, as number {id}")
            } else {
                format!("{username} is {role} for {at}, as number {id}")
            };
            out.said(&words, &json!({"id": id, "waits": waits}));
        }
        Role::Approve { id } => {
            operate(site, async |change, by| roles::approve(change, by, *id).await).await?;
            out.said(&format!("role {id} counts"), &json!({"id": id}));
        }
        Role::Revoke { id, reason } => {
            operate(site, async |change, by| roles::revoke(change, by, *id, reason).await).await?;
            out.said(&format!("role {id} is taken back"), &json!({"id": id}));
        }
        Role::Clear { username, reason } => {
            let account = lists::account(&site.store, username).await?;
            let count = operate(site, async |change, by| roles::clear(change, by, account, reason).await).await?;
            out.said(
                &format!("{count} roles of {username} are taken back"),
                &json!({"username": username, "roles": count}),
            );
        }
        Role::TwoPeople { rule } => {
            let on = rule == "on";
            operate(site, async |change, by| roles::set_two_people(change, by, on).await).await?;
            let words = if on { "some roles need two people" } else { "one person is enough for every role" };
            out.said(words, &json!({"two_people": on}));
        }
    }
    Ok(())
}
