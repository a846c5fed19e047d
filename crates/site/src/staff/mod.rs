//! The staff area: people, organisations, projects, data permissions, backends, requests, audit, alerts.
//! Spec site.md 10. Pages only: what is done is done by `people` and `line`.

mod alerts;
mod areas;
mod ask;
mod audit;
mod backend;
mod backends;
mod desk;
mod epoch;
mod home;
mod orgs;
mod permissions;
mod projects;
mod requests;
mod roles;
mod user;
mod users;
mod workspaces;

pub(crate) use areas::AREAS;

use crate::access::{Access, Permission};
use crate::web::Routes;

/// Who manages people.
const PEOPLE: Access = Access::AnyOf(&[Permission::UserManage, Permission::SiteManage]);
/// Who may give some role somewhere.
const ROLES: Access =
    Access::AnyOf(&[Permission::UserManage, Permission::SiteManage, Permission::UserEditProjectRoles]);
/// Who has to do with data permissions.
const DATA: Access = Access::AnyOf(&[Permission::PermissionPropose, Permission::PermissionApprove]);

pub(crate) fn routes() -> Routes {
    use Access::{Backend, Site};
    use Permission as P;
    Routes::new()
        .get("/staff/", Site(P::StaffAreaAccess), home::show)
        .get("/staff/users/", PEOPLE, users::show)
        .post("/staff/users/", Site(P::UserManage), users::add)
        .get("/staff/users/{username}/", PEOPLE, user::show)
        .post("/staff/users/{username}/roles/", PEOPLE, user::grant)
        .post("/staff/users/{username}/clear/", PEOPLE, user::clear)
        .post("/staff/users/{username}/disable/", Site(P::UserManage), user::disable)
        .post("/staff/users/{username}/enable/", Site(P::UserManage), user::enable)
        .post("/staff/users/{username}/link/", Site(P::UserManage), user::link)
        .post("/staff/roles/{grant}/approve/", ROLES, roles::approve)
        .post("/staff/roles/{grant}/revoke/", ROLES, roles::revoke)
        .get("/staff/orgs/", Site(P::OrgCreate), orgs::show)
        .post("/staff/orgs/", Site(P::OrgCreate), orgs::add)
        .get("/staff/orgs/{org}/", Site(P::OrgCreate), orgs::one)
        .post("/staff/orgs/{org}/", Site(P::OrgCreate), orgs::edit)
        .post("/staff/orgs/{org}/members/", Site(P::OrgCreate), orgs::member)
        .get("/staff/projects/", Site(P::ProjectCreate), projects::show)
        .post("/staff/projects/", Site(P::ProjectCreate), projects::add)
        .get("/staff/projects/{project}/", Site(P::ProjectCreate), projects::one)
        .post("/staff/projects/{project}/", Site(P::ProjectCreate), projects::edit)
        .post("/staff/projects/{project}/members/", Site(P::UserEditProjectRoles), projects::member)
        .get("/staff/workspaces/", Site(P::StaffAreaAccess), workspaces::show)
        .get("/staff/permissions/", DATA, permissions::show)
        .post("/staff/permissions/", Site(P::PermissionPropose), permissions::propose)
        .post("/staff/permissions/{grant}/approve/", Site(P::PermissionApprove), permissions::approve)
        .post("/staff/permissions/{grant}/revoke/", DATA, permissions::revoke)
        .get("/staff/backends/", Site(P::BackendManage), backends::show)
        .post("/staff/backends/", Site(P::BackendManage), backends::add)
        .get("/staff/backends/{backend}/", Backend(P::BackendManage), backend::show)
        .post("/staff/backends/{backend}/code/", Backend(P::BackendManage), backend::code)
        .post("/staff/backends/{backend}/confirm/", Backend(P::BackendManage), backend::confirm)
        .post("/staff/backends/{backend}/epoch/", Backend(P::BackendManage), epoch::confirm)
        .post("/staff/backends/{backend}/wish/", Backend(P::BackendManage), ask::wish)
        .post("/staff/backends/{backend}/rotate/", Backend(P::BackendManage), backend::rotate)
        .post("/staff/backends/{backend}/revoke/", Backend(P::BackendManage), backend::revoke)
        .post("/staff/backends/{backend}/members/", Backend(P::BackendManage), backend::member)
        .post("/staff/backends/{backend}/active/", Backend(P::BackendManage), backend::active)
        .post("/staff/backends/{backend}/alert/", Backend(P::BackendManage), backend::alert)
        .get("/staff/requests/", Site(P::StaffAreaAccess), requests::show)
        .get("/staff/audit/", Site(P::AuditView), audit::show)
        .get("/staff/audit/verify/", Site(P::AuditView), audit::verify)
        .get("/staff/audit/export/", Site(P::AuditView), audit::export)
        .get("/staff/alerts/", Site(P::SiteAlertManage), alerts::show)
        .post("/staff/alerts/", Site(P::SiteAlertManage), alerts::add)
        .post("/staff/alerts/{alert}/end/", Site(P::SiteAlertManage), alerts::end)
}
