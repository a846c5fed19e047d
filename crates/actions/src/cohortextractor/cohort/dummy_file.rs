//! `--dummy-data-file`: rows of the researcher's own, checked against the study and copied byte for byte.
//! Spec study-definitions.md 9.3.

use std::path::Path;

use cohorts::Format;

use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use super::{Job, Sound};

pub(crate) fn check(
    path: &Path,
    format: Format,
    sound: &Sound,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Outcome {
    let _ = (path, format, sound, workspace, context);
    Err(vec![Fault::new(FaultCode::NoEngine, Exit::Data, "this version of cloister cannot check dummy data files yet")])
}

pub(crate) fn copy(path: &Path, jobs: &[Job], workspace: &Workspace, context: &mut Context<'_>) -> Outcome {
    let _ = (path, jobs, workspace, context);
    Ok(())
}
