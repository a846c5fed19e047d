//! What pages and the API show, read from the tables: plain values, no decisions.
//! Spec site.md 3 and 18: a request page takes three queries, a list two, at any depth.

mod backend;
mod job;
mod list;
mod parts;
mod place;
mod request;

pub use backend::{BackendNow, backend_now, backends_now};
pub use job::{Attempt, JobPage, OtherJob, job_page, job_place, jobs_of_prefix};
pub use list::{Filter, ListRow, Listed, requests};
pub use parts::{Alert, BackendFace, Cancellation, Decision, Need, Org, Permission, Person, ProjectFace, alerts};
pub use place::{
    ActionNow, Member, OrgPage, ProjectPage, UserPage, WorkspacePage, WorkspaceRow, org_page, orgs, project_page,
    user_page, workspace_page, workspaces_of,
};
pub use request::{Earlier, JobRow, RequestPage, request_page, request_place, yaml_of};
