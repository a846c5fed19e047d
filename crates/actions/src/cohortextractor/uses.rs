//! What the actions of a project do with its study definitions: which modules they name, with which dates and rows, and
//! which of the measures' files they would release. Spec study-definitions.md 9.1, 11; cli.md 3.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use pipeline::{Action, DataKind, Pattern, PrivacyLevel, Project};

use super::commands::Command;
use super::names::Choice;
use super::options::{self, Rows};

/// One action that reads study definitions.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) study: Choice,
    pub(crate) params: Vec<(String, String)>,
    /// It reads what other actions make, which may not be there yet.
    pub(crate) has_needs: bool,
    pub(crate) what: What,
}

/// What an action makes.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Files of patients.
    Cohort { dates: Vec<Date>, rows: Rows },
    /// Measures, and the patterns of its moderately sensitive outputs.
    Measures { folder: PathBuf, released: Vec<Pattern> },
}

/// All actions of a project that read study definitions. Command lines that cannot be read are left to the run, which
/// tells what is wrong with them.
pub(crate) fn of(project: &Project, today: Date) -> Vec<Use> {
    project.actions.iter().filter_map(|action| one(project, action, today)).collect()
}

fn one(project: &Project, action: &Action, today: Date) -> Option<Use> {
    if action.runtime.name != super::NAME {
        return None;
    }
    let words = action.expand(project, DataKind::Dummy).words;
    let words: Vec<OsString> = words.into_iter().skip(1).map(OsString::from).collect();
    let (command, args) = words.get(super::before_command(&words)..)?.split_first()?;
    let has_needs = !action.needs.is_empty();
    match Command::of(command).ok()? {
        Command::GenerateCohort => {
            let asked = options::cohort(args, today).asked.ok()??;
            let what = What::Cohort { dates: asked.dates.unwrap_or_default(), rows: asked.rows };
            Some(Use { study: asked.study, params: asked.params, has_needs, what })
        }
        Command::GenerateMeasures => {
            let asked = options::measures(args).asked.ok()??;
            let moderate = action.outputs.iter().filter(|output| output.level == PrivacyLevel::ModeratelySensitive);
            let released = moderate.map(|output| output.pattern.clone()).collect();
            let what = What::Measures { folder: asked.folder, released };
            Some(Use { study: asked.study, params: asked.params, has_needs, what })
        }
        _ => None,
    }
}

/// The project of a folder, if it has a sound one; what is wrong with a project file is told by others.
pub(crate) fn project(folder: &Path) -> Option<Project> {
    let file = std::fs::File::open(folder.join("project.yaml")).ok()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, LARGEST), &mut bytes).ok()?;
    pipeline::load(&bytes, "project.yaml").project
}

/// Bytes of a project file that are read; above its own limit, which is told elsewhere.
const LARGEST: u64 = 9 << 20;
