//! `dump_study_yaml` and `dump_cohort_sql`: what a study definition asks (study-definitions.md 12).

use std::ffi::OsString;

use crate::fault::{Exit, Fault, FaultCode};
use crate::{Context, Outcome};

use super::commands::Command;

pub(crate) fn run(_command: Command, _args: &[OsString], _context: &mut Context<'_>) -> Outcome {
    Err(vec![Fault::new(
        FaultCode::NoEngine,
        Exit::Data,
        "this version of cloister cannot print study definitions yet",
    )])
}
