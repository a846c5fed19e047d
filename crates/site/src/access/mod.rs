//! Who asks, and what they may: the one place where that is decided, for pages, buttons and the API alike.
//! Spec site.md 11.3.

mod answer;
mod bearer;
mod door;
mod fields;
mod grants;
mod guard;
mod limits;
mod may;
pub mod rate;
mod redirects;
mod refusal;
mod role;
mod scope;
mod scopes;
pub mod secret;
pub mod session;
mod viewer;

pub use answer::{local, sign_in};
pub use door::RequestId;
pub(crate) use door::door;
pub use fields::{Fields, Form};
pub use grants::{Grant, Grants, Place};
pub(crate) use guard::{Post, guard};
pub use limits::Gate;
pub use may::{Denied, Object, may};
pub use rate::Prefix;
pub use refusal::Refusal;
pub use role::{Permission, Role, ScopeKind};
pub use scope::{Backend, JobRequest, Project, Scope, Workspace};
pub use scopes::TokenScope;
pub use viewer::{Account, Person, Token, Viewer};

/// Who may take a route. Every route has one; `web::Routes` takes none without it.
///
/// A path names things by these words: `{project}` (slug), `{workspace}` (name), `{number}` or `{request}` (number or
/// identifier of a job request), `{backend}` (slug). A route with `Project` or `Backend` has them loaded before its
/// handler; the handler takes [`Project`], [`Workspace`], [`JobRequest`], [`Backend`] or [`Scope`] as arguments. A public
/// route may take them too, they are loaded then. Parts of a path that do not belong together are 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also without signing in.
    Public,
    /// Anybody who signed in.
    SignedIn,
    /// Who has this permission for the whole site.
    Site(Permission),
    /// Who has any of these permissions for the whole site; the handler's functions decide what exactly.
    AnyOf(&'static [Permission]),
    /// Who has this permission for the project that the path names (`{project}`, also through its workspace or request).
    Project(Permission),
    /// Who has this permission for the backend that the path names (`{backend}`).
    Backend(Permission),
    /// A backend with its own token (spec protocol.md 2). `line` looks it up, for it keeps who is connected.
    Agent,
    /// A backend that has only a one-time code. `line` looks it up.
    Enrolling,
}
