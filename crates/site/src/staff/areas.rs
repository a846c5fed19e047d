//! The parts of the staff area, and who finds a way to each.
//! Spec site.md 10.

use crate::access::{Object, Permission, Viewer};

/// One part.
#[derive(Debug)]
pub(crate) struct Area {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) path: &'static str,
    /// Any of these for the whole site opens it.
    permissions: &'static [Permission],
}

impl Area {
    /// Whether this viewer may enter it.
    pub(crate) fn is_open_to(&self, viewer: &Viewer) -> bool {
        self.permissions.iter().any(|permission| viewer.can(*permission, &Object::SITE))
    }
}

const fn area(name: &'static str, path: &'static str, permissions: &'static [Permission]) -> Area {
    Area { name, path, permissions }
}

/// All of them, in the order of the menu.
pub(crate) const AREAS: [Area; 10] = [
    area("Overview", "/staff/", &[Permission::StaffAreaAccess]),
    area("People", "/staff/users/", &[Permission::UserManage, Permission::SiteManage]),
    area("Organisations", "/staff/orgs/", &[Permission::OrgCreate]),
    area("Projects", "/staff/projects/", &[Permission::ProjectCreate]),
    area("Workspaces", "/staff/workspaces/", &[Permission::StaffAreaAccess]),
    area("Data permissions", "/staff/permissions/", &[Permission::PermissionPropose, Permission::PermissionApprove]),
    area("Backends", "/staff/backends/", &[Permission::BackendManage]),
    area("Requests", "/staff/requests/", &[Permission::StaffAreaAccess]),
    area("Audit log", "/staff/audit/", &[Permission::AuditView]),
    area("Alerts", "/staff/alerts/", &[Permission::SiteAlertManage]),
];
