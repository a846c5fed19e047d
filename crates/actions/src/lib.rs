#![doc = include_str!("../README.md")]

mod args;
mod catalogue;
mod cohort_joiner;
mod cohortextractor;
mod context;
mod csv;
mod dataset_report;
mod deciles_charts;
mod evidence;
mod fault;
mod files;
mod gz;
mod sqlrunner;
mod staged;
mod text;
mod version;
mod workspace;

pub use catalogue::{ActionInfo, ProfileInfo, catalogue, lacks, profile};
pub use cohortextractor::{Era, StudyCommand, StudyFile, Which, check_studies, study};
pub use context::{Context, Fences};
pub use fault::FaultCode;

use std::ffi::OsString;

use context::Ambient;
use fault::{Exit, Fault};

/// Runs a built-in action, such as `sqlrunner:latest`, with its arguments, and returns its exit code
/// (actions.md 2.5: 0 done, 1 fault in data or run, 2 arguments; database actions: 5, 10, 11, 12 besides).
///
/// Everything that goes wrong is said on `context.stderr` as `error[CODE]: …`; nothing half done is left behind.
/// Without a version the newest profile runs.
pub fn run(reference: &str, args: &[OsString], context: &mut Context<'_>) -> u8 {
    run_in(reference, args, context, &Ambient::of_this_process())
}

pub(crate) fn run_in(reference: &str, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> u8 {
    let (name, version) = version::split(reference);
    let result = match name {
        sqlrunner::NAME => sqlrunner::run(version, args, context, ambient),
        cohortextractor::NAME => cohortextractor::run(version, args, context, ambient),
        cohort_joiner::NAME => cohort_joiner::run(version, args, context, ambient),
        dataset_report::NAME => dataset_report::run(version, args, context, ambient),
        deciles_charts::NAME => deciles_charts::run(version, args, context, ambient),
        _ => Err(vec![catalogue::refusal(name)]),
    };
    match result {
        Ok(()) => Exit::Done.code(),
        Err(faults) => {
            for fault in &faults {
                let _ = context.stderr.write_all(fault.render().as_bytes());
            }
            faults.first().map_or(Exit::Data, |fault| fault.exit).code()
        }
    }
}

/// What a run ends with: nothing to say, or all that is wrong.
pub(crate) type Outcome = Result<(), Vec<Fault>>;
