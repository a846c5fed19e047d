//! `cloister site org`, `project` and `workspace`. Spec site.md 2.2, 10.

use std::error::Error;

use serde_json::json;
use site::Site;
use site::people::lists::{self, Kind};
use site::people::projects::Status;
use site::people::{operate, orgs, projects, workspaces};

use super::args::{Org, Project, Workspace};
use super::out::Out;

async fn list(site: &Site, kind: Kind, heads: [&str; 3], out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    let all = lists::things(&site.store, kind).await?;
    out.table(heads, &all, |one| [one.slug.clone(), one.name.clone(), one.about.clone()]);
    Ok(())
}

pub(super) async fn backends(site: &Site, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    list(site, Kind::Backend, ["slug", "name", "data"], out).await
}

pub(super) async fn org(site: &Site, command: &Org, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Org::List => list(site, Kind::Org, ["slug", "name", ""], out).await?,
        Org::Add { slug, name, description } => {
            let new = orgs::Org { slug, name, description };
            operate(site, async |change, by| orgs::add(change, by, new).await).await?;
            out.said(&format!("the organisation {slug} is added"), &json!({"slug": slug}));
        }
        Org::Edit { slug, name, description } => {
            let now = lists::org(&site.store, slug).await?;
            let (name, description) =
                (name.as_ref().unwrap_or(&now.name), description.as_ref().unwrap_or(&now.description));
            let new = orgs::Org { slug, name, description };
            operate(site, async |change, by| orgs::edit(change, by, now.id, new).await).await?;
            out.said(&format!("the organisation {slug} is changed"), &json!({"slug": slug}));
        }
        Org::Member { slug, username, remove } => {
            let (id, account) = (lists::org(&site.store, slug).await?.id, lists::account(&site.store, username).await?);
            operate(site, async |change, by| orgs::set_member(change, by, id, account, !remove).await).await?;
            let words = if *remove { "no longer belongs" } else { "belongs" };
            out.said(
                &format!("{username} {words} to {slug}"),
                &json!({"slug": slug, "username": username, "member": !remove}),
            );
        }
    }
    Ok(())
}

async fn lead(site: &Site, slug: Option<&String>) -> Result<Option<i64>, Box<dyn Error>> {
    match slug {
        Some(slug) => Ok(Some(lists::named(&site.store, Kind::Org, slug).await?)),
        None => Ok(None),
    }
}

pub(super) async fn project(site: &Site, command: &Project, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Project::List => list(site, Kind::Project, ["slug", "name", "status"], out).await?,
        Project::Add { slug, name, number, category, org } => {
            let new = projects::Project { number, name, slug, category, lead: lead(site, org.as_ref()).await? };
            operate(site, async |change, by| projects::add(change, by, new).await).await?;
            out.said(&format!("the project {slug} is added"), &json!({"slug": slug}));
        }
        Project::Edit { slug, rename, name, number, category, org } => {
            let now = lists::project(&site.store, slug).await?;
            let new = projects::Project {
                number: number.as_ref().unwrap_or(&now.number),
                name: name.as_ref().unwrap_or(&now.name),
                slug: rename.as_ref().unwrap_or(slug),
                category: category.as_ref().unwrap_or(&now.category),
                lead: lead(site, org.as_ref()).await?.or(now.lead),
            };
            operate(site, async |change, by| projects::edit(change, by, now.id, new).await).await?;
            out.said(&format!("the project {} is changed", new.slug), &json!({"slug": new.slug}));
        }
        Project::Status { slug, status, note } => {
            let now = lists::project(&site.store, slug).await?;
            let new = Status { status, note: note.as_ref().unwrap_or(&now.note) };
            operate(site, async |change, by| projects::set_status(change, by, now.id, new).await).await?;
            out.said(&format!("the project {slug} is {status}"), &json!({"slug": slug, "status": status}));
        }
    }
    Ok(())
}

pub(super) async fn workspace(site: &Site, command: &Workspace, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    match command {
        Workspace::List => list(site, Kind::Workspace, ["name", "repository", "project"], out).await?,
        Workspace::Add { name, project, repo, branch, purpose } => {
            let project = lists::named(&site.store, Kind::Project, project).await?;
            let new = workspaces::New { name, repo, branch, purpose };
            operate(site, async |change, by| workspaces::add(change, by, &site.settings, project, new).await).await?;
            out.said(&format!("the workspace {name} is added"), &json!({"name": name}));
        }
        Workspace::Edit { name, branch, purpose, notify } => {
            let now = lists::workspace(&site.store, name).await?;
            let (branch, purpose) = (branch.as_ref().unwrap_or(&now.branch), purpose.as_ref().unwrap_or(&now.purpose));
            let notify = notify.as_ref().map_or(now.notify, |notify| notify == "on");
            operate(site, async |change, by| workspaces::edit(change, by, now.place, branch, purpose, notify).await)
                .await?;
            out.said(&format!("the workspace {name} is changed"), &json!({"name": name}));
        }
        Workspace::Archive { name, reason } => archive(site, name, true, reason, out).await?,
        Workspace::Unarchive { name, reason } => archive(site, name, false, reason, out).await?,
    }
    Ok(())
}

async fn archive(site: &Site, name: &str, archived: bool, reason: &str, out: &Out<'_>) -> Result<(), Box<dyn Error>> {
    let now = lists::workspace(&site.store, name).await?;
    operate(site, async |change, by| workspaces::set_archived(change, by, now.place, archived, reason).await).await?;
    let words = if archived { "takes no new requests" } else { "takes requests again" };
    out.said(&format!("the workspace {name} {words}"), &json!({"name": name, "archived": archived}));
    Ok(())
}
