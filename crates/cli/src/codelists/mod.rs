//! `cloister codelists`: add, update, check, check-upstream. Spec cli.md 7; the room `codelists` does the work.

mod said;

use std::error::Error;
use std::path::{Path, PathBuf};

use codelists::{Asking, Project, Site, Unlisted, Versions};

use crate::args::{Codelists, CodelistsCommand, CodelistsCommon, Global};
use crate::check::settings;
use crate::exit::Exit;
use crate::project;
use crate::settings::Settings;
use crate::terminal::Terminal;

pub(crate) fn codelists(args: &Codelists, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let common = match &args.command {
        CodelistsCommand::Add { common, .. }
        | CodelistsCommand::Update { common, .. }
        | CodelistsCommand::Diff { common, .. } => common,
        CodelistsCommand::Check(common) | CodelistsCommand::CheckUpstream(common) => common,
    };
    let place = place(common, terminal)?;
    let settings = settings(global, place.as_deref(), terminal)?;
    let reads = matches!(args.command, CodelistsCommand::Check(_) | CodelistsCommand::CheckUpstream(_));
    let folder = match place {
        Some(folder) => folder,
        None if reads => return Ok(said::nothing_to_check(common.format, terminal)),
        None => return Err(project::Trouble::NoProject(std::env::current_dir()?).into()),
    };
    let rig = Rig::new(&folder, global, &settings)?;
    let result = match &args.command {
        CodelistsCommand::Add { urls, replace, .. } => {
            let versions = if *replace { Versions::Replace } else { Versions::KeepOld };
            rig.online("`codelists add`")
                .and_then(|()| rig.project.add(urls, &rig.site, &rig.asking, versions, jiff::Timestamp::now()))
                .map(|updated| said::updated(&updated, &rig.project, common.format, terminal))
        }
        CodelistsCommand::Update { delete_unlisted, .. } => {
            let unlisted = if *delete_unlisted { Unlisted::Delete } else { Unlisted::Keep };
            rig.online("`codelists update`")
                .and_then(|()| rig.project.update(&rig.site, &rig.asking, unlisted, jiff::Timestamp::now()))
                .map(|updated| said::updated(&updated, &rig.project, common.format, terminal))
        }
        CodelistsCommand::Check(_) => rig.check(terminal).map(|report| {
            let asked = if rig.offline { None } else { Some(rig.site.address()) };
            Ok(said::checked(&report, asked.as_deref(), common.format, terminal))
        }),
        CodelistsCommand::Diff { ids, .. } => rig
            .online("`codelists diff`")
            .and_then(|()| rig.project.diff(ids, &rig.site, &rig.asking))
            .map(|differences| Ok(said::differences(&differences, common.format, terminal))),
        CodelistsCommand::CheckUpstream(_) => rig
            .always_online("`codelists check-upstream`")
            .and_then(|()| rig.project.check_upstream(&rig.site, &rig.asking))
            .map(|report| Ok(said::checked(&report, Some(&rig.site.address()), common.format, terminal))),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => Ok(said::failed(&error, common.format, terminal)),
    }
}

/// All that a command needs.
struct Rig {
    project: Project,
    site: Site,
    asking: Asking,
    offline: bool,
}

impl Rig {
    fn new(folder: &Path, global: &Global, settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let offline = global.offline || settings.one("network.offline") == Some("true");
        let url = settings.one("codelists.url").unwrap_or_default();
        let site = Site::new(url, settings.one("codelists.mirror"))?;
        let ci = std::env::var_os("GITHUB_WORKFLOW").is_some_and(|name| !name.is_empty());
        let mut asking = Asking::new(env!("CARGO_PKG_VERSION"), ci);
        if let Some(parallel) = settings.one("codelists.parallel").and_then(|n| n.parse().ok()) {
            asking.parallel = parallel;
        }
        Ok(Self { project: Project::at(folder)?, site, asking, offline })
    }

    fn online(&self, what: &'static str) -> Result<(), codelists::Error> {
        if self.site.needs_network() { self.always_online(what) } else { Ok(()) }
    }

    fn always_online(&self, what: &'static str) -> Result<(), codelists::Error> {
        if self.offline { Err(codelists::Error::Offline { what }) } else { Ok(()) }
    }

    fn check(&self, terminal: &Terminal) -> Result<codelists::Report, codelists::Error> {
        if !self.offline {
            return self.project.check_all(&self.site, &self.asking);
        }
        if self.asking.ci {
            terminal.note("note: with --offline the codelists are not compared with a download");
        }
        self.project.check()
    }
}

/// The folder whose `codelists/` is meant: the one named, this one if it has codelists, else the study's.
/// `None` if there is neither here.
fn place(common: &CodelistsCommon, terminal: &Terminal) -> Result<Option<PathBuf>, Box<dyn Error>> {
    if let Some(folder) = &common.project_dir {
        return Ok(Some(folder.clone()));
    }
    let here = std::env::current_dir()?;
    if here.join("codelists").symlink_metadata().is_ok() {
        return Ok(Some(here));
    }
    match project::folder(terminal) {
        Ok(folder) => Ok(Some(folder)),
        Err(project::Trouble::NoProject(_)) => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}
