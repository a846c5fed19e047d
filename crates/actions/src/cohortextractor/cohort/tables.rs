//! Real-mode files from a folder of patient tables: the study's graph, asked over plain rows (study-definitions.md 3, 9.2).
//! Small and slow by intent: the reference interpreter stands in for the engine.

use std::path::Path;

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::{Job, Sound};

pub(crate) fn prepare(
    _sound: &Sound,
    _jobs: Vec<Job>,
    _folder: &Path,
    _workspace: &Workspace,
    _context: &mut Context<'_>,
) -> Result<Vec<(Job, cohorts::Memory)>, Vec<Fault>> {
    let message = "this version of cloister cannot read folders of patient tables yet";
    Err(vec![Fault::new(FaultCode::NoEngine, Exit::Data, message)])
}
