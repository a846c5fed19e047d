//! What a project may read beyond the ordinary: what the site says is in force, and never more than the policy here.
//! Spec protocol.md 1 (data permissions), 3.3 (`permissions`); jobs.md 2 (`analysis_scope`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use jobs::AnalysisScope;
use jobs::engine::{Admission, Refusal, Waived, Work};
use jobs::state::PolicyRule;
use protocol::order::{Permission, PermissionKind};
use protocol::text::names::ProjectSlug;
use protocol::text::time::Moment;
use repositories::AllowList;
use runtimes::Kind;

use super::{ActionRules, Policy, Rules, may_run};
use crate::log::Log;
use crate::settings::Profile;
use crate::waivers::{Asked, Waivers};

/// The built-in action that runs a study's SQL.
const RUNS_SQL: &str = "sqlrunner";

/// The permission to read opted-out patients.
const INCLUDE: &str = "include_t1oo";

/// What is in force now, at hand for every start: kept in memory, read from the records when the backend starts.
pub struct Standing {
    policy: Policy,
    repositories: AllowList,
    actions: ActionRules,
    profile: Profile,
    waivers: Waivers,
    log: Arc<Log>,
    now: RwLock<Now>,
}

#[derive(Default)]
struct Now {
    /// As the site said last, by project.
    permits: BTreeMap<String, Vec<Permission>>,
    /// Workspaces in which nothing starts, and why.
    closed: BTreeMap<String, PolicyRule>,
}

/// The words of a kind in a scope.
fn words(scope: &AnalysisScope, kind: PermissionKind) -> Option<&BTreeSet<String>> {
    match kind {
        PermissionKind::Dataset => Some(&scope.dataset_permissions),
        PermissionKind::Population => Some(&scope.population_permissions),
        PermissionKind::Component => Some(&scope.component_access),
        PermissionKind::Action => None,
    }
}

/// Everything that the list asks for, capped by nothing.
fn asked(permissions: &[Permission], now: Moment) -> AnalysisScope {
    let mut scope = AnalysisScope::default();
    for permission in permissions.iter().filter(|one| one.ends_at.is_none_or(|end| now < end)) {
        let list = match permission.kind {
            PermissionKind::Dataset => &mut scope.dataset_permissions,
            PermissionKind::Population => &mut scope.population_permissions,
            PermissionKind::Component => &mut scope.component_access,
            PermissionKind::Action => continue,
        };
        list.insert(permission.code.to_string());
    }
    scope
}

/// The codes of a list that no backend knows.
pub(super) fn unknown(permissions: &[Permission], now: Moment) -> Vec<String> {
    let known_actions = runtimes::catalogue();
    let is_unknown_action = |one: &&Permission| {
        let code = one.code.as_str().replace('_', "-");
        one.kind == PermissionKind::Action && !known_actions.runtimes.contains_key(&code)
    };
    let mut unknown = asked(permissions, now).unknown();
    unknown.extend(permissions.iter().filter(is_unknown_action).map(|one| format!("action: {}", one.code)));
    unknown
}

impl Policy {
    /// What remains of a scope here, at this moment.
    fn cap(&self, project: &str, scope: &AnalysisScope, now: Moment) -> AnalysisScope {
        let granted = |kind: PermissionKind, code: &str| {
            self.grants.iter().filter(|grant| grant.project.as_str() == project).any(|grant| {
                grant.kind == kind && grant.code.as_str() == code && grant.ends_at.is_none_or(|end| now < end)
            })
        };
        let cap = |kind| -> BTreeSet<String> {
            words(scope, kind).into_iter().flatten().filter(|code| granted(kind, code)).cloned().collect()
        };
        AnalysisScope {
            dataset_permissions: cap(PermissionKind::Dataset),
            population_permissions: cap(PermissionKind::Population),
            component_access: cap(PermissionKind::Component),
        }
    }
}

impl Standing {
    /// With nothing in force yet.
    pub fn new(rules: &Rules, log: Arc<Log>) -> Self {
        let (policy, repositories) = (rules.policy.clone(), rules.repositories.clone());
        let actions = rules.actions.clone();
        let waivers = Waivers::of_state(&rules.folders.state);
        Self { policy, repositories, actions, profile: rules.profile, waivers, log, now: RwLock::default() }
    }

    fn write(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// A project's list, as the site says it now.
    pub fn put(&self, project: &str, permissions: Vec<Permission>) {
        self.write(|now| drop(now.permits.insert(project.to_owned(), permissions)));
    }

    /// Whether anything may start in a workspace.
    pub fn close(&self, workspace: &str, why: Option<PolicyRule>) {
        self.write(|now| {
            match why {
                Some(rule) => now.closed.insert(workspace.to_owned(), rule),
                None => now.closed.remove(workspace),
            };
        });
    }

    /// What a project may read beyond the ordinary at this moment.
    pub fn scope(&self, project: &str, now: Moment) -> AnalysisScope {
        let held = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let list = held.permits.get(project).map(Vec::as_slice).unwrap_or_default();
        self.policy.cap(project, &asked(list, now), now)
    }

    fn judge(&self, work: &Work, now: Moment) -> Result<(), Refusal> {
        let refuse = |rule, words: &str| Err(Refusal { rule, words: words.to_owned() });
        let definition = &work.job.definition;
        let closed = {
            let held = self.now.read().unwrap_or_else(PoisonError::into_inner);
            held.closed.get(definition.workspace.as_str()).copied()
        };
        if let Some(rule) = closed {
            return refuse(rule, "its workspace is archived, or its project retired");
        }
        if let Some(url) = definition.code.repo_url()
            && !url.parse().is_ok_and(|url| self.repositories.check(&url).is_ok())
        {
            return refuse(PolicyRule::RepoNotAllowed, "its repository is no longer on the list");
        }
        if let Some(action) = &definition.reusable
            && !self.actions.still_allow(action)
        {
            return refuse(PolicyRule::RepoNotAllowed, "its reusable action is no longer on the list");
        }
        if self.profile == Profile::Production && work.program.located.kind == Kind::Native {
            return refuse(PolicyRule::ImageNotAllowed, "native environments are refused here");
        }
        let person = (work.created_by.parse(), work.project.parse::<ProjectSlug>());
        if let (Some(roster), (Ok(user), Ok(project))) = (self.log.roster(), person)
            && !may_run(&roster, &user, &project, now)
        {
            return refuse(PolicyRule::PersonNotAllowed, "who asked may no longer run jobs here");
        }
        let allowed = self.scope(&work.project, now);
        let lacks = |of: fn(&AnalysisScope) -> &BTreeSet<String>| !of(&definition.scope).is_subset(of(&allowed));
        if lacks(|s| &s.dataset_permissions) || lacks(|s| &s.population_permissions) || lacks(|s| &s.component_access) {
            return refuse(PolicyRule::PermissionEnded, "a permission that it was planned with is no longer in force");
        }
        Ok(())
    }
}

impl Admission for Standing {
    fn admit(&self, work: &Work) -> Result<(), Refusal> {
        self.judge(work, super::answer::now())
    }

    fn waived_sql(&self, work: &Work) -> Result<Option<Vec<Waived>>, String> {
        let definition = &work.job.definition;
        if work.program.located.kind != Kind::Builtin || work.program.located.reference.name != RUNS_SQL {
            return Ok(None);
        }
        let (Some(repository), Some(commit)) = (definition.code.repo_url(), definition.code.commit()) else {
            return Ok(Some(Vec::new()));
        };
        let asked = Asked {
            workspace: &definition.workspace,
            repository,
            commit,
            action: &definition.action,
            include: self.scope(&work.project, super::answer::now()).population_permissions.contains(INCLUDE),
        };
        let mut waived = self.waivers.in_force(&asked, super::answer::now()).map_err(|error| error.to_string())?;
        // What the job page says must be true of the bytes that are there.
        let is_there = |sql| work.tree.entries.values().any(|entry| entry.object() == Some(sql));
        waived.retain(|file| is_there(file.sql));
        Ok(Some(waived))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Grant;

    fn permission(kind: PermissionKind, code: &str, ends: Option<&str>) -> Permission {
        Permission {
            kind,
            code: code.parse().unwrap(),
            ends_at: ends.map(|end| end.parse().unwrap()),
            approved_by: "da-1".parse().unwrap(),
            approved_at: "2026-11-02T10:00:00.000000Z".parse().unwrap(),
            sig: None,
        }
    }

    #[test]
    fn the_policy_caps_and_ends_count() {
        use PermissionKind::{Action, Component, Dataset, Population};
        let now: Moment = "2027-03-04T09:15:02.000000Z".parse().unwrap();
        let grant = |kind, code: &str, ends: Option<&str>| Grant {
            project: "p".parse().unwrap(),
            kind,
            code: code.parse().unwrap(),
            ends_at: ends.map(|end| end.parse().unwrap()),
        };
        let grants = vec![
            grant(Dataset, "appointments", None),
            grant(Dataset, "icnarc", Some("2027-03-04T09:15:02.000000Z")),
            grant(Dataset, "ukrr", None),
            grant(Population, "include_t1oo", None),
        ];
        let policy = Policy { grants };
        let asked = asked(
            &[
                permission(Dataset, "appointments", None),
                permission(Dataset, "icnarc", None),
                permission(Dataset, "ukrr", Some("2027-03-04T09:15:01.000000Z")),
                permission(Dataset, "isaric", None),
                permission(Component, "event_level_data", None),
            ],
            now,
        );
        let capped = policy.cap("p", &asked, now);
        assert_eq!(capped.dataset_permissions, ["appointments".to_owned()].into());
        assert!(capped.population_permissions.is_empty(), "the policy alone gives nothing");
        assert!(capped.component_access.is_empty());
        assert_eq!(policy.cap("q", &asked, now), AnalysisScope::default());
        let odd = [
            permission(Dataset, "shoe_sizes", None),
            permission(Action, "sqlrunner", None),
            permission(Action, "x", None),
        ];
        assert_eq!(unknown(&odd, now), ["dataset_permissions: shoe_sizes", "action: x"]);
    }
}
