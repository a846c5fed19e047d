//! Tells whoever collects the outputs of a job which measure files have a row for each patient (SD705).
//! Spec study-definitions.md 11, jobs.md 11. By hand nobody collects, and nothing is left in the folder.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use pipeline::PATIENT_ROWS;
use study::model::{Measure, MeasureGroups};

use crate::fault::Fault;
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::select::Chosen;

/// The patient-level files of this run, each listed before it is made.
#[derive(Debug, Default)]
pub(super) struct Listed(Vec<String>);

impl Listed {
    /// Adds those of one study, for each date and for all together.
    pub(super) fn add(
        &mut self,
        measures: &[Measure],
        files: &[Chosen],
        folder: &Path,
        workspace: &Workspace,
        context: &Context<'_>,
    ) -> Outcome {
        let before = self.0.len();
        for measure in measures.iter().filter(|measure| measure.groups == MeasureGroups::Patient) {
            let dates = files.iter().map(|file| format!("_{}", file.date)).chain([String::new()]);
            let names = dates.map(|date| format!("measure_{}{date}.csv", measure.id));
            self.0.extend(names.map(|name| plain(&folder.join(name))));
        }
        if self.0.len() == before || context.project_version.is_none() {
            return Ok(());
        }
        self.write(workspace).map_err(|fault| vec![fault])
    }

    fn write(&self, workspace: &Workspace) -> Result<(), Fault> {
        let what = "the list of patient-level files";
        let mut staged = workspace.stage(Path::new(PATIENT_ROWS), what)?;
        let text = serde_json::Value::from(self.0.clone()).to_string();
        staged.file().write_all(text.as_bytes()).map_err(|error| Fault::writing(what, &error))?;
        staged.sync()?;
        staged.publish()
    }
}

/// A path as a collection names it: beneath the workspace, without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut short = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => short.push(name),
            Component::ParentDir => drop(short.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    short.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_a_collection() {
        for (path, expected) in
            [("output/a.csv", "output/a.csv"), ("./x/../output/./a.csv", "output/a.csv"), ("./a", "a")]
        {
            assert_eq!(plain(Path::new(path)), expected);
        }
    }
}
