//! `cloister site request` and `cancel`. Spec site.md 4.10, 10.

use std::error::Error;

use serde_json::json;
use site::audit::Actor;
use site::cancel::{self, Item, Standing, Who, standing};
use site::people::lists;
use site::{Site, store};

use super::args::{Request, Show};
use super::out::{Out, minute};

/// Whom a backend is told that a cancel came from; no person can be called so.
const NAME: &str = "operator@site";

pub(super) async fn request(site: &Site, command: &Request, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Request::List { show, workspace, below, limit } => {
            let workspace = match workspace {
                Some(name) => Some(lists::named(&site.store, lists::Kind::Workspace, name).await?),
                None => None,
            };
            let show = match show {
                Show::All => lists::Show::All,
                Show::Open => lists::Show::Open,
                Show::Waiting => lists::Show::Waiting,
                Show::Refused => lists::Show::Refused,
                Show::Stale => lists::Show::Stale,
            };
            let now = site.clock.microseconds();
            let all = lists::requests(&site.store, show, workspace, (*below, *limit), now).await?;
            out.table(
                ["number", "status", "delivery", "workspace", "backend", "asked by", "created", "last news"],
                &all,
                |one| {
                    let status =
                        one.reason.as_ref().map_or_else(|| one.status.clone(), |why| format!("{}: {why}", one.status));
                    let text = String::clone;
                    [
                        one.number.to_string(),
                        status,
                        text(&one.delivery),
                        text(&one.workspace),
                        text(&one.backend),
                        text(&one.username),
                        minute(one.created_at),
                        minute(one.news_at),
                    ]
                },
            );
        }
        Request::Show { request } => {
            let number = lists::request(&site.store, request).await?;
            let found = standing(site.store.readers(), number).await?.ok_or("error: there is no such request")?;
            show(&found, out);
        }
    }
    Ok(())
}

fn show(found: &Standing, out: &Out<'_>) {
    if out.json {
        let item = |item: &Item| {
            let waiting = item.waiting.iter().map(|one| json!({"request": one.request, "action": one.action}));
            let asked = item.asked.as_ref().map(|(by, _)| by);
            json!({"action": item.action, "job": item.job, "status": item.status, "code": item.code,
                "cancel_asked_by": asked, "waited_for_by": waiting.collect::<Vec<_>>()})
        };
        let items: Vec<_> = found.items.iter().map(item).collect();
        let value = json!({"number": found.number, "identifier": found.identifier, "backend": found.backend_name,
            "ended": found.is_final, "actions": items});
        return out.said("", &value);
    }
    let state = if found.is_final { "has ended" } else { "has not ended" };
    let head = format!("request {} ({}) on {} {state}", found.number, found.identifier, found.backend_name);
    out.said(&head, &json!(null));
    let row = |item: &Item| {
        let asked = item.asked.as_ref().map(|(by, at)| format!("cancel asked by {by} at {}", minute(*at)));
        let waiting = item.waiting.iter().map(|one| format!("waited for by {} of {}", one.action, one.request));
        let more: Vec<String> = asked.into_iter().chain(waiting).collect();
        let job = item.job.clone().unwrap_or_default();
        [item.action.clone(), format!("{}: {}", item.status, item.code), job, more.join("; ")]
    };
    let rows: Vec<[String; 4]> = found.items.iter().map(row).collect();
    out.table(["action", "state", "job", ""], &rows, |row: &[String; 4]| row.clone());
}

pub(super) async fn cancel(
    site: &Site,
    request: &str,
    actions: &[String],
    reason: &str,
    out: &Out<'_>,
) -> Result<(), Box<dyn Error>> {
    let number = lists::request(&site.store, request).await?;
    let actor = Actor::operator();
    let who = Who { actor: &actor, username: NAME };
    let mut change = site.store.change().await?;
    let chosen = (!actions.is_empty()).then_some(actions);
    let done = cancel::cancel(&mut change, site, who, number, chosen, reason)
        .await
        .map_err(|error| format!("error: {error}"))?;
    change.commit().await.map_err(store::StoreError::from)?;
    let value =
        json!({"number": number, "at_once": done.at_once, "asked": done.asked, "already_finished": done.finished});
    let mut words = Vec::new();
    if done.at_once {
        words.push(format!("request {number} has ended: its backend had not fetched it"));
    } else if !done.asked.is_empty() {
        words
            .push(format!("asked to stop {} of request {number}; the backend's answer decides", done.asked.join(", ")));
    }
    if !done.finished.is_empty() {
        words.push(format!("ended before, and left alone: {}", done.finished.join(", ")));
    }
    if words.is_empty() {
        words.push(format!("request {number} has ended; nothing is left to stop"));
    }
    out.said(&words.join("\n"), &value);
    Ok(())
}
