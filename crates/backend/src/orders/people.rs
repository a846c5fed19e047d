//! Whether a person may run jobs for a project here, as the roster has it.
//! Spec protocol.md 1 (person); site.md 11.3: who has `job_run`.

use protocol::people::{Role, RoleName, Roster, Scope};
use protocol::text::names::{ProjectSlug, Username};
use protocol::text::time::Moment;

/// Whether this role lets its holder run jobs for a project at this moment.
fn gives_job_run(role: &Role, project: &ProjectSlug, now: Moment) -> bool {
    let somewhere_here = match &role.scope {
        Scope::Site | Scope::Backend => true,
        Scope::Project(of) => of == project,
    };
    let in_force = role.ends_at.is_none_or(|end| now < end);
    in_force && somewhere_here && matches!(role.role, RoleName::ProjectDeveloper | RoleName::DeploymentAdministrator)
}

/// Whether the user may run jobs for this project now.
pub fn may_run(roster: &Roster, user: &Username, project: &ProjectSlug, now: Moment) -> bool {
    let user = roster.users.iter().find(|known| known.username == *user && !known.disabled);
    user.is_some_and(|user| user.roles.iter().any(|role| gives_job_run(role, project, now)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn may(roles: &Value, disabled: bool) -> bool {
        let user =
            json!({"username": "sample-r", "fullname": "Sample Researcher", "disabled": disabled, "roles": roles});
        let roster = serde_json::from_value(json!({"users": [user], "workspaces": {}, "revision": 1})).unwrap();
        let (user, project) = ("sample-r".parse().unwrap(), "winter-pressures".parse().unwrap());
        may_run(&roster, &user, &project, "2027-03-04T09:15:02.000000Z".parse().unwrap())
    }

    #[test]
    fn a_role_counts_where_and_until_it_holds() {
        let of = |role: &str, scope: Value| json!([{"role": role, "scope": scope}]);
        assert!(may(&of("project_developer", json!({"project": "winter-pressures"})), false));
        assert!(!may(&of("project_developer", json!({"project": "winter-pressures"})), true));
        assert!(!may(&of("project_developer", json!({"project": "another"})), false));
        assert!(!may(&of("project_collaborator", json!({"project": "winter-pressures"})), false));
        assert!(!may(&of("output_checker", json!("backend")), false));
        assert!(may(&of("deployment_administrator", json!("site")), false));
        assert!(!may(&json!([]), false));
        let until = |end: &str| json!([{"role": "project_developer", "scope": "backend", "ends_at": end}]);
        assert!(may(&until("2027-03-04T09:15:02.000001Z"), false));
        assert!(!may(&until("2027-03-04T09:15:02.000000Z"), false), "it ends with that moment");
    }
}
