//! `generate_cohort`: a study definition into files with one row per patient (study-definitions.md 9).

use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::{Context, Outcome};

use super::options;

pub(crate) fn run(_asked: &options::Cohort, _context: &mut Context<'_>, _ambient: &Ambient) -> Outcome {
    Err(vec![Fault::new(
        FaultCode::NoEngine,
        Exit::Data,
        "this version of cloister has no engine for generate_cohort yet",
    )])
}
