//! The public pages: what the tables hold, as people read it. No page needs a script, and no GET writes.
//! Spec site.md 1, 3 to 6. A page is a read model (`store::read`), a template, and a row in `routes`.

mod list;
mod log;
mod query;
mod request;
mod shell;
pub mod words;

pub use request::{Drawn, Memory, changes, draw};

use crate::access::Access;
use crate::web::Routes;

/// The routes of the public pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/static/{file}", Access::Public, shell::file)
        .get("/{project}/{workspace}/{number}/", Access::Public, request::page)
        .get("/job-requests/{number}/", Access::Public, request::short)
        .get("/event-log/", Access::Public, log::all)
        .get("/event-log.csv", Access::Public, log::as_csv)
        .get("/event-log.json", Access::Public, log::as_json)
        .get("/orgs/{slug}/logs/", Access::Public, log::of_org)
        .get("/users/{name}/logs/", Access::Public, log::of_user)
        .get("/{project}/logs/", Access::Public, log::of_project)
        .get("/{project}/{workspace}/logs/", Access::Public, log::of_workspace)
}
