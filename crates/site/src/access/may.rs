//! The one function that decides, for pages, buttons and the API alike.
//! Spec site.md 11.3.

use super::{Permission, Refusal, Role, TokenScope, Viewer};

/// What is acted on: all that a scoped role could be about. Nothing set means the whole site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Object {
    /// The project it belongs to.
    pub project: Option<i64>,
    /// The backend it belongs to.
    pub backend: Option<i64>,
}

impl Object {
    /// The whole site.
    pub const SITE: Self = Self { project: None, backend: None };

    /// A project, or something in it that no backend has.
    pub fn project(id: i64) -> Self {
        Self { project: Some(id), backend: None }
    }

    /// A backend.
    pub fn backend(id: i64) -> Self {
        Self { project: None, backend: Some(id) }
    }

    /// A job request, or a job of it.
    pub fn request(project: i64, backend: i64) -> Self {
        Self { project: Some(project), backend: Some(backend) }
    }
}

/// Why somebody may not: which permission they lack, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What it needs.
    pub permission: Permission,
    /// What it was asked for.
    pub object: Object,
    /// The scope that an API token lacks, where its owner would be allowed.
    pub token: Option<TokenScope>,
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.permission.as_str();
        if let Some(scope) = self.token {
            return write!(
                f,
                "This token does not reach that far: it needs the scope {} here. Make a token with it in your settings.",
                scope.as_str()
            );
        }
        let place = match (self.object.project, self.object.backend) {
            (Some(_), _) => "for this project",
            (None, Some(_)) => "for this backend",
            (None, None) => "for the whole site",
        };
        let roles: Vec<&str> =
            Role::ALL.iter().filter(|role| role.permissions().contains(&self.permission)).map(|r| r.as_str()).collect();
        let (roles, ask) = (roles.join(" or "), asked(self.object));
        write!(f, "This needs the permission {word} {place}, which none of your roles gives. {roles} would; ask {ask}.")
    }
}

fn asked(object: Object) -> &'static str {
    match (object.project, object.backend) {
        (Some(_), _) => "the people who run this site to add you to the project",
        (None, Some(_)) => "the people who run this site to make you an operator of the backend",
        (None, None) => "a site administrator",
    }
}

/// Whether this viewer has the permission for this object, now.
///
/// # Errors
/// [`Refusal::SignIn`] for nobody; [`Refusal::Denied`] with the reason for somebody who may not.
pub fn may(viewer: &Viewer, permission: Permission, object: &Object) -> Result<(), Refusal> {
    let denied = |token| Err(Refusal::Denied(Denied { permission, object: *object, token }));
    match viewer {
        Viewer::Anonymous => Err(Refusal::SignIn),
        Viewer::Person(person) if person.account.grants.allow(permission, object) => Ok(()),
        Viewer::Token(token) if token.account.grants.allow(permission, object) => {
            let scope = TokenScope::needed_for(permission);
            if token.reaches(scope, object) { Ok(()) } else { denied(Some(scope)) }
        }
        Viewer::Person(_) | Viewer::Token(_) => denied(None),
    }
}
