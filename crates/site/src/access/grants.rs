//! The roles that count for somebody now, and what they allow where.
//! Spec site.md 11.3: deny by default; site roles count everywhere, scoped ones only there.

use super::{Object, Permission, Role, ScopeKind};

/// For what one role is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everything.
    Site,
    /// The project with this id.
    Project(i64),
    /// The backend with this id.
    Backend(i64),
}

impl Place {
    /// As it is stored: the word and the id.
    pub fn stored(self) -> (&'static str, i64) {
        match self {
            Self::Site => ("site", 0),
            Self::Project(id) => ("project", id),
            Self::Backend(id) => ("backend", id),
        }
    }

    /// What is stored; `None` for what this program does not know.
    pub fn of(scope: &str, id: i64) -> Option<Self> {
        match scope {
            "site" => Some(Self::Site),
            "project" => Some(Self::Project(id)),
            "backend" => Some(Self::Backend(id)),
            _ => None,
        }
    }

    /// Its kind.
    pub fn kind(self) -> ScopeKind {
        match self {
            Self::Site => ScopeKind::Site,
            Self::Project(_) => ScopeKind::Project,
            Self::Backend(_) => ScopeKind::Backend,
        }
    }
}

/// A role that counts: not revoked, not expired, approved if it needs two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The row.
    pub id: i64,
    /// The role.
    pub role: Role,
    /// Where it counts.
    pub place: Place,
    /// Until when, in microseconds.
    pub expires_at: Option<i64>,
}

/// All roles that count for one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

impl Grants {
    pub(crate) fn push(&mut self, grant: Grant) {
        self.0.push(grant);
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// Whether one of them gives the permission for this object.
    pub fn allow(&self, permission: Permission, object: &Object) -> bool {
        self.0.iter().any(|grant| {
            let here = match grant.place {
                Place::Site => true,
                Place::Project(id) => object.project == Some(id),
                Place::Backend(id) => object.backend == Some(id),
            };
            here && grant.role.permissions().contains(&permission)
        })
    }

    /// Whether the permission is given anywhere: to decide whether a list is worth showing.
    pub fn anywhere(&self, permission: Permission) -> bool {
        self.0.iter().any(|grant| grant.role.permissions().contains(&permission))
    }

    /// Whether it is somebody of the staff, whose sessions end after two hours without use: a role for the whole site
    /// that gives more than sight of released files.
    pub fn is_staff(&self) -> bool {
        self.0.iter().any(|grant| grant.place == Place::Site && grant.role != Role::ProjectCollaborator)
    }
}
