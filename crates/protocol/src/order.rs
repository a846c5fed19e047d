//! An order to run actions: the body of the directive `job_request`, echoed in the fact that answers it.
//! Spec protocol.md 3.4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::SignatureText;
use crate::shape::{Broken, Shape, codes, unique};
use crate::text::hashes::{CommitId, Sha256Hex};
use crate::text::ids::RequestId;
use crate::text::list::List;
use crate::text::names::{
    ActionName, Branch, DisplayName, OrgSlug, PermissionCode, ProjectNumber, ProjectSlug, RepoUrl, TraceParent,
    Username, WorkspaceName,
};
use crate::text::time::Moment;
use crate::text::whole::RequestNumber;

/// Action names of one request.
pub type Actions = List<ActionName, 1, 10_000>;
/// What a project may use.
pub type Permissions = List<Permission, 0, 1_000>;

/// A job request as the site orders it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Order {
    /// The request.
    pub request: RequestId,
    /// Its public number.
    pub number: RequestNumber,
    /// By the site's clock.
    pub created_at: Moment,
    /// Where its outputs belong.
    pub workspace: WorkspaceName,
    /// For which project.
    pub project: Project,
    /// Of which organisations.
    pub orgs: List<OrgSlug, 0, 100>,
    /// Where the code is.
    pub repo_url: RepoUrl,
    /// The branch that has the commit.
    pub branch: Branch,
    /// The code.
    pub commit: CommitId,
    /// Of the bytes that the requester saw.
    pub project_yaml_sha256: Sha256Hex,
    /// What to run; `run_all` may stand beside names.
    pub requested_actions: Actions,
    /// Whether what is needed runs again too.
    pub force_run_dependencies: bool,
    /// What happens to what is out of date; absent is `keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// Who asks.
    pub requested_by: Requester,
    /// What the site found about the codelists.
    pub codelists: Codelists,
    /// What the project may use, before the backend's own cap.
    pub permissions: Permissions,
    /// Which database.
    pub database: Database,
    /// The trace it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceParent>,
}

/// A project by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Project {
    /// Its short name.
    pub slug: ProjectSlug,
    /// Its number, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<ProjectNumber>,
}

/// Who asks for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Requester {
    /// The name by which rights are looked up.
    pub username: Username,
    /// The name that is shown.
    pub name: DisplayName,
    /// A person or a program.
    pub kind: RequesterKind,
}

/// A permission in force for a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Permission {
    /// Permission for what.
    pub kind: PermissionKind,
    /// Which one.
    pub code: PermissionCode,
    /// The moment from which it counts no more; by the backend's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Moment>,
    /// Who approved it.
    pub approved_by: Username,
    /// When.
    pub approved_at: Moment,
    /// The approver's signature, where approvers are enrolled at the backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sig: Option<SignatureText>,
}

codes!(
    /// What happens to outputs that are out of date.
    Stale {
        /// They are kept.
        Keep,
        /// Their actions run again.
        Rerun,
    }
);
codes!(
    /// Who asks.
    RequesterKind {
        /// A person.
        Human,
        /// A program with a token.
        Service,
    }
);
codes!(
    /// What the site found about the codelists of the commit.
    Codelists {
        /// As they were published.
        Ok,
        /// Differing from what was published.
        Stale,
        /// Not looked at.
        Unchecked,
    }
);
codes!(
    /// Permission for what.
    PermissionKind {
        /// A set of tables.
        Dataset,
        /// A group of patients.
        Population,
        /// A kind of output.
        Component,
        /// A built-in action.
        Action,
    }
);
codes!(
    /// Which database; today there is one.
    Database {
        /// The backend's own.
        Default,
    }
);

impl Order {
    /// Whether another order under this id asks for the same thing: same repository, workspace and commit.
    pub fn is_same_request(&self, other: &Self) -> bool {
        (&self.repo_url, &self.workspace, &self.commit) == (&other.repo_url, &other.workspace, &other.commit)
    }
}

impl Shape for Order {
    fn check(&self) -> Result<(), Broken> {
        if !unique(&self.requested_actions) {
            return Err(Broken("`requested_actions` names an action twice"));
        }
        Ok(())
    }
}
