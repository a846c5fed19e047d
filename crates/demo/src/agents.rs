//! The backends of a demo: settings as an operator writes them, enrolment with a one-time code, the words compared, an agent.
//! Spec protocol.md 2, 12.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use backend::agent::{Agent, CannotOpen, Start};
use backend::identity::{CannotEnrol, enrol};
use backend::line::ground::System;
use backend::orders::{Machine, Rules};
use backend::settings::{BadSettings, Settings};
use backend::waivers::{self, ActionName, Mode, Sha256Hex, Terms, Waivers};
use backend::work::WorkDesk;
use sandbox::Runtime;
use site::Opened;
use site::line as at_site;
use site::store::ids::BackendId;

use crate::studies;
use crate::town::{self, PROJECT};
use crate::way::InProcess;

/// Bytes that stay free, as `cloister run` leaves them.
const DISK_LOW: u64 = 2 << 30;

/// A backend that does not start.
#[derive(Debug, thiserror::Error)]
pub enum NoBackend {
    /// Its settings.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// It cannot enrol.
    #[error("a backend of the demo cannot enrol: {0}")]
    Enrol(#[from] CannotEnrol),
    /// The site cannot enrol it.
    #[error("the demo's site cannot enrol a backend: {0}")]
    Site(#[from] at_site::EnrolError),
    /// The two ends do not show the same words.
    #[error("the backend and the site show different words: {backend} and {site}")]
    Words {
        /// At the backend.
        backend: String,
        /// At the site.
        site: String,
    },
    /// It cannot be opened.
    #[error("a backend of the demo cannot be opened: {0}")]
    Open(#[from] CannotOpen),
    /// The waiver that it ships.
    #[error("the demo's waiver cannot be kept: {0}")]
    Waiver(String),
    /// The site's database.
    #[error(transparent)]
    Store(#[from] site::store::StoreError),
    /// Its folder.
    #[error("the folder {path} cannot be made: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The settings file of a backend of the demo, as an operator would write it.
fn file(slug: &str, flavour: &str, origin: &str) -> String {
    format!(
        "# A backend of `cloister demo`: invented data, native environments, repositories of this machine.\n\
         slug = \"{slug}\"\nflavour = \"{flavour}\"\nprofile = \"demo\"\ndata = \"dummy\"\n\n\
         [site]\nurl = \"{origin}\"\n\n\
         [folders]\nstate = \"state\"\nhigh = \"high_privacy\"\nmedium = \"medium_privacy\"\n\n\
         [repositories]\nallow = []\nallow_local = true\n\n\
         [workers]\nmax = 2\n\n\
         [[permission]]\nproject = \"{PROJECT}\"\nkind = \"action\"\ncode = \"sqlrunner\"\n"
    )
}

/// Makes a backend, enrols it, lets the site's staff confirm it, and gives it, ready to run.
pub(crate) async fn agent(
    site: &Opened,
    way: &InProcess,
    (id, slug, flavour): (i64, &str, &str),
    data: &Path,
    (machine, runtime): (Machine, Arc<dyn Runtime>),
) -> Result<Agent, NoBackend> {
    let home = data.join(slug);
    let path = home.join("backend.toml");
    let failed = |source| NoBackend::Folder { path: home.clone(), source };
    std::fs::create_dir_all(&home).map_err(failed)?;
    std::fs::write(&path, file(slug, flavour, &site.settings.origin)).map_err(failed)?;
    let settings = Settings::read(&path)?;
    if !settings.folders.state.join("identity.json").exists() {
        enrol_it(site, way, BackendId(id), &settings).await?;
    }
    let mut rules = Rules::of(&settings, machine);
    // A demo leaves nothing behind, whoever ends it.
    rules.running.die_with_parent = true;
    // A laptop's: a backend of patients waits much earlier.
    rules.running.disk_low = DISK_LOW;
    let desk = Arc::new(WorkDesk::new(rules, runtime));
    Ok(Agent::with(&settings, Arc::new(way.clone()), desk, Start::default()).await?)
}

/// Ships the waiver that the oldest of the stand-in studies needs (spec actions.md 7.5), as an operator would add it.
pub(crate) fn waive(data: &Path, slug: &str, repositories: &Path) -> Result<(), NoBackend> {
    let fault = |error: &dyn std::fmt::Display| NoBackend::Waiver(error.to_string());
    let old = studies::old_sql(repositories).map_err(|error| fault(&error))?;
    let kept = Waivers::of_state(&data.join(slug).join("state"));
    let from = waivers::now();
    for (branch, commit) in old.commits {
        let terms = Terms {
            workspace: town::workspace(studies::SHOWN, branch).parse().map_err(|error| fault(&error))?,
            repository: town::url(&repositories.join(studies::SHOWN)),
            commit: commit.parse().map_err(|error| fault(&error))?,
            action: ActionName::new(old.action),
            sql: Sha256Hex::of(&[old.bytes]),
            mode: Mode::AssumeExcluded,
            reason: "it is older than the rule, and this demo's patients are invented".to_owned(),
            proposed_by: "Robin Researcher".to_owned(),
            approved_by: "Ash Authority".to_owned(),
            from,
            until: from.plus_seconds(365 * 24 * 60 * 60),
        };
        kept.add(terms).map_err(|error| fault(&error))?;
    }
    Ok(())
}

async fn enrol_it(site: &Opened, way: &InProcess, id: BackendId, settings: &Settings) -> Result<(), NoBackend> {
    let mut change = site.store.change().await?;
    let code = at_site::make_code(&mut change, site, id).await?;
    change.commit().await.map_err(site::store::StoreError::from)?;
    let code = code.reveal().parse().map_err(|_| CannotEnrol::BadSiteKey)?;
    let state = &settings.folders.state;
    std::fs::create_dir_all(state).map_err(|source| NoBackend::Folder { path: state.clone(), source })?;
    let identity = enrol(way, &System, &settings.site.url, state, &settings.slug, code).await?;
    let words = at_site::fingerprint(site, id).await?.join(" ");
    if identity.fingerprint() != words {
        return Err(NoBackend::Words { backend: identity.fingerprint().to_owned(), site: words });
    }
    let mut change = site.store.change().await?;
    at_site::confirm(&mut change, site, id, None).await?;
    change.commit().await.map_err(site::store::StoreError::from)?;
    Ok(())
}
