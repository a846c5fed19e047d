//! Who asks, and what they may: the one place where that is decided, for pages, buttons and the API alike.
//! Spec site.md 11.3.

mod role;

pub use role::{Permission, Role, ScopeKind};

/// Who may take a route. Every route has one; `web::Routes` takes none without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also without signing in.
    Public,
    /// Anybody who signed in.
    SignedIn,
    /// Who has this permission for the whole site.
    Site(Permission),
    /// Who has this permission for the project that the path names (`{project}`, also through its workspace or request).
    Project(Permission),
    /// Who has this permission for the backend that the path names (`{backend}`).
    Backend(Permission),
    /// A backend with its own token (spec protocol.md 2).
    Agent,
    /// A backend that has only a one-time code.
    Enrolling,
}
