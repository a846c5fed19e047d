//! Numbers of rows, each of its own type, so that one cannot stand for another.
//! Spec site.md 2.

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
    )*};
}

rows! {
    /// A backend.
    BackendId
    /// A person or a program that can sign in.
    AccountId
    /// An organisation.
    OrgId
    /// A project.
    ProjectId
    /// A workspace.
    WorkspaceId
}
