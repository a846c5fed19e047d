//! The built-in actions that this program knows by name, whether it can run them or not.
//! A name that is here is never looked up anywhere else (actions.md 2.2).

use crate::fault::{Exit, Fault, FaultCode};
use crate::{cohort_joiner, cohortextractor, dataset_report, deciles_charts, sqlrunner};

/// One built-in action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionInfo {
    /// The name before the `:` in `run:`.
    pub name: &'static str,
    /// One line for a list.
    pub summary: &'static str,
    /// Whether this version of the program can run it.
    pub engine: bool,
}

const fn known(name: &'static str, summary: &'static str, engine: bool) -> ActionInfo {
    ActionInfo { name, summary, engine }
}

static CATALOGUE: [ActionInfo; 6] = [
    known(
        cohortextractor::NAME,
        "study definitions into files of patients and measures, codelists into counts; in this version on dummy data only",
        true,
    ),
    known(cohort_joiner::NAME, "adds the columns of one file to others, by patient_id", true),
    known(dataset_report::NAME, "an HTML page about the columns of each file", true),
    known(deciles_charts::NAME, "tables and charts of the deciles of measures", true),
    known("interactive", "the analyses behind questions by form", false),
    known(sqlrunner::NAME, "a SQL query into a csv file; in this version on dummy data only", true),
];

/// Every built-in action, by name (actions.md 2.1).
pub fn catalogue() -> &'static [ActionInfo] {
    &CATALOGUE
}

/// A way to behave, shared by some versions of a built-in action; a change of any output byte raises its revision
/// (actions.md 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileInfo {
    /// The first version that behaved so.
    pub name: &'static str,
    /// From 1.
    pub revision: u32,
}

/// What a version of a built-in action runs as; `None` for what no run knows.
pub fn profile(name: &str, version: &str) -> Option<ProfileInfo> {
    let (name, revision) = match name {
        cohortextractor::NAME => cohortextractor::PROFILE,
        cohort_joiner::NAME => cohort_joiner::profile(version)?,
        dataset_report::NAME => dataset_report::profile(version)?,
        deciles_charts::NAME => deciles_charts::profile(version)?,
        sqlrunner::NAME => sqlrunner::profile(version)?,
        _ => return None,
    };
    Some(ProfileInfo { name, revision })
}

/// What of a built-in action's words this version cannot run yet, to be said before anything runs; `None` if it can.
pub fn lacks(name: &str, _args: &[String]) -> Option<String> {
    let known = CATALOGUE.iter().find(|action| action.name == name)?;
    (!known.engine).then(|| format!("this version of cloister has no engine for {name} yet"))
}

/// Why a name cannot be run.
pub(crate) fn refusal(name: &str) -> Fault {
    if CATALOGUE.iter().any(|action| action.name == name) {
        let message = format!("this version of cloister has no engine for {name} yet");
        return Fault::new(FaultCode::NoEngine, Exit::Data, message)
            .help("the action is known by name only; its outputs cannot be made here");
    }
    let runnable: Vec<&str> = CATALOGUE.iter().filter(|action| action.engine).map(|action| action.name).collect();
    let fault = Fault::new(FaultCode::BadArgument, Exit::Arguments, format!("'{name}' is not a built-in action"));
    fault.help(format!("built-in actions that run: {}", runnable.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_run_is_told_before_it_runs() {
        for action in catalogue() {
            assert_eq!(lacks(action.name, &[]).is_none(), action.engine, "{}", action.name);
        }
        assert_eq!(lacks("python", &["-V".to_owned()]), None);
    }
}
