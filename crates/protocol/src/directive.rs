//! Orders from the site to a backend: wishes, never rights.
//! Spec protocol.md 3. Whether an order is allowed is decided by the backend from its own policy, not here.

pub mod body;
pub mod due;
pub mod envelope;
pub mod inbox;
pub mod line;

use crate::shape::{Unknown, bodies};

bodies! {
    /// What a directive asks for.
    DirectiveBody / DirectiveKind, Unknown::Ignored;
    /// Plan and run.
    JobRequest(crate::order::Order) = "job_request";
    /// Stop actions of a request.
    Cancel(body::Cancel) = "cancel";
    /// The permissions of a project now.
    Permissions(body::PermissionsInForce) = "permissions";
    /// Fetch the roster.
    RightsChanged(body::RightsChanged) = "rights_changed";
    /// The state of a workspace.
    Workspace(body::WorkspaceState) = "workspace";
    /// A released file was taken back.
    FileRevoked(body::FileRevoked) = "file_revoked";
    /// A wish for the operator.
    PauseWish(body::PauseWish) = "pause_wish";
    /// Send facts again.
    Resend(body::Resend) = "resend";
    /// A new token.
    Credential(body::Credential) = "credential";
    /// A word to the operator.
    Notice(body::Notice) = "notice";
}
