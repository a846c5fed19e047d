//! The part `studies` of `check`: each study definition that an action names is recorded in a sandbox, without data, and
//! checked. Spec cli.md 3, study-definitions.md 13.

use std::path::Path;

use pipeline::Project;
use study::record::{Fence, SandboxFence};

use super::codelists::Other;
use crate::project::shown;
use crate::terminal::Terminal;

/// The faults of study definitions, by file. Where none can be read, that is said, and is no fault of the study.
pub(super) fn faults(
    project: &Project,
    folder: &Path,
    fence: &dyn Fn() -> Result<SandboxFence, String>,
    terminal: &Terminal,
) -> Vec<Other> {
    let fence = || fence().map(|fence| Box::new(fence) as Box<dyn Fence>);
    let (mut out, mut err) = (std::io::sink(), std::io::sink());
    let mut context = actions::Context::by_hand(folder, &mut out, &mut err);
    context.fence = &fence;
    match actions::check_studies(project, &mut context) {
        Ok(files) => files
            .into_iter()
            .map(|file| Other { name: shown(&folder.join(&file.name)), text: file.text, diagnostics: file.diagnostics })
            .collect(),
        Err(why) => {
            terminal.note(&format!("study definitions are not checked: {}", pipeline::report::visible(&why)));
            Vec::new()
        }
    }
}
