//! Pages of signing in and out, of one's own settings, and of projects and workspaces for those who work on them.
//! Spec site.md 3, 6.2, 11.1, 11.2.

mod login;
mod project;
mod settings;
mod settings_page;
mod welcome;
mod workspace;

use crate::access::{Access, Permission};
use crate::web::Routes;

pub(crate) fn routes() -> Routes {
    use Access::{Project, Public, SignedIn};
    Routes::new()
        .get("/login/", Public, login::show)
        .post("/login/", Public, login::send)
        .post("/login/persona/", Public, login::pick)
        .post("/logout/", Public, login::leave)
        .get("/welcome/", Public, welcome::show)
        .post("/welcome/", Public, welcome::send)
        .get("/settings/", SignedIn, settings::show)
        .post("/settings/profile/", SignedIn, settings::profile)
        .post("/settings/password/", SignedIn, settings::password)
        .post("/settings/sessions/end/", SignedIn, settings::end_session)
        .post("/settings/tokens/", SignedIn, settings::make_token)
        .post("/settings/tokens/revoke/", SignedIn, settings::revoke_token)
        .get("/{project}/new-workspace/", Project(Permission::WorkspaceCreate), workspace::new)
        .post("/{project}/new-workspace/", Project(Permission::WorkspaceCreate), workspace::add)
        .get("/{project}/{workspace}/edit/", Project(Permission::ProjectManage), workspace::show)
        .post("/{project}/{workspace}/edit/", Project(Permission::ProjectManage), workspace::edit)
        .post("/{project}/{workspace}/archive/", Project(Permission::WorkspaceArchive), workspace::archive)
        .post(
            "/{project}/{workspace}/notifications/",
            Project(Permission::WorkspaceToggleNotifications),
            workspace::notifications,
        )
        .get("/{project}/edit/", Project(Permission::ProjectManage), project::show)
        .post("/{project}/edit/", Project(Permission::ProjectManage), project::edit)
}
