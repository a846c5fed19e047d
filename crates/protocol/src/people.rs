//! People: the roster, sign-in and rights at the review site.
//! Spec protocol.md 8. The backend applies its own confirmations to all of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Limits;
use crate::message::Message;
use crate::shape::{Shape, Unknown, codes};
use crate::text::list::List;
use crate::text::names::{DisplayName, OrgSlug, ProjectSlug, Username, WorkspaceName};
use crate::text::text;
use crate::text::time::Moment;
use crate::text::whole::Revision;

text!(
    /// What a person types to be known: a username or an e-mail address.
    SignInName: "user name or e-mail address" from "person at the review site", 254, "^[!-~]+$",
    "printable ASCII characters without spaces"
);
text!(
    /// The three words of a token for one sign-in.
    WordToken: "token of three words" from "person at the review site", 100, "^[a-z]+ [a-z]+ [a-z]+$",
    "three lower-case words with spaces between"
);

/// A workspace and what a person needs to know of its project.
pub type Workspaces = BTreeMap<WorkspaceName, WorkspaceDetails>;

/// Site → backend: everybody who has to do with this backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Roster {
    /// The users.
    pub users: List<User, 0, 10_000>,
    /// The workspaces that they may see, by name.
    #[schemars(schema_with = "workspaces")]
    pub workspaces: Workspaces,
    /// What it was read at; the next call asks behind it.
    pub revision: Revision,
}

/// A user of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct User {
    /// The name by which rights are looked up.
    pub username: Username,
    /// The name that is shown.
    pub fullname: DisplayName,
    /// Whether the user may do nothing at all.
    pub disabled: bool,
    /// What the user may do where.
    pub roles: List<Role, 0, 1_000>,
}

/// A role, where it holds, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Role {
    /// Which.
    pub role: RoleName,
    /// Where.
    pub scope: Scope,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Moment>,
}

/// Where a role holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Scope {
    /// Everywhere.
    Site,
    /// At this backend.
    Backend,
    /// In a project.
    Project(ProjectSlug),
}

codes!(
    /// The roles of the site (site.md 11.3). What each may do at a backend is the backend's own rule.
    RoleName {
        /// Runs jobs and asks for releases in a project.
        ProjectDeveloper,
        /// Sees released files of a project.
        ProjectCollaborator,
        /// Checks outputs.
        OutputChecker,
        /// Publishes snapshots.
        OutputPublisher,
        /// Runs jobs, looks on at reviews.
        DeploymentAdministrator,
        /// Manages people and backends.
        StaffAreaAdministrator,
        /// Manages projects.
        ServiceAdministrator,
        /// Helps users.
        TechSupport,
        /// Signs off repositories.
        SignOffRepoWithOutputs,
        /// Approves permissions.
        DataAuthority,
        /// Operates a backend.
        BackendOperator,
        /// Reads the audit log.
        Auditor,
        /// Manages the site.
        SiteAdministrator,
    }
);

/// A workspace's project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct WorkspaceDetails {
    /// Its project.
    pub project_details: ProjectDetails,
    /// Whether it is archived.
    pub archived: bool,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct ProjectDetails {
    /// Its title.
    pub name: DisplayName,
    /// Whether it goes on.
    pub ongoing: bool,
    /// Its organisations.
    pub orgs: List<OrgSlug, 0, 100>,
}

/// Backend → site: a person signs in at the review site.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Authenticate {
    /// As typed.
    pub user: SignInName,
    /// As typed; void after use, logged nowhere.
    pub token: WordToken,
}

impl std::fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticate(hidden)")
    }
}

/// Backend → site: what may this person do now?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Authorise {
    /// Who.
    pub user: Username,
}

/// Site → backend: what a person may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rights {
    /// The name by which rights are looked up.
    pub username: Username,
    /// The name that is shown.
    pub fullname: DisplayName,
    /// Workspaces of the person's projects, by name.
    #[schemars(schema_with = "workspaces")]
    pub workspaces: Workspaces,
    /// Workspaces that the person helps with, by name.
    #[schemars(schema_with = "workspaces")]
    pub copiloted_workspaces: Workspaces,
    /// Whether the site holds the person for an output checker; the backend confirms.
    pub output_checker: bool,
    /// Whether the person may look and not act.
    pub readonly_access: bool,
}

fn workspaces(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let (names, details) = (generator.subschema_for::<WorkspaceName>(), generator.subschema_for::<WorkspaceDetails>());
    schemars::json_schema!({"type": "object", "propertyNames": names, "additionalProperties": details})
}

impl Shape for Roster {}
impl Shape for Authenticate {}
impl Shape for Authorise {}
impl Shape for Rights {}

impl Message for Roster {
    const UNKNOWN: Unknown = Unknown::Ignored;
    const LIMITS: Limits = crate::limits::ROSTER;
}
impl Message for Authenticate {
    const UNKNOWN: Unknown = Unknown::Refused;
}
impl Message for Authorise {
    const UNKNOWN: Unknown = Unknown::Refused;
}
impl Message for Rights {
    const UNKNOWN: Unknown = Unknown::Ignored;
}
