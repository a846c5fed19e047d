//! The commands by name: those that run, and those that end in words (study-definitions.md 12).

use std::ffi::{OsStr, OsString};

use crate::args::{self, bad_argument, value};
use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;
use crate::{Context, Outcome};

use super::{help, options, refused};

/// One command of cohortextractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    GenerateCohort,
    GenerateMeasures,
    GenerateCodelistReport,
    DumpStudyYaml,
    DumpCohortSql,
    Maintenance,
    UpdateVmpMapping,
    UpdateCustomMedicationDictionary,
    CohortReport,
}

const ALL: &[(&str, Command)] = &[
    ("generate_cohort", Command::GenerateCohort),
    ("generate_measures", Command::GenerateMeasures),
    ("generate_codelist_report", Command::GenerateCodelistReport),
    ("dump_study_yaml", Command::DumpStudyYaml),
    ("dump_cohort_sql", Command::DumpCohortSql),
    ("maintenance", Command::Maintenance),
    ("update_vmp_mapping", Command::UpdateVmpMapping),
    ("update_custom_medication_dictionary", Command::UpdateCustomMedicationDictionary),
    ("cohort_report", Command::CohortReport),
];

impl Command {
    pub(crate) fn of(word: &OsStr) -> Result<Self, Fault> {
        if let Some((_, command)) = ALL.iter().find(|(name, _)| *name == word) {
            return Ok(*command);
        }
        let shown: String = word.to_string_lossy().chars().take(64).collect();
        let near = ALL.iter().map(|(name, _)| (strsim::damerau_levenshtein(&shown, name), *name)).min();
        let fault = bad_argument(format!("'{shown}' is not a command of cohortextractor"));
        Err(match near.filter(|(distance, _)| *distance <= 3) {
            Some((_, name)) => fault.help(format!("did you mean {name}?")),
            None => fault.help("cohortextractor --help lists the commands"),
        })
    }
}

pub(crate) fn run(command: Command, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    match command {
        Command::GenerateCohort => {
            let read = options::cohort(args, context.today);
            read.warnings.iter().for_each(|warning| warn(context.stderr, warning));
            match read.asked? {
                None => context.say(&help::cohort()),
                Some(asked) => super::cohort::run(&asked, context, ambient),
            }
        }
        Command::GenerateMeasures => {
            let read = options::measures(args);
            read.warnings.iter().for_each(|warning| warn(context.stderr, warning));
            match read.asked? {
                None => context.say(&help::measures()),
                Some(asked) => super::measures::run(&asked, context),
            }
        }
        Command::GenerateCodelistReport => super::codelist_report::run(args, context, ambient),
        Command::DumpStudyYaml | Command::DumpCohortSql => super::dump::run(command, args, context),
        Command::Maintenance => maintenance(args, ambient),
        Command::UpdateVmpMapping | Command::UpdateCustomMedicationDictionary => {
            context.say("nothing to do: the backend keeps its tables of medications up to date by itself\n")
        }
        Command::CohortReport => Err(refused(
            "cohort_report is no longer made",
            "use the action dataset-report: dataset-report:v0.0.29 --input-files output/input.csv --output-dir output",
        )),
    }
}

/// A rebuild would be told by the database, and no database can be asked here.
fn maintenance(args: &[OsString], ambient: &Ambient) -> Outcome {
    let parsed = args::parse(args, &[value("--database-url"), value("--current-mode"), value("--compat")]);
    if !parsed.faults.is_empty() {
        return Err(parsed.faults);
    }
    if parsed.given("--database-url") || ambient.database_url.is_some() {
        let message = "this version of cloister cannot ask a database whether it is being rebuilt";
        return Err(vec![Fault::new(FaultCode::DatabaseUnavailable, Exit::Database, message)]);
    }
    Ok(())
}
