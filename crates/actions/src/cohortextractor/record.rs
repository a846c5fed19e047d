//! From a module to its recording: the study's Python runs behind a fence, and only what it recorded comes back.
//! Spec study-definitions.md 1.

use study::recording::Recording;

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode};

use super::names::Module;

/// The recording of a module.
pub(crate) fn recorded(
    module: &Module,
    params: &[(String, String)],
    context: &mut Context<'_>,
) -> Result<Recording, Vec<Fault>> {
    context
        .recorder
        .record(context.cwd, module.name(), params)
        .map_err(|message| vec![Fault::new(FaultCode::Study("SD003"), Exit::Unreadable, message)])
}
