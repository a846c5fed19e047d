//! What pages and the API show, read from the tables: plain values, no decisions.
//! Spec site.md 3 and 18: a request page takes two statements, a list one, at any depth.

mod backend;
mod job;
mod list;
mod parts;
mod place;
mod request;

pub use backend::{BackendNow, Now, Waited, backend_now, now, waited};
pub use job::{Attempt, JobPage, JobPlace, OtherJob, Usage, job_of_prefix, job_page, job_place};
pub use list::{Filter, ListRow, Listed, newest, requests};
pub use parts::{Alert, BackendFace, Cancellation, Decision, Need, Org, Permission, Person, ProjectFace};
pub use place::{
    ActionNow, Member, OrgPage, ProjectPage, UserPage, WorkspacePage, WorkspaceRow, org_page, orgs, project_page,
    user_page, workspace_face, workspace_page, workspaces_of,
};
pub use request::{Earlier, JobRow, RequestPage, request_page, request_place, yaml_of};
