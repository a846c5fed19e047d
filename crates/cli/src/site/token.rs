//! `cloister site token`. Spec site.md 11.6.

use std::error::Error;

use serde_json::json;
use site::Site;
use site::access::TokenScope;
use site::people::{lists, operate, tokens};

use super::args::Token;
use super::out::{Out, minute, minute_or};

pub(super) async fn token(site: &Site, command: &Token, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Token::List { username } => {
            let account = match username {
                Some(username) => Some(lists::account(&site.store, username).await?),
                None => None,
            };
            let all = lists::tokens(&site.store, account, site.clock.microseconds()).await?;
            out.table(["id", "username", "name", "begins", "for", "projects", "until", "last used"], &all, |one| {
                let projects = if one.projects.is_empty() { "all" } else { &one.projects };
                let text = String::clone;
                [
                    one.id.to_string(),
                    text(&one.username),
                    text(&one.name),
                    text(&one.prefix),
                    text(&one.scopes),
                    projects.to_owned(),
                    minute(one.expires_at),
                    minute_or(one.last_used_at, "never"),
                ]
            });
        }
        Token::Make { username, name, scopes, days, projects } => {
            let account = lists::account(&site.store, username).await?;
            let scopes: Vec<TokenScope> = scopes.iter().filter_map(|word| TokenScope::of(word)).collect();
            let mut reached = Vec::new();
            for slug in projects {
                reached.push(lists::named(&site.store, lists::Kind::Project, slug).await?);
            }
            let new = tokens::New { name, scopes: &scopes, days: *days, projects: &reached };
            let made = operate(site, async |change, by| tokens::make(change, by, account, new).await).await?;
            let words =
                format!("The token of {username} counts for {days} days and is shown this once:\n  {}", made.reveal());
            out.said(&words, &json!({"username": username, "token": made.reveal(), "days": days}));
        }
        Token::Revoke { username, id } => {
            let account = lists::account(&site.store, username).await?;
            operate(site, async |change, by| tokens::revoke(change, by, account, *id).await).await?;
            out.said(&format!("token {id} of {username} counts no more"), &json!({"id": id}));
        }
    }
    Ok(())
}
