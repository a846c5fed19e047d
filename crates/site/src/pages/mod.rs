//! The public pages: what the tables hold, as people read it. No page needs a script, and no GET writes.
//! Spec site.md 1, 3 to 6. A page is a read model (`store::read`), a template, and a row in `routes`.

mod code;
mod drawn;
mod home;
mod job;
mod list;
mod log;
mod overview;
mod place;
mod query;
mod request;
mod shell;
mod status;
pub mod words;
mod workspace;
mod yaml;

pub use drawn::{Drawn, changes};
pub(crate) use log::stream as log;
pub use overview::Overview;
pub(crate) use query::Query;
pub(crate) use request::Pipeline;
pub use request::{Memory, draw};
pub(crate) use shell::{number, show, tagged};

use crate::access::Access;
use crate::web::Routes;

/// The routes of the public pages.
pub fn routes() -> Routes {
    Routes::new()
        .get("/", Access::Public, home::page)
        .get("/static/{file}", Access::Public, shell::file)
        .get("/{project}/{workspace}/{number}/", Access::Public, request::page)
        .get("/job-requests/{number}/", Access::Public, request::short)
        .get("/{project}/{workspace}/{number}/project.yaml", Access::Public, yaml::page)
        .get("/{project}/{workspace}/{number}/code/{*path}", Access::Public, code::page)
        .get("/{project}/{workspace}/{number}/{job}/", Access::Public, job::page)
        .get("/jobs/{job}/", Access::Public, job::short)
        .get("/{project}/{workspace}/", Access::Public, workspace::page)
        .get("/{project}/", Access::Public, place::project)
        .get("/organisations/", Access::Public, place::organisations)
        .get("/orgs/{slug}/", Access::Public, place::organisation)
        .get("/users/{name}/", Access::Public, place::user)
        .get("/status/", Access::Public, status::page)
        .get("/status/{backend}/", Access::Public, status::word)
        .get("/status/{backend}/db-availability/", Access::Public, status::database)
        .get("/event-log/", Access::Public, log::all)
        .get("/event-log.csv", Access::Public, log::as_csv)
        .get("/event-log.json", Access::Public, log::as_json)
        .get("/orgs/{slug}/logs/", Access::Public, log::of_org)
        .get("/users/{name}/logs/", Access::Public, log::of_user)
        .get("/{project}/logs/", Access::Public, log::of_project)
        .get("/{project}/{workspace}/logs/", Access::Public, log::of_workspace)
}
