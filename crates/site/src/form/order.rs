//! The order that a request becomes: every text in the type that the message has for it.
//! Spec protocol.md 3.4.

use protocol::order::{
    Codelists, Database, Order, Permission, PermissionKind, Permissions, Project, Requester, RequesterKind, Stale,
};
use protocol::text::BadText;
use protocol::text::time::Moment;

use super::ground::Ground;
use super::permit::Grant;
use super::wish::Wish;
use crate::mirror::Study;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The row.
    pub account: i64,
    /// The public user name.
    pub username: String,
    /// The name that is shown.
    pub fullname: String,
    /// Whether it is a program of its own.
    pub is_service: bool,
}

/// What cannot be said in an order.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be sent to a backend: {why}")]
pub struct Unsayable {
    /// The field, in words.
    pub what: &'static str,
    /// Which rule it breaks.
    pub why: String,
}

/// What an order says beside the wish.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The long id.
    pub identifier: &'a str,
    /// The public number.
    pub number: i64,
    /// Microseconds since the epoch.
    pub at: i64,
    /// The workspace.
    pub ground: &'a Ground,
    /// Organisations of the project.
    pub orgs: &'a [String],
    /// Who asks.
    pub by: &'a By,
    /// For what.
    pub wish: &'a Wish,
    /// Of which commit.
    pub study: &'a Study,
    /// What the project may use now.
    pub grants: &'a [Grant],
}

fn say<T: std::str::FromStr<Err = BadText>>(what: &'static str, text: &str) -> Result<T, Unsayable> {
    text.parse().map_err(|why: BadText| Unsayable { what, why: why.to_string() })
}

fn moment(at: i64) -> Result<Moment, Unsayable> {
    Moment::from_microseconds(at).map_err(|why| Unsayable { what: "the time", why: why.to_string() })
}

impl Said<'_> {
    /// The order.
    ///
    /// # Errors
    /// A text that the message has no form for.
    pub fn order(&self) -> Result<Order, Unsayable> {
        let whole = |why: &dyn std::fmt::Display| Unsayable { what: "the request's number", why: why.to_string() };
        let number = u64::try_from(self.number).map_err(|why| whole(&why))?;
        let lists = |what, why: &dyn std::fmt::Display| Unsayable { what, why: why.to_string() };
        let actions: Result<Vec<_>, _> = self.wish.actions.iter().map(|name| say("an action", name.as_str())).collect();
        let orgs: Result<Vec<_>, _> = self.orgs.iter().map(|org| say("an organisation", org)).collect();
        let sha256 = self.study.yaml.as_ref().map_or("", |(_, sha256)| sha256);
        Ok(Order {
            request: say("the request's id", self.identifier)?,
            number: number.try_into().map_err(|why| whole(&why))?,
            created_at: moment(self.at)?,
            workspace: say("the workspace", &self.ground.name)?,
            project: Project {
                slug: say("the project", &self.ground.slug)?,
                number: self.ground.number.as_deref().map(|text| say("the project's number", text)).transpose()?,
            },
            orgs: orgs?.try_into().map_err(|why| lists("the organisations", &why))?,
            repo_url: say("the repository", &self.ground.repo)?,
            branch: say("the branch", &self.ground.branch)?,
            commit: say("the commit", &self.study.commit.to_string())?,
            project_yaml_sha256: say("the hash of project.yaml", sha256)?,
            requested_actions: actions?.try_into().map_err(|why| lists("the actions", &why))?,
            force_run_dependencies: self.wish.force,
            stale: self.wish.rerun.then_some(Stale::Rerun),
            requested_by: Requester {
                username: say("your user name", &self.by.username)?,
                name: say("your name", &self.by.fullname).or_else(|_| say("your name", &self.by.username))?,
                kind: if self.by.is_service { RequesterKind::Service } else { RequesterKind::Human },
            },
            codelists: if self.study.codelists.ok() { Codelists::Ok } else { Codelists::Stale },
            permissions: permissions(self.grants)?,
            database: Database::Default,
            trace: None,
        })
    }
}

/// The permissions in force as messages have them.
///
/// # Errors
/// A text that the message has no form for, or too many.
pub(crate) fn permissions(grants: &[Grant]) -> Result<Permissions, Unsayable> {
    let all: Result<Vec<_>, _> = grants.iter().filter_map(permission).collect();
    all?.try_into().map_err(|why| Unsayable { what: "the permissions", why: format!("{why}") })
}

/// None for a kind that this version of the protocol has no word for.
fn permission(grant: &Grant) -> Option<Result<Permission, Unsayable>> {
    let kind = match grant.kind.as_str() {
        "dataset" => PermissionKind::Dataset,
        "population" => PermissionKind::Population,
        "component" => PermissionKind::Component,
        "action" => PermissionKind::Action,
        _ => return None,
    };
    let said = || {
        Ok(Permission {
            kind,
            code: say("a permission", &grant.code)?,
            ends_at: grant.expires_at.map(moment).transpose()?,
            approved_by: say("an approver", grant.approved_by.as_deref().unwrap_or("operator"))?,
            approved_at: moment(grant.approved_at)?,
            sig: None,
        })
    };
    Some(said())
}
