//! `cloister site permission`. Spec site.md 2.1, 10.

use std::error::Error;

use serde_json::json;
use site::Site;
use site::people::lists::{self, Kind};
use site::people::{day, operate, permissions};

use super::args::Permission;
use super::out::{Out, minute_or};

pub(super) async fn permission(site: &Site, command: &Permission, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Permission::List { project } => {
            let project = match project {
                Some(slug) => Some(lists::named(&site.store, Kind::Project, slug).await?),
                None => None,
            };
            let all = lists::permissions(&site.store, project, site.clock.microseconds()).await?;
            out.table(["id", "project", "code", "state", "until", "why"], &all, |one| {
                let state = if one.waits { "waits for approval" } else { "counts" };
                let until = minute_or(one.expires_at, "no end");
                [one.id.to_string(), one.project.clone(), one.code.clone(), state.to_owned(), until, one.reason.clone()]
            });
        }
        Permission::Kinds => {
            let all = lists::kinds(&site.store).await?;
            out.table(["code", "kind", "title"], &all, |one| [one.code.clone(), one.kind.clone(), one.title.clone()]);
        }
        Permission::Propose { project, code, reason, evidence, until } => {
            let id = lists::named(&site.store, Kind::Project, project).await?;
            let new = permissions::New { project: id, code, reason, evidence, expires_at: day("until", until)? };
            let id = operate(site, async |change, by| permissions::propose(change, by, new).await).await?;
            let words = format!("{code} for {project} waits until somebody else approves it, as number {id}");
            out.said(&words, &json!({"id": id, "waits": true}));
        }
        Permission::Approve { id } => {
            operate(site, async |change, by| permissions::approve(change, by, *id).await).await?;
            out.said(&format!("permission {id} counts"), &json!({"id": id}));
        }
        Permission::Revoke { id, reason } => {
            operate(site, async |change, by| permissions::revoke(change, by, *id, reason).await).await?;
            out.said(&format!("permission {id} has ended"), &json!({"id": id}));
        }
    }
    Ok(())
}
