//! The bodies of directives other than `job_request`.
//! Spec protocol.md 3.3.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::order::{Actions, Permissions};
use crate::shape::{Broken, Shape, codes, unique};
use crate::text::hashes::Sha256Hex;
use crate::text::ids::{RequestId, Ulid};
use crate::text::list::List;
use crate::text::names::{ProjectSlug, TokenText, Username, WorkspaceName};
use crate::text::time::Moment;
use crate::text::whole::{Epoch, Revision, Seq};

/// Stop these actions of a request; finished ones are left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cancel {
    /// The request.
    pub request: RequestId,
    /// Which actions.
    pub actions: Actions,
    /// Who wants it.
    pub requested_by: Username,
    /// When, by the site's clock.
    pub at: Moment,
}

/// What a project may use from now on: it replaces what was in force, for jobs not yet started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PermissionsInForce {
    /// The project.
    pub project: ProjectSlug,
    /// All of its permissions.
    pub permissions: Permissions,
}

/// Rights of these users changed: fetch the roster now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RightsChanged {
    /// Whose.
    pub users: List<Username, 0, 10_000>,
    /// The roster's revision that has the change.
    pub revision: Revision,
}

/// A workspace is archived, or its project retired: no further starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WorkspaceState {
    /// The workspace.
    pub name: WorkspaceName,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether its project is retired.
    pub project_retired: bool,
}

/// A released file was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FileRevoked {
    /// Of which release.
    pub release: Ulid,
    /// Which file.
    pub sha256: Sha256Hex,
    /// When.
    pub at: Moment,
}

/// The site's staff wish that the backend pauses or opens. Shown to the operator, never acted on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PauseWish {
    /// What is wished.
    pub wish: Wish,
    /// By whom.
    pub by: Username,
    /// Why.
    pub reason: WishReason,
}

codes!(
    /// What is wished.
    Wish {
        /// No new starts.
        Pause,
        /// Starts again.
        Open,
    }
);
codes!(
    /// Why staff wish it.
    WishReason {
        /// Work on the site.
        Maintenance,
        /// Something went wrong.
        Incident,
        /// A data owner asked.
        DataOwner,
        /// What led to an earlier wish is over.
        Resolved,
    }
);

/// The site lost facts: send again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Resend {
    /// Of which epoch.
    pub epoch: Epoch,
    /// From where.
    pub from_seq: Seq,
}

/// A new token for the backend's calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Credential {
    /// The token.
    pub token: Token,
    /// From when it counts.
    pub valid_from: Moment,
}

/// A bearer token. It shows nothing of itself but to who asks for it by [`reveal`](Self::reveal).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Token(TokenText);

impl Token {
    /// A token of this text.
    pub fn new(text: TokenText) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// A word to the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Notice {
    /// Which word.
    pub code: NoticeCode,
    /// By when.
    pub date: Moment,
}

codes!(
    /// A word to the operator.
    NoticeCode {
        /// The program should be renewed.
        UpgradeNeeded,
        /// The site will no longer speak this version.
        ProtocolEnds,
    }
);

impl Shape for Cancel {
    fn check(&self) -> Result<(), Broken> {
        if unique(&self.actions) { Ok(()) } else { Err(Broken("`actions` names an action twice")) }
    }
}
impl Shape for PermissionsInForce {}
impl Shape for RightsChanged {}
impl Shape for WorkspaceState {}
impl Shape for FileRevoked {}
impl Shape for PauseWish {}
impl Shape for Resend {}
impl Shape for Credential {}
impl Shape for Notice {}
