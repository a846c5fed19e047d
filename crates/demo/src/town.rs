//! Who and what there is in a demo: people with one role each, a project, workspaces over the stand-in studies.
//! Everything is made by the functions that staff pages use.

use std::collections::BTreeMap;
use std::path::Path;

use site::access::{Place, Role, ScopeKind};
use site::people::{self, By, Fault};
use site::{Opened, Settings};

use crate::DemoError;
use crate::studies::{self, BROKEN, SHOWN, SLOW};

/// The backends of a demo: name in addresses, name, flavour.
pub(crate) const BACKENDS: [(&str, &str, &str); 2] = [("tpp", "TPP", "tpp"), ("emis", "EMIS", "emis")];

/// Who asks for the runs of a demo.
pub(crate) const RESEARCHER: &str = "researcher";

/// The project of the stand-in studies.
pub(crate) const PROJECT: &str = "stand-in-studies";

/// One person for each role: user name, name, role.
const PEOPLE: [(&str, &str, Role); 13] = [
    (RESEARCHER, "Robin Researcher", Role::ProjectDeveloper),
    ("collaborator", "Carol Collaborator", Role::ProjectCollaborator),
    ("checker", "Chris Checker", Role::OutputChecker),
    ("publisher", "Pat Publisher", Role::OutputPublisher),
    ("deployer", "Drew Deployer", Role::DeploymentAdministrator),
    ("staff", "Stevie Staff", Role::StaffAreaAdministrator),
    ("service", "Sasha Service", Role::ServiceAdministrator),
    ("support", "Sidney Support", Role::TechSupport),
    ("sign-off", "Sky Signoff", Role::SignOffRepoWithOutputs),
    ("authority", "Ash Authority", Role::DataAuthority),
    ("operator", "Ollie Operator", Role::BackendOperator),
    ("auditor", "Alex Auditor", Role::Auditor),
    ("administrator", "Ariel Administrator", Role::SiteAdministrator),
];

/// What was made.
pub(crate) struct Town {
    /// The id of each backend, in the order of [`BACKENDS`].
    pub(crate) backends: Vec<i64>,
    /// Who asks for the runs.
    pub(crate) researcher: i64,
}

/// The name of the workspace of a study, or of one of its branches.
pub(crate) fn workspace(study: &str, branch: &str) -> String {
    match branch {
        studies::BRANCH => format!("try-{study}"),
        _ => format!("try-{branch}"),
    }
}

/// Five real job requests as their public pages show them; `history/README.md` says what in them stands in.
const HISTORY: &str = include_str!("../history/seeds.jsonl");

/// Takes in the history, marked as old records.
pub(crate) async fn remember(site: &Opened) -> Result<(), DemoError> {
    let report = site::import::import(site, HISTORY).await.map_err(site::SiteError::from)?;
    match report.refused.first() {
        None => Ok(()),
        Some(bad) => Err(DemoError::Fault(format!("line {} of the history: {}", bad.line, bad.cause))),
    }
}

/// Makes all of it, in one transaction.
pub(crate) async fn build(site: &Opened, repositories: &Path) -> Result<Town, Fault> {
    let by = By::operator();
    let mut change = site.store.change().await?;
    // There is nobody yet who could be the second person.
    people::roles::set_two_people(&mut change, &by, false).await?;
    let org = people::orgs::Org {
        slug: "northfield",
        name: "Northfield University",
        description: "An organisation that exists only in this demo.",
    };
    let org = people::orgs::add(&mut change, &by, org).await?;
    let project = people::projects::Project {
        number: "",
        name: "Stand-in studies",
        slug: PROJECT,
        category: "internal",
        lead: Some(org),
    };
    let project = people::projects::add(&mut change, &by, project).await?;
    let mut backends = Vec::new();
    for (slug, name, flavour) in BACKENDS {
        let new = people::backends::New { slug, name, flavour, data_kind: "synthetic" };
        backends.push(people::backends::add(&mut change, &by, new).await?);
    }
    let mut accounts = BTreeMap::new();
    for (username, fullname, role) in PEOPLE {
        let new = people::accounts::New { username, fullname, email: "", kind: people::accounts::Kind::Human };
        let account = people::accounts::add(&mut change, &by, new).await?;
        accounts.insert(username, account);
        let places: Vec<Place> = match role.scopes().first() {
            Some(ScopeKind::Project) => vec![Place::Project(project)],
            Some(ScopeKind::Backend) => backends.iter().map(|id| Place::Backend(*id)).collect(),
            _ => vec![Place::Site],
        };
        for place in places {
            let reason = "everybody in a demo has one role";
            let new = people::roles::New { account, role, place, reason, expires_at: None };
            people::roles::grant(&mut change, &by, new).await?;
        }
    }
    let researcher = accounts.get(RESEARCHER).copied().unwrap_or_default();
    for account in [researcher, accounts.get("deployer").copied().unwrap_or_default()] {
        for backend in &backends {
            people::backends::set_member(&mut change, &by, *backend, account, true).await?;
        }
    }
    people::orgs::set_member(&mut change, &by, org, researcher, true).await?;
    let reason = "its SQL reads invented data only";
    let new = people::permissions::New { project, code: "sqlrunner", reason, evidence: "", expires_at: None };
    let sql = people::permissions::propose(&mut change, &by, new).await?;
    people::permissions::approve(&mut change, &by, sql).await?;
    for study in studies::names() {
        let branches = if study == SHOWN { vec![studies::BRANCH, SLOW, BROKEN] } else { vec![studies::BRANCH] };
        for branch in branches {
            let purpose = match branch {
                SLOW => "Its report takes five minutes: something to watch and to cancel.",
                BROKEN => "Its second action fails: something to understand and to mend.",
                _ => "A study written for Cloister that stands in for one of a published job request.",
            };
            let name = workspace(study, branch);
            let repo = url(&repositories.join(study));
            let new = people::workspaces::New { name: &name, repo: &repo, branch, purpose };
            people::workspaces::add(&mut change, &by, &site.settings, project, new).await?;
        }
    }
    people::roles::set_two_people(&mut change, &by, true).await?;
    change.commit().await.map_err(site::store::StoreError::from)?;
    Ok(Town { backends, researcher })
}

/// A folder as the address of a repository.
pub(crate) fn url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}

/// The settings of a demo's site.
pub(crate) fn settings(listen: std::net::SocketAddr, data: &Path) -> Settings {
    Settings {
        name: "Cloister demo".to_owned(),
        listen,
        origin: format!("http://{listen}"),
        data: data.to_owned(),
        repositories: Vec::new(),
        local_repositories: true,
        trusted_proxies: Vec::new(),
        tls: None,
        personas: true,
        rates: site::settings::Rates::default(),
        times: site::settings::Times::default(),
    }
}
